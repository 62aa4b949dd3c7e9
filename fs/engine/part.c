#include "fs/engine/part.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/base/path.h"
#include "fs/engine/core.h"
#include "fs/journal/lastrun.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *part_name(const struct job *job, int number)
{
	return format(
		"%s%lld-%d.part", job->engine->setup.last->parts, (long long)job->row.id, number);
}

static char *part_path(const struct job *job, int number)
{
	AUTO_FREE char *name = part_name(job, number);

	return name ? path_join("incoming", name) : NULL;
}

bool part_may_go_on(const struct output *output)
{
	return output->validator && output->promised > 0;
}

void part_forget(struct output *output)
{
	output->bytes = output->promised = output->kept = output->moov = 0;
	free(TAKE(output->validator));
	free(TAKE(output->came));
	free(TAKE(output->is));
	free(TAKE(output->unmarked));
	output->now.have = output->now.sync_at = 0;
	output->now.whole = false;
}

/* Whether the file is as good as was thought. */
static int begin(struct output *output, int fd)
{
	struct stat info;

	if (fstat(fd, &info) < 0)
		return -errno;
	if (!output->now.opened)
		output->now.have = output->kept;
	output->now.opened = true;
	if (part_may_go_on(output) && output->now.have < output->promised &&
		output->now.have <= info.st_size)
		return 0;
	if (output->kept)
		return -ESTALE;
	output->now.have = 0;
	return 0;
}

int part_open(struct engine *engine, struct job *job, int number, int64_t *at)
{
	struct output *output = &job->row.output[number];
	AUTO_FREE char *path = part_path(job, number);
	AUTO_FD int fd = -1;
	int error;

	if (!path)
		return -ENOMEM;
	fd = openat(engine->setup.store_fd, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	error = begin(output, fd);
	if (error < 0)
		return error;
	if (ftruncate(fd, output->now.have) < 0)
		return -errno;
	*at = output->now.have;
	return TAKE_FD(fd);
}

int part_open_whole(struct engine *engine, const struct job *job, int number)
{
	AUTO_FREE char *path = part_path(job, number);
	int fd;

	if (!path)
		return -ENOMEM;
	fd = openat(engine->setup.store_fd, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int64_t part_bytes(struct engine *engine, const struct job *job, int number)
{
	AUTO_FREE char *path = part_path(job, number);
	struct stat info;

	if (!path)
		return -ENOMEM;
	if (fstatat(engine->setup.store_fd, path, &info, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return info.st_size;
}

void part_remove(struct engine *engine, const struct job *job, int number)
{
	AUTO_FREE char *path = part_path(job, number);

	if (path && unlinkat(engine->setup.store_fd, path, 0) < 0 && errno != ENOENT)
		log_warn("%s: %s", path, strerror(errno));
}

/* ------------------------------------------------------------------ the end of the engine */

static void keep(struct engine *engine, struct job *job, int number)
{
	struct output *output = &job->row.output[number];
	AUTO_FD int fd = part_open_whole(engine, job, number);
	struct stat info;

	if (fd < 0 || fstat(fd, &info) < 0 || fdatasync(fd) < 0)
		return; /* it is fetched again */
	if (output->now.whole)
		output->bytes = info.st_size;
	output->kept = info.st_size;
	job_commit_then(job, NULL);
}

void part_keep_all(struct engine *engine)
{
	struct takes takes;

	jobs_list(&engine->jobs, JOB_DOWNLOADING, &takes);
	for (size_t i = 0; i < takes.count; i++) {
		struct job *job = takes.item[i];

		for (int number = 0; number < (int)job->row.noutputs; number++) {
			const struct output *output = &job->row.output[number];

			if (output->state == OUTPUT_LINKED && output->now.opened &&
				!output->bytes && /* else it is durable, and may be longer by now */
				(output->now.whole || part_may_go_on(output)))
				keep(engine, job, number);
		}
	}
	takes_clear(&takes);
}

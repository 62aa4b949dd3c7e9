#include "fs/engine/lastlook.h"

#include "fs/base/clock.h"
#include "fs/engine/core.h"
#include "fs/engine/intake.h"
#include "fs/engine/owner.h"

#include "fs/journal/lastrun.h"

#include <errno.h>
#include <string.h>

#define UNWRITTEN_MS 60000 /* the kernel writes within 35 s what nobody syncs (proc_sys_vm(5)) */

bool file_is_written(struct engine *engine, const char *path)
{
	const struct host *host = &engine->host;
	struct way way = {0};
	int error = tree_way(&engine->tree, path, &way);
	bool is = (error && !tree_is_absence(error)) || host->is_written(host->context, path) ||
	          (way.end && host->is_written(host->context, way.end));

	way_clear(&way);
	return is;
}

/* A scratch copy without a writer is at rest when it has not changed for the settle time: until
 * then it may be about to be renamed. */
static bool is_under_way(struct engine *engine, const char *path)
{
	struct stat info;
	int64_t changed_ms;

	if (file_is_written(engine, path))
		return true;
	if (tree_stat(&engine->tree, path, &info) < 0)
		return false; /* renamed already, which is told */
	changed_ms = info.st_mtim.tv_sec * INT64_C(1000) + info.st_mtim.tv_nsec / 1000000;
	return clock_wall_ms() - changed_ms < engine->setup.config->settle_ms &&
	       clock_wall_ms() >= changed_ms;
}

bool files_are_busy(struct engine *engine, const struct job_files *files)
{
	const char *path[FILES_MAX];
	size_t count = files_list(files, path);

	for (size_t i = 0; i < count; i++)
		if (file_is_written(engine, path[i]))
			return true;
	for (size_t i = 0; i < files->under_way.count; i++)
		if (is_under_way(engine, files->under_way.item[i]))
			return true;
	return false;
}

bool pictures_are_busy(struct engine *engine, const struct picture *picture, size_t npictures)
{
	for (size_t i = 0; i < npictures; i++)
		if (file_is_written(engine, picture[i].path))
			return true;
	return false;
}

/* Changed so shortly before the machine went down that the disk may not have all of it. What
 * another file of its job does says nothing of it. */
static bool may_be_half(const struct engine *engine, const struct stat *info)
{
	const struct last_run *last = engine->setup.last;
	const int64_t changed_ms =
		info->st_ctim.tv_sec * INT64_C(1000) + info->st_ctim.tv_nsec / 1000000;

	return last->rebooted && last->crash_ms && changed_ms > last->crash_ms - UNWRITTEN_MS &&
	       changed_ms <= engine->recovery.began_ms;
}

static bool is_cut_off(struct engine *engine, const char *path)
{
	struct stat info;

	return tree_stat_end(&engine->tree, path, &info) == 0 &&
	       (intake_is_cut_off(engine->doors.intake, info.st_ino) || may_be_half(engine, &info));
}

bool files_are_cut_off(struct engine *engine, const struct assembly *assembly)
{
	const char *path[FILES_MAX];
	size_t count = files_list(&assembly->files, path);

	for (size_t i = 0; i < count; i++)
		if (is_cut_off(engine, path[i]))
			return true;
	for (size_t i = 0; i < assembly->npictures; i++)
		if (is_cut_off(engine, assembly->picture[i].path))
			return true;
	return false;
}

static bool is_equal(const char *a, const char *b)
{
	return a && *b && !strcmp(a, b);
}

bool row_is_of(const struct job_row *row, const struct assembly *assembly)
{
	return is_equal(row->fingerprint, assembly->fingerprint) ||
	       is_equal(row->fingerprint, assembly->bytes) || is_equal(row->order, assembly->order);
}

int is_at_place(struct engine *engine, const struct job *job)
{
	const struct job_row *row = &job->row;
	struct assembly assembly = {0};
	int result;

	if (!job->model)
		return 1; /* nothing can be said against it */
	result = assemble(&engine->tree, job->model, row->dir, row->stem, &assembly);
	if (!result && files_are_busy(engine, &assembly.files))
		result = -EBUSY;
	if (!result)
		result = assembly.files.count > 0 && row_is_of(row, &assembly);
	assembly_clear(&assembly);
	return result;
}

int is_as_judged(struct engine *engine, const struct job *job)
{
	const struct job_row *row = &job->row;
	struct job_files files = {0};
	char seen[DIGEST_HEX_BYTES];
	int result;

	if (row->seen && !*row->seen)
		return 1; /* made from the journal */
	result = files_find(&engine->tree, job->model, row->dir, row->stem, &files);
	if (result) {
		files_clear(&files);
		return result;
	}
	/* in this order: who has written and gone in between is seen by what the file looks like */
	if (!files_are_busy(engine, &files) &&
		!pictures_are_busy(engine, row->picture, row->npictures)) {
		result = assembly_look(&engine->tree, &files, row->picture, row->npictures, seen);
		if (!result)
			result = row->seen && !strcmp(row->seen, seen);
		if (result == 1)
			result = owner_may_read(engine, job, &files);
	}
	files_clear(&files);
	return result;
}

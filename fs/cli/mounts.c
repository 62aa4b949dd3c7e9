#include "fs/cli/mounts.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/json.h"
#include "fs/base/path.h"
#include "fs/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS 3000 /* a mount that needs longer for a stat(2) is stuck */

static bool add(struct mounts *mounts, char *path)
{
	AUTO_FREE char *owned = path;

	if (!owned || ARRAY_ROOM(mounts->item, mounts->count, mounts->room) < 0)
		return false;
	mounts->item[mounts->count++] = TAKE(owned);
	return true;
}

/* The kernel tells who mounted it (fuse.rst, "user_id"). */
static bool is_own(const struct mntent *entry)
{
	const char *word = hasmntopt(entry, "user_id");

	return !strcmp(entry->mnt_type, "fuse.kinofs") && word &&
	       strtoul(word + strlen("user_id="), NULL, 10) == getuid();
}

/* From a child, which may hang with it. */
int mounts_ask(const char *path)
{
	AUTO_FREE char *control = path_join(path, ".kinofs/ctl");
	struct pollfd answer;
	int ends[2], result = 0;
	pid_t child;

	if (!control || pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0)
		_exit(access(control, F_OK) < 0 ? errno : 0); /* no errno is over 255 */
	(void)close(ends[1]); /* the child's end: closed when it exits */
	answer = (struct pollfd){.fd = ends[0], .events = POLLIN};
	if (child > 0 && poll(&answer, 1, ANSWER_MS) == 1 && waitpid(child, &result, 0) == child)
		result = -WEXITSTATUS(result);
	else
		result = -ETIMEDOUT;
	(void)close(ends[0]); /* nothing was sent */
	return result;
}

static bool answers(const char *path)
{
	int error = mounts_ask(path);

	if (error)
		cli_complain("%s: %s", path,
			error == -ENOTCONN ? "its kinofs was killed; mount it again, and it goes on"
					   : "does not answer");
	return !error;
}

static bool add_own(struct mounts *mounts)
{
	FILE *table = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	bool added = true;

	while (table && added && (entry = getmntent(table)))
		if (is_own(entry) && answers(entry->mnt_dir))
			added = add(mounts, strdup(entry->mnt_dir));
	if (table)
		(void)endmntent(table); /* always 1 */
	return added;
}

bool mounts_find(const char *path, struct mounts *mounts)
{
	AUTO_FREE char *mount = NULL, *inside = NULL;

	if (path)
		return cli_find_mount(path, &mount, &inside) && add(mounts, TAKE(mount));
	if (cli_in_mount(".", &mount, &inside) == 0)
		return add(mounts, TAKE(mount));
	if (add_own(mounts) && !mounts->count)
		(void)fputs("kinofs: no mount of yours is there; mount with: kinofs MOUNTPOINT\n",
			stderr);
	return mounts->count > 0;
}

/* The whole path of a configuration; NULL: it is gone. */
static char *resolved(const char *file)
{
	return file ? realpath(file, NULL) : NULL;
}

static bool has_config(const struct mounts *files, const char *file)
{
	for (size_t i = 0; i < files->count; i++)
		if (!strcmp(files->item[i], file))
			return true;
	return false;
}

bool mounts_configs(struct mounts *files)
{
	AUTO_FREE char *usual = xdg_path(XDG_CONFIG, "kinofs/config.json");
	AUTO_FREE char *usual_file = resolved(usual);
	struct mounts own = {0};
	bool added = usual && add_own(&own);

	for (size_t i = 0; i < own.count && added; i++) {
		AUTO_JSON cJSON *settings = cli_read_json(own.item[i], ".kinofs/mount.json");
		AUTO_FREE char *file = resolved(
			cJSON_GetStringValue(json_get(settings, "config"))); /* NULL: of none */

		if (file && (!usual_file || strcmp(file, usual_file) != 0) &&
			!has_config(files, file))
			added = add(files, TAKE(file));
	}
	mounts_free(&own);
	return added;
}

void mounts_drop(struct mounts *mounts, size_t at)
{
	free(mounts->item[at]);
	mounts->count--;
	(void)memmove(mounts->item + at, mounts->item + at + 1,
		(mounts->count - at) * sizeof(*mounts->item));
}

void mounts_free(struct mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++)
		free(mounts->item[i]);
	free(mounts->item);
}

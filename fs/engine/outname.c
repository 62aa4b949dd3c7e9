#include "fs/engine/outname.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/engine/core.h"
#include "spec/place.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#define TAKES_MAX 10000 /* cat.10000.mp4 */

bool outname_is_free(struct engine *engine, const char *path)
{
	struct stat info;

	return tree_stat(&engine->tree, path, &info) == -ENOENT;
}

/* Whether what a path leads to is a folder, or can be made one. */
static bool can_be_folder(struct engine *engine, const char *path)
{
	struct stat info;
	int error = tree_stat(&engine->tree, path, &info);

	return error ? error == -ENOENT || !tree_is_absence(error) : S_ISDIR(info.st_mode);
}

/* A filesystem may allow less than others (ecryptfs: 143 bytes). */
static size_t name_max(const struct engine *engine)
{
	struct statvfs info;
	bool known = fstatvfs(engine->tree.fd, &info) == 0 && info.f_namemax >= 100;

	return known && info.f_namemax < PLACE_NAME_MAX ? info.f_namemax : PLACE_NAME_MAX;
}

/* Goes up until nothing but folders is on the way. What was gone up by becomes a part of the name,
 * so that the jobs of two folders do not meet. */
static int go_up(struct engine *engine, const char *out, char **folder, char **stem)
{
	while (!can_be_folder(engine, *folder)) {
		AUTO_FREE char *above = path_folder(*folder);
		char *name = format("%s~%s", path_last(*folder), *stem);

		if (strcmp(*folder, out) == 0) { /* above it, notes would be prompts */
			free(name);
			return -ENOTDIR;
		}
		free(*stem);
		*stem = name;
		free(*folder);
		*folder = TAKE(above);
		if (!*folder || !*stem)
			return -ENOMEM;
	}
	return 0;
}

char *outname_path(struct engine *engine, const struct job *job, const char *tail)
{
	AUTO_FREE char *out = format("%s/out", job->model->id);
	AUTO_FREE char *folder = out ? path_join(out, job->row.dir) : NULL;
	AUTO_FREE char *stem = strdup(job->row.stem), *name = NULL;

	if (!folder || !stem || go_up(engine, out, &folder, &stem) < 0)
		return NULL;
	name = place_fit(stem, tail, name_max(engine));
	return name ? path_join(folder, name) : NULL;
}

char *outname_free(struct engine *engine, const struct job *job, int number, const char *type)
{
	for (int take = 1; take < TAKES_MAX; take++) {
		AUTO_FREE char *path = NULL, *tail = NULL;
		char nth[16] = "", result[16] = "";

		if (take > 1)
			(void)snprintf(nth, sizeof(nth), ".%d", take); /* fits */
		if (number > 0)
			(void)snprintf(result, sizeof(result), "-%d", number + 1); /* fits */
		tail = format("%s%s.%s", nth, result, type);
		path = tail ? outname_path(engine, job, tail) : NULL;
		if (!path)
			return NULL;
		if (outname_is_free(engine, path))
			return TAKE(path);
	}
	return NULL;
}

bool outname_cut_number(char *stem)
{
	size_t end = strlen(stem), digits = 0;

	while (digits < end && strchr("0123456789", stem[end - digits - 1]))
		digits++;
	if (!digits || digits + 1 >= end || !strchr(".-", stem[end - digits - 1]))
		return false;
	stem[end - digits - 1] = '\0';
	return true;
}

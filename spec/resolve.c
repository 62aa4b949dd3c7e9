#include "spec/resolve.h"

#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "fs/base/path.h"
#include "spec/text.h"

#include <errno.h>
#include <string.h>

/* Appends the parts of path to the mount-relative path in out; NULL, or why it cannot be. */
static const char *walk(char *out, const char *path)
{
	size_t used = strlen(out);

	while (*path) {
		size_t part = strcspn(path, "/");

		if (part == 2 && memcmp(path, "..", 2) == 0) {
			char *slash = strrchr(out, '/');

			if (used == 0)
				return "leads out of the mounted folder";
			used = slash ? (size_t)(slash - out) : 0;
			out[used] = '\0';
		} else if (part > 255) { /* NAME_MAX */
			return "has a name longer than 255 bytes";
		} else if (part > 0 && !(part == 1 && *path == '.')) {
			if (used > 0)
				out[used++] = '/';
			memcpy(out + used, path, part);
			used += part;
			out[used] = '\0';
		}
		path += part + (path[part] == '/');
	}
	return NULL;
}

static bool names_folder(const char *path)
{
	const char *last = path_last(path);

	return !*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0;
}

static const char *fault_as_written(const char *path)
{
	if (!*path)
		return "is empty";
	if (*path == '/')
		return "is an absolute path; write it relative to the spec's own folder";
	if (path[0] == '~' && path[1] == '/')
		return "begins with ~, which means nothing here; write it relative to the spec's "
		       "own folder";
	if (strlen(path) > LIMIT_PATH_BYTES)
		return "is too long for a path";
	for (const char *c = path; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return "holds a control character";
	if (text_bad_utf8(path, strlen(path)) < strlen(path))
		return "is not UTF-8; rename the file"; /* only a file's own name can be that */
	return NULL;
}

int path_resolve(const char *dir, const char *path, char **resolved, const char **why)
{
	AUTO_FREE char *out = NULL;

	*why = fault_as_written(path);
	if (*why)
		return -EINVAL;
	out = calloc(1, strlen(dir) + strlen(path) + 3);
	if (!out)
		return -ENOMEM;
	*why = walk(out, dir);
	if (!*why)
		*why = walk(out, path);
	if (!*why && names_folder(path))
		*why = "names a folder, not a picture";
	if (!*why && path_within(out, ".kinofs"))
		*why = "lies in .kinofs, which holds no pictures";
	if (*why)
		return -EINVAL;
	*resolved = TAKE(out);
	return 0;
}

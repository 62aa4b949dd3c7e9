/*
 * path.h - paths as text: parts between slashes, no slash at the end. The
 * folder "" is the top, and everything lies below it. Pure, any thread.
 */
#ifndef KINOFS_BASE_PATH_H
#define KINOFS_BASE_PATH_H

#include <stddef.h>
#include <string.h>

/* What is left of a path below a folder ("b/c" of "a/b/c" below "a"); NULL: it does not lie there.
 * A folder is not below itself. */
static inline const char *path_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	if (length == 0)
		return *path ? path : NULL;
	return strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

/* The same, but a folder is within itself: "" is left then. */
static inline const char *path_within(const char *path, const char *folder)
{
	return strcmp(path, folder) == 0 ? path + strlen(path) : path_below(path, folder);
}

/* The last part of a path: what its folder calls it. */
static inline const char *path_last(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* folder/name, or the one that is not "". The caller frees. NULL: no memory. */
char *path_join(const char *folder, const char *name);

/* The path without its last part: "a/b" of "a/b/c", "" of "a". The caller frees. NULL: no memory.
 */
char *path_folder(const char *path);

#endif

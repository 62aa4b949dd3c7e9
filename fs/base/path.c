#include "fs/base/path.h"

#include "fs/base/format.h"

char *path_join(const char *folder, const char *name)
{
	return format("%s%s%s", folder, *folder && *name ? "/" : "", name);
}

char *path_folder(const char *path)
{
	const char *last = path_last(path);

	return strndup(path, last > path ? (size_t)(last - path) - 1 : 0);
}

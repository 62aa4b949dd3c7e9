#include "fs/base/folders.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER (O_PATH | O_DIRECTORY | O_CLOEXEC)

/* Makes one folder in *at, and goes into it. */
static int enter(int *at, const char *name, mode_t mode, int flags)
{
	int next;

	if ((flags & O_NOFOLLOW) && strcmp(name, "..") == 0)
		return -EINVAL;
	if (mkdirat(*at, name, mode) < 0 && errno != EEXIST)
		return -errno;
	next = openat(*at, name, FOLDER | flags);
	if (next < 0)
		return -errno;
	cleanup_fd(at);
	*at = next;
	return 0;
}

int folders_make(int at, const char *path, mode_t mode, int flags)
{
	AUTO_FREE char *copy = strdup(path);
	AUTO_FD int folder = openat(at, *path == '/' ? "/" : ".", FOLDER);
	char *rest = copy, *part;
	int error = folder < 0 ? -errno : 0;

	if (!copy)
		return -ENOMEM;
	while (!error && (part = strsep(&rest, "/")))
		if (*part && strcmp(part, ".") != 0)
			error = enter(&folder, part, rest && *rest ? 0755 : mode, flags);
	return error;
}

/* What stands in the way of opening a folder. */
static int folder_error(int at, const char *name)
{
	int error = -errno;
	struct stat info;

	if (error == -ENOTDIR && fstatat(at, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISLNK(info.st_mode))
		error = -ELOOP;
	return error;
}

int folders_open(int at, const char *path)
{
	AUTO_FREE char *copy = strdup(path);
	AUTO_FD int folder = openat(at, ".", FOLDER);
	char *rest = copy, *part;

	if (folder < 0)
		return -errno;
	if (!copy)
		return -ENOMEM;
	while ((part = strsep(&rest, "/"))) {
		int next = *part ? openat(folder, part, FOLDER | O_NOFOLLOW) : -1;

		if (next < 0 && *part)
			return folder_error(folder, part);
		if (next < 0)
			continue;
		cleanup_fd(&folder);
		folder = next;
	}
	return TAKE_FD(folder);
}

char *xdg_path(enum xdg base, const char *name)
{
	static const struct {
		const char *variable, *usual;
	} bases[] = {
		[XDG_CONFIG] = {"XDG_CONFIG_HOME", ".config"},
		[XDG_DATA] = {"XDG_DATA_HOME", ".local/share"},
		[XDG_STATE] = {"XDG_STATE_HOME", ".local/state"},
	};
	const char *folder = getenv(bases[base].variable);
	const char *home = getenv("HOME");

	if (folder && *folder == '/') /* a relative one is to be ignored */
		return format("%s/%s", folder, name);
	return format("%s/%s/%s", home ? home : "", bases[base].usual, name);
}

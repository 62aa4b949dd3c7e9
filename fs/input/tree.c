#include "fs/input/tree.h"

#include "fs/base/cleanup.h"
#include "fs/base/read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

bool tree_is_absence(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -EISDIR || error == -ELOOP ||
	       error == -ENAMETOOLONG;
}

/* The path from tree->fd, or NULL when it is not below it. */
static const char *below(const struct tree *tree, const char *path)
{
	return strlen(path) > tree->skip ? path + tree->skip : NULL;
}

/* What stands in the way of opening a folder that is no folder. */
static int folder_error(int at, const char *name)
{
	int error = -errno;
	struct stat info;

	if (error == -ENOTDIR && fstatat(at, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISLNK(info.st_mode))
		error = -ELOOP;
	return error;
}

/* A descriptor or -errno. (Not openat2(2), which containers and valgrind refuse.) */
static int open_below(const struct tree *tree, const char *path, int flags)
{
	const char *stored = below(tree, path);
	AUTO_FREE char *copy = stored ? strdup(stored) : NULL;
	AUTO_FD int at = -1;
	char *rest = copy;
	int fd;

	if (!copy)
		return stored ? -ENOMEM : -ENOENT;
	at = openat(tree->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return -errno;
	for (char *slash; (slash = strchr(rest, '/')); rest = slash + 1) {
		*slash = '\0';
		fd = openat(at, rest, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return folder_error(at, rest);
		cleanup_fd(&at);
		at = fd;
	}
	fd = openat(at, rest, flags | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? folder_error(at, rest) : fd;
}

int tree_open_folder(const struct tree *tree, const char *path)
{
	int fd;

	if (below(tree, path))
		return open_below(tree, path, O_RDONLY | O_DIRECTORY);
	fd = openat(tree->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int tree_open(const struct tree *tree, const char *path, int64_t *bytes)
{
	/* O_NONBLOCK: a fifo of that name must not stop the engine */
	AUTO_FD int fd = open_below(tree, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat info;

	if (fd < 0)
		return fd;
	if (fstat(fd, &info) < 0)
		return -errno;
	if (!S_ISREG(info.st_mode))
		return -EISDIR;
	*bytes = info.st_size;
	return TAKE_FD(fd);
}

int tree_stat(const struct tree *tree, const char *path, struct stat *info)
{
	AUTO_FD int fd = open_below(tree, path, O_PATH);

	if (fd < 0)
		return fd;
	return fstat(fd, info) < 0 ? -errno : 0;
}

int tree_read(const struct tree *tree, const char *path, size_t limit, char **text, size_t *bytes)
{
	int64_t size;
	AUTO_FD int fd = tree_open(tree, path, &size);

	return fd < 0 ? fd : read_whole(fd, limit, text, bytes);
}

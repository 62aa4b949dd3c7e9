#include "fs/input/tree.h"

#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/path.h"
#include "fs/base/read.h"
#include "fs/base/saved.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool tree_is_absence(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -EISDIR || error == -ELOOP ||
	       error == -EXDEV || error == -ENAMETOOLONG;
}

/* The path from tree->fd, or NULL when it is not below it. */
static const char *below(const struct tree *tree, const char *path)
{
	return strlen(path) > tree->skip ? path + tree->skip : NULL;
}

/* A descriptor or -errno. */
static int open_below(const struct tree *tree, const char *path, int flags)
{
	const char *stored = below(tree, path);
	AUTO_FREE char *folder = stored ? path_folder(stored) : NULL;
	AUTO_FD int at = -1;
	struct stat info;
	int fd, error;

	if (!folder)
		return stored ? -ENOMEM : -ENOENT;
	at = folders_open(tree->fd, folder);
	if (at < 0)
		return at;
	fd = openat(at, path_last(stored), flags | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	error = -errno;
	/* a link in place of a folder */
	if (error == -ENOTDIR && fstatat(at, path_last(stored), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISLNK(info.st_mode))
		error = -ELOOP;
	return error;
}

int tree_open_folder(const struct tree *tree, const char *path)
{
	int fd;

	if (below(tree, path))
		return open_below(tree, path, O_RDONLY | O_DIRECTORY);
	fd = openat(tree->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Whether there is a link in the path, when looking at it without following one ended so. */
static bool has_link(const struct tree *tree, const char *path, int error, const struct stat *info)
{
	if (!error)
		return S_ISLNK(info->st_mode);
	return error == -ELOOP || (error == -ENOENT && tree->shown && path_below(path, "out"));
}

int tree_way(const struct tree *tree, const char *path, struct way *way)
{
	struct stat info;
	int error = tree_stat(tree, path, &info);

	return has_link(tree, path, error, &info) ? way_find(tree, path, way) : error;
}

/* Opens what the links in a path lead to. A link at the end of the way is a new one. */
static int open_end(const struct tree *tree, const char *path, int flags)
{
	struct way way = {0};
	int fd = way_find(tree, path, &way);

	if (!fd) {
		fd = open_below(tree, way.end, flags);
		if (fd == -ELOOP)
			fd = -EBUSY;
	}
	way_clear(&way);
	return fd;
}

/* Opens a file, whether links lead to it or not. */
static int open_file(const struct tree *tree, const char *path, int flags)
{
	int fd = open_below(tree, path, flags);

	if (fd < 0 && has_link(tree, path, fd, NULL))
		fd = open_end(tree, path, flags);
	return fd;
}

int tree_open(const struct tree *tree, const char *path, int64_t *bytes)
{
	/* O_NONBLOCK: a fifo of that name must not stop the engine */
	AUTO_FD int fd = open_file(tree, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
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

int64_t tree_saved_ms(const struct tree *tree, const char *path)
{
	AUTO_FREE char *folder = path_folder(path);
	AUTO_FD int at = folder ? folders_open(tree->fd, folder) : -1;

	return at < 0 ? 0 : file_saved_ms(at, path_last(path));
}

int tree_stat_end(const struct tree *tree, const char *path, struct stat *info)
{
	struct way way = {0};
	int error = tree_stat(tree, path, info);

	if (has_link(tree, path, error, info)) {
		error = way_find(tree, path, &way);
		if (!error)
			error = tree_stat(tree, way.end, info);
		if (!error && S_ISLNK(info->st_mode))
			error = -EBUSY; /* as above */
		way_clear(&way);
	}
	return error;
}

const char *tree_why_astray(int error)
{
	if (error == -EXDEV)
		return "leads out of the mount through a symbolic link; put the file itself there";
	if (error == -ELOOP)
		return "leads through too many symbolic links; put the file itself there";
	return NULL;
}

int tree_read(const struct tree *tree, const char *path, size_t limit, char **text, size_t *bytes)
{
	int64_t size;
	AUTO_FD int fd = tree_open(tree, path, &size);

	return fd < 0 ? fd : read_whole(fd, limit, text, bytes);
}

int tree_read_link(const struct tree *tree, const char *path, char *target, size_t room)
{
	AUTO_FD int fd = open_below(tree, path, O_PATH);
	ssize_t length = fd < 0 ? fd : readlinkat(fd, "", target, room - 1);

	if (fd < 0)
		return fd;
	if (length < 0)
		return errno == ENOENT ? -EINVAL : -errno; /* readlink(2): of "", what is no link */
	target[length] = '\0';
	return 0;
}

int tree_digest(const struct tree *tree, const char *path, int fd, char hex[DIGEST_HEX_BYTES])
{
	if (!tree->digest)
		return digest_fd(fd, hex);
	return tree->digest(tree->digest_context, path, fd, hex);
}

#include "fs/mount/location.h"

#include "fs/base/cleanup.h"
#include "fs/mount/fs.h"
#include "fs/mount/node_use.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

/* Opens folders on the way until the rest of the path is short enough for a system call. The
 * folders are those of nodes, so they are no symlinks; O_NOFOLLOW says so again. */
static int shorten(struct location *location)
{
	while (strlen(location->path) >= PATH_MAX) {
		char *cut = location->path + PATH_MAX - 1;
		int fd;

		while (*cut != '/')
			cut--;
		*cut = '\0';
		fd = openat(location->at, location->path,
			O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		if (location->own >= 0)
			(void)close(location->own); /* O_PATH: nothing to lose */
		location->at = location->own = fd;
		location->path = cut + 1;
	}
	return 0;
}

static void location_at_fd(struct location *location, int fd)
{
	static char empty[] = "";

	location->at = fd;
	location->path = empty;
	location->flags = AT_EMPTY_PATH;
}

int location_of(struct mount *mount, struct node *node, const char *leaf, struct location *location)
{
	int error = node_path(&mount->nodes, node, leaf, BASE_STORE, &location->memory);

	if (error == -ENOENT && !leaf) {
		location->own = node_borrow(&mount->nodes, node);
		/* ESTALE: the name was replaced after the kernel had looked it up. It walks the
		 * path once more then, and finds what is there now. */
		if (location->own < 0)
			return location->own == -ENOENT ? -ESTALE : location->own;
		location_at_fd(location, location->own);
		return 0;
	}
	if (error < 0)
		return error;
	location->at = mount->setup.store_fd;
	location->path = location->memory;
	location->flags = AT_SYMLINK_NOFOLLOW;
	return shorten(location);
}

int location_of_open(struct mount *mount, struct node *node, const struct fuse_file_info *fi,
	struct location *location)
{
	const struct handle *handle = fi ? (const struct handle *)(uintptr_t)fi->fh : NULL;

	if (!handle)
		return location_of(mount, node, NULL, location);
	location_at_fd(location, handle->fd);
	return 0;
}

int location_stat(const struct location *location, struct stat *st)
{
	return fstatat(location->at, location->path, st, location->flags) < 0 ? -errno : 0;
}

int location_open(const struct location *location, int flags)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	int fd;

	/* a FIFO may have come underneath: nobody would ever be at its other end */
	flags |= O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	if (location->flags &
		AT_EMPTY_PATH) { /* a file without a name is opened again by proc(5) */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", location->at);
		fd = open(path, flags);
	} else {
		fd = openat(location->at, location->path, flags | O_NOFOLLOW);
	}
	return fd < 0 ? -errno : fd;
}

void location_clear(struct location *location)
{
	cleanup_fd(&location->own);
	cleanup_free(&location->memory);
}

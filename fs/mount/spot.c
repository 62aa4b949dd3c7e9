/* spot.c - how a node is reached in the store. */
#include "fs/base/cleanup.h"
#include "fs/mount/fs.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

/* Opens folders on the way until the rest of the path is short enough for a system call. The
 * folders are those of nodes, so they are no symlinks; O_NOFOLLOW says so again. */
static int shorten(struct spot *spot)
{
	while (strlen(spot->path) >= PATH_MAX) {
		char *cut = spot->path + PATH_MAX - 1;
		int fd;

		while (*cut != '/')
			cut--;
		*cut = '\0';
		fd = openat(spot->at, spot->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		if (spot->own >= 0)
			(void)close(spot->own); /* O_PATH: nothing to lose */
		spot->at = spot->own = fd;
		spot->path = cut + 1;
	}
	return 0;
}

static void spot_at_fd(struct spot *spot, int fd)
{
	static char empty[] = "";

	spot->at = fd;
	spot->path = empty;
	spot->flags = AT_EMPTY_PATH;
}

int spot_of(struct mount *mount, struct node *node, const char *leaf, struct spot *spot)
{
	int r = node_path(&mount->nodes, node, leaf, BASE_STORE, &spot->memory);

	if (r == -ENOENT && !leaf) {
		spot->own = node_borrow(&mount->nodes, node);
		/* ESTALE: the name was replaced after the kernel had looked it up. It walks the
		 * path once more then, and finds what is there now. */
		if (spot->own < 0)
			return spot->own == -ENOENT ? -ESTALE : spot->own;
		spot_at_fd(spot, spot->own);
		return 0;
	}
	if (r < 0)
		return r;
	spot->at = mount->setup.store_fd;
	spot->path = spot->memory;
	spot->flags = AT_SYMLINK_NOFOLLOW;
	return shorten(spot);
}

int spot_of_open(
	struct mount *mount, struct node *node, const struct fuse_file_info *fi, struct spot *spot)
{
	const struct handle *handle = fi ? (const struct handle *)(uintptr_t)fi->fh : NULL;

	if (!handle)
		return spot_of(mount, node, NULL, spot);
	spot_at_fd(spot, handle->fd);
	return 0;
}

int spot_stat(const struct spot *spot, struct stat *st)
{
	return fstatat(spot->at, spot->path, st, spot->flags) < 0 ? -errno : 0;
}

int spot_open(const struct spot *spot, int flags)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	int fd;

	if (spot->flags & AT_EMPTY_PATH) { /* a file without a name is opened again by proc(5) */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", spot->at);
		fd = open(path, flags | O_CLOEXEC);
	} else {
		fd = openat(spot->at, spot->path, flags | O_NOFOLLOW | O_CLOEXEC);
	}
	return fd < 0 ? -errno : fd;
}

void spot_clear(struct spot *spot)
{
	cleanup_fd(&spot->own);
	cleanup_free(&spot->memory);
}

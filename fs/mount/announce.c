#include "fs/mount/announce.h"

#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/base/path.h"
#include "fs/mount/fs.h"
#include "fs/mount/overview.h"
#include "fs/mount/publish.h"
#include "fs/mount/warning.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum announce announcing(struct mount *mount)
{
	return (enum announce)atomic_load(&mount->announcing);
}

static void said(const char *name, int result)
{
	if (result < 0)
		log_debug("nobody was told of out/%s: %s", name, strerror(errno));
}

void announce_new(struct mount *mount, int root, const char *path)
{
	AUTO_FREE char *name = overview_name(mount->overview, path);
	AUTO_FREE char *shown = name ? format("out/%s", name) : NULL;

	if (!shown)
		return;
	atomic_store(&mount->announcing, ANNOUNCE_NEW);
	said(name, linkat(root, path, root, shown, 0));
	atomic_store(&mount->announcing, ANNOUNCE_NONE);
}

void announce_gone(struct mount *mount, int root, const char *name)
{
	AUTO_FREE char *shown = name ? format("out/%s", name) : NULL;

	if (!shown)
		return;
	atomic_store(&mount->announcing, ANNOUNCE_GONE);
	said(name, unlinkat(root, shown, 0));
	atomic_store(&mount->announcing, ANNOUNCE_NONE);
}

/* What the new name leads to is not what is linked, but what is looked up (op_link()). */
void announce_warning(struct mount *mount, int root)
{
	if (!warning_is_here(mount, WARNING_NAME)) {
		announce_gone(mount, root, WARNING_NAME);
		return;
	}
	atomic_store(&mount->announcing, ANNOUNCE_NEW);
	said(WARNING_NAME, linkat(root, "README.txt", root, "out/" WARNING_NAME, 0));
	atomic_store(&mount->announcing, ANNOUNCE_NONE);
}

void announce_changed(int root, const char *name)
{
	AUTO_FREE char *shown = name ? format("out/%s", name) : NULL;
	AUTO_FD int fd = shown ? openat(root, shown, O_WRONLY | O_NOFOLLOW | O_CLOEXEC) : -1;

	(void)fd; /* its close(2) is the event */
}

/* The kernel trusts no name that it keeps when a new one is to be made in its place (LOOKUP_EXCL
 * in its fs/fuse/dir.c). The publisher makes no symlinks (op_symlink()). */
void announce_look(int root, const char *path)
{
	AUTO_FREE char *folder = path_folder(path);
	AUTO_FD int at = folder ? folders_open(root, folder) : -1;

	if (at >= 0)
		(void)!symlinkat("-", at, path_last(path));
}

void announce_later(struct mount *mount, const char *path)
{
	struct publish_order order = {.kind = PUBLISH_LOOK, .target = strdup(path)};

	pthread_mutex_lock(&mount->watch_lock);
	if (order.target && mount->publisher && publisher_post(mount->publisher, &order) == 0)
		order.target = NULL;
	pthread_mutex_unlock(&mount->watch_lock);
	free(order.target);
}

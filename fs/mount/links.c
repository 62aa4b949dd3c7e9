#include "fs/mount/links.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/mount/node_use.h"
#include "fs/mount/overview.h"
#include "fs/mount/publish.h"

#include <fcntl.h>
#include <string.h>

static ino_t link_ino(const char *path)
{
	return generated_ino(NODE_LINK, hash_text(path));
}

/* From now on the overview is kept. */
int links_admit(struct mount *mount, pid_t caller)
{
	if (!publisher_is(caller))
		overview_look(mount->overview);
	return 0;
}

int links_find(struct mount *mount, struct node *folder, const char *name, pid_t caller,
	struct node_seed *seed)
{
	AUTO_FREE char *path = NULL;
	int error = -ENOENT;

	(void)folder;
	seed->kind = NODE_LINK;
	if (!publisher_is(caller))
		error = overview_find(mount->overview, name, &path);
	if (error == 0)
		seed->ino = link_ino(path);
	return error;
}

/* The video a link stands for. */
static int video_of(struct mount *mount, struct node *node, char **path)
{
	AUTO_FREE char *link = NULL;
	int error = node_path(&mount->nodes, node, NULL, BASE_MOUNT, &link);

	return error < 0 ? error : overview_find(mount->overview, path_last(link), path);
}

int links_readlink(struct mount *mount, struct node *node, char **target)
{
	AUTO_FREE char *path = NULL;
	int error = video_of(mount, node, &path);

	if (error < 0)
		return error;
	*target = format("../%s", path);
	return *target ? 0 : -ENOMEM;
}

int links_stat_folder(struct mount *mount, struct node *node, struct stat *st)
{
	(void)node;
	overview_changed(mount->overview, &st->st_mtim);
	st->st_ctim = st->st_mtim;
	return 0;
}

/* A link is as old as its video, so that sorting by time puts the newest first. */
int links_stat(struct mount *mount, struct node *node, struct stat *st)
{
	AUTO_FREE char *path = NULL, *stored = NULL;
	struct stat video;
	int error = video_of(mount, node, &path);

	if (error < 0)
		return error;
	stored = format("tree/%s", path);
	if (!stored)
		return -ENOMEM;
	if (fstatat(mount->setup.store_fd, stored, &video, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno; /* taken away underneath the mount */
	st->st_size = (off_t)(strlen("../") + strlen(path));
	st->st_mtim = st->st_ctim = st->st_atim = video.st_mtim;
	return 0;
}

struct links_listing {
	generated_each *each;
	void *context;
};

static int list_link(void *context, const char *name, const char *path, off_t next)
{
	const struct links_listing *listing = context;

	return listing->each(listing->context, name, NODE_LINK, link_ino(path), next);
}

int links_list(
	struct mount *mount, struct node *folder, off_t from, generated_each *each, void *context)
{
	struct links_listing listing = {.each = each, .context = context};

	(void)folder;
	return overview_list(mount->overview, from, list_link, &listing);
}

/* links.c - out/ of the root: the overview's links as nodes. */
#include "fs/base/cleanup.h"
#include "fs/mount/generated.h"

#include <string.h>

static ino_t link_ino(const char *path)
{
	return generated_ino(NODE_LINK, hash_text(path));
}

int links_find(struct mount *mount, const char *name, ino_t *ino)
{
	AUTO_FREE char *path = NULL;
	int error = overview_find(mount->overview, name, &path);

	if (error == 0)
		*ino = link_ino(path);
	return error;
}

/* The video a link stands for. */
static int video_of(struct mount *mount, struct node *node, char **path)
{
	AUTO_FREE char *link = NULL;
	int error = node_path(&mount->nodes, node, NULL, BASE_MOUNT, &link);

	return error < 0 ? error : overview_find(mount->overview, strrchr(link, '/') + 1, path);
}

int links_read(struct mount *mount, struct node *node, char **target)
{
	AUTO_FREE char *path = NULL;
	int error = video_of(mount, node, &path);

	if (error == 0 && asprintf(target, "../%s", path) < 0) {
		*target = NULL;
		error = -ENOMEM;
	}
	return error;
}

/* A link is as old as its video, so that sorting by time puts the newest first. */
int links_stat(struct mount *mount, struct node *node, struct stat *st)
{
	AUTO_FREE char *path = NULL, *stored = NULL;
	struct stat video;
	int error;

	if (node->kind == NODE_OVERVIEW) {
		overview_changed(mount->overview, &st->st_mtim);
		st->st_ctim = st->st_mtim;
		return 0;
	}
	error = video_of(mount, node, &path);
	if (error < 0)
		return error;
	if (asprintf(&stored, "tree/%s", path) < 0) {
		stored = NULL;
		return -ENOMEM;
	}
	if (fstatat(mount->setup.store_fd, stored, &video, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno; /* taken away underneath the mount */
	st->st_size = (off_t)(strlen("../") + strlen(path));
	st->st_mtim = st->st_ctim = st->st_atim = video.st_mtim;
	return 0;
}

struct links_listing {
	records_each *each;
	void *context;
};

static int list_link(void *context, const char *name, const char *path, off_t next)
{
	const struct links_listing *listing = context;

	return listing->each(listing->context, name, NODE_LINK, (int64_t)hash_text(path), next);
}

int links_list(struct mount *mount, off_t from, records_each *each, void *context)
{
	struct links_listing listing = {.each = each, .context = context};

	return overview_list(mount->overview, from, list_link, &listing);
}

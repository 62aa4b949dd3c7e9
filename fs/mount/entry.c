#include "fs/mount/entry.h"

#include "fs/base/cleanup.h"
#include "fs/mount/fs.h"
#include "fs/mount/generated.h"
#include "fs/mount/location.h"
#include "fs/mount/node_use.h"
#include "fs/mount/overview.h"
#include "fs/mount/reply.h"

#include <fcntl.h>
#include <string.h>

enum node_kind entry_kind(
	struct mount *mount, struct node *parent, const char *name, uint16_t *model)
{
	const struct model_set *models = mount->setup.models;
	AUTO_FREE char *path = NULL;
	size_t length;

	*model = parent->model;
	if (parent->kind == NODE_MODEL)
		return strcmp(name, "out") ? NODE_PLAIN : NODE_OUT;
	if (parent->kind != NODE_ROOT && parent->kind != NODE_PROVIDER)
		return NODE_PLAIN;
	if (node_path(&mount->nodes, parent, name, BASE_MOUNT, &path) < 0)
		return NODE_PLAIN;
	length = strlen(path);
	for (size_t i = 0; i < models->count; i++) {
		const char *id = models->item[i]->id;

		if (strncmp(id, path, length) || (id[length] && id[length] != '/'))
			continue;
		*model = (uint16_t)i;
		return id[length] ? NODE_PROVIDER : NODE_MODEL;
	}
	return NODE_PLAIN;
}

double entry_timeout(const struct node *node)
{
	const struct generated *generated = generated_of(node->kind);

	if (node->kind == NODE_OVERVIEW)
		return TIMEOUT_LISTED; /* else a listing asks for it with every name */
	if (generated)
		return generated->uncached ? TIMEOUT_UNCACHED : TIMEOUT_REAL;
	return node->kind == NODE_INCOMING ? TIMEOUT_UNCACHED : TIMEOUT_REAL;
}

bool entry_is_shown(struct mount *mount, struct node *parent, const char *name)
{
	return overview_shows(name) && node_is_below(&mount->nodes, parent, NODE_OUT);
}

void entry_stale(struct mount *mount, const struct node *node)
{
	pthread_mutex_lock(&mount->watch_lock); /* keeps the session's descriptor open */
	if (mount->serving)
		(void)fuse_lowlevel_notify_inval_inode(
			mount->session, node->id, node->folder ? 0 : -1, 0);
	pthread_mutex_unlock(&mount->watch_lock);
}

int entry_stat(
	struct mount *mount, struct node *node, const struct fuse_file_info *fi, struct stat *st)
{
	AUTO_LOCATION struct location location = LOCATION_NONE;
	int error;

	if (!node)
		return -ESTALE;
	if (generated_of(node->kind))
		return generated_stat(mount, node, st);

	NAMES_HELD(mount, rd);
	error = location_of_open(mount, node, fi, &location);
	return error ? error : location_stat(&location, st);
}

int entry_enter(struct mount *mount, struct node *parent, const char *name, const struct stat *st,
	struct fuse_entry_param *entry)
{
	struct node_seed seed = {.backed = true,
		.folder = S_ISDIR(st->st_mode),
		.dev = st->st_dev,
		.ino = st->st_ino,
		.links = st->st_nlink};
	struct node *node;

	if (parent->kind == NODE_CONTROL)
		seed.kind = NODE_INCOMING;
	else if (seed.folder)
		seed.kind = entry_kind(mount, parent, name, &seed.model);
	node = node_enter(&mount->nodes, parent, name, &seed);
	if (!node)
		return -ENOMEM;
	*entry = (struct fuse_entry_param){.ino = node->id, .attr = *st};
	entry->attr_timeout =
		parent->kind == NODE_INCOMING ? TIMEOUT_UNCACHED : entry_timeout(node);
	entry->entry_timeout = entry->attr_timeout;
	return 0;
}

bool entry_is_generated(const struct node *parent, const char *name)
{
	return generated_of(parent->kind) || generated_child(parent->kind, name);
}

static int stored_enter(struct mount *mount, const struct generated *generated, struct node *parent,
	struct fuse_entry_param *entry)
{
	struct stat st;

	if (fstatat(mount->setup.store_fd, generated->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return entry_enter(mount, parent, generated->name, &st, entry);
}

static int seed_enter(struct mount *mount, struct node *parent, const char *name,
	const struct node_seed *seed, struct fuse_entry_param *entry)
{
	struct node *node = node_enter(&mount->nodes, parent, name, seed);
	int error;

	if (!node)
		return -ENOMEM;
	*entry = (struct fuse_entry_param){.ino = node->id};
	entry->attr_timeout = entry->entry_timeout = entry_timeout(node);
	error = generated_stat(mount, node, &entry->attr);
	if (error < 0)
		node_forget(&mount->nodes, node, 1);
	return error;
}

int entry_generated(struct mount *mount, struct node *parent, const char *name, pid_t caller,
	struct fuse_entry_param *entry)
{
	const struct generated *child = generated_child(parent->kind, name);
	const struct generated *folder = generated_of(parent->kind);
	struct node_seed seed = {.model = parent->model};
	int error = 0;

	if (child && child->admit)
		error = child->admit(mount, caller);
	else if (!child)
		error = folder->find ? folder->find(mount, parent, name, caller, &seed) : -ENOENT;
	if (error < 0)
		return error;
	if (child && child->stored)
		return stored_enter(mount, child, parent, entry);
	if (child) {
		seed.kind = child->kind;
		seed.ino = generated_ino(child->kind, parent->model);
	}
	seed.folder = S_ISDIR(generated_of(seed.kind)->mode);
	return seed_enter(mount, parent, name, &seed, entry);
}

void entry_reply(fuse_req_t req, int error, const char *operation, fuse_ino_t parent,
	const char *name, const struct fuse_entry_param *entry)
{
	struct mount *mount = mount_of(req);

	if (error < 0)
		reply_result(req, error, operation, parent, name);
	else if (fuse_reply_entry(req, entry) == -ENOENT && entry->ino)
		node_forget(&mount->nodes, node_get(&mount->nodes, entry->ino), 1);
}

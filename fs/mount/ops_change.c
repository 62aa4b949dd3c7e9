/* ops_change.c - names that change: link, unlink, rmdir, rename. All hold `names` exclusively. */
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/mount/entry.h"
#include "fs/mount/fs.h"
#include "fs/mount/generated.h"
#include "fs/mount/guard.h"
#include "fs/mount/location.h"
#include "fs/mount/node_use.h"
#include "fs/mount/overview.h"
#include "fs/mount/publish.h"
#include "fs/mount/reply.h"

#include <fcntl.h>
#include <linux/fs.h>

/* The publisher moves results into place; the engine knows. */
static bool is_told(fuse_req_t req)
{
	return !publisher_is(fuse_req_ctx(req)->pid);
}

static int link_node(fuse_req_t req, struct node *node, struct node *parent, const char *name,
	struct fuse_entry_param *entry)
{
	struct mount *mount = mount_of(req);
	AUTO_LOCATION struct location from = LOCATION_NONE, to = LOCATION_NONE;
	AUTO_FREE char *path = NULL;
	struct stat st;
	int error;

	if (!node || !parent)
		return -ESTALE;
	error = generated_of(node->kind) ? -EPERM : guard_name(mount, parent, name, DO_CREATE);
	if (error < 0)
		return error;

	NAMES_HELD(mount, wr);
	if ((error = location_of(mount, node, NULL, &from)) < 0 ||
		(error = location_of(mount, parent, name, &to)) < 0 ||
		(error = node_path(&mount->nodes, parent, name, BASE_MOUNT, &path)) < 0)
		return error;
	if (linkat(from.at, from.path, to.at, to.path, from.flags & AT_EMPTY_PATH) < 0)
		return -errno;
	mount_changed(mount);
	overview_appeared(mount->overview, path);
	error = location_stat(&to, &st);
	if (error == 0)
		error = entry_enter(mount, parent, name, &st, entry);
	if (error < 0) {
		(void)unlinkat(to.at, to.path, 0); /* a failed call leaves nothing behind */
		overview_vanished(mount->overview, path);
		return error;
	}
	if (is_told(req) && !node_mark_dirty(&mount->nodes, node))
		report_note(&mount->reports, REPORT_CHANGED, path, NULL, clock_wall_ms());
	return 0;
}

void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct mount *mount = mount_of(req);
	struct fuse_entry_param entry;
	int error = link_node(
		req, node_get(&mount->nodes, ino), node_get(&mount->nodes, parent), name, &entry);

	reports_tell(&mount->reports, mount->setup.intake);
	entry_reply(req, error, "link", parent, name, &entry);
}

static int remove_real(fuse_req_t req, struct node *parent, const char *name, enum action action)
{
	struct mount *mount = mount_of(req);
	AUTO_LOCATION struct location location = LOCATION_NONE;
	AUTO_FREE char *path = NULL;
	int error;

	NAMES_HELD(mount, wr);
	if ((error = location_of(mount, parent, name, &location)) < 0 ||
		(error = node_path(&mount->nodes, parent, name, BASE_MOUNT, &path)) < 0)
		return error;
	if (unlinkat(location.at, location.path, action == DO_RMDIR ? AT_REMOVEDIR : 0) < 0)
		return -errno;
	mount_changed(mount);
	overview_vanished(mount->overview, path);
	if (action == DO_UNLINK && is_told(req))
		report_note(&mount->reports, REPORT_REMOVED, path, NULL, clock_wall_ms());
	node_unname(&mount->nodes, parent, name);
	return 0;
}

/* Waits for the engine, so with no lock held. */
static int remove_generated(
	struct mount *mount, const struct generated *folder, struct node *parent, const char *name)
{
	int error = folder->remove(mount, parent, name);

	if (error < 0)
		return error;
	NAMES_HELD(mount, wr);
	node_unname(&mount->nodes, parent, name);
	return 0;
}

static int remove_name(fuse_req_t req, struct node *parent, const char *name, enum action action)
{
	struct mount *mount = mount_of(req);
	const struct generated *folder;
	int error;

	if (!parent)
		return -ESTALE;
	error = guard_name(mount, parent, name, action);
	if (error < 0)
		return error;
	folder = generated_of(parent->kind);
	return folder ? remove_generated(mount, folder, parent, name)
	              : remove_real(req, parent, name, action);
}

static void remove_and_reply(
	fuse_req_t req, fuse_ino_t parent, const char *name, enum action action)
{
	struct mount *mount = mount_of(req);
	int error = remove_name(req, node_get(&mount->nodes, parent), name, action);

	reports_tell(&mount->reports, mount->setup.intake);
	reply_result(req, error, action == DO_RMDIR ? "rmdir" : "unlink", parent, name);
}

void op_unlink(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	remove_and_reply(req, ino, name, DO_UNLINK);
}

void op_rmdir(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	remove_and_reply(req, ino, name, DO_RMDIR);
}

struct moving {
	struct node *parent, *new_parent;
	const char *name, *new_name;
	char *path, *new_path; /* in the mount */
	struct location from, to;
	struct name *fresh;
	int replaced; /* the file that loses its name, if the kernel knows it */
};

static void moving_clear(struct moving *moving)
{
	free(moving->path);
	free(moving->new_path);
	free(moving->fresh);
	cleanup_fd(&moving->replaced);
	location_clear(&moving->from);
	location_clear(&moving->to);
}

static int moving_resolve(struct mount *mount, struct moving *moving)
{
	struct node_table *nodes = &mount->nodes;
	int error;

	moving->fresh = name_new(moving->new_name);
	if (!moving->fresh)
		return -ENOMEM;
	if ((error = location_of(mount, moving->parent, moving->name, &moving->from)) < 0 ||
		(error = location_of(mount, moving->new_parent, moving->new_name, &moving->to)) < 0)
		return error;
	error = node_path(nodes, moving->parent, moving->name, BASE_MOUNT, &moving->path);
	if (error < 0)
		return error;
	return node_path(
		nodes, moving->new_parent, moving->new_name, BASE_MOUNT, &moving->new_path);
}

/* Someone still writing to the file will finish it under its new name: RELEASE reports it there. */
static void note_moved(struct mount *mount, struct node *node, const struct moving *moving)
{
	if (node && node_mark_dirty(&mount->nodes, node))
		report_note(&mount->reports, REPORT_REMOVED, moving->path, NULL, clock_wall_ms());
	else
		report_note(&mount->reports, REPORT_MOVED, moving->path, moving->new_path,
			clock_wall_ms());
}

static void note_exchanged(struct mount *mount, struct node *node, const char *from, const char *to)
{
	if (!node || node->folder || !node_mark_dirty(&mount->nodes, node))
		report_note(&mount->reports, REPORT_MOVED, from, to, clock_wall_ms());
}

static void note(struct mount *mount, struct node *node, struct node *other,
	const struct moving *moving, unsigned flags)
{
	if (flags & RENAME_EXCHANGE) {
		note_exchanged(mount, node, moving->path, moving->new_path);
		note_exchanged(mount, other, moving->new_path, moving->path);
	} else {
		note_moved(mount, node, moving);
	}
}

static int move(fuse_req_t req, struct moving *moving, unsigned flags)
{
	struct mount *mount = mount_of(req);
	struct node *node, *other;
	int error;

	NAMES_HELD(mount, wr);
	error = moving_resolve(mount, moving);
	if (error < 0)
		return error;
	node = node_child(&mount->nodes, moving->parent, moving->name);
	other = node_child(&mount->nodes, moving->new_parent, moving->new_name);
	if (other && !other->folder && !(flags & RENAME_EXCHANGE))
		moving->replaced = location_open(&moving->to, O_PATH);
	if (renameat2(moving->from.at, moving->from.path, moving->to.at, moving->to.path, flags) <
		0)
		return -errno;
	mount_changed(mount);
	if (node && node == other)
		return 0; /* two links of one file: rename(2) does nothing */
	overview_moved(mount->overview, moving->path, moving->new_path);
	if (is_told(req))
		note(mount, node, other, moving, flags);
	if (flags & RENAME_EXCHANGE)
		node_exchange(&mount->nodes, moving->parent, moving->name, moving->new_parent,
			moving->new_name);
	else
		node_rename(&mount->nodes, moving->parent, moving->name, moving->new_parent,
			TAKE(moving->fresh), &moving->replaced);
	return 0;
}

void op_rename(fuse_req_t req, fuse_ino_t ino, const char *name, fuse_ino_t new_parent,
	const char *new_name, unsigned flags)
{
	struct mount *mount = mount_of(req);
	struct moving moving = {.parent = node_get(&mount->nodes, ino),
		.new_parent = node_get(&mount->nodes, new_parent),
		.name = name,
		.new_name = new_name,
		.from = LOCATION_NONE,
		.to = LOCATION_NONE,
		.replaced = -1};
	int error = 0;

	if (!moving.parent || !moving.new_parent)
		error = -ESTALE;
	else if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		error = -EINVAL;
	if (error == 0)
		error = guard_name(mount, moving.parent, name, DO_MOVE);
	if (error == 0)
		error = guard_name(mount, moving.new_parent, new_name,
			flags & RENAME_EXCHANGE ? DO_MOVE : DO_REPLACE);
	if (error == 0)
		error = move(req, &moving, flags);
	moving_clear(&moving);
	reports_tell(&mount->reports, mount->setup.intake);
	reply_result(req, error, "rename", ino, name);
}

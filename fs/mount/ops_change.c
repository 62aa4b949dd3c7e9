/* ops_change.c - names that change: link, unlink, rmdir, rename. All hold `names` exclusively. */
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/saved.h"
#include "fs/mount/announce.h"
#include "fs/mount/entry.h"
#include "fs/mount/fs.h"
#include "fs/mount/generated.h"
#include "fs/mount/guard.h"
#include "fs/mount/location.h"
#include "fs/mount/node_use.h"
#include "fs/mount/noreplace.h"
#include "fs/mount/out_move.h"
#include "fs/mount/overview.h"
#include "fs/mount/publish.h"
#include "fs/mount/reply.h"
#include "fs/mount/sharing.h"
#include "fs/mount/shown.h"
#include "fs/mount/warning.h"
#include "spec/place.h"

#include <fcntl.h>
#include <linux/fs.h>

/* The publisher moves results into place; the engine knows. */
static bool is_told(fuse_req_t req)
{
	return !publisher_is(fuse_req_ctx(req)->pid);
}

/* The publisher works in out/ alone, also when a folder that it has opened has moved on meanwhile:
 * elsewhere its notes would be prompts. */
static int check_publisher(fuse_req_t req, const char *path)
{
	struct place place = {0};
	int error = 0;

	if (is_told(req))
		return 0;
	error = place_of(mount_of(req)->setup.models, path, &place);
	if (error == 0 && place.area != AREA_OUT)
		error = -ENOENT;
	place_clear(&place);
	return error;
}

/* The publisher makes the name in out/ of the root that is there already (announce.h). */
static int link_announced(
	fuse_req_t req, struct node *parent, const char *name, struct fuse_entry_param *entry)
{
	struct mount *mount = mount_of(req);

	if (warning_is_here(mount, name))
		return entry_generated(mount, parent, name, 0, entry);

	NAMES_HELD(mount, rd);
	return shown_enter(mount, name, NULL, entry);
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
	if (parent->kind == NODE_OVERVIEW && !is_told(req))
		return link_announced(req, parent, name, entry);
	error = generated_of(node->kind) ? -EPERM : guard_name(req, parent, name, DO_CREATE);
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
	/* another name saves nothing: the file is as old as it was */
	if (is_told(req) && !node_mark_dirty(&mount->nodes, node))
		report_note(
			&mount->reports, REPORT_CHANGED, path, NULL, file_saved_ms(to.at, to.path));
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

/* The caller holds names. */
static int remove_at(fuse_req_t req, struct node *parent, const char *name, enum action action)
{
	struct mount *mount = mount_of(req);
	AUTO_LOCATION struct location location = LOCATION_NONE;
	AUTO_FREE char *path = NULL;
	struct node *node;
	int error;

	if ((error = location_of(mount, parent, name, &location)) < 0 ||
		(error = node_path(&mount->nodes, parent, name, BASE_MOUNT, &path)) < 0 ||
		(error = check_publisher(req, path)) < 0)
		return error;
	if (unlinkat(location.at, location.path, action == DO_RMDIR ? AT_REMOVEDIR : 0) < 0)
		return -errno;
	mount_changed(mount);
	overview_vanished(mount->overview, path);
	if (action == DO_UNLINK && is_told(req))
		report_note(&mount->reports, REPORT_REMOVED, path, NULL, clock_wall_ms());
	node = action == DO_UNLINK ? node_child(&mount->nodes, parent, name) : NULL;
	if (node && entry_is_shown(mount, parent, name))
		entry_stale(mount, node); /* it has lost two links */
	node_unname(&mount->nodes, parent, name);
	return 0;
}

static int remove_real(fuse_req_t req, struct node *parent, const char *name, enum action action)
{
	struct mount *mount = mount_of(req);

	NAMES_HELD(mount, wr);
	return remove_at(req, parent, name, action);
}

static int remove_shown(fuse_req_t req, const char *name)
{
	struct mount *mount = mount_of(req);
	struct real real = {0};
	int error;

	NAMES_HELD(mount, wr);
	error = real_of_shown(mount, name, &real);
	if (error == 0)
		error = sharing_changes(req, real.path);
	if (error == 0)
		error = remove_at(req, real.folder, real_name(&real), DO_UNLINK);
	if (error == 0) {
		entry_stale(mount, real.folder);
		announce_later(mount, real.path);
	}
	real_clear(mount, &real);
	return error;
}

/* The publisher takes a name away that is gone already (announce.h). */
static int remove_announced(fuse_req_t req, struct node *parent, const char *name)
{
	struct mount *mount = mount_of(req);
	AUTO_FREE char *path = NULL;

	NAMES_HELD(mount, wr);
	if (announcing(mount) != ANNOUNCE_GONE || warning_is_here(mount, name) ||
		overview_find(mount->overview, name, &path, NULL) == 0)
		return -ENOENT; /* another has come since */
	node_unname(&mount->nodes, parent, name);
	return 0;
}

/* Waits for the engine, so with no lock held. */
static int remove_generated(
	fuse_req_t req, const struct generated *folder, struct node *parent, const char *name)
{
	struct mount *mount = mount_of(req);
	int error = folder->remove(mount, parent, name, req);

	if (error < 0)
		return error;
	NAMES_HELD(mount, wr);
	node_unname(&mount->nodes, parent, name);
	return 0;
}

static int remove_name(fuse_req_t req, struct node *parent, const char *name, enum action action)
{
	const struct generated *folder;
	int error;

	if (!parent)
		return -ESTALE;
	if (parent->kind == NODE_OVERVIEW && !is_told(req))
		return remove_announced(req, parent, name);
	error = guard_name(req, parent, name, action);
	if (error < 0)
		return error;
	if (parent->kind == NODE_OVERVIEW)
		return remove_shown(req, name);
	folder = generated_of(parent->kind);
	return folder ? remove_generated(req, folder, parent, name)
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
	struct move_end old, new;
	struct out_move out;
	char *path, *new_path; /* in the mount */
	struct location from, to;
	struct name *fresh;
	int replaced; /* the file that loses its name, if the kernel knows it */
};

static void moving_clear(struct mount *mount, struct moving *moving)
{
	out_move_clear(mount, &moving->out);
	free(moving->path);
	free(moving->new_path);
	free(moving->fresh);
	cleanup_fd(&moving->replaced);
	location_clear(&moving->from);
	location_clear(&moving->to);
}

static int moving_resolve(struct mount *mount, struct moving *moving, unsigned *flags)
{
	struct node_table *nodes = &mount->nodes;
	int error = 0;

	if (moving->old.parent->kind == NODE_OVERVIEW || moving->new.parent->kind == NODE_OVERVIEW)
		error = out_move_resolve(mount, &moving->out, &moving->old, &moving->new, flags);
	if (error < 0)
		return error;
	moving->fresh = name_new(moving->new.name);
	if (!moving->fresh)
		return -ENOMEM;
	if ((error = location_of(mount, moving->old.parent, moving->old.name, &moving->from)) < 0 ||
		(error = location_of(mount, moving->new.parent, moving->new.name, &moving->to)) < 0)
		return error;
	error = node_path(nodes, moving->old.parent, moving->old.name, BASE_MOUNT, &moving->path);
	if (error < 0)
		return error;
	return node_path(
		nodes, moving->new.parent, moving->new.name, BASE_MOUNT, &moving->new_path);
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

static int rename_in_store(fuse_req_t req, const struct moving *moving, unsigned flags)
{
	const struct location *from = &moving->from, *to = &moving->to;

	if (flags == RENAME_NOREPLACE && !mount_of(req)->knows_noreplace)
		return noreplace_rename(from, to, !is_told(req));
	return renameat2(from->at, from->path, to->at, to->path, flags) < 0 ? -errno : 0;
}

/* It is kept for as long as the kernel knows the file, so it is none of the last ones. */
static int open_replaced(const struct mount *mount, const struct location *location)
{
	AUTO_FD int fd = location_open(location, O_PATH);

	return fd < mount->to_give.files ? TAKE_FD(fd) : -EMFILE;
}

/* Links that a name in out/ of the root stands for have come or gone. */
static void recount(struct mount *mount, const struct node *node, const struct move_end *end)
{
	if (node && !node->folder && entry_is_shown(mount, end->parent, end->name))
		entry_stale(mount, node);
}

static int move_real(fuse_req_t req, struct moving *moving, unsigned flags)
{
	struct mount *mount = mount_of(req);
	const struct move_end *old = &moving->old, *new = &moving->new;
	struct node *node = node_child(&mount->nodes, old->parent, old->name);
	struct node *other = node_child(&mount->nodes, new->parent, new->name);
	int error;

	if (other && !other->folder && !(flags & RENAME_EXCHANGE))
		moving->replaced = open_replaced(mount, &moving->to);
	error = rename_in_store(req, moving, flags);
	if (error < 0)
		return error;
	mount_changed(mount);
	if (node && node == other)
		return 0; /* two links of one file: rename(2) does nothing */
	overview_moved(mount->overview, moving->path, moving->new_path);
	if (is_told(req))
		note(mount, node, other, moving, flags);
	recount(mount, node, old);
	recount(mount, node, new);
	recount(mount, other, new);
	if (flags & RENAME_EXCHANGE)
		node_exchange(&mount->nodes, old->parent, old->name, new->parent, new->name);
	else
		node_rename(&mount->nodes, old->parent, old->name, new->parent, TAKE(moving->fresh),
			&moving->replaced);
	return 0;
}

/* What the kernel would look at, if it knew where the files are. */
static int check_places(fuse_req_t req, const struct moving *moving)
{
	const struct out_move *out = &moving->out;
	int error = out->was_shown ? sharing_changes(req, moving->path) : 0;

	if (error == 0 && out->shown)
		error = sharing_changes(req, moving->new_path);
	if (error == 0 && out->victim.folder)
		error = sharing_changes(req, out->victim.path);
	return error;
}

static int move(fuse_req_t req, struct moving *moving, unsigned flags)
{
	struct mount *mount = mount_of(req);
	int error;

	NAMES_HELD(mount, wr);
	error = moving_resolve(mount, moving, &flags);
	if (error == 0)
		error = check_places(req, moving);
	if (error == 0)
		error = check_publisher(req, moving->new_path);
	if (error == 0 && !moving->out.stays)
		error = move_real(req, moving, flags);
	if (error == 0)
		error = out_move_finish(mount, &moving->out, moving->new_path);
	mount_changed(mount);
	return error;
}

void op_rename(fuse_req_t req, fuse_ino_t ino, const char *name, fuse_ino_t new_parent,
	const char *new_name, unsigned flags)
{
	struct mount *mount = mount_of(req);
	struct moving moving = {.old = {node_get(&mount->nodes, ino), name},
		.new = {node_get(&mount->nodes, new_parent), new_name},
		.from = LOCATION_NONE,
		.to = LOCATION_NONE,
		.replaced = -1};
	int error = 0;

	if (!moving.old.parent || !moving.new.parent)
		error = -ESTALE;
	else if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		error = -EINVAL;
	if (error == 0)
		error = guard_name(req, moving.old.parent, name, DO_MOVE);
	if (error == 0)
		error = guard_name(req, moving.new.parent, new_name,
			flags & RENAME_EXCHANGE ? DO_MOVE : DO_REPLACE);
	if (error == 0)
		error = move(req, &moving, flags);
	moving_clear(mount, &moving);
	reports_tell(&mount->reports, mount->setup.intake);
	reply_result(req, error, "rename", ino, name);
}

/* ops_name.c - names found and made: lookup, forget, create, mkdir, mknod, symlink. */
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/mount/announce.h"
#include "fs/mount/entry.h"
#include "fs/mount/file.h"
#include "fs/mount/fs.h"
#include "fs/mount/generated.h"
#include "fs/mount/guard.h"
#include "fs/mount/latest.h"
#include "fs/mount/location.h"
#include "fs/mount/node_use.h"
#include "fs/mount/overview.h"
#include "fs/mount/publish.h"
#include "fs/mount/reply.h"
#include "fs/mount/shown.h"
#include "fs/mount/warning.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* "." and ".." are asked for when a file server comes back with a handle (open_by_handle_at(2)) of
 * a node that the kernel has only the number of. What stands there now may be another object, when
 * the store was changed underneath. */
static int lookup_dots(
	struct mount *mount, fuse_ino_t ino, const char *name, struct fuse_entry_param *entry)
{
	struct node *node = name[1] ? node_enter_parent(&mount->nodes, ino)
	                            : node_enter_again(&mount->nodes, ino);
	int error;

	if (!node)
		return -ESTALE;
	*entry = (struct fuse_entry_param){.ino = node->id};
	entry->attr_timeout = entry->entry_timeout = entry_timeout(node);
	error = entry_stat(mount, node, NULL, &entry->attr);
	if (error == 0 && !generated_of(node->kind) && entry->attr.st_ino != node->ino)
		error = -ESTALE;
	if (error < 0)
		node_forget(&mount->nodes, node, 1);
	return error;
}

/* While the publisher announces a name it finds none, or one that is gone. */
static bool is_shown_to(struct mount *mount, const struct node *parent, pid_t caller)
{
	return parent->kind == NODE_OVERVIEW &&
	       (!publisher_is(caller) || announcing(mount) == ANNOUNCE_NONE);
}

static int lookup_shown(struct mount *mount, const char *name, struct fuse_entry_param *entry)
{
	NAMES_HELD(mount, rd);
	return shown_enter(mount, name, NULL, entry);
}

static int lookup(struct mount *mount, struct node *parent, const char *name, pid_t caller,
	struct fuse_entry_param *entry)
{
	AUTO_LOCATION struct location location = LOCATION_NONE;
	struct stat st;
	int error;

	if (!parent)
		return -ESTALE;
	if (is_shown_to(mount, parent, caller) && !warning_is_here(mount, name))
		return lookup_shown(mount, name, entry);
	if (entry_is_generated(parent, name))
		return entry_generated(mount, parent, name, caller, entry);

	NAMES_HELD(mount, rd);
	error = location_of(mount, parent, name, &location);
	if (error < 0)
		return error;
	error = location_stat(&location, &st);
	if (error == -ENOENT && parent->kind != NODE_INCOMING &&
		!entry_is_shown(mount, parent, name)) {
		*entry = (struct fuse_entry_param){.entry_timeout = TIMEOUT_NEGATIVE};
		return 0;
	}
	return error < 0 ? error : entry_enter(mount, parent, name, &st, entry);
}

void op_lookup(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct mount *mount = mount_of(req);
	struct node *parent = node_get(&mount->nodes, ino);
	struct fuse_entry_param entry;
	int error;

	if (is_dots(name))
		error = lookup_dots(mount, ino, name, &entry);
	else if (parent && (shown_hides(req, parent, name) || latest_hides(req, parent, name)))
		error = -ENOENT;
	else
		error = lookup(mount, parent, name, fuse_req_ctx(req)->pid, &entry);
	entry_reply(req, error, "lookup", ino, name, &entry);
}

static void forget(struct mount *mount, fuse_ino_t ino, uint64_t count)
{
	struct node *node = node_get(&mount->nodes, ino);

	if (node)
		node_forget(&mount->nodes, node, count);
}

void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	forget(mount_of(req), ino, count);
	fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget(mount_of(req), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

/* As root a new object is given to whoever asked for it, if that is not root; a set-group-ID folder
 * has already given it its group. chown(2) takes set-ID bits away, so they are set again. The
 * kernel has applied the umask (FUSE_CAP_DONT_MASK is off). */
static int give_to_caller(struct mount *mount, fuse_req_t req, struct node *parent,
	const struct location *location, mode_t mode)
{
	const struct fuse_ctx *caller = fuse_req_ctx(req);
	AUTO_LOCATION struct location folder = LOCATION_NONE;
	gid_t group = caller->gid;
	struct stat st;
	int error;

	if (!mount->is_root || (caller->uid == 0 && caller->gid == getegid()))
		return 0;
	error = location_of(mount, parent, NULL, &folder);
	if (error == 0)
		error = location_stat(&folder, &st);
	if (error < 0)
		return error;
	if (st.st_mode & S_ISGID)
		group = (gid_t)-1;
	if (fchownat(location->at, location->path, caller->uid, group, location->flags) < 0)
		return -errno;
	if (mode & (S_ISUID | S_ISGID) && !S_ISLNK(mode) && !S_ISDIR(mode) &&
		fchmodat(location->at, location->path, mode & 07777, 0) < 0)
		return -errno;
	return 0;
}

/* One that the user copies into out/. */
static void show_result(struct mount *mount, struct node *parent, const char *name)
{
	AUTO_FREE char *path = NULL;

	if (overview_shows(name) && node_path(&mount->nodes, parent, name, BASE_MOUNT, &path) == 0)
		overview_appeared(mount->overview, path);
}

struct making {
	const char *operation;
	mode_t mode;
	dev_t device;
	const char *target; /* of a symlink */
};

static int make_at(const struct location *location, const struct making *making)
{
	int error;

	if (S_ISDIR(making->mode))
		error = mkdirat(location->at, location->path, making->mode & 07777);
	else if (S_ISLNK(making->mode))
		error = symlinkat(making->target, location->at, location->path);
	else
		error = mknodat(location->at, location->path, making->mode, making->device);
	return error < 0 ? -errno : 0;
}

/* Takes back what could not be finished, so that a failed call leaves nothing behind. */
static int undo(const struct location *location, mode_t mode, int error)
{
	if (error < 0)
		(void)unlinkat(location->at, location->path, S_ISDIR(mode) ? AT_REMOVEDIR : 0);
	return error;
}

/* It has its content from the start, so it is a drop. */
static void note_link(fuse_req_t req, struct node *parent, const char *name)
{
	struct mount *mount = mount_of(req);
	AUTO_FREE char *path = NULL;

	if (!publisher_is(fuse_req_ctx(req)->pid) &&
		node_path(&mount->nodes, parent, name, BASE_MOUNT, &path) == 0)
		report_note(&mount->reports, REPORT_CHANGED, path, NULL, clock_wall_ms());
}

static int make(fuse_req_t req, struct node *parent, const char *name, const struct making *making,
	struct fuse_entry_param *entry)
{
	struct mount *mount = mount_of(req);
	AUTO_LOCATION struct location location = LOCATION_NONE;
	struct stat st;
	int error;

	if (!parent)
		return -ESTALE;
	error = guard_name(req, parent, name, DO_CREATE);
	if (error < 0)
		return error;

	NAMES_HELD(mount, rd);
	error = location_of(mount, parent, name, &location);
	if (error == 0)
		error = make_at(&location, making);
	if (error < 0)
		return error;
	error = give_to_caller(mount, req, parent, &location, making->mode);
	if (error == 0)
		error = location_stat(&location, &st);
	if (error == 0)
		error = entry_enter(mount, parent, name, &st, entry);
	if (error == 0 && S_ISLNK(making->mode))
		note_link(req, parent, name);
	if (error == 0 && S_ISREG(making->mode)) /* a file server makes files so */
		show_result(mount, parent, name);
	return undo(&location, making->mode, error);
}

static void make_and_reply(
	fuse_req_t req, fuse_ino_t parent, const char *name, const struct making *making)
{
	struct fuse_entry_param entry;
	int error = make(req, node_get(&mount_of(req)->nodes, parent), name, making, &entry);

	mount_changed(mount_of(req));
	reports_tell(&mount_of(req)->reports, mount_of(req)->setup.intake);
	entry_reply(req, error, making->operation, parent, name, &entry);
}

void op_mknod(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode, dev_t rdev)
{
	make_and_reply(req, ino, name,
		&(struct making){.operation = "mknod", .mode = mode, .device = rdev});
}

void op_mkdir(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode)
{
	make_and_reply(req, ino, name,
		&(struct making){.operation = "mkdir", .mode = S_IFDIR | (mode & 07777)});
}

void op_symlink(fuse_req_t req, const char *target, fuse_ino_t ino, const char *name)
{
	if (publisher_is(fuse_req_ctx(req)->pid)) /* it only has the kernel look (announce.h) */
		reply_result(req, -EPERM, "symlink", ino, name);
	else
		make_and_reply(req, ino, name,
			&(struct making){
				.operation = "symlink", .mode = S_IFLNK | 0777, .target = target});
}

/* Opens parent/name, making it when it is not there. A descriptor or -errno. */
static int create_at(fuse_req_t req, struct node *parent, const struct location *location,
	mode_t mode, int flags, bool *made)
{
	int keep = flags & (O_ACCMODE | O_SYNC | O_DSYNC);
	int fd, error;

	fd = openat(location->at, location->path, keep | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		mode);
	*made = fd >= 0;
	if (fd < 0 && errno == EEXIST && !(flags & O_EXCL))
		return location_open(location, keep | (flags & O_TRUNC)); /* it came underneath */
	if (fd < 0)
		return -errno;
	error = give_to_caller(mount_of(req), req, parent, location, S_IFREG | mode);
	if (error == 0)
		return fd;
	(void)close(fd); /* empty, and about to go */
	return undo(location, S_IFREG, error);
}

static int create(fuse_req_t req, struct node *parent, const char *name, mode_t mode,
	struct fuse_file_info *fi, struct fuse_entry_param *entry)
{
	struct mount *mount = mount_of(req);
	AUTO_LOCATION struct location location = LOCATION_NONE;
	struct stat st;
	bool made;
	int fd, error;

	if (!parent)
		return -ESTALE;
	error = guard_name(req, parent, name, DO_CREATE);
	if (error < 0)
		return error;

	NAMES_HELD(mount, rd);
	error = location_of(mount, parent, name, &location);
	if (error < 0)
		return error;
	fd = create_at(req, parent, &location, mode & 07777, fi->flags, &made);
	if (fd < 0)
		return fd;
	error = fstat(fd, &st) < 0 ? -errno : file_may_have(req, fd);
	if (error == 0)
		error = entry_enter(mount, parent, name, &st, entry);
	if (error < 0) {
		(void)close(fd); /* nothing was written */
		return made ? undo(&location, S_IFREG, error) : error;
	}
	error = file_opened(req, node_get(&mount->nodes, entry->ino), fd, fi);
	if (error < 0)
		node_forget(&mount->nodes, node_get(&mount->nodes, entry->ino), 1);
	if (made)
		show_result(mount, parent, name);
	return error;
}

void op_create(
	fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	struct fuse_entry_param entry;
	int error = create(req, node_get(&mount->nodes, ino), name, mode, fi, &entry);

	mount_changed(mount);
	if (error < 0) {
		reply_result(req, error, "create", ino, name);
		return;
	}
	/* a file that came underneath, and is passed through: the kernel then tries op_open() */
	error = file_backing(fi) ? -ESTALE : fuse_reply_create(req, &entry, fi);
	if (error == -ENOENT || error == -ESTALE) {
		file_closed(mount, fi);
		node_forget(&mount->nodes, node_get(&mount->nodes, entry.ino), 1);
	}
	if (error == -ESTALE)
		reply_result(req, error, "create", ino, name);
}

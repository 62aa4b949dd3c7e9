/* ops_name.c - names found and made: lookup, forget, create, mkdir, mknod, symlink. */
#include "fs/base/cleanup.h"
#include "fs/mount/generated.h"
#include "fs/mount/publish.h"
#include "spec/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void entry_reply(fuse_req_t req, int r, const struct fuse_entry_param *entry)
{
	struct mount *mount = mount_of(req);

	if (r < 0)
		reply_result(req, r);
	else if (fuse_reply_entry(req, entry) == -ENOENT && entry->ino)
		node_forget(&mount->nodes, node_get(&mount->nodes, entry->ino), 1);
}

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
	int r;

	if (!node)
		return -ESTALE;
	*entry = (struct fuse_entry_param){.ino = node->id};
	entry->attr_timeout = entry->entry_timeout = node_timeout(node);
	r = node_stat(mount, node, NULL, &entry->attr);
	if (r == 0 && !generated_of(node->kind) && entry->attr.st_ino != node->ino)
		r = -ESTALE;
	if (r < 0)
		node_forget(&mount->nodes, node, 1);
	return r;
}

static int lookup(struct mount *mount, struct node *parent, const char *name, pid_t caller,
	struct fuse_entry_param *entry)
{
	AUTO_SPOT struct spot spot = SPOT_NONE;
	struct stat st;
	bool generated;
	int r;

	if (!parent)
		return -ESTALE;
	r = entry_generated(mount, parent, name, caller, entry, &generated);
	if (r < 0 || generated)
		return r;

	NAMES_HELD(mount, rd);
	r = spot_of(mount, parent, name, &spot);
	if (r < 0)
		return r;
	r = spot_stat(&spot, &st);
	if (r == -ENOENT && parent->kind != NODE_INCOMING) {
		*entry = (struct fuse_entry_param){.entry_timeout = TIMEOUT_NEGATIVE};
		return 0;
	}
	return r < 0 ? r : entry_enter(mount, parent, name, &st, entry);
}

void op_lookup(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct mount *mount = mount_of(req);
	struct fuse_entry_param entry;
	int r;

	if (is_dots(name))
		r = lookup_dots(mount, ino, name, &entry);
	else
		r = lookup(
			mount, node_get(&mount->nodes, ino), name, fuse_req_ctx(req)->pid, &entry);
	entry_reply(req, r, &entry);
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
int give_to_caller(struct mount *mount, fuse_req_t req, struct node *parent,
	const struct spot *spot, mode_t mode)
{
	const struct fuse_ctx *caller = fuse_req_ctx(req);
	AUTO_SPOT struct spot folder = SPOT_NONE;
	gid_t group = caller->gid;
	struct stat st;
	int r;

	if (!mount->is_root || (caller->uid == 0 && caller->gid == getegid()))
		return 0;
	r = spot_of(mount, parent, NULL, &folder);
	if (r == 0)
		r = spot_stat(&folder, &st);
	if (r < 0)
		return r;
	if (st.st_mode & S_ISGID)
		group = (gid_t)-1;
	if (fchownat(spot->at, spot->path, caller->uid, group, spot->flags) < 0)
		return -errno;
	if (mode & (S_ISUID | S_ISGID) && !S_ISLNK(mode) && !S_ISDIR(mode) &&
		fchmodat(spot->at, spot->path, mode & 07777, 0) < 0)
		return -errno;
	return 0;
}

struct making {
	mode_t mode;
	dev_t device;
	const char *target; /* of a symlink */
};

static int make_at(const struct spot *spot, const struct making *making)
{
	int r;

	if (S_ISDIR(making->mode))
		r = mkdirat(spot->at, spot->path, making->mode & 07777);
	else if (S_ISLNK(making->mode))
		r = symlinkat(making->target, spot->at, spot->path);
	else
		r = mknodat(spot->at, spot->path, making->mode, making->device);
	return r < 0 ? -errno : 0;
}

/* Takes back what could not be finished, so that a failed call leaves nothing behind. */
static int undo(const struct spot *spot, mode_t mode, int r)
{
	if (r < 0)
		(void)unlinkat(spot->at, spot->path, S_ISDIR(mode) ? AT_REMOVEDIR : 0);
	return r;
}

static int make(fuse_req_t req, struct node *parent, const char *name, const struct making *making,
	struct fuse_entry_param *entry)
{
	struct mount *mount = mount_of(req);
	AUTO_SPOT struct spot spot = SPOT_NONE;
	struct stat st;
	int r;

	if (!parent)
		return -ESTALE;
	r = guard_name(mount, parent, name, DO_CREATE);
	if (r < 0)
		return r;

	NAMES_HELD(mount, rd);
	r = spot_of(mount, parent, name, &spot);
	if (r == 0)
		r = make_at(&spot, making);
	if (r < 0)
		return r;
	r = give_to_caller(mount, req, parent, &spot, making->mode);
	if (r == 0)
		r = spot_stat(&spot, &st);
	if (r == 0)
		r = entry_enter(mount, parent, name, &st, entry);
	return undo(&spot, making->mode, r);
}

static void make_and_reply(
	fuse_req_t req, fuse_ino_t parent, const char *name, const struct making *making)
{
	struct fuse_entry_param entry;
	int r = make(req, node_get(&mount_of(req)->nodes, parent), name, making, &entry);

	mount_changed(mount_of(req));
	entry_reply(req, r, &entry);
}

void op_mknod(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode, dev_t rdev)
{
	make_and_reply(req, ino, name, &(struct making){.mode = mode, .device = rdev});
}

void op_mkdir(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode)
{
	make_and_reply(req, ino, name, &(struct making){.mode = S_IFDIR | (mode & 07777)});
}

/* The publisher makes links of the overview, which are there already, for who watches it. */
static bool is_announced(fuse_req_t req, const struct node *parent)
{
	return parent && parent->kind == NODE_OVERVIEW && publisher_is(fuse_req_ctx(req)->pid);
}

void op_symlink(fuse_req_t req, const char *target, fuse_ino_t ino, const char *name)
{
	struct mount *mount = mount_of(req);
	struct node *parent = node_get(&mount->nodes, ino);
	struct fuse_entry_param entry;
	bool generated;

	if (is_announced(req, parent))
		entry_reply(
			req, entry_generated(mount, parent, name, 0, &entry, &generated), &entry);
	else
		make_and_reply(
			req, ino, name, &(struct making){.mode = S_IFLNK | 0777, .target = target});
}

/* Opens parent/name, making it when it is not there. A descriptor or -errno. */
static int create_at(fuse_req_t req, struct node *parent, const struct spot *spot, mode_t mode,
	int flags, bool *made)
{
	int keep = flags & (O_ACCMODE | O_SYNC | O_DSYNC);
	int fd, r;

	fd = openat(spot->at, spot->path, keep | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	*made = fd >= 0;
	if (fd < 0 && errno == EEXIST && !(flags & O_EXCL))
		return spot_open(spot, keep | (flags & O_TRUNC)); /* it came underneath */
	if (fd < 0)
		return -errno;
	r = give_to_caller(mount_of(req), req, parent, spot, S_IFREG | mode);
	if (r == 0)
		return fd;
	(void)close(fd); /* empty, and about to go */
	return undo(spot, S_IFREG, r);
}

/* One that the user copies into out/. */
static void show_video(struct mount *mount, struct node *parent, const char *name)
{
	AUTO_FREE char *path = NULL;

	if (name_is_video(name) && node_path(&mount->nodes, parent, name, BASE_MOUNT, &path) == 0)
		overview_appeared(mount->overview, path);
}

static int create(fuse_req_t req, struct node *parent, const char *name, mode_t mode,
	struct fuse_file_info *fi, struct fuse_entry_param *entry)
{
	struct mount *mount = mount_of(req);
	AUTO_SPOT struct spot spot = SPOT_NONE;
	struct stat st;
	bool made;
	int fd, r;

	if (!parent)
		return -ESTALE;
	r = guard_name(mount, parent, name, DO_CREATE);
	if (r < 0)
		return r;

	NAMES_HELD(mount, rd);
	r = spot_of(mount, parent, name, &spot);
	if (r < 0)
		return r;
	fd = create_at(req, parent, &spot, mode & 07777, fi->flags, &made);
	if (fd < 0)
		return fd;
	r = fstat(fd, &st) < 0 ? -errno : entry_enter(mount, parent, name, &st, entry);
	if (r < 0) {
		(void)close(fd); /* nothing was written */
		return made ? undo(&spot, S_IFREG, r) : r;
	}
	r = file_opened(req, node_get(&mount->nodes, entry->ino), fd, fi);
	if (r < 0)
		node_forget(&mount->nodes, node_get(&mount->nodes, entry->ino), 1);
	if (made)
		show_video(mount, parent, name);
	return r;
}

void op_create(
	fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	struct fuse_entry_param entry;
	int r = create(req, node_get(&mount->nodes, ino), name, mode, fi, &entry);

	mount_changed(mount);
	if (r < 0) {
		reply_result(req, r);
		return;
	}
	/* a file that came underneath, and is passed through: the kernel then tries op_open() */
	r = file_backing(fi) ? -ESTALE : fuse_reply_create(req, &entry, fi);
	if (r == -ENOENT || r == -ESTALE) {
		file_closed(mount, fi);
		node_forget(&mount->nodes, node_get(&mount->nodes, entry.ino), 1);
	}
	if (r == -ESTALE)
		reply_result(req, r);
}

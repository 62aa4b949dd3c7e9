/* ops_attr.c - attributes: getattr, setattr, readlink, statfs. */
#include "fs/base/cleanup.h"
#include "fs/mount/generated.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/statvfs.h>

int node_stat(
	struct mount *mount, struct node *node, const struct fuse_file_info *fi, struct stat *st)
{
	AUTO_SPOT struct spot spot = SPOT_NONE;
	int r;

	if (!node)
		return -ESTALE;
	if (generated_of(node->kind))
		return generated_stat(mount, node, st);

	NAMES_HELD(mount, rd);
	r = spot_of_open(mount, node, fi, &spot);
	return r < 0 ? r : spot_stat(&spot, st);
}

static void attr_reply(fuse_req_t req, struct node *node, int r, const struct stat *st)
{
	if (r < 0)
		reply_result(req, r);
	else
		fuse_reply_attr(req, st, node_timeout(node));
}

void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	struct node *node = node_get(&mount->nodes, ino);
	struct stat st;

	attr_reply(req, node, node_stat(mount, node, fi, &st), &st);
}

static int set_mode(const struct spot *spot, mode_t mode)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	int r;

	if (spot->flags & AT_EMPTY_PATH) { /* which may be an O_PATH descriptor */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", spot->at);
		r = chmod(path, mode & 07777);
	} else {
		r = fchmodat(spot->at, spot->path, mode & 07777, AT_SYMLINK_NOFOLLOW);
	}
	return r < 0 ? -errno : 0;
}

static int set_owner(const struct spot *spot, const struct stat *attr, int to_set)
{
	uid_t uid = to_set & FUSE_SET_ATTR_UID ? attr->st_uid : (uid_t)-1;
	gid_t gid = to_set & FUSE_SET_ATTR_GID ? attr->st_gid : (gid_t)-1;

	return fchownat(spot->at, spot->path, uid, gid, spot->flags) < 0 ? -errno : 0;
}

static int set_size(struct mount *mount, struct node *node, const struct spot *spot,
	const struct fuse_file_info *fi, off_t size)
{
	AUTO_FD int own = -1;
	int fd = spot->at;

	if (!fi || !(spot->flags & AT_EMPTY_PATH)) {
		fd = own = spot_open(spot, O_WRONLY);
		if (fd < 0)
			return fd;
	}
	if (ftruncate(fd, size) < 0)
		return -errno;
	file_changed(mount, node);
	return 0;
}

static struct timespec time_of(struct timespec given, int to_set, int set, int now)
{
	if (to_set & now)
		given.tv_nsec = UTIME_NOW;
	else if (!(to_set & set))
		given.tv_nsec = UTIME_OMIT;
	return given;
}

static int set_times(const struct spot *spot, const struct stat *attr, int to_set)
{
	struct timespec times[2] = {
		time_of(attr->st_atim, to_set, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW),
		time_of(attr->st_mtim, to_set, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW)};

	return utimensat(spot->at, spot->path, times, spot->flags) < 0 ? -errno : 0;
}

#define SET_OWNER (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)
#define SET_TIMES                                                                                  \
	(FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_ATIME_NOW |                     \
		FUSE_SET_ATTR_MTIME_NOW)

/* Owner before mode: chown(2) takes set-ID bits away that the mode may bring back. Size before
 * times, which it moves. */
static int set_attributes(struct mount *mount, struct node *node, const struct stat *attr,
	int to_set, const struct fuse_file_info *fi, struct stat *st)
{
	AUTO_SPOT struct spot spot = SPOT_NONE;
	int r;

	NAMES_HELD(mount, rd);
	r = spot_of_open(mount, node, fi, &spot);
	if (r == 0 && to_set & SET_OWNER)
		r = set_owner(&spot, attr, to_set);
	if (r == 0 && to_set & FUSE_SET_ATTR_MODE)
		r = set_mode(&spot, attr->st_mode);
	if (r == 0 && to_set & FUSE_SET_ATTR_SIZE)
		r = set_size(mount, node, &spot, fi, attr->st_size);
	if (r == 0 && to_set & SET_TIMES)
		r = set_times(&spot, attr, to_set);
	return r < 0 ? r : spot_stat(&spot, st);
}

/* A shell that opens ctl with ">" truncates it. */
static int set_generated(struct mount *mount, struct node *node, int to_set, struct stat *st)
{
	if (to_set & (SET_OWNER | FUSE_SET_ATTR_MODE) || guard_node(node, DO_WRITE) < 0)
		return -EPERM;
	return generated_stat(mount, node, st);
}

void op_setattr(
	fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	struct node *node = node_get(&mount->nodes, ino);
	struct stat st;
	int r;

	if (!node)
		r = -ESTALE;
	else if (generated_of(node->kind))
		r = set_generated(mount, node, to_set, &st);
	else
		r = set_attributes(mount, node, attr, to_set, fi, &st);
	mount_changed(mount);
	reports_tell(&mount->reports, mount->setup.intake);
	attr_reply(req, node, r, &st);
}

static int read_link(struct mount *mount, struct node *node, char **target)
{
	AUTO_SPOT struct spot spot = SPOT_NONE;
	AUTO_FREE char *bytes = NULL;
	ssize_t length;
	int r;

	if (!node)
		return -ESTALE;
	if (generated_of(node->kind))
		return links_read(mount, node, target);
	bytes = malloc(PATH_MAX);
	if (!bytes)
		return -ENOMEM;

	NAMES_HELD(mount, rd);
	r = spot_of(mount, node, NULL, &spot);
	if (r < 0)
		return r;
	length = readlinkat(spot.at, spot.path, bytes, PATH_MAX);
	if (length < 0)
		return -errno;
	if (length == PATH_MAX)
		return -ENAMETOOLONG;
	bytes[length] = '\0';
	*target = TAKE(bytes);
	return 0;
}

void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct mount *mount = mount_of(req);
	AUTO_FREE char *target = NULL;
	int r = read_link(mount, node_get(&mount->nodes, ino), &target);

	if (r < 0)
		reply_result(req, r);
	else
		fuse_reply_readlink(req, target);
}

void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st;

	(void)ino;
	if (fstatvfs(mount_of(req)->setup.store_fd, &st) < 0)
		reply_result(req, -errno);
	else
		fuse_reply_statfs(req, &st);
}

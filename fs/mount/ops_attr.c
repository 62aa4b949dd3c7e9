/* ops_attr.c - attributes: getattr, setattr, readlink, statfs. */
#include "fs/base/cleanup.h"
#include "fs/mount/caller.h"
#include "fs/mount/entry.h"
#include "fs/mount/file.h"
#include "fs/mount/fs.h"
#include "fs/mount/generated.h"
#include "fs/mount/guard.h"
#include "fs/mount/location.h"
#include "fs/mount/node_use.h"
#include "fs/mount/reply.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/statvfs.h>

static void attr_reply(fuse_req_t req, const char *operation, fuse_ino_t ino, struct node *node,
	int error, const struct stat *st)
{
	if (error < 0)
		reply_result(req, error, operation, ino, NULL);
	else
		fuse_reply_attr(req, st, entry_timeout(node));
}

void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	struct node *node = node_get(&mount->nodes, ino);
	struct stat st;

	attr_reply(req, "getattr", ino, node, entry_stat(mount, node, fi, &st), &st);
}

static int set_mode(const struct location *location, mode_t mode)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	int error;

	if (location->flags & AT_EMPTY_PATH) { /* which may be an O_PATH descriptor */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", location->at);
		error = chmod(path, mode & 07777);
	} else {
		error = fchmodat(location->at, location->path, mode & 07777, AT_SYMLINK_NOFOLLOW);
	}
	return error < 0 ? -errno : 0;
}

static int set_owner(const struct location *location, const struct stat *attr, int to_set)
{
	uid_t uid = to_set & FUSE_SET_ATTR_UID ? attr->st_uid : (uid_t)-1;
	gid_t gid = to_set & FUSE_SET_ATTR_GID ? attr->st_gid : (gid_t)-1;

	return fchownat(location->at, location->path, uid, gid, location->flags) < 0 ? -errno : 0;
}

static int set_size(struct mount *mount, struct node *node, const struct location *location,
	const struct fuse_file_info *fi, off_t size)
{
	AUTO_FD int own = -1;
	int fd = location->at;

	if (!fi || !(location->flags & AT_EMPTY_PATH)) {
		fd = own = location_open(location, O_WRONLY);
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

static int set_times(const struct location *location, const struct stat *attr, int to_set)
{
	struct timespec times[2] = {
		time_of(attr->st_atim, to_set, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW),
		time_of(attr->st_mtim, to_set, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW)};

	return utimensat(location->at, location->path, times, location->flags) < 0 ? -errno : 0;
}

#define SET_OWNER (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)
#define SET_TIMES                                                                                  \
	(FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_ATIME_NOW |                     \
		FUSE_SET_ATTR_MTIME_NOW)

/* Under every name it has. */
static void note_owner(struct mount *mount, struct node *node)
{
	char **paths = node_paths(&mount->nodes, node);

	for (char **path = paths; path && *path; path++) {
		report_note(&mount->reports, REPORT_OWNER, *path, NULL, 0);
		free(*path);
	}
	free(paths);
}

/* Owner before mode: chown(2) takes set-ID bits away that the mode may bring back. Size before
 * times, which it moves. */
static int set_attributes(struct mount *mount, struct node *node, const struct stat *attr,
	int to_set, const struct fuse_file_info *fi, struct stat *st)
{
	AUTO_LOCATION struct location location = LOCATION_NONE;
	int error;

	NAMES_HELD(mount, rd);
	error = location_of_open(mount, node, fi, &location);
	if (error == 0 && to_set & SET_OWNER)
		error = set_owner(&location, attr, to_set);
	if (error == 0 && to_set & FUSE_SET_ATTR_MODE)
		error = set_mode(&location, attr->st_mode);
	if (error == 0 && to_set & FUSE_SET_ATTR_SIZE)
		error = set_size(mount, node, &location, fi, attr->st_size);
	if (error == 0 && to_set & SET_TIMES)
		error = set_times(&location, attr, to_set);
	if (error < 0)
		return error;
	if (mount->setup.shared && !node->folder && to_set & (SET_OWNER | FUSE_SET_ATTR_MODE))
		note_owner(mount, node);
	return location_stat(&location, st);
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
	int error = caller_check(req);

	if (error == 0 && !node)
		error = -ESTALE;
	if (error < 0)
		; /* refused */
	else if (generated_of(node->kind))
		error = set_generated(mount, node, to_set, &st);
	else
		error = set_attributes(mount, node, attr, to_set, fi, &st);
	mount_changed(mount);
	reports_tell(&mount->reports, mount->setup.intake);
	attr_reply(req, "setattr", ino, node, error, &st);
}

/* For root, in a mount of its own: where access(2) and chdir(2) ask. As the kernel itself does, it
 * lets root run what anybody may run. */
void op_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	struct mount *mount = mount_of(req);
	int error = caller_check(req);
	struct stat st;

	if (error == 0 && mask & X_OK)
		error = entry_stat(mount, node_get(&mount->nodes, ino), NULL, &st);
	if (error == 0 && mask & X_OK && !S_ISDIR(st.st_mode) && !(st.st_mode & 0111))
		error = -EACCES;
	reply_result(req, error, "access", ino, NULL);
}

static int read_link(struct mount *mount, struct node *node, char **target)
{
	AUTO_LOCATION struct location location = LOCATION_NONE;
	AUTO_FREE char *bytes = NULL;
	ssize_t length;
	int error;

	if (!node)
		return -ESTALE;
	if (generated_of(node->kind))
		return generated_of(node->kind)->readlink(mount, node, target);
	bytes = malloc(PATH_MAX);
	if (!bytes)
		return -ENOMEM;

	NAMES_HELD(mount, rd);
	error = location_of(mount, node, NULL, &location);
	if (error < 0)
		return error;
	length = readlinkat(location.at, location.path, bytes, PATH_MAX);
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
	int error = read_link(mount, node_get(&mount->nodes, ino), &target);

	if (error < 0)
		reply_result(req, error, "readlink", ino, NULL);
	else
		fuse_reply_readlink(req, target);
}

void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st;

	if (fstatvfs(mount_of(req)->setup.store_fd, &st) < 0)
		reply_result(req, -errno, "statfs", ino, NULL);
	else
		fuse_reply_statfs(req, &st);
}

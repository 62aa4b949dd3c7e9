/* ops_xattr.c - extended attributes, only with -o xattr: a handler for them makes `ls -l` ten times
 * slower (FUSE.md B4). Those of the user namespace are passed through; no other means anything
 * here, and some would be rights. */
#include "fs/base/cleanup.h"
#include "fs/mount/caller.h"
#include "fs/mount/fs.h"
#include "fs/mount/generated.h"
#include "fs/mount/location.h"
#include "fs/mount/reply.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <linux/xattr.h>
#include <string.h>
#include <sys/xattr.h>

#define PROC_PATH sizeof("/proc/self/fd/-2147483648")

/* The calls that take a descriptor refuse an O_PATH one, and no other can be had of every file. */
static int open_path(struct mount *mount, struct node *node, char path[PROC_PATH])
{
	AUTO_LOCATION struct location location = LOCATION_NONE;
	int fd;

	NAMES_HELD(mount, rd);
	fd = location_of(mount, node, NULL, &location);
	if (fd == 0)
		fd = location_open(&location, O_PATH);
	snprintf(path, PROC_PATH, "/proc/self/fd/%d", fd);
	return fd;
}

static int check(const struct node *node, const char *name)
{
	if (!node)
		return -ESTALE;
	return strncmp(name, XATTR_USER_PREFIX, XATTR_USER_PREFIX_LEN) ? -ENOTSUP : 0;
}

/* A size of 0 asks how many bytes there are. */
static void reply_value(fuse_req_t req, const char *operation, fuse_ino_t ino, ssize_t got,
	const char *bytes, size_t size)
{
	if (got < 0)
		reply_result(req, (int)got, operation, ino, NULL);
	else if (!size)
		fuse_reply_xattr(req, (size_t)got);
	else
		fuse_reply_buf(req, bytes, (size_t)got);
}

static ssize_t get(
	struct mount *mount, struct node *node, const char *name, char *bytes, size_t size)
{
	char path[PROC_PATH];
	AUTO_FD int fd = -1;
	ssize_t got = check(node, name);

	if (got < 0)
		return got;
	if (generated_of(node->kind))
		return -ENODATA;
	fd = open_path(mount, node, path);
	if (fd < 0)
		return fd;
	got = getxattr(path, name, bytes, size);
	return got < 0 ? -errno : got;
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct mount *mount = mount_of(req);
	AUTO_FREE char *bytes = malloc(size ? size : 1);
	ssize_t got = bytes ? caller_check(req) : -ENOMEM;

	if (got == 0)
		got = get(mount, node_get(&mount->nodes, ino), name, bytes, size);
	reply_value(req, "getxattr", ino, got, bytes, size);
}

/* Takes all but the user namespace out of a list of names. */
static ssize_t keep_user(char *names, ssize_t bytes)
{
	ssize_t kept = 0;

	for (ssize_t at = 0, next; at < bytes; at = next) {
		next = at + (ssize_t)strlen(names + at) + 1;
		if (strncmp(names + at, XATTR_USER_PREFIX, XATTR_USER_PREFIX_LEN))
			continue;
		memmove(names + kept, names + at, (size_t)(next - at));
		kept += next - at;
	}
	return kept;
}

static ssize_t list(struct mount *mount, struct node *node, char *names, size_t size)
{
	char path[PROC_PATH];
	AUTO_FD int fd = -1;
	ssize_t got;

	if (!node)
		return -ESTALE;
	if (generated_of(node->kind))
		return 0;
	fd = open_path(mount, node, path);
	if (fd < 0)
		return fd;
	got = listxattr(path, names, XATTR_LIST_MAX);
	if (got < 0)
		return -errno;
	got = keep_user(names, got);
	return size && (size_t)got > size ? -ERANGE : got;
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct mount *mount = mount_of(req);
	AUTO_FREE char *names = malloc(XATTR_LIST_MAX);
	ssize_t got = names ? caller_check(req) : -ENOMEM;

	if (got == 0)
		got = list(mount, node_get(&mount->nodes, ino), names, size);
	reply_value(req, "listxattr", ino, got, names, size);
}

/* value NULL: removes it. */
static int set(struct mount *mount, struct node *node, const char *name, const char *value,
	size_t size, int flags)
{
	char path[PROC_PATH];
	AUTO_FD int fd = -1;
	int error = check(node, name);

	if (error < 0)
		return error;
	if (generated_of(node->kind))
		return -EPERM;
	fd = open_path(mount, node, path);
	if (fd < 0)
		return fd;
	error = value ? setxattr(path, name, value, size, flags) : removexattr(path, name);
	mount_changed(mount);
	return error < 0 ? -errno : 0;
}

void op_setxattr(
	fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	struct mount *mount = mount_of(req);
	int error = caller_check(req);

	if (error == 0)
		error = set(mount, node_get(&mount->nodes, ino), name, value, size, flags);
	reply_result(req, error, "setxattr", ino, NULL);
}

void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct mount *mount = mount_of(req);
	int error = caller_check(req);

	if (error == 0)
		error = set(mount, node_get(&mount->nodes, ino), name, NULL, 0, 0);
	reply_result(req, error, "removexattr", ino, NULL);
}

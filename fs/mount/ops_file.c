/* ops_file.c - open files: open, read, write, flush, release and what else has a handle. */
#include "fs/base/cleanup.h"
#include "fs/engine/intake.h"
#include "fs/mount/caller.h"
#include "fs/mount/file.h"
#include "fs/mount/fs.h"
#include "fs/mount/generated.h"
#include "fs/mount/guard.h"
#include "fs/mount/location.h"
#include "fs/mount/node_use.h"
#include "fs/mount/publish.h"
#include "fs/mount/reply.h"
#include "fs/mount/sharing.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

/* The kernel places O_APPEND writes, does O_DIRECT and O_NOATIME by itself, and may change them by
 * fcntl(2) without telling. */
#define OPEN_KEEP (O_ACCMODE | O_TRUNC | O_SYNC | O_DSYNC)

/* The kernel leaves a truncation by open(2) to us, and a daemon that is root keeps set-ID bits
 * then. From the caller's truncation they go, as from any other's. */
static int drop_set_ids(fuse_req_t req, int fd, mode_t mode)
{
	mode_t drop = mode & S_ISUID;

	if (mode & S_IXGRP)
		drop |= mode & S_ISGID;
	if (!drop || !mount_of(req)->is_root || fuse_req_ctx(req)->uid == 0)
		return 0;
	return fchmod(fd, mode & 07777 & ~drop) < 0 ? -errno : 0;
}

static int open_real(fuse_req_t req, struct node *node, struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	AUTO_LOCATION struct location location = LOCATION_NONE;
	struct stat before = {0};
	int fd, error;

	NAMES_HELD(mount, rd);
	error = location_of(mount, node, NULL, &location);
	if (error == 0 && fi->flags & O_TRUNC)
		error = location_stat(&location, &before);
	if (error < 0)
		return error;
	fd = location_open(&location, fi->flags & OPEN_KEEP);
	if (fd < 0)
		return fd;
	error = file_may_have(req, fd);
	if (error == 0)
		error = drop_set_ids(req, fd, before.st_mode);
	if (error == 0)
		error = file_opened(req, node, fd, fi);
	else
		(void)close(fd); /* nothing was written */
	if (error == 0 && before.st_size > 0)
		file_changed(mount, node);
	return error;
}

static int open_generated(fuse_req_t req, struct node *node, struct fuse_file_info *fi)
{
	bool writes = (fi->flags & O_ACCMODE) != O_RDONLY || fi->flags & O_TRUNC;
	struct mount *mount = mount_of(req);
	struct open_file *file;
	int error = writes ? guard_node(node, DO_WRITE) : 0;

	if (error < 0)
		return error;
	file = file_new(req);
	if (!file)
		return -ENOMEM;
	if (mount->setup.shared)
		sharing_caller(req, &file->who);
	error = generated_open(mount, node, fi, file);
	if (error < 0)
		file_free(file);
	else
		file_attach(mount, node, file, fi);
	return error;
}

static int open_node(fuse_req_t req, struct node *node, struct fuse_file_info *fi)
{
	int error = caller_check(req);

	if (error < 0)
		return error;
	if (!node)
		return -ESTALE;
	return generated_of(node->kind) ? open_generated(req, node, fi) : open_real(req, node, fi);
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	int error = open_node(req, node_get(&mount->nodes, ino), fi);

	if (fi->flags & O_TRUNC)
		mount_changed(mount);
	reports_tell(&mount->reports, mount->setup.intake);
	if (error < 0)
		reply_result(req, error, "open", ino, NULL);
	else if (shim_reply_open(req, fi, file_backing(fi)) == -ENOENT)
		file_closed(mount, fi); /* the caller was interrupted: no RELEASE will come */
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	file_closed(mount_of(req), fi);
	reply_result(req, 0, "release", ino, NULL);
}

static void read_real(
	fuse_req_t req, fuse_ino_t ino, const struct open_file *file, size_t size, off_t off)
{
	AUTO_FREE char *bytes = malloc(size ? size : 1);
	ssize_t got = -1;

	if (bytes)
		got = pread(file->handle.fd, bytes, size, off);
	mount_changed(mount_of(req)); /* the time of the last access */
	if (got < 0)
		reply_result(req, -errno, "read", ino, NULL);
	else
		fuse_reply_buf(req, bytes, (size_t)got);
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct open_file *file = file_of(fi);

	if (generated_file(file))
		generated_read(req, file, size, off);
	else
		read_real(req, ino, file, size, off);
}

void op_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t off,
	struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	struct open_file *file = file_of(fi);
	const struct generated *generated = generated_file(file);
	ssize_t wrote;

	if (generated) { /* only what can be written to was opened for that */
		wrote = generated->write(mount, file, bytes, size);
	} else {
		file_will_write(mount, file);
		wrote = pwrite(file->handle.fd, bytes, size, off);
		if (wrote < 0)
			wrote = -errno;
		mount_changed(mount);
	}
	if (wrote < 0)
		reply_result(req, (int)wrote, "write", ino, NULL);
	else
		fuse_reply_write(req, (size_t)wrote);
}

/* Process a thread belongs to, or -1. */
static long thread_group(pid_t thread)
{
	char path[sizeof("/proc//status") + 3 * sizeof(pid_t)], line[128];
	AUTO_FILE FILE *status = NULL;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (!strncmp(line, "Tgid:", 5))
			return strtol(line + 5, NULL, 10);
	return -1;
}

/* The kernel names the thread that closes, not its process. */
static bool is_same_process(pid_t a, pid_t b)
{
	long group;

	if (a == b)
		return true;
	group = thread_group(a);
	return group > 0 && group == thread_group(b);
}

/* Only a writer that closes its own file is told, and never about a file that is empty: shells
 * duplicate descriptors and close them before the first byte (FUSE.md B1). */
static int check_job(fuse_req_t req, struct open_file *file)
{
	struct mount *mount = mount_of(req);
	AUTO_LOCATION struct location location = LOCATION_NONE;
	AUTO_FREE char *path = NULL;
	AUTO_FD int fd = -1;
	struct stat st;

	if (mount->setup.lenient || !atomic_load(&file->wrote) || publisher_is(file->opener) ||
		fstat(file->handle.fd, &st) < 0 || st.st_size == 0 ||
		!is_same_process(fuse_req_ctx(req)->pid, file->opener))
		return 0;
	{
		NAMES_HELD(mount, rd);
		if (node_path(&mount->nodes, file->handle.node, NULL, BASE_MOUNT, &path) < 0 ||
			!intake_checks(mount->setup.intake, path) ||
			location_of(mount, file->handle.node, NULL, &location) < 0)
			return 0; /* it has no name, or none of a job, so it is no drop */
		fd = location_open(&location, O_RDONLY);
	}
	return fd < 0 ? 0 : intake_check(mount->setup.intake, path, fd);
}

/* What close(2) would say: a store on NFS tells there that a write failed. */
static int close_error(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 || close(copy) < 0 ? -errno : 0;
}

void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct open_file *file = file_of(fi);
	int error = 0;

	if (!generated_file(file)) {
		if (!file_is_local(mount_of(req), file->handle.node))
			error = close_error(file->handle.fd);
		if (error == 0)
			error = check_job(req, file);
		file_flushed(mount_of(req), file);
	}
	reply_result(req, error, "flush", ino, NULL);
}

void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct open_file *file = file_of(fi);
	int error = 0;

	if (!generated_file(file))
		error = datasync ? fdatasync(file->handle.fd) : fsync(file->handle.fd);
	reply_result(req, error < 0 ? -errno : 0, "fsync", ino, NULL);
}

void op_poll(
	fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *poll)
{
	struct open_file *file = file_of(fi);
	const struct generated *generated = generated_file(file);
	unsigned ready = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM; /* as any regular file */

	(void)ino;
	if (generated && generated->poll)
		ready = generated->poll(mount_of(req), file, poll);
	else if (poll)
		fuse_pollhandle_destroy(poll);
	fuse_reply_poll(req, ready);
}

/* ops_range.c - parts of open files: fallocate, lseek, copy_file_range. */
#include "fs/mount/file.h"
#include "fs/mount/fs.h"
#include "fs/mount/generated.h"
#include "fs/mount/reply.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t length,
	struct fuse_file_info *fi)
{
	struct open_file *file = file_of(fi);
	int error = -EOPNOTSUPP;

	if (!generated_file(file)) {
		file_will_write(mount_of(req), file);
		error = fallocate(file->handle.fd, mode, off, length) < 0 ? -errno : 0;
		mount_changed(mount_of(req));
	}
	reply_result(req, error, "fallocate", ino, NULL);
}

/* The kernel answers all but SEEK_DATA and SEEK_HOLE itself. */
void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi)
{
	struct open_file *file = file_of(fi);
	off_t end = (off_t)file->bytes, at;

	if (file->handle.fd >= 0)
		at = lseek(file->handle.fd, off, whence);
	else if (off >= 0 && off < end)
		at = whence == SEEK_HOLE ? end : off;
	else
		errno = ENXIO, at = -1;
	if (at < 0)
		reply_result(req, -errno, "lseek", ino, NULL);
	else
		fuse_reply_lseek(req, at);
}

void op_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_off,
	struct fuse_file_info *from_fi, fuse_ino_t to, off_t to_off, struct fuse_file_info *to_fi,
	size_t size, int flags)
{
	struct open_file *in = file_of(from_fi), *out = file_of(to_fi);
	ssize_t copied;
	int error;

	(void)from;
	if (generated_file(in) || generated_file(out)) {
		/* the kernel then copies by reading and writing */
		reply_result(req, -EOPNOTSUPP, "copy_file_range", to, NULL);
		return;
	}
	file_will_write(mount_of(req), out);
	copied = copy_file_range(
		in->handle.fd, &from_off, out->handle.fd, &to_off, size, (unsigned)flags);
	error = copied < 0 ? -errno : 0;
	mount_changed(mount_of(req));
	if (error < 0)
		reply_result(req, error, "copy_file_range", to, NULL);
	else
		fuse_reply_write(req, (size_t)copied);
}

#include "fs/mount/events.h"

#include "fs/base/cleanup.h"
#include "fs/mount/fs.h"
#include "fs/mount/reply.h"

#include <fcntl.h>
#include <poll.h>

int events_stat(struct mount *mount, struct node *node, struct stat *st)
{
	struct stat real;

	(void)node;
	if (fstatat(mount->setup.store_fd, "events.jsonl", &real, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	st->st_size = real.st_size;
	st->st_mtim = real.st_mtim;
	st->st_ctim = real.st_ctim;
	return 0;
}

int events_open(struct mount *mount, struct open_file *file)
{
	file->handle.fd =
		openat(mount->setup.store_fd, "events.jsonl", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return file->handle.fd < 0 ? -errno : 0;
}

void events_read(fuse_req_t req, struct open_file *file, size_t size, off_t off)
{
	struct mount *mount = mount_of(req);
	AUTO_FREE char *bytes = malloc(size ? size : 1);
	ssize_t got = -1;

	if (bytes)
		got = pread(file->handle.fd, bytes, size, off);
	if (got < 0) {
		reply_result(req, -errno, "read", file->handle.node->id, NULL);
		return;
	}
	pthread_mutex_lock(&mount->watch_lock);
	file->seen = off + got;
	pthread_mutex_unlock(&mount->watch_lock);
	fuse_reply_buf(req, bytes, (size_t)got);
}

/* FUSE does not tell poll(2) the file position; how far the handle has read stands in for it. */
unsigned events_poll(struct mount *mount, struct open_file *file, struct fuse_pollhandle *poll)
{
	struct fuse_pollhandle *old = poll;
	struct stat st;
	unsigned ready = 0;

	/* the watch is set before looking, so that growth in between is not missed */
	pthread_mutex_lock(&mount->watch_lock);
	if (poll) {
		old = file->poll;
		file->poll = poll;
		if (!old)
			LIST_INSERT_HEAD(&mount->watched, file, watched);
	}
	if (fstat(file->handle.fd, &st) < 0)
		ready = POLLERR;
	else if (st.st_size > file->seen)
		ready = POLLIN | POLLRDNORM;
	pthread_mutex_unlock(&mount->watch_lock);
	if (old)
		fuse_pollhandle_destroy(old);
	return ready;
}

void events_unwatch(struct mount *mount, struct open_file *file)
{
	struct fuse_pollhandle *poll;

	pthread_mutex_lock(&mount->watch_lock);
	poll = TAKE(file->poll);
	if (poll)
		LIST_REMOVE(file, watched);
	pthread_mutex_unlock(&mount->watch_lock);
	if (poll)
		fuse_pollhandle_destroy(poll);
}

/* Notified under watch_lock, which keeps the session's descriptor open: the kernel only wakes the
 * pollers, it takes no lock of a file or folder for it. */
void mount_events_grew(struct mount *mount)
{
	struct open_file *file;

	pthread_mutex_lock(&mount->watch_lock);
	while ((file = LIST_FIRST(&mount->watched))) {
		LIST_REMOVE(file, watched);
		if (mount->serving)
			(void)fuse_lowlevel_notify_poll(file->poll); /* ENOENT: closed meanwhile */
		fuse_pollhandle_destroy(TAKE(file->poll));
	}
	pthread_mutex_unlock(&mount->watch_lock);
}

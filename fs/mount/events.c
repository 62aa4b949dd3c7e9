#include "fs/mount/events.h"

#include "fs/base/cleanup.h"
#include "fs/mount/fs.h"
#include "fs/mount/reply.h"
#include "fs/mount/sharing.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

int events_stat(struct mount *mount, struct node *node, struct stat *st)
{
	struct stat real;

	(void)node;
	if (fstatat(mount->setup.journal_fd, "events.jsonl", &real, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	st->st_size = real.st_size;
	st->st_mtim = real.st_mtim;
	st->st_ctim = real.st_ctim;
	return 0;
}

static int open_log(const struct mount *mount)
{
	return openat(mount->setup.journal_fd, "events.jsonl", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

int events_open(struct mount *mount, struct open_file *file)
{
	file->handle.fd = open_log(mount);
	return file->handle.fd < 0 ? -errno : 0;
}

/* Whether the log was begun anew, as another file, since this one was opened. */
static bool is_old(const struct mount *mount, const struct stat *st)
{
	struct stat now;

	return fstatat(mount->setup.journal_fd, "events.jsonl", &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (now.st_ino != st->st_ino || now.st_dev != st->st_dev);
}

/* A reader goes on from the end of an old log to the begin of the one there is now, which to it
 * stands right behind. One that goes back to the beginning, as tail -f does when the size is less
 * than it was, reads what is there now. Returns where off is in the file; under watch_lock. */
static off_t turn(struct mount *mount, struct open_file *file, off_t off)
{
	bool again = off < file->begin || (off == 0 && file->seen > 0);
	int fd = file->handle.fd, now;
	struct stat st;

	if (fstat(fd, &st) < 0 || (!again && off - file->begin < st.st_size))
		return off - file->begin;
	if (is_old(mount, &st)) {
		now = open_log(mount);
		if (now < 0)
			return off - file->begin; /* no descriptor: the end, for now */
		(void)dup3(now, fd, O_CLOEXEC);   /* at a number that is open */
		(void)close(now);
		file->begin = off;
	}
	if (again)
		file->begin = 0;
	return off - file->begin;
}

/* What the reader may see of the log in fd. Bytes, or -errno. */
static ssize_t read_log(struct mount *mount, const struct open_file *file, int fd, char *bytes,
	size_t size, off_t at)
{
	ssize_t got = pread(fd, bytes, size, at);

	return got < 0 ? -errno : sharing_hide_events(mount, file, fd, bytes, (size_t)got, at);
}

void events_read(fuse_req_t req, struct open_file *file, size_t size, off_t off)
{
	struct mount *mount = mount_of(req);
	AUTO_FREE char *bytes = malloc(size ? size : 1);
	AUTO_FD int fd = -1;
	ssize_t got = -ENOMEM;
	off_t at;

	pthread_mutex_lock(&mount->watch_lock);
	at = turn(mount, file, off);
	/* another reader of this handle may turn to the next log meanwhile */
	fd = fcntl(file->handle.fd, F_DUPFD_CLOEXEC, 0);
	if (bytes && fd < 0) /* none is left: it turns behind this */
		got = read_log(mount, file, file->handle.fd, bytes, size, at);
	pthread_mutex_unlock(&mount->watch_lock);
	if (bytes && fd >= 0)
		got = read_log(mount, file, fd, bytes, size, at);
	if (got < 0) {
		reply_result(req, (int)got, "read", file->handle.node->id, NULL);
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
	else if (st.st_size > file->seen - file->begin || is_old(mount, &st))
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

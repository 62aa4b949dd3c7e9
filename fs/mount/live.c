/* live.c - the two generated files that talk back: ctl takes orders and answers, events.jsonl
 * grows. */
#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "fs/engine/control.h"
#include "fs/mount/fs.h"

#include <poll.h>
#include <string.h>

/* The answer can be read from the handle that gave the order, also when the write failed. */
int ctl_write(struct mount *mount, struct open_file *file, const char *bytes, size_t size)
{
	AUTO_FREE char *line = NULL, *answer = NULL;
	size_t length = size;
	int error;

	if (length && bytes[length - 1] == '\n')
		length--;
	if (length > LIMIT_COMMAND_BYTES)
		return -EMSGSIZE;
	if (memchr(bytes, '\n', length) || memchr(bytes, '\0', length))
		return -EINVAL; /* one write, one order: each has its own answer */
	line = strndup(bytes, length);
	if (!line)
		return -ENOMEM;
	error = control_run(mount->setup.control, line, &answer);
	pthread_mutex_lock(&file->lock);
	free(file->text);
	file->bytes = answer ? strlen(answer) : 0;
	file->text = TAKE(answer);
	file->read_at = 0;
	pthread_mutex_unlock(&file->lock);
	return error < 0 ? error : (int)size;
}

/* The file position has moved on by what was written: the handle keeps its own. */
void ctl_read(fuse_req_t req, struct open_file *file, size_t size)
{
	AUTO_FREE char *bytes = malloc(size ? size : 1);
	size_t got;

	if (!bytes) {
		reply_result(req, -ENOMEM);
		return;
	}
	pthread_mutex_lock(&file->lock);
	got = file->bytes - file->read_at;
	if (got > size)
		got = size;
	memcpy(bytes, file->text ? file->text + file->read_at : "", got);
	file->read_at += got;
	pthread_mutex_unlock(&file->lock);
	fuse_reply_buf(req, bytes, got); /* the handle may be gone once this is read */
}

void events_read(fuse_req_t req, struct open_file *file, size_t size, off_t off)
{
	struct mount *mount = mount_of(req);
	AUTO_FREE char *bytes = malloc(size ? size : 1);
	ssize_t got = -1;

	if (bytes)
		got = pread(file->handle.fd, bytes, size, off);
	if (got < 0) {
		reply_result(req, -errno);
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
		if (!old) {
			file->next_watched = mount->watched;
			mount->watched = file;
		}
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
	if (poll) {
		struct open_file **link = &mount->watched;

		while (*link != file)
			link = &(*link)->next_watched;
		*link = file->next_watched;
	}
	pthread_mutex_unlock(&mount->watch_lock);
	if (poll)
		fuse_pollhandle_destroy(poll);
}

/* Notified under watch_lock, which keeps the session's descriptor open: the kernel only wakes the
 * pollers, it takes no lock of a file or folder for it. */
void mount_events_grew(struct mount *mount)
{
	pthread_mutex_lock(&mount->watch_lock);
	while (mount->watched) {
		struct open_file *file = mount->watched;

		mount->watched = file->next_watched;
		if (mount->serving)
			(void)fuse_lowlevel_notify_poll(file->poll); /* ENOENT: closed meanwhile */
		fuse_pollhandle_destroy(TAKE(file->poll));
	}
	pthread_mutex_unlock(&mount->watch_lock);
}

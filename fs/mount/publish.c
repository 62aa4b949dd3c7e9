#include "fs/mount/publish.h"

#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/base/path.h"
#include "fs/mount/fs.h"
#include "fs/mount/overview.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>

#define INCOMING ".kinofs/incoming/"
#define NOTE     INCOMING "note.tmp"

struct queued {
	TAILQ_ENTRY(queued) next;
	struct publish_order order;
};

struct publisher {
	pthread_t thread;
	struct mount *mount;
	unsigned major, minor; /* st_dev of the mount */
	pthread_mutex_t lock;
	pthread_cond_t work;
	TAILQ_HEAD(, queued) queue;
	bool stopping;
};

static atomic_int publisher_tid;

bool publisher_is(int tid)
{
	return tid == atomic_load(&publisher_tid);
}

/* Opens the mount point without a request to whoever serves it. A descriptor, or -ENOTCONN when
 * nothing is mounted there, or something else. */
static int open_mount(const struct publisher *publisher, struct statx *st)
{
	int fd = open(publisher->mount->setup.mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, st) == 0 &&
		st->stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return fd;
	(void)close(fd); /* O_PATH: nothing to lose */
	return -ENOTCONN;
}

static int open_own_mount(const struct publisher *publisher)
{
	struct statx st;
	int fd = open_mount(publisher, &st);

	if (fd < 0 ||
		(st.stx_dev_major == publisher->major && st.stx_dev_minor == publisher->minor))
		return fd;
	(void)close(fd); /* O_PATH: nothing to lose */
	return -ENOTCONN;
}

/* Makes the folders a target is to stand in. */
static int make_parents(int root, const char *target)
{
	AUTO_FREE char *folder = path_folder(target);

	return folder ? folders_make(root, folder, 0755, 0) : -ENOMEM;
}

static int move_to(int root, const char *source, const char *target, unsigned flags)
{
	int error;

	if (renameat2(root, source, root, target, flags) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	error = make_parents(root, target);
	if (error < 0)
		return error;
	return renameat2(root, source, root, target, flags) < 0 ? -errno : 0;
}

/* Makes the entry durable: who is told that a video was published notes it down for ever. */
static int sync_folder(int root, const char *target)
{
	AUTO_FREE char *folder = path_folder(target); /* every target lies in some out/ */
	AUTO_FD int fd = -1;

	if (!folder)
		return -ENOMEM;
	fd = openat(root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* In the overview the link is there by now; making it tells who watches. */
static void announce(struct overview *overview, int root, const char *target)
{
	AUTO_FREE char *name = overview_name(overview, target);
	AUTO_FREE char *link = NULL, *to = NULL;

	if (!name)
		return;
	link = format("out/%s", name);
	to = format("../%s", target);
	if (link && to && symlinkat(to, root, link) < 0)
		log_debug("nobody was told of out/%s: %s", name, strerror(errno));
}

/* Opened to write, though nothing is written: it is closed where it ends up, and that is the only
 * sign of it for a mark on the mount (fanotify_mark(2)) and for who waits for IN_CLOSE_WRITE. */
static int publish_file(
	const struct publisher *publisher, int root, const struct publish_order *order)
{
	AUTO_FREE char *source = NULL;
	AUTO_FD int fd = -1;
	int error;

	source = format(INCOMING "%s", order->source);
	if (!source)
		return -ENOMEM;
	fd = openat(root, source, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = move_to(root, source, order->target, RENAME_NOREPLACE);
	if (error < 0)
		return error;
	/* it is there, whatever comes now */
	cleanup_fd(&fd); /* first: while it is open nobody reads it without us (shim.h) */
	(void)sync_folder(root, order->target);
	announce(publisher->mount->overview, root, order->target);
	return 0;
}

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t wrote = write(fd, text, left);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return -errno;
		text += wrote;
		left -= (size_t)wrote;
	}
	return 0;
}

/* No fsync: a note can be written again from the journal. */
static int publish_note(
	const struct publisher *publisher, int root, const struct publish_order *order)
{
	AUTO_FD int fd = openat(root, NOTE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int error;

	(void)publisher;
	if (fd < 0)
		return -errno;
	error = write_all(fd, order->text);
	return error < 0 ? error : move_to(root, NOTE, order->target, 0);
}

static int publish_remove(
	const struct publisher *publisher, int root, const struct publish_order *order)
{
	(void)publisher;
	if (unlinkat(root, order->target, 0) < 0 && errno != ENOENT && errno != ENOTDIR)
		return -errno;
	return 0;
}

static int (*const publish[])(
	const struct publisher *publisher, int root, const struct publish_order *order) = {
	[PUBLISH_FILE] = publish_file,
	[PUBLISH_NOTE] = publish_note,
	[PUBLISH_REMOVE] = publish_remove,
};

static void carry_out(const struct publisher *publisher, const struct publish_order *order)
{
	int root = open_own_mount(publisher);
	int error = root < 0 ? root : publish[order->kind](publisher, root, order);

	cleanup_fd(&root); /* first: who is told may unmount */
	if (order->done)
		order->done(order->context, order->number, error);
}

static void queued_free(struct queued *queued)
{
	free(queued->order.source);
	free(queued->order.target);
	free(queued->order.text);
	free(queued);
}

/* The next order, or NULL when the publisher is to end. */
static struct queued *next_order(struct publisher *publisher)
{
	struct queued *queued = NULL;

	pthread_mutex_lock(&publisher->lock);
	while (TAILQ_EMPTY(&publisher->queue) && !publisher->stopping)
		pthread_cond_wait(&publisher->work, &publisher->lock);
	if (!publisher->stopping) {
		queued = TAILQ_FIRST(&publisher->queue);
		TAILQ_REMOVE(&publisher->queue, queued, next);
	}
	pthread_mutex_unlock(&publisher->lock);
	return queued;
}

/*
 * Gives the thread its own table of descriptors, without the one the mount is
 * served through. A killed process keeps that one open until its last thread is
 * gone, and a thread that waits for an answer of its own process is not gone
 * until the mount ends: without this, kill -9 at the wrong moment hangs the
 * mount for ever (request_wait_answer() in the kernel's fs/fuse/dev.c cannot be
 * killed once the request was read).
 *
 * From here on this thread must not open or close what others use, and not
 * log: syslog(3) keeps the number of its socket for all threads. Without
 * memory for the table nothing changes but the guard against kill -9.
 */
static void leave_mount(int mount_fd)
{
#ifndef __SANITIZE_THREAD__ /* which knows one table of descriptors only */
	int null;

	if (unshare(CLONE_FILES) < 0)
		return;
	(void)close(mount_fd); /* the copy; the mount itself stays open */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd <= STDERR_FILENO && null >= 0; fd++)
		(void)dup2(
			null, fd); /* else who started us in the background waits for their end */
#else
	(void)mount_fd;
#endif
}

static void *run(void *argument)
{
	struct publisher *publisher = argument;
	struct queued *queued;

	leave_mount(fuse_session_fd(publisher->mount->session));
	atomic_store(&publisher_tid, gettid());
	pthread_setname_np(pthread_self(), "publisher");
	while ((queued = next_order(publisher))) {
		carry_out(publisher, &queued->order);
		queued_free(queued);
	}
	atomic_store(&publisher_tid, 0);
	return NULL;
}

/* Signals are for the main thread, which mount_serve() waits in. */
static int start_thread(struct publisher *publisher)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&publisher->thread, NULL, run, publisher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

static void publisher_free(struct publisher *publisher)
{
	struct queued *queued;

	while ((queued = TAILQ_FIRST(&publisher->queue))) {
		TAILQ_REMOVE(&publisher->queue, queued, next);
		queued_free(queued);
	}
	pthread_mutex_destroy(&publisher->lock);
	pthread_cond_destroy(&publisher->work);
	free(publisher);
}

struct publisher *publisher_start(struct mount *mount, int *error)
{
	struct publisher *publisher = calloc(1, sizeof(*publisher));
	AUTO_FD int fd = -1;
	struct statx st;

	*error = -ENOMEM;
	if (!publisher)
		return NULL;
	pthread_mutex_init(&publisher->lock, NULL);
	pthread_cond_init(&publisher->work, NULL);
	TAILQ_INIT(&publisher->queue);
	publisher->mount = mount;
	*error = fd = open_mount(publisher, &st);
	if (fd >= 0) {
		publisher->major = st.stx_dev_major;
		publisher->minor = st.stx_dev_minor;
		/* before the thread takes a copy of it, which would keep the mount busy */
		cleanup_fd(&fd);
		*error = start_thread(publisher);
	}
	if (*error == 0)
		return publisher;
	log_error("the publisher cannot work through %s: %s", mount->setup.mountpoint,
		strerror(-*error));
	publisher_free(publisher);
	return NULL;
}

int publisher_post(struct publisher *publisher, const struct publish_order *order)
{
	struct queued *queued = calloc(1, sizeof(*queued));
	int error = 0;

	if (!queued)
		return -ENOMEM;
	queued->order = *order;
	pthread_mutex_lock(&publisher->lock);
	if (publisher->stopping) {
		error = -ESHUTDOWN;
	} else {
		TAILQ_INSERT_TAIL(&publisher->queue, queued, next);
		pthread_cond_signal(&publisher->work);
	}
	pthread_mutex_unlock(&publisher->lock);
	if (error < 0)
		free(queued);
	return error;
}

void publisher_stop(struct publisher *publisher)
{
	pthread_mutex_lock(&publisher->lock);
	publisher->stopping = true;
	pthread_cond_signal(&publisher->work);
	pthread_mutex_unlock(&publisher->lock);
	pthread_join(publisher->thread, NULL);
	publisher_free(publisher);
}

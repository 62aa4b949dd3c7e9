#include "fs/mount/publish.h"

#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/base/path.h"
#include "fs/mount/announce.h"
#include "fs/mount/fs.h"
#include "fs/mount/give.h"
#include "fs/mount/overview.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#define INCOMING    ".kinofs/incoming/"
#define NOTE        INCOMING "note.tmp"
#define SHORTAGE_MS 100

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

/* The folder a target stands in. No link on the way is followed: it may lead out of the mount. A
 * descriptor or -errno. */
static int open_parent(int root, const char *target)
{
	AUTO_FREE char *folder = path_folder(target); /* every target lies in some out/ */

	return folder ? folders_open(root, folder) : -ENOMEM;
}

/* The same, making the folders that are not there. */
static int make_parent(int root, const char *target)
{
	AUTO_FREE char *folder = path_folder(target);
	int fd = folder ? folders_open(root, folder) : -ENOMEM;
	int error;

	if (fd != -ENOENT)
		return fd;
	error = folders_make(root, folder, 0755, O_NOFOLLOW);
	return error < 0 ? error : folders_open(root, folder);
}

static int move_to(const struct publisher *publisher, int root, const char *source,
	const struct publish_order *order, unsigned flags)
{
	AUTO_FD int folder = make_parent(root, order->target);

	if (folder < 0)
		return folder;
	if (order->rights && publisher->mount->is_root)
		give_folders(publisher->mount, root, order->target);
	return renameat2(root, source, folder, path_last(order->target), flags) < 0 ? -errno : 0;
}

/* Makes the entry durable: who is told that a result was published notes it down for ever. -ENOENT:
 * there is none. A folder that may not be read, or a filesystem that cannot sync one (fsync(2):
 * EINVAL), will not get any better. */
static int sync_entry(int root, const char *target)
{
	AUTO_FD int folder = open_parent(root, target);
	AUTO_FD int fd = -1;
	struct stat st;

	if (folder < 0)
		return folder == -ENOTDIR || folder == -ELOOP ? -ENOENT : folder;
	if (fstatat(folder, path_last(target), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fsync(fd) == 0)
		return 0;
	return errno == EACCES || errno == EINVAL || errno == EOPNOTSUPP ? 0 : -errno;
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
	if (fd < 0) /* it was renamed before? */
		return errno == ENOENT ? sync_entry(root, order->target) : -errno;
	error = give_file(publisher->mount, fd, order->rights);
	if (error == 0)
		error = move_to(publisher, root, source, order, RENAME_NOREPLACE);
	if (error < 0)
		return error;
	/* it is there, whatever comes now */
	cleanup_fd(&fd); /* first: while it is open nobody reads it without us (shim.h) */
	error = sync_entry(root, order->target);
	announce_new(publisher->mount, root, order->target);
	return error == -ENOENT ? 0 : error; /* the user was fast */
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

/* No fsync: until it is on the disk the journal owes it (announce_owed()). */
static int publish_note(
	const struct publisher *publisher, int root, const struct publish_order *order)
{
	AUTO_FD int fd = openat(root, NOTE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	AUTO_FREE char *before = overview_name(publisher->mount->overview, order->target);
	int error;

	if (fd < 0)
		return -errno;
	error = give_file(publisher->mount, fd, order->rights);
	if (error == 0)
		error = write_all(fd, order->text);
	if (error == 0)
		error = move_to(publisher, root, NOTE, order, 0);
	if (error < 0)
		return error;
	if (before)
		announce_changed(root, before);
	else
		announce_new(publisher->mount, root, order->target);
	return 0;
}

static int publish_remove(
	const struct publisher *publisher, int root, const struct publish_order *order)
{
	AUTO_FD int folder = open_parent(root, order->target);
	AUTO_FREE char *shown = overview_name(publisher->mount->overview, order->target);

	if (folder == -ENOENT || folder == -ENOTDIR || folder == -ELOOP)
		return 0; /* nor is the note there */
	if (folder < 0)
		return folder;
	if (unlinkat(folder, path_last(order->target), 0) < 0)
		return errno != ENOENT ? -errno : 0;
	announce_gone(publisher->mount, root, shown);
	return 0;
}

/* Through the mount as well: this thread has no other way to the file (leave_mount()). */
static int publish_sync(
	const struct publisher *publisher, int root, const struct publish_order *order)
{
	AUTO_FREE char *source = format(INCOMING "%s", order->source);
	AUTO_FD int fd = -1;

	(void)publisher;
	if (!source)
		return -ENOMEM;
	fd = openat(root, source, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 || fdatasync(fd) < 0 ? -errno : 0;
}

static int publish_look(
	const struct publisher *publisher, int root, const struct publish_order *order)
{
	if (order->target)
		announce_look(root, order->target);
	else
		announce_warning(publisher->mount, root);
	return 0;
}

static int (*const publish[])(
	const struct publisher *publisher, int root, const struct publish_order *order) = {
	[PUBLISH_FILE] = publish_file,
	[PUBLISH_NOTE] = publish_note,
	[PUBLISH_REMOVE] = publish_remove,
	[PUBLISH_SYNC] = publish_sync,
	[PUBLISH_LOOK] = publish_look,
};

/* Descriptors and memory come back. False: the publisher is to end. */
static bool wait_a_moment(struct publisher *publisher)
{
	bool stopping;

	(void)usleep(SHORTAGE_MS * 1000);
	pthread_mutex_lock(&publisher->lock);
	stopping = publisher->stopping;
	pthread_mutex_unlock(&publisher->lock);
	return !stopping;
}

static int carry_out_once(const struct publisher *publisher, const struct publish_order *order)
{
	/* closed before who is told unmounts */
	AUTO_FD int root = open_own_mount(publisher);

	return root < 0 ? root : publish[order->kind](publisher, root, order);
}

static bool is_shortage(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

static void carry_out(struct publisher *publisher, const struct publish_order *order)
{
	int error;

	do
		error = carry_out_once(publisher, order);
	while (is_shortage(error) && wait_a_moment(publisher));
	if (order->done)
		order->done(order->context, order->number, error);
}

static void queued_free(struct queued *queued)
{
	free(queued->order.source);
	free(queued->order.target);
	free(queued->order.text);
	free(queued->order.rights);
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

static void set_publisher(struct mount *mount, struct publisher *publisher)
{
	pthread_mutex_lock(&mount->watch_lock);
	mount->publisher = publisher;
	pthread_mutex_unlock(&mount->watch_lock);
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
	if (*error == 0) {
		set_publisher(mount, publisher);
		return publisher;
	}
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
	set_publisher(publisher->mount, NULL);
	pthread_mutex_lock(&publisher->lock);
	publisher->stopping = true;
	pthread_cond_signal(&publisher->work);
	pthread_mutex_unlock(&publisher->lock);
	pthread_join(publisher->thread, NULL);
	publisher_free(publisher);
}

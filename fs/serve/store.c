#include "fs/serve/store.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/filesystem.h"
#include "fs/base/folders.h"
#include "fs/base/log.h"
#include "fs/journal/journal.h"
#include "fs/journal/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define ENDING "ending" /* there while a kinofs that has the store is about to let go of it */

#define MOMENT_MS 500
#define END_MS    15000 /* what engine_stop() and the publisher may take */
#define LOOK_MS   20

void store_ending(const struct store *store)
{
	AUTO_FD int fd = openat(store->journal_fd, ENDING, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		log_debug("the next kinofs will not wait: %s", strerror(errno));
}

static bool is_ending(int store)
{
	return faccessat(store, ENDING, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Tries until it succeeds or there is nothing to wait for. One that was just unmounted needs a
 * moment to say that it is ending. */
static int wait_for(int lock, int store)
{
	int64_t begin = clock_steady_ms(), waited = 0;

	while (flock(lock, LOCK_EX | LOCK_NB) < 0) {
		int error = -errno;

		if (error != -EWOULDBLOCK || waited > (is_ending(store) ? END_MS : MOMENT_MS))
			return error;
		(void)usleep(LOOK_MS * 1000);
		waited = clock_steady_ms() - begin;
	}
	return unlinkat(store, ENDING, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* The lock is on the journal itself, so that no file can be removed to get round it. It lives as
 * long as its open file: through the fork, until the last process ends. SQLite's own locks are of
 * another kind (fcntl(2)), and would be lost if this descriptor were ever closed. */
static int lock(int folder, const char *path)
{
	int fd = openat(folder, JOURNAL_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int error = fd < 0 ? -errno : wait_for(fd, folder);

	if (error == -EWOULDBLOCK)
		log_error("another kinofs is using the store %s; unmount that one first, or choose "
			  "another store with -o store=DIR",
			path);
	else if (error < 0)
		log_error("cannot write in the store %s: %s", path, strerror(-error));
	return error;
}

static int open_folder(const char *path)
{
	int error = folders_make(AT_FDCWD, path, 0700, 0);
	int fd = error ? error : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 && !error ? -errno : fd;
}

static bool is_same(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

/* Whether SQLite may keep a journal in the folder. asked: the user has named it, and knows what a
 * FUSE filesystem of theirs does; of a network it is known. */
static int check_filesystem(int folder, const char *path, bool asked)
{
	const char *kind;
	enum filesystem is = filesystem_of(folder, &kind);

	if (is == FILESYSTEM_LOCAL)
		return 0;
	if (is == FILESYSTEM_FUSE && asked) {
		log_warn(
			"the journal is in %s, on %s: it is safe only if that is on a disk of this "
			"machine, and keeps what is synced",
			path, kind);
		return 0;
	}
	log_error("%s is on %s, where the journal of what was paid for is not safe (SQLite's "
		  "write-ahead log needs a local disk). %s: -o journal=DIR; files and results can "
		  "stay. See kinofs(1)",
		path, kind, asked ? "Choose a folder on one" : "Keep it in a folder on one");
	return -EOPNOTSUPP;
}

/* A store whose journal is elsewhere must not get a new one, which would know of no order. */
static int check_place(const struct store *store, const char *path)
{
	AUTO_FREE char *where = NULL;
	int count;

	if (store->journal_fd != store->fd) {
		if (faccessat(store->fd, JOURNAL_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return 0;
		log_error(
			"the store has a journal of its own, which knows what was paid for. Move it "
			"first: mv %s/" JOURNAL_FILE "* %s/",
			path, store->journal_dir);
		return -EEXIST;
	}
	count = registry_count(store->fd, &where);
	if (count > 0) {
		log_error(
			"the journal of the store %s is elsewhere (%s): mount with -o journal=DIR. "
			"If it is lost, name a new folder: then all that is found is held",
			path, where ? where : "where, cannot be read");
		return -EEXIST;
	}
	return count;
}

/* What no other user of this machine has to see, also where the folder is open to them. */
static int make_folders(int fd)
{
	if (mkdirat(fd, "tree", 0755) < 0 && errno != EEXIST)
		return -errno;
	return mkdirat(fd, "incoming", 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int open_journal_folder(const char *path, const char *journal, struct store *store)
{
	int fd = journal ? open_folder(journal) : store->fd;

	if (fd < 0) {
		log_error("cannot use the folder %s: %s", journal, strerror(-fd));
		return fd;
	}
	if (fd != store->fd && is_same(fd, store->fd))
		cleanup_fd(&fd);
	store->journal_fd = fd < 0 ? store->fd : fd;
	store->journal_dir = realpath(journal ? journal : path, NULL);
	return store->journal_dir ? 0 : -errno;
}

int store_open(const char *path, const char *journal, bool simulated, struct store *store)
{
	AUTO_FREE char *usual =
		path ? strdup(path) : xdg_path(XDG_DATA, simulated ? "kinofs-simulated" : "kinofs");
	int error;

	if (!usual)
		return -ENOMEM;
	store->fd = open_folder(usual);
	error = store->fd < 0 ? store->fd : make_folders(store->fd);
	if (error) {
		log_error("cannot use the store %s: %s", usual, strerror(-error));
		return error;
	}
	error = open_journal_folder(usual, journal, store);
	if (!error)
		error = check_place(store, usual);
	if (!error)
		error = check_filesystem(store->journal_fd, store->journal_dir, journal);
	return error ? error : lock(store->journal_fd, store->journal_dir);
}

int store_make_private(const struct store *store)
{
	struct stat info;
	int error = fstatat(store->journal_fd, JOURNAL_FILE, &info, 0) < 0 ? -errno : 0;

	/* not for nothing: until the next commit another start would take it for a replaced file */
	if (!error && (info.st_mode & ALLPERMS) != 0600 &&
		fchmodat(store->journal_fd, JOURNAL_FILE, 0600, 0) < 0 && errno != EPERM)
		error = -errno;
	if (error)
		log_error("cannot make the journal in %s private: %s", store->journal_dir,
			strerror(-error));
	return error;
}

void store_close(struct store *store)
{
	if (store->journal_fd != store->fd)
		cleanup_fd(&store->journal_fd);
	cleanup_fd(&store->fd);
	free(store->journal_dir);
	*store = (struct store){.fd = -1, .journal_fd = -1};
}

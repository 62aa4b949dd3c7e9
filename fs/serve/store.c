#include "fs/serve/store.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/folders.h"
#include "fs/base/log.h"
#include "fs/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define ENDING "ending" /* there while a kinofs that has the store is about to let go of it */

#define MOMENT_MS 500
#define END_MS    15000 /* what engine_stop() and the publisher may take */
#define LOOK_MS   20

void store_ending(int store)
{
	AUTO_FD int fd = openat(store, ENDING, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

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
static int lock(int store, const char *path)
{
	int fd = openat(store, JOURNAL_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int error = fd < 0 ? -errno : wait_for(fd, store);

	if (error == -EWOULDBLOCK)
		log_error("another kinofs is using the store %s; unmount that one first, or choose "
			  "another store with -o store=DIR",
			path);
	else if (error < 0)
		log_error("cannot write in the store %s: %s", path, strerror(-error));
	return error;
}

int store_open(const char *path, bool simulated, char **absolute)
{
	AUTO_FREE char *usual =
		path ? strdup(path) : xdg_path(XDG_DATA, simulated ? "kinofs-simulated" : "kinofs");
	AUTO_FD int fd = -1;
	int error;

	if (!usual)
		return -ENOMEM;
	error = folders_make(AT_FDCWD, usual, 0700, 0);
	if (!error)
		fd = open(usual, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (error || fd < 0 || (mkdirat(fd, "tree", 0755) < 0 && errno != EEXIST) ||
		(mkdirat(fd, "incoming", 0700) < 0 && errno != EEXIST)) {
		log_error("cannot use the store %s: %s", usual, strerror(error ? -error : errno));
		return error ? error : -errno;
	}
	error = lock(fd, usual);
	*absolute = error ? NULL : realpath(usual, NULL);
	if (!*absolute)
		return error ? error : -errno;
	return TAKE_FD(fd);
}

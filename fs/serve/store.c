#include "fs/serve/store.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LOCK   "lock"
#define ENDING "ending"

#define MOMENT_MS 500
#define END_MS    15000 /* what engine_stop() and the publisher may take */
#define LOOK_MS   20

static char *usual_place(bool simulated)
{
	const char *base = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");
	char *path;

	if (asprintf(&path, "%s%s/kinofs%s", base && *base ? base : (home ? home : ""),
		    base && *base ? "" : "/.local/share", simulated ? "-simulated" : "") < 0)
		return NULL;
	return path;
}

static int make_folders(const char *path)
{
	AUTO_FREE char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(copy, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

void store_ending(int store)
{
	AUTO_FD int fd = openat(store, LOCK, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || pwrite(fd, ENDING, sizeof(ENDING), 0) < 0)
		log_debug("the next kinofs will not wait: %s", strerror(errno));
}

static bool is_ending(int lock)
{
	char text[sizeof(ENDING)];

	return pread(lock, text, sizeof(text), 0) == sizeof(text) &&
	       !memcmp(text, ENDING, sizeof(text));
}

/* Tries until it succeeds or there is nothing to wait for. One that was just unmounted needs a
 * moment to say that it is ending. */
static int wait_for(int lock)
{
	int64_t begin = clock_steady_ms(), waited = 0;

	while (flock(lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || waited > (is_ending(lock) ? END_MS : MOMENT_MS))
			return -errno;
		(void)usleep(LOOK_MS * 1000);
		waited = clock_steady_ms() - begin;
	}
	return ftruncate(lock, 0) < 0 ? -errno : 0;
}

/* The lock lives as long as its open file: through the fork, until the last process ends. */
static int lock(int store, const char *path)
{
	int fd = openat(store, LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : wait_for(fd);

	if (r == -EWOULDBLOCK)
		log_error("another kinofs is using the store %s; unmount that one first, or choose "
			  "another store with -o store=DIR",
			path);
	else if (r < 0)
		log_error("cannot write in the store %s: %s", path, strerror(-r));
	return r;
}

int store_open(const char *path, bool simulated, char **absolute)
{
	AUTO_FREE char *usual = path ? strdup(path) : usual_place(simulated);
	AUTO_FD int fd = -1;
	int result;

	if (!usual)
		return -ENOMEM;
	result = make_folders(usual);
	if (!result)
		fd = open(usual, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (result || fd < 0 || (mkdirat(fd, "tree", 0755) < 0 && errno != EEXIST) ||
		(mkdirat(fd, "incoming", 0700) < 0 && errno != EEXIST)) {
		log_error("cannot use the store %s: %s", usual, strerror(result ? -result : errno));
		return result ? result : -errno;
	}
	result = lock(fd, usual);
	*absolute = result ? NULL : realpath(usual, NULL);
	if (!*absolute)
		return result ? result : -errno;
	result = fd;
	fd = -1;
	return result;
}

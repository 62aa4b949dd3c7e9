#include "fs/store.h"

#include "fs/base/log.h"
#include "spec/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

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

/* The lock lives as long as its open file: through the fork, until the last process ends. */
static int lock(int store, const char *path)
{
	int fd = openat(store, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		log_error("another kinofs is using the store %s; unmount that one first, or choose "
			  "another store with -o store=DIR",
			path);
	else
		log_error("cannot write in the store %s: %s", path, strerror(errno));
	return -errno;
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

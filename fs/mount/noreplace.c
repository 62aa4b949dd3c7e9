#include "fs/mount/noreplace.h"

#include "fs/base/cleanup.h"
#include "fs/base/log.h"
#include "fs/mount/location.h"

#include <fcntl.h>
#include <linux/fs.h>

#define PROBE "incoming/probe.tmp"
#define MOVED "incoming/moved.tmp"

bool noreplace_is_known(int store_fd)
{
	AUTO_FD int fd = openat(store_fd, PROBE, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool known = true;

	(void)unlinkat(store_fd, MOVED, 0); /* of a start that was cut off */
	if (fd >= 0 && renameat2(store_fd, PROBE, store_fd, MOVED, RENAME_NOREPLACE) < 0)
		known = errno != EINVAL && errno != ENOSYS;
	(void)unlinkat(store_fd, known ? MOVED : PROBE, 0); /* what stays behind is tried again */
	if (!known)
		log_info("the store's filesystem knows no RENAME_NOREPLACE; results are put into "
			 "place by links or in two steps");
	return known;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* -EEXIST: the name is taken; any other error: it cannot be done by a link. */
static int by_link(const struct location *from, const struct location *to, bool resumes)
{
	struct stat old, new;

	if (linkat(from->at, from->path, to->at, to->path, 0) < 0) {
		int error = -errno;

		if (error != -EEXIST || !resumes || location_stat(from, &old) < 0 ||
			location_stat(to, &new) < 0 || !is_same(&old, &new))
			return error;
	}
	if (unlinkat(from->at, from->path, 0) == 0)
		return 0;
	(void)unlinkat(to->at, to->path, 0); /* a failed call leaves nothing behind */
	return -errno;
}

/* The rename replaces what was made here, and nothing else. */
static int over_an_empty_one(const struct location *from, const struct location *to, bool folder)
{
	AUTO_FD int fd = -1;
	int error;

	if (folder) {
		if (mkdirat(to->at, to->path, 0700) < 0)
			return -errno;
	} else {
		fd = openat(to->at, to->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
		if (fd < 0)
			return -errno;
	}
	if (renameat(from->at, from->path, to->at, to->path) == 0)
		return 0;
	error = -errno;
	(void)unlinkat(to->at, to->path, folder ? AT_REMOVEDIR : 0); /* as above */
	return error;
}

int noreplace_rename(const struct location *from, const struct location *to, bool resumes)
{
	struct stat st;
	int error = location_stat(from, &st);

	if (error < 0)
		return error;
	if (!S_ISDIR(st.st_mode)) {
		error = by_link(from, to, resumes);
		if (error == 0 || error == -EEXIST)
			return error;
	}
	return over_an_empty_one(from, to, S_ISDIR(st.st_mode));
}

#include "fs/cli/replace.h"

#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static int write_new(const char *path, const char *text, mode_t mode)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	const size_t bytes = strlen(text);
	ssize_t written = fd < 0 ? -1 : write(fd, text, bytes);

	if (written < 0)
		return -errno;
	if ((size_t)written != bytes)
		return -ENOSPC;
	return fsync(fd) < 0 ? -errno : 0;
}

int file_replace(const char *path, const char *text, mode_t mode)
{
	AUTO_FREE char *folder = path_folder(path), *half = format("%s.new", path);
	AUTO_FD int fd = -1;
	int error;

	if (!folder || !half)
		return -ENOMEM;
	error = folders_make(AT_FDCWD, folder, 0755, 0);
	if (error)
		return error;
	(void)unlink(half); /* of one that was killed; else there is none */
	error = write_new(half, text, mode);
	if (!error && rename(half, path) < 0)
		error = -errno;
	if (error) {
		(void)unlink(half); /* it is of no use */
		return error;
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

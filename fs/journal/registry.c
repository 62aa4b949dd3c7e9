#include "fs/journal/registry.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WHERE_MAX  4096
#define HOST_BYTES 256

static char *read_where(int folder, const char *id)
{
	char *text = NULL;
	size_t bytes;

	if (read_whole_at(folder, id, WHERE_MAX, &text, &bytes) == 0)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

static const char *name_host(char host[HOST_BYTES])
{
	(void)memset(host, 0, HOST_BYTES);
	(void)gethostname(host, HOST_BYTES - 1); /* it is for people */
	return host;
}

/* Takes the line over: the first one, or the one of this machine. */
static void prefer(char **where, char *line)
{
	char host[HOST_BYTES];
	size_t length = strlen(name_host(host));
	bool here = line && !strncmp(line, host, length) && line[length] == ':';

	if (*where && !here) {
		free(line);
		return;
	}
	free(*where);
	*where = line;
}

int registry_count(int store_fd, char **where)
{
	int fd = openat(store_fd, REGISTRY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int count = 0;

	if (where)
		*where = NULL;
	if (!names) {
		int error = errno;

		cleanup_fd(&fd);
		return error == ENOENT ? 0 : -error;
	}
	errno = 0;
	while ((entry = readdir(names))) {
		if (*entry->d_name == '.')
			continue;
		count++;
		if (where)
			prefer(where, read_where(fd, entry->d_name));
		errno = 0;
	}
	if (errno)
		count = -errno;
	(void)closedir(names); /* nothing was written */
	return count;
}

bool registry_has(int store_fd, const char *id)
{
	AUTO_FREE char *path = format(REGISTRY "/%s", id);

	return path && faccessat(store_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int registry_add(int store_fd, const char *id, const char *directory)
{
	AUTO_FD int folder = -1, fd = -1;
	char host[HOST_BYTES];
	AUTO_FREE char *line = format("%s:%s\n", name_host(host), directory);

	if (!line)
		return -ENOMEM;
	if (mkdirat(store_fd, REGISTRY, 0700) < 0 && errno != EEXIST)
		return -errno;
	folder = openat(store_fd, REGISTRY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	fd = openat(folder, id, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, line, strlen(line)) != (ssize_t)strlen(line) || fsync(fd) < 0 ||
		fsync(folder) < 0 || fsync(store_fd) < 0)
		return errno ? -errno : -EIO;
	return 0;
}

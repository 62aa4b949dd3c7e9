#include "fs/base/read.h"

#include "fs/base/cleanup.h"

#include <fcntl.h>
#include <sys/stat.h>

/* A guess at how much there is: one read more than needed costs less than a buffer too large. */
static size_t expected(int fd, size_t limit)
{
	struct stat info;

	if (fstat(fd, &info) < 0 || info.st_size <= 0)
		return 4096;
	return (size_t)info.st_size < limit ? (size_t)info.st_size : limit;
}

int read_whole(int fd, size_t limit, char **text, size_t *bytes)
{
	size_t room = expected(fd, limit) + 1, done = 0; /* 1: to see the end, or what is over */
	AUTO_FREE char *buffer = malloc(room + 1);
	ssize_t got = 0;

	while (buffer && done <= limit) {
		got = read(fd, buffer + done, room - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
		if (done == room && done <= limit) {
			char *grown = realloc(buffer, 2 * room + 1);

			if (!grown)
				return -ENOMEM;
			buffer = grown;
			room *= 2;
		}
	}
	if (!buffer)
		return -ENOMEM;
	if (got < 0)
		return -errno;
	buffer[done] = '\0';
	*text = TAKE(buffer);
	*bytes = done;
	return 0;
}

int read_whole_at(int folder, const char *path, size_t limit, char **text, size_t *bytes)
{
	AUTO_FD int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : read_whole(fd, limit, text, bytes);
}

/*
 * folder.h - a folder of a test's own, and questions asked without descriptors or rights, in a
 * child so that the test keeps its own.
 */
#ifndef KINOFS_TESTS_UNIT_FOLDER_H
#define KINOFS_TESTS_UNIT_FOLDER_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/run.h"

struct folder {
	char path[32];
	int fd;
};

static inline void folder_make(struct folder *folder)
{
	*folder = (struct folder){.path = "/tmp/kinofs-unit.XXXXXX"};
	assert_non_null(mkdtemp(folder->path));
	assert_int_equal(chmod(folder->path, 0755), 0); /* see folder_ask() */
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(folder->fd >= 0);
}

static inline int folder_remove_entry(
	const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info, (void)type, (void)walk;
	return remove(path);
}

static inline void folder_remove(struct folder *folder)
{
	assert_int_equal(close(folder->fd), 0);
	assert_int_equal(nftw(folder->path, folder_remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void folder_write(
	const struct folder *folder, const char *path, const void *bytes, size_t count)
{
	int fd = openat(folder->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, count), count);
	assert_int_equal(close(fd), 0);
}

static inline void folder_put(const struct folder *folder, const char *path, const char *text)
{
	folder_write(folder, path, text, strlen(text));
}

/* A question: 0 or -errno. */
typedef int folder_question(void *context);

#define ASK_FAILED 255

/* Asks in a child that may open `descriptors` more files than there are (-1: as many as it likes)
 * and is not root. The answer, or ASK_FAILED where a root may not become somebody else. */
static inline int folder_ask(folder_question *ask, void *context, int descriptors)
{
	struct rlimit limit;
	int status, first;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		first = dup(0);
		(void)close(first); /* the lowest that is free: all opened so far are below */
		if (descriptors >= 0 &&
			(getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
				(limit.rlim_cur = (rlim_t)(first + descriptors)) > limit.rlim_max ||
				setrlimit(RLIMIT_NOFILE, &limit) < 0))
			_exit(ASK_FAILED);
		if (descriptors < 0 && geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(ASK_FAILED);
		_exit(-ask(context) & 0xff);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == ASK_FAILED ? ASK_FAILED : -WEXITSTATUS(status);
}

#endif

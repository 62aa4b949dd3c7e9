/*
 * synced.h - for a program of one file: fsync(2) as the code under test calls it, and which files
 * it was called for, in order, by the names they had then. That a disk keeps what was synced, and
 * need not keep the rest, is what tests/mount/test_power.py is about.
 */
#ifndef KINOFS_TESTS_UNIT_SYNCED_H
#define KINOFS_TESTS_UNIT_SYNCED_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char synced[4096] = "/"; /* "/NAME/NAME/…/" */
static size_t synced_end = 1;

int fsync(int fd);
int fsync(int fd)
{
	char link[32], path[256];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	path[length > 0 ? length : 0] = '\0';
	if (strrchr(path, '/'))
		synced_end += (size_t)snprintf(synced + synced_end, sizeof(synced) - synced_end,
			"%s/", strrchr(path, '/') + 1);
	assert_true(synced_end < sizeof(synced));
	return (int)syscall(SYS_fsync, fd);
}

static inline void synced_forget(void)
{
	synced[synced_end = 1] = '\0';
}

/* Whether these were, one right after the other: "/NAME/NAME/". */
static inline bool were_synced(const char *names)
{
	return strstr(synced, names);
}

#endif

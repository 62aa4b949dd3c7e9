/* fuzz_folder.h - a folder for what a target reads from files, and what must hold. */
#ifndef KINOFS_TESTS_FUZZ_FUZZ_FOLDER_H
#define KINOFS_TESTS_FUZZ_FUZZ_FOLDER_H

#include "tests/fuzz/fuzz_demand.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char fuzz_root[64];

static inline int fuzz_remove_one(
	const char *path, const struct stat *info, int flag, struct FTW *where)
{
	(void)info, (void)flag, (void)where;
	return remove(path);
}

static inline void fuzz_remove(void)
{
	(void)nftw(fuzz_root, fuzz_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Made when first called, removed at the end. */
static inline int fuzz_folder(void)
{
	static int fd = -1;

	if (fd >= 0)
		return fd;
	(void)snprintf(fuzz_root, sizeof(fuzz_root), "%s/kinofs-fuzz-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	demand(mkdtemp(fuzz_root) != NULL);
	(void)atexit(fuzz_remove);
	fd = open(fuzz_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	demand(fd >= 0);
	return fd;
}

static inline void fuzz_put(const char *path, const void *bytes, size_t count)
{
	int fd = openat(fuzz_folder(), path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	demand(fd >= 0 && write(fd, bytes, count) == (ssize_t)count);
	(void)close(fd);
}

/* The first bytes up to one of 0x1e, or all; the rest follows. */
static inline const uint8_t *fuzz_part(const uint8_t **data, size_t *size, size_t *count)
{
	const uint8_t *part = *data;

	*count = 0;
	while (*count < *size && part[*count] != 0x1e)
		(*count)++;
	*data += *count + (*count < *size);
	*size -= *count + (*count < *size);
	return part;
}

#endif

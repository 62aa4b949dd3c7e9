/*
 * cleanup.h - release a resource where its variable goes out of scope.
 *
 * Ownership leaves a function only through TAKE() or TAKE_FD(), so every
 * hand-over is one visible line. Each clean-up keeps errno, so `return -errno` after a failed
 * call stays right.
 */
#ifndef KINOFS_BASE_CLEANUP_H
#define KINOFS_BASE_CLEANUP_H

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *pointer)
{
	int saved = errno;

	free(*(void **)pointer);
	errno = saved;
}

/* Closes it, and leaves -1 behind. */
static inline void cleanup_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd); /* only descriptors whose data is already safe */
	*fd = -1;
	errno = saved;
}

static inline void cleanup_file(FILE **file)
{
	int saved = errno;

	if (*file)
		(void)fclose(*file); /* streams that are written are closed by hand */
	errno = saved;
}

static inline void cleanup_json(cJSON **json)
{
	cJSON_Delete(*json);
}

#define AUTO_FREE __attribute__((cleanup(cleanup_free)))
#define AUTO_FD   __attribute__((cleanup(cleanup_fd)))
#define AUTO_FILE __attribute__((cleanup(cleanup_file)))
#define AUTO_JSON __attribute__((cleanup(cleanup_json)))

/* Hands the pointer to the caller and leaves NULL behind. */
#define TAKE(pointer)                                                                              \
	({                                                                                         \
		__typeof__(pointer) taken_ = (pointer);                                            \
		(pointer) = NULL;                                                                  \
		taken_;                                                                            \
	})

/* Hands the descriptor to the caller and leaves -1 behind. */
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int taken_fd_ = (fd);                                                              \
		(fd) = -1;                                                                         \
		taken_fd_;                                                                         \
	})

#endif

/* read.h - small files as a whole. Any thread may call. */
#ifndef KINOFS_BASE_READ_H
#define KINOFS_BASE_READ_H

#include <stddef.h>

/*
 * The rest of a file, from where fd stands to its end, with a NUL behind it; the caller frees. It
 * may be a pipe, and it may grow meanwhile. When *bytes comes back greater than limit the file is
 * longer than that, and *text is its beginning. 0 or -errno.
 */
int read_whole(int fd, size_t limit, char **text, size_t *bytes);

/* The same with the file of this path; fd of its folder or AT_FDCWD. */
int read_whole_at(int folder, const char *path, size_t limit, char **text, size_t *bytes);

#endif

/*
 * look.h - what files look like from outside: enough to see that one of them is
 * not as it was, without reading it. Any thread may call.
 */
#ifndef KINOFS_INPUT_LOOK_H
#define KINOFS_INPUT_LOOK_H

#include "fs/base/digest.h"
#include "fs/input/tree.h"

#include <stdio.h>

/* Appends a line about a file: its path, inode, size and times, or that it is not there; and one
 * about the file that symbolic links lead to. 0, or -errno when it cannot be looked at. An error of
 * the stream shows when it is closed. */
int look_note(const struct tree *tree, const char *path, FILE *notes);

/* Looks at the files in this order and digests the lines. 0 or -errno. */
int look_at(
	const struct tree *tree, const char *const *path, size_t count, char hex[DIGEST_HEX_BYTES]);

#endif

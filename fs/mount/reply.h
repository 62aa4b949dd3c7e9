/*
 * reply.h - the answer to an operation that has nothing to say but how it went.
 *
 * The caller sees an errno and nothing more, so what should not happen is
 * logged with the operation and the path: I/O errors, and running out of
 * memory or descriptors. Not more than one line a second for each errno.
 */
#ifndef KINOFS_MOUNT_REPLY_H
#define KINOFS_MOUNT_REPLY_H

#include <fuse_lowlevel.h>

/* The one place where a negative errno turns positive; 0 or more: it went well. name: in the folder
 * ino, or NULL. */
void reply_result(
	fuse_req_t req, int error, const char *operation, fuse_ino_t ino, const char *name);

#endif

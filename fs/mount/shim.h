/*
 * shim.h - two features of the kernel that libfuse before 3.17 does not offer
 * (FUSE.md A): parallel directory operations, and FUSE passthrough, with which
 * the kernel itself reads a finished result from the store. Without them everything works the plain
 * way; the mount option plain_io asks for that, in tests.
 */
#ifndef KINOFS_MOUNT_SHIM_H
#define KINOFS_MOUNT_SHIM_H

#include <fuse_lowlevel.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What fuse_session_new() is given as userdata begins with it. */
struct shim {
	bool plain;              /* by the mount option */
	int device;              /* the session's descriptor */
	_Atomic uint64_t asked;  /* the number of the INIT request, 0 when answered */
	uint64_t offered;        /* the flags in it */
	atomic_bool passthrough; /* agreed with the kernel, and so far not refused */
};

/* In the operation init. */
void shim_init(struct shim *shim, struct fuse_conn_info *connection);
/* After fuse_session_mount(), before the loop. */
void shim_start(struct shim *shim, struct fuse_session *session);

/* Registers the file for passthrough. An id for shim_backing_close(), or 0: open it the plain way.
 */
int shim_backing_open(struct shim *shim, int fd);
void shim_backing_close(struct shim *shim, int id);
/* fuse_reply_open() with the id, or without one when it is 0. With an id, fi->keep_cache and the
 * like are not sent. */
int shim_reply_open(fuse_req_t req, const struct fuse_file_info *fi, int id);

#endif

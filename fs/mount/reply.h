/*
 * reply.h - the answer to an operation that has nothing to say but how it went.
 */
#ifndef KINOFS_MOUNT_REPLY_H
#define KINOFS_MOUNT_REPLY_H

#include <fuse_lowlevel.h>

/* The one place where a negative errno turns positive. */
static inline void reply_result(fuse_req_t req, int error)
{
	fuse_reply_err(req, error < 0 ? -error : 0);
}

#endif

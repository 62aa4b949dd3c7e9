/*
 * guard.h - what may be done to the fixed and the generated parts of the mount.
 */
#ifndef KINOFS_MOUNT_GUARD_H
#define KINOFS_MOUNT_GUARD_H

#include <fuse_lowlevel.h>

struct node;

/* What an operation is about to do to a name or a generated object. 0, or the -errno that the
 * table in guard.c, or caller_check() gives. */
enum action { DO_CREATE, DO_UNLINK, DO_RMDIR, DO_MOVE, DO_REPLACE, DO_WRITE, DO_COUNT };
int guard_name(fuse_req_t req, struct node *parent, const char *name, enum action action);
int guard_node(const struct node *node, enum action action);

#endif

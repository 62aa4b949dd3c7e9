/*
 * caller.h - a mount that only root may enter. Root passes all modes, so the
 * kernel need not look at them, which costs it a request for the attributes of the folder after
 * every change there (FUSE.md B7).
 */
#ifndef KINOFS_MOUNT_CALLER_H
#define KINOFS_MOUNT_CALLER_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

/* Whether a mount with these options (NULL: none) is one. */
bool caller_is_root_only(const char *fuse_options);
/* 0, or -EACCES in such a mount: root acts for another user (setfsuid(2)), as file servers do, and
 * nobody has looked whether that one may. For contents and changes; names and attributes are in the
 * kernel's cache for all who get in. */
int caller_check(fuse_req_t req);

#endif

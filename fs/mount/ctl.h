/*
 * ctl.h - .kinofs/ctl: takes orders, one a write, and answers each on the handle that gave it.
 */
#ifndef KINOFS_MOUNT_CTL_H
#define KINOFS_MOUNT_CTL_H

#include "fs/mount/file.h"

/* Columns of the table in generated.c. */
int ctl_stat(struct mount *mount, struct node *node, struct stat *st);
int ctl_write(struct mount *mount, struct open_file *file, const char *bytes, size_t size);
void ctl_read(fuse_req_t req, struct open_file *file, size_t size, off_t off);

#endif

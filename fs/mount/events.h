/*
 * events.h - .kinofs/events.jsonl: read from the store, and waited for with poll(2) until it grows
 * or is begun anew.
 */
#ifndef KINOFS_MOUNT_EVENTS_H
#define KINOFS_MOUNT_EVENTS_H

#include "fs/mount/file.h"

/* Columns of the table in generated.c. */
int events_stat(struct mount *mount, struct node *node, struct stat *st);
int events_open(struct mount *mount, struct open_file *file);
void events_read(fuse_req_t req, struct open_file *file, size_t size, off_t off);
unsigned events_poll(struct mount *mount, struct open_file *file, struct fuse_pollhandle *poll);
/* The handle goes. Of any open file. */
void events_unwatch(struct mount *mount, struct open_file *file);

#endif

/*
 * publish.h - makes files appear through the mount point, so that inotify
 * watchers and open file-manager windows see them arrive (FUSE.md B3).
 *
 * One thread does every system call through the mount. It holds no lock and
 * serves no request. The FUSE handlers recognise it by its thread id and let
 * nobody else into .kinofs/incoming, which is store/incoming underneath. Orders
 * are carried out one after another, as they were posted.
 */
#ifndef KINOFS_MOUNT_PUBLISH_H
#define KINOFS_MOUNT_PUBLISH_H

#include "fs/engine/host.h"

#include <stdbool.h>
#include <stdint.h>

struct mount;
struct publisher;

/* Starts the thread; the mount need not be served yet. The thread gives up its share in the
 * descriptor that the mount is served through. Each order compares the mount's st_dev first, so
 * that nothing is ever written into the folder under a mount that is gone (-ENOTCONN). NULL: -errno
 * in *error. */
struct publisher *publisher_start(struct mount *mount, int *error);
/* Any thread; never blocks. Takes the order's strings over. -ENOMEM or -ESHUTDOWN: nothing was
 * taken over. */
int publisher_post(struct publisher *publisher, const struct publish_order *order);
/* Discards the orders not begun, without calling their done(); waits for the one under way and ends
 * the thread. May be called before or after the end of the mount's loop. */
void publisher_stop(struct publisher *publisher);
/* Whether the calling kernel thread id is the publisher's. Any thread. */
bool publisher_is(int tid);

#endif

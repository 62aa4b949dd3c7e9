/*
 * publish.h - makes files appear, through the mount point, so that inotify
 * watchers and open file-manager windows see them arrive (fuse.md B3).
 *
 * One thread does every system call through the mount. It holds no lock and
 * serves no request; the FUSE handlers know it by its thread id and let only
 * it into .kinofs/incoming, which is store/incoming underneath. Orders are
 * carried out one after another, in the order posted.
 */
#ifndef KINOFS_MOUNT_PUBLISH_H
#define KINOFS_MOUNT_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

struct mount;
struct publisher;

enum publish_kind {
	PUBLISH_FILE,   /* rename incoming/SOURCE to TARGET, never over anything */
	PUBLISH_NOTE,   /* TEXT becomes the content of TARGET, in place of an older note */
	PUBLISH_REMOVE, /* unlink TARGET; not being there is fine */
};

struct publish_order {
	enum publish_kind kind;
	char *source; /* name in incoming */
	char *target; /* path relative to the mount; missing folders are made */
	char *text;
	/* Called on the publisher thread, once, unless NULL: 0, or -errno (-EEXIST: the name is
	 * taken). number is the poster's own. */
	void (*done)(void *context, int64_t number, int error);
	void *context;
	int64_t number;
};

/* Starts the thread; nobody need serve the mount yet. The thread lets go of the descriptor the
 * mount is served through. The mount's st_dev is compared at every order, so that nothing is ever
 * written under a mount point that is not mounted (-ENOTCONN). NULL: -errno in *error. */
struct publisher *publisher_start(struct mount *mount, int *error);
/* Any thread. Takes the order's strings over. Never blocks. -ENOMEM or -ESHUTDOWN: not taken. */
int publisher_post(struct publisher *publisher, const struct publish_order *order);
/* Drops the orders not begun (their done() is not called), waits for the one under way, ends the
 * thread. Call before or after the mount's loop ends. */
void publisher_stop(struct publisher *publisher);
/* Whether the calling kernel thread id is the publisher's. Any thread. */
bool publisher_is(int tid);

#endif

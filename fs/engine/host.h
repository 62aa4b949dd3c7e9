/*
 * host.h - what the engine asks of whoever shows its files: the mount, or in
 * tests a few lines. The engine owns this interface; the host implements it.
 */
#ifndef KINOFS_ENGINE_HOST_H
#define KINOFS_ENGINE_HOST_H

#include <stdbool.h>
#include <stdint.h>

enum publish_kind {
	PUBLISH_FILE,   /* rename incoming/SOURCE to TARGET, never over anything, durably. If SOURCE
	                   has   left already, only that: -ENOENT if TARGET is not there either */
	PUBLISH_NOTE,   /* TEXT becomes the content of TARGET, in place of an older note */
	PUBLISH_REMOVE, /* unlink TARGET; not being there is fine */
	PUBLISH_SYNC,   /* what was written to incoming/SOURCE becomes durable */
	PUBLISH_LOOK,   /* the mount's own: the kernel looks at TARGET anew; without one, at the
	                   warning of what was spent */
};

struct publish_order {
	enum publish_kind kind;
	char *source; /* name in incoming */
	char *target; /* path relative to the mount; missing folders are made */
	char *text;
	char *rights; /* of the files of its job (fs/base/rights.h): it gets their owner, and may be
	                 read by nobody else than they; NULL: it is the mount owner's, for all */
	/* Called on any thread, once, unless NULL: 0, or -errno (-EEXIST: the name is taken).
	 * number is the poster's own. */
	void (*done)(void *context, int64_t number, int error);
	void *context;
	int64_t number;
};

struct host {
	/* Whether someone has this file open for writing. Any thread; path: relative to the mount.
	 */
	bool (*is_written)(void *context, const char *path);
	/* Takes the order's strings over unless it fails; never blocks. Orders are carried out in
	 * the order given. 0, -ENOMEM or -ESHUTDOWN. */
	int (*publish)(void *context, const struct publish_order *order);
	/* What out/NAME of the root shows, a result or a note (tree.h); NULL: it shows none. Any
	 * thread. */
	int (*shown)(void *context, const char *name, char **path);
	/* A text to be shown to who looks at results, in place of the one before, until it is NULL;
	   taken over. NULL: nobody is warned. */
	void (*warn)(void *context, char *text);
	/* events.jsonl has grown. */
	void (*events_grew)(void *context);
	void *context;
};

#endif

/*
 * mount.h - the mount room: the namespace, the FUSE operations, the generated
 * files. Below it is the store, a plain directory; beside it the engine,
 * which it tells what changed (intake.h) and asks for records (view.h).
 *
 * Handlers answer from memory or local disk, never from the network; they never call
 * fuse_lowlevel_notify_* or the mount itself.
 */
#ifndef KINOFS_MOUNT_MOUNT_H
#define KINOFS_MOUNT_MOUNT_H

#include "spec/model.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

struct control;
struct figures;
struct hook;
struct intake;
struct mount;
struct view;

struct mount_setup {
	const char *mountpoint;   /* absolute */
	const char *fuse_options; /* "allow_other,…" for libfuse, or NULL */
	int store_fd;             /* the store: tree/ and incoming/ are in it */
	int journal_fd;           /* the folder of its journal: events.jsonl is in it */
	const char *config;       /* the configuration, absolute; NULL: none that matters */
	bool debug;               /* libfuse's own trace */
	bool shared;              /* others may use it too (sharing.h) */
	bool lenient;             /* close(2) never returns EINVAL */
	const struct model_set *models;
	struct intake *intake;
	struct view *view;
	struct control *control;
	struct figures *figures; /* for .kinofs/metrics */
	struct hook *hook;       /* NULL: none */
};

/* Makes the fixed folders in the store and mounts; sets the umask to 0, for the kernel has applied
 * the caller's. NULL: *error is -errno, and the reason is logged. The setup's pointers must outlive
 * the mount. */
struct mount *mount_new(const struct mount_setup *setup, int *error);
/* Serves requests on several threads until it is unmounted or mount_stop() is called. When it
 * returns the kernel has given the mount up, so nobody waits for an answer any more. 0 or -errno.
 */
int mount_serve(struct mount *mount);
/* Makes mount_serve() return. May be called by a signal handler. SIGINT must have a handler
 * without SA_RESTART that does no more than this, and be blocked in all other threads: it is what
 * interrupts the thread in mount_serve(). */
void mount_stop(struct mount *mount);
/* Unmounts and frees. */
void mount_free(struct mount *mount);

/* The caps that there are now, to be shown, as the configuration names them: a number, or null.
 * Takes them over. Any thread. */
void mount_set_caps(struct mount *mount, cJSON *caps);

/* What SPENDING.warning.txt in out/ says from now on; NULL: it is not there. Takes text over. Any
 * thread. */
void mount_warn(struct mount *mount, char *text);

/* Whether someone has this file open for writing; any thread. path: relative to the mount. */
bool mount_is_being_written(struct mount *mount, const char *path);
/* What out/NAME of the root shows, a path in the mount; the caller frees.
 * 0, -ENOENT or -ENOMEM. Any thread. */
int mount_shown(struct mount *mount, const char *name, char **path);
/* The store's events.jsonl has grown: wakes those who wait for that in poll(2). Any thread that
 * serves no requests. */
void mount_events_grew(struct mount *mount);

#endif

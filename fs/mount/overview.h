/*
 * overview.h - out/ of the mount's root: every result and every note in the out/
 * of any model, side by side.
 *
 * It is made from the tree when someone first looks, the oldest first. After
 * that the operations that change names keep it up to date; a change made
 * underneath the mount while it is mounted is not noticed. A file has its own
 * name there where that is free, else "cat.MODEL.mp4", "cat.MODEL.2.mp4", …
 * It keeps it until it goes or a folder of results is renamed. It knows names only: the
 * entry of such a name is that of the file itself (shown.h).
 *
 * Any thread may call. One lock inside, taken after `names` (fs.h) and never before it; the first
 * look lists folders while it holds it. Paths are relative to the mount.
 */
#ifndef KINOFS_MOUNT_OVERVIEW_H
#define KINOFS_MOUNT_OVERVIEW_H

#include "spec/model.h"

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct overview;

/* Both must outlive it. NULL: no memory. */
struct overview *overview_new(int store_fd, const struct model_set *models);
void overview_free(struct overview *overview);

/* From now on it is kept up to date. Before the first call nothing below costs anything. */
void overview_look(struct overview *overview);
/* When a name last came or went; *time is left alone when none has. */
void overview_changed(struct overview *overview, struct timespec *time);
/* Whether a file of this name (no folder) is a result or a note, and so is shown. */
bool overview_shows(const char *name);

/* The file that is shown by this name; the caller frees. is_new (or NULL): the publisher may not
 * have told yet who watches. 0, -ENOENT, -ENOMEM. */
int overview_find(struct overview *overview, const char *name, char **path, bool *is_new);
/* The name that a file is shown by; the caller frees. NULL: it is not shown, nobody has looked yet,
 * or no memory. */
char *overview_name(struct overview *overview, const char *path);
/* What comes after the cookie `from` (0: from the start); each() returns non-zero to stop. 0 or
 * -errno. */
typedef int overview_each(void *context, const char *name, const char *path, ino_t ino, off_t next);
int overview_list(struct overview *overview, off_t from, overview_each *each, void *context);

/* Called with any path; only those of what is shown matter. */
void overview_appeared(struct overview *overview, const char *path);
void overview_vanished(struct overview *overview, const char *path);
/* A file or a whole folder. What was at `to` was replaced, or is at `from` now (an exchange). */
void overview_moved(struct overview *overview, const char *from, const char *to);
/* From now on the file is shown by this name, if that is free. */
void overview_rename(struct overview *overview, const char *path, const char *name);

#endif

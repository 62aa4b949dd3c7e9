/*
 * overview.h - out/ of the mount's root: every video in the out/ of any model,
 * as symbolic links side by side.
 *
 * It is made from the tree when someone first looks, oldest video first. After
 * that the operations that change names keep it up to date; a change made
 * underneath the mount while it is mounted is not noticed. A link has the name
 * of its video where that is free, else "cat.MODEL.mp4", "cat.MODEL.2.mp4", …
 * It keeps its name until the video goes or a folder of videos is renamed.
 *
 * Any thread may call. One lock inside, taken after `names` (fs.h) and never before it; the first
 * look lists folders while it holds it. Paths are relative to the mount.
 */
#ifndef KINOFS_MOUNT_OVERVIEW_H
#define KINOFS_MOUNT_OVERVIEW_H

#include "spec/model.h"

#include <sys/types.h>
#include <time.h>

struct overview;

/* Both must outlive it. NULL: no memory. */
struct overview *overview_new(int store_fd, const struct model_set *models);
void overview_free(struct overview *overview);

/* From now on it is kept up to date. Before the first call nothing below costs anything. */
void overview_look(struct overview *overview);
/* When a link last came or went; *time is left alone when none has. */
void overview_changed(struct overview *overview, struct timespec *time);

/* The video a link stands for; the caller frees. 0, -ENOENT, -ENOMEM. */
int overview_find(struct overview *overview, const char *name, char **path);
/* The name of a video's link; the caller frees. NULL: there is none, nobody has looked yet, or no
 * memory. */
char *overview_name(struct overview *overview, const char *path);
/* The links after the cookie `from` (0: from the start); each() returns non-zero to stop. 0 or
 * -errno. */
typedef int overview_each(void *context, const char *name, const char *path, off_t next);
int overview_list(struct overview *overview, off_t from, overview_each *each, void *context);

/* Called with any path; only those of videos matter. */
void overview_appeared(struct overview *overview, const char *path);
void overview_vanished(struct overview *overview, const char *path);
/* A file or a whole folder. What was at `to` was replaced, or is at `from` now (an exchange). */
void overview_moved(struct overview *overview, const char *from, const char *to);

#endif

/*
 * overview.h - out/ of the mount's root: every video in the out/ of any model,
 * as symbolic links side by side.
 *
 * It is made from the tree when someone first looks, oldest video first, and
 * kept true by the operations that change names; what changes underneath the
 * mount while it is mounted, it does not see come. A video keeps its own name
 * where that is free: else "cat.MODEL.mp4", "cat.MODEL.2.mp4", … A link keeps
 * its name until its video goes, or a folder of videos is renamed.
 *
 * Any thread may call; one lock inside, taken under `names` (fs.h), never around it. The first look
 * lists the folders under it. Paths are relative to the mount.
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

/* From now on it is kept; until then nothing below costs anything. */
void overview_look(struct overview *overview);
/* When a link came or went last; leaves *time alone when none has. */
void overview_changed(struct overview *overview, struct timespec *time);

/* The video a link stands for; the caller frees. 0, -ENOENT, -ENOMEM. */
int overview_find(struct overview *overview, const char *name, char **path);
/* The link of a video; the caller frees. NULL: none, nobody has looked yet, or no memory. */
char *overview_name(struct overview *overview, const char *path);
/* The links behind the cookie `from` (0: from the start); each returns non-zero to stop. 0 or
 * -errno. */
typedef int overview_each(void *context, const char *name, const char *path, off_t next);
int overview_list(struct overview *overview, off_t from, overview_each *each, void *context);

/* Any path; only those of videos matter. */
void overview_appeared(struct overview *overview, const char *path);
void overview_vanished(struct overview *overview, const char *path);
/* A file or a whole folder; to may have been replaced, or have come to from. */
void overview_moved(struct overview *overview, const char *from, const char *to);

#endif

/*
 * link_set.h - the entries of the overview: listed in the order they came, found
 * by their name there and by the path of their file. The caller locks.
 */
#ifndef KINOFS_MOUNT_LINK_SET_H
#define KINOFS_MOUNT_LINK_SET_H

#include "fs/mount/hash.h"

#include <sys/stat.h>

struct link {
	struct link *next_name, *next_path;
	size_t slot;          /* in the list */
	struct timespec made; /* for the order at first */
	int64_t shown_ms;     /* since when, by clock_steady_ms() */
	ino_t ino;
	const char *model; /* id of the model in whose out/ it is */
	char *name;        /* NULL until it is shown */
	char path[];
};

struct link_set {
	struct hash names, paths;
	struct link **list; /* in the order they came; NULL where one went */
	size_t listed, room;
};

int link_set_init(struct link_set *set); /* 0 or -ENOMEM; link_set_free() in either case */
void link_set_free(struct link_set *set);
void link_set_clear(struct link_set *set); /* removes every link */

/* Lists a file, which is not found until the link is shown. NULL: no memory. */
struct link *link_set_add(
	struct link_set *set, const char *path, const char *model, const struct stat *st);
/* Gives a listed link its name: the file's own where that is free, else "cat.MODEL.mp4",
 * "cat.MODEL.2.mp4", …; of a note "cat.MODEL.error.txt". Without memory the link goes. */
void link_set_show(struct link_set *set, struct link *link);
/* Shows all that were added, the oldest first; none was shown before. */
void link_set_show_all(struct link_set *set);
/* Gives a shown link this name, which is free. Without memory it keeps its own. */
void link_set_rename(struct link_set *set, struct link *link, const char *name);
void link_set_remove(struct link_set *set, struct link *link);

struct link *link_set_find_name(const struct link_set *set, const char *name);
struct link *link_set_find_path(const struct link_set *set, const char *path);

#endif

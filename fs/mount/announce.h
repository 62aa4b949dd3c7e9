/*
 * announce.h - tells who watches out/ of the root (inotify(7)) what the publisher
 * has done in the out/ of a model. The overview is as it is by then already; what makes the
 * events are system calls that change nothing more. Nothing happens before someone has looked.
 *
 * And has the kernel look anew at the name of a file that was changed through out/ of the root.
 */
#ifndef KINOFS_MOUNT_ANNOUNCE_H
#define KINOFS_MOUNT_ANNOUNCE_H

struct mount;

enum announce {
	ANNOUNCE_NONE,
	ANNOUNCE_NEW,  /* IN_CREATE: to the publisher the name seems free, and a link is made */
	ANNOUNCE_GONE, /* IN_DELETE: it seems to be there still, and is removed */
};

/* The publisher. root: the mount point. name: in out/; NULL: nothing is told. */
void announce_new(struct mount *mount, int root, const char *path);
void announce_gone(struct mount *mount, int root, const char *name);
/* A warning came or went (warning.h). */
void announce_warning(struct mount *mount, int root);
void announce_changed(int root, const char *name); /* IN_CLOSE_WRITE */

void announce_look(int root, const char *path);

/* Has the publisher do so, soon. Any thread; never blocks. */
void announce_later(struct mount *mount, const char *path);

/* What is being announced, for the operations that answer the publisher. */
enum announce announcing(struct mount *mount);

#endif

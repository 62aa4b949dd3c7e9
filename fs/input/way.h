/*
 * way.h - where a path of the tree leads through symbolic links. The links are
 * read one by one and gone by their text, so that nothing outside of the tree is
 * ever looked at, nor the mount itself. Any thread may call.
 */
#ifndef KINOFS_INPUT_WAY_H
#define KINOFS_INPUT_WAY_H

#include <stddef.h>

struct tree;

/* Paths are relative to the mount. */
struct way {
	char **link; /* those met on the way, but for the path itself */
	size_t count, room;
	char *end; /* where it leads, with no link in it; NULL: nowhere in the mount */
};

/*
 * Goes the way of a path, with a link in it or not. 0: something is there; or -errno: -EXDEV: it
 * leads out of the mount, -ELOOP: through too many links, -EISDIR: to a folder of the mount itself,
 * -ENOENT, -ENOTDIR: nothing is where it leads, and other errors when it cannot be looked at.
 * way_clear() it in any case.
 */
int way_find(const struct tree *tree, const char *path, struct way *way);
void way_clear(struct way *way);

#endif

/*
 * location.h - how a node is reached in the store.
 */
#ifndef KINOFS_MOUNT_LOCATION_H
#define KINOFS_MOUNT_LOCATION_H

#include <sys/stat.h>

struct fuse_file_info;
struct mount;
struct node;

/*
 * Where an object of the store is, for the *at() calls: path below the
 * descriptor at, or the descriptor itself (path "", flags AT_EMPTY_PATH). No symlink
 * is followed. Valid while names is held; a location by descriptor, until it is cleared.
 */
struct location {
	int at;
	char *path; /* of a path longer than PATH_MAX only the end: at is a folder on the way */
	int flags;  /* AT_SYMLINK_NOFOLLOW or AT_EMPTY_PATH */
	char *memory;
	int own; /* a descriptor to close, or -1 */
};
#define AUTO_LOCATION __attribute__((cleanup(location_clear)))
#define LOCATION_NONE                                                                              \
	{                                                                                          \
		.own = -1                                                                          \
	}

/* The location of leaf in a folder, or, when leaf is NULL, of the node, which may be nameless if it
 * is open. 0, -ENOENT… */
int location_of(
	struct mount *mount, struct node *node, const char *leaf, struct location *location);
/* The location of an open file, when the request names one; else like location_of(). */
int location_of_open(struct mount *mount, struct node *node, const struct fuse_file_info *fi,
	struct location *location);
int location_stat(const struct location *location, struct stat *st);
int location_open(const struct location *location, int flags); /* a descriptor or -errno */
void location_clear(struct location *location);

#endif

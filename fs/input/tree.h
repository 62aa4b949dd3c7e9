/*
 * tree.h - the users' files in the store, opened by their paths in the mount.
 * Reads the store underneath, never the mount, and follows no symbolic link on
 * the way: what a job is made of lies in the mount. Any thread may call.
 *
 * Two kinds of errors: a file that is not there (tree_is_absence()), and one
 * that cannot be looked at now (no descriptor, no right, no memory, a failing
 * disk), of which nothing follows.
 */
#ifndef KINOFS_INPUT_TREE_H
#define KINOFS_INPUT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct listing;

/* Where the files are. fd is the folder they lead from once the first `skip` bytes of their paths
 * are taken off (0: the tree itself). */
struct tree {
	int fd;
	size_t skip;
	struct listing *listing; /* the folder listed last is kept here (NULL: none is), and read
	                            again once the owner, one thread, has cleared it */
};

/* Whether an error says that there is no such file: -ENOENT, -ENOTDIR, -EISDIR, -ELOOP for a
 * symbolic link in its place or on the way, and -ENAMETOOLONG (some filesystems end at 143 bytes).
 */
bool tree_is_absence(int error);

/* A folder, for listing. A descriptor or -errno. */
int tree_open_folder(const struct tree *tree, const char *path);
/* A regular file, for reading; *bytes: its size. A descriptor or -errno; -EISDIR: it is none. */
int tree_open(const struct tree *tree, const char *path, int64_t *bytes);
/* The attributes of what is there, of whatever kind. 0 or -errno. */
int tree_stat(const struct tree *tree, const char *path, struct stat *info);
/* The whole file, NUL-terminated, at most limit bytes and one more (so that *bytes > limit tells a
 * file that is too long). The caller frees. 0 or -errno. */
int tree_read(const struct tree *tree, const char *path, size_t limit, char **text, size_t *bytes);

#endif

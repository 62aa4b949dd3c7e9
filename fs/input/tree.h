/*
 * tree.h - the users' files in the store, opened by their paths in the mount.
 * Reads the store underneath, never the mount. A file may be reached through
 * symbolic links as far as they lead to the mount's own files (way.h): what a job
 * is made of lies in the mount. Any thread may call.
 *
 * Two kinds of errors: a file that is not there (tree_is_absence()), and one
 * that cannot be looked at now (no descriptor, no right, no memory, a failing
 * disk), of which nothing follows.
 */
#ifndef KINOFS_INPUT_TREE_H
#define KINOFS_INPUT_TREE_H

#include "fs/base/digest.h"
#include "fs/input/way.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct listings;

/* Where the files are. fd is the folder they lead from once the first `skip` bytes of their paths
 * are taken off (0: the tree itself). */
struct tree {
	int fd;
	size_t skip;
	bool shared; /* others than its owner use it, so whose a file is matters (access.h) */
	struct listings *listings; /* the folders listed last are kept here (NULL: none is), and
	                              read again once the owner, one thread, has cleared them */
	/* Who hashes files (NULL: digest_fd() does); -EINPROGRESS: ask again later. */
	int (*digest)(void *context, const char *path, int fd, char hex[DIGEST_HEX_BYTES]);
	void *digest_context;
	/* Where users see it, absolute, so that links may say so: without a link in it, and as they
	 * call it. NULL: not known. */
	const char *seen_at, *typed;
	/* What the link of this name that the mount makes in its out/ leads to, a path in the
	 * mount; the caller frees. 0, -ENOENT or -ENOMEM. NULL: there are none, or they are in the
	 * tree. */
	int (*shown)(void *context, const char *name, char **path);
	void *shown_context;
};

/* Whether an error says that there is no such file: -ENOENT, -ENOTDIR, -EISDIR, -ELOOP and -EXDEV
 * (way_find()), and -ENAMETOOLONG (some filesystems end at 143 bytes).
 */
bool tree_is_absence(int error);

/* A folder, for listing; -ELOOP: a symbolic link is in its place or on the way. A descriptor or
 * -errno. */
int tree_open_folder(const struct tree *tree, const char *path);
/* A regular file, or what links lead to, for reading; *bytes: its size. A descriptor or -errno;
 * -EISDIR: it is none. */
int tree_open(const struct tree *tree, const char *path, int64_t *bytes);
/* The attributes of what is there, of whatever kind; of a link its own, and -ELOOP behind one. 0 or
 * -errno. */
int tree_stat(const struct tree *tree, const char *path, struct stat *info);
/* The same of what links lead to, which is none. */
int tree_stat_end(const struct tree *tree, const char *path, struct stat *info);
/* When what is there was saved (file_saved_ms()); 0: nothing is. */
int64_t tree_saved_ms(const struct tree *tree, const char *path);
/* way_find(), but with no end either where there is no link. */
int tree_way(const struct tree *tree, const char *path, struct way *way);
/* Why a path leads to no file, in words for a note, when tree_open() says that it does not: NULL
 * when it is simply not there. */
const char *tree_why_astray(int error);
/* The whole file, NUL-terminated, at most limit bytes and one more (so that *bytes > limit tells a
 * file that is too long). The caller frees. 0 or -errno. */
int tree_read(const struct tree *tree, const char *path, size_t limit, char **text, size_t *bytes);
/* Where a symbolic link leads, cut to fit. 0 or -errno; -EINVAL: it is none. */
int tree_read_link(const struct tree *tree, const char *path, char *target, size_t room);
/* The digest of the file in fd, which is at path. 0, -EINPROGRESS: not yet, or -errno. */
int tree_digest(const struct tree *tree, const char *path, int fd, char hex[DIGEST_HEX_BYTES]);

#endif

/* folders.h - folders that may not be there yet, and the usual ones. Any thread may call. */
#ifndef KINOFS_BASE_FOLDERS_H
#define KINOFS_BASE_FOLDERS_H

#include <sys/types.h>

/*
 * Makes the folder of this path, with the given mode, and those on the way to it, 0755. at: the
 * folder a relative path begins in, or AT_FDCWD. flags: O_NOFOLLOW refuses links below at, 0
 * follows them. 0 or -errno; -EINVAL for a path with ".." in it when links are refused.
 */
int folders_make(int at, const char *path, mode_t mode, int flags);

/*
 * Opens the folder of this path, of any length, below the folder at ("": at itself): an O_PATH
 * descriptor. No link is followed: -ELOOP where one stands, -ENOTDIR for another thing that is no
 * folder, -ENOENT, … The caller closes it. (Not openat2(2), which containers and valgrind refuse.)
 */
int folders_open(int at, const char *path);

/*
 * A path in one of the user's base directories (XDG Base Directory Specification 0.8):
 * xdg_path(XDG_STATE, "kinofs/x") is $XDG_STATE_HOME/kinofs/x, else ~/.local/state/kinofs/x. The
 * caller frees. NULL: no memory.
 */
enum xdg { XDG_CONFIG, XDG_DATA, XDG_STATE };
char *xdg_path(enum xdg base, const char *name);

#endif

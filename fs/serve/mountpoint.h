/* mountpoint.h - the folder to mount on, cleared of what a crashed kinofs left there. */
#ifndef KINOFS_SERVE_MOUNTPOINT_H
#define KINOFS_SERVE_MOUNTPOINT_H

#include <stdbool.h>

/* The absolute path; a stale kinofs mount on it is unmounted first. The caller frees. NULL: it is
 * no folder, has files (unless nonempty), or a kinofs serves it; the reason is logged. */
char *mountpoint_resolve(const char *path, bool nonempty);
/* The same as its user calls it, through links perhaps. The caller frees. NULL: no memory. */
char *mountpoint_typed(const char *path);

#endif

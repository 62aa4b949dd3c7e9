/* mountpoint.h - the folder to mount on, cleared of what a crashed kinofs left there. */
#ifndef KINOFS_SERVE_MOUNTPOINT_H
#define KINOFS_SERVE_MOUNTPOINT_H

/* The absolute path; a stale kinofs mount on it is unmounted first. The caller frees. NULL: the
 * reason is logged.
 */
char *mountpoint_resolve(const char *path);

#endif

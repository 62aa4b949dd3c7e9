/*
 * daemon.h - going into the background with a real exit status: fork first,
 * work in the child, and let the parent go only when the mount is usable.
 */
#ifndef KINOFS_SERVE_DAEMON_H
#define KINOFS_SERVE_DAEMON_H

/* Forks; before any thread. In the child returns a descriptor for daemon_ready(), or -errno when
 * there is no child. In the parent waits and exits: 0 when the child is ready, else 1. */
int daemon_fork(void);
/* Tells the parent that all is well, and lets go of the terminal. */
void daemon_ready(int fd);
/* Tells systemd, if it started us (sd_notify(3)): "READY=1", "STOPPING=1". Any thread. */
void daemon_notify(const char *state);

#endif

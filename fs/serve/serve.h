/*
 * serve.h - a mount from start to end: puts the rooms together in the right
 * order (store, fork, curl, journal, engine, mount, threads) and takes them
 * apart in the opposite one.
 */
#ifndef KINOFS_SERVE_SERVE_H
#define KINOFS_SERVE_SERVE_H

#include <stdbool.h>

struct serve_options {
	char *mountpoint;      /* absolute, without a symbolic link in it */
	char *typed;           /* the same as its user calls it; NULL: not known */
	char *store;           /* NULL: the usual place */
	char *journal;         /* the folder of its journal; NULL: in the store */
	char *config;          /* NULL: the usual place */
	char *fuse_options;    /* for libfuse, comma-separated; NULL: none */
	double settle_seconds; /* < 0: from the configuration */
	bool foreground, debug, lenient, nonempty, simulate;
};

/* Mounts and serves until unmounted or told to end by a signal. In the background, unless asked
 * otherwise: then it returns in the caller's process once the mount is usable. The exit status. */
int serve(const struct serve_options *options);

#endif

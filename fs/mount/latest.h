/*
 * latest.h - MODEL/out/.latest: for each job that has results, links to those of
 * its newest take, by the names that its first take's have: .latest/cat.mp4 leads to ../cat.3.mp4
 * and is as old as that, so that a Makefile has a target that settles. Asked of the journal anew at
 * every look; no folder lists it.
 */
#ifndef KINOFS_MOUNT_LATEST_H
#define KINOFS_MOUNT_LATEST_H

#include "fs/mount/generated.h"

/* Columns of the table in generated.c, for links and for the folders they are in. */
int latest_stat(struct mount *mount, struct node *node, struct stat *st);
int latest_stat_folder(struct mount *mount, struct node *node, struct stat *st);
int latest_readlink(struct mount *mount, struct node *node, char **target);
int latest_find(struct mount *mount, struct node *folder, const char *name, pid_t caller,
	struct node_seed *seed);
/* Folders first. */
int latest_list(struct mount *mount, struct node *folder, off_t from, generated_each *each,
	void *context, fuse_req_t req);
/* Whether who asks may not look into the folder of such a job, or into that of its results. */
bool latest_hides(fuse_req_t req, struct node *folder, const char *name);

#endif

/*
 * links.h - out/ of the root, whose entries are symbolic links (overview.h).
 */
#ifndef KINOFS_MOUNT_LINKS_H
#define KINOFS_MOUNT_LINKS_H

#include "fs/mount/generated.h"

/* Columns of the table in generated.c, for the folder and for its links. The publisher, who makes
 * the links known, finds none. */
int links_admit(struct mount *mount, pid_t caller);
int links_stat_folder(struct mount *mount, struct node *node, struct stat *st);
int links_stat(struct mount *mount, struct node *node, struct stat *st);
int links_readlink(struct mount *mount, struct node *node, char **target);
int links_find(struct mount *mount, struct node *folder, const char *name, pid_t caller,
	struct node_seed *seed);
int links_list(
	struct mount *mount, struct node *folder, off_t from, generated_each *each, void *context);

#endif

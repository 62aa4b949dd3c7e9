/*
 * entry.h - what the kernel is told of a name or a node: which node it is, its
 * attributes, and how long it may remember them.
 */
#ifndef KINOFS_MOUNT_ENTRY_H
#define KINOFS_MOUNT_ENTRY_H

#include "fs/mount/node.h"

#include <fuse_lowlevel.h>

struct mount;

/* Everything that changes a real entry comes through the mount, so the kernel may keep what it
 * knows; generated and published entries change underneath, and what out/ of the root shows
 * through another folder (shown.h). Seconds. */
#define TIMEOUT_REAL     3600.0
#define TIMEOUT_UNCACHED 0.0
#define TIMEOUT_LISTED   0.1 /* of a name in out/ of the root, until who lists has looked */
#define TIMEOUT_NEGATIVE 1.0

/* What a folder of the store is, by its name in its parent: part of the fixed tree, or
 * NODE_PLAIN. *model: the model directory it is or is in. */
enum node_kind entry_kind(
	struct mount *mount, struct node *parent, const char *name, uint16_t *model);

/* Fills the reply for parent/name, which has these attributes, and counts the lookup. */
int entry_enter(struct mount *mount, struct node *parent, const char *name, const struct stat *st,
	struct fuse_entry_param *entry);
/* Whether the name is for the generated entries to answer, be there one or not. */
bool entry_is_generated(const struct node *parent, const char *name);
/* As entry_enter() for such a name, by its own attributes. -ENOENT: there is none. */
int entry_generated(struct mount *mount, struct node *parent, const char *name, pid_t caller,
	struct fuse_entry_param *entry);
/* Replies, or takes the lookup back when nobody waits for it any more. The rest is for the log:
 * see reply.h. */
void entry_reply(fuse_req_t req, int error, const char *operation, fuse_ino_t parent,
	const char *name, const struct fuse_entry_param *entry);

/* Whether a file of this name in such a folder is shown in out/ of the root, if it is regular. */
bool entry_is_shown(struct mount *mount, struct node *parent, const char *name);

/* Tells the kernel that attributes of a node have changed by way of another: of a file with two
 * names, or of a folder, what it lists too. Waits for no lock of a folder (FUSE.md B3). */
void entry_stale(struct mount *mount, const struct node *node);

/* Attributes of any node, as shown. fi: of the open file, when the request names one. */
int entry_stat(
	struct mount *mount, struct node *node, const struct fuse_file_info *fi, struct stat *st);
double entry_timeout(const struct node *node);

#endif

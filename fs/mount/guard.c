#include "fs/mount/guard.h"

#include "fs/base/cleanup.h"
#include "fs/mount/caller.h"
#include "fs/mount/entry.h"
#include "fs/mount/generated.h"
#include "fs/mount/overview.h"
#include "fs/mount/warning.h"

#include <errno.h>

/*
 * What may not be done, and how it is said. A user's own files and folders may do
 * anything anywhere else.
 *
 *            create   unlink   rmdir     move    replace  write
 *   static   EPERM    EPERM    ENOTDIR   EPERM   EPERM    EPERM   README.txt, schema.json …
 *   fixed    EEXIST   EISDIR   EBUSY     EBUSY   EBUSY    EISDIR  model directories, out/, jobs/ …
 *   command  EPERM    EPERM    ENOTDIR   EPERM   EPERM    -       ctl
 *   record   EPERM    -        ENOTDIR   EPERM   EPERM    EPERM   jobs/NAME.json: unlink forgets
 *   foreign  EPERM    ENOENT   EPERM     EPERM   EPERM    EPERM   any other name in such a folder
 *   shown    EEXIST   -        ENOTDIR   -       -        -       in out/ of the root
 *   unshown  EROFS    ENOENT   ENOENT    ENOENT  -        -       not there: out_move.h
 */
enum guard {
	GUARD_FREE,
	GUARD_STATIC,
	GUARD_FIXED,
	GUARD_COMMAND,
	GUARD_RECORD,
	GUARD_FOREIGN,
	GUARD_SHOWN,
	GUARD_UNSHOWN
};

static const int refusal[][DO_COUNT] = {
	[GUARD_FREE] = {0},
	[GUARD_STATIC] = {EPERM, EPERM, ENOTDIR, EPERM, EPERM, EPERM},
	[GUARD_FIXED] = {EEXIST, EISDIR, EBUSY, EBUSY, EBUSY, EISDIR},
	[GUARD_COMMAND] = {EPERM, EPERM, ENOTDIR, EPERM, EPERM, 0},
	[GUARD_RECORD] = {EPERM, 0, ENOTDIR, EPERM, EPERM, EPERM},
	[GUARD_FOREIGN] = {EPERM, ENOENT, EPERM, EPERM, EPERM, EPERM},
	[GUARD_SHOWN] = {EEXIST, 0, ENOTDIR, 0, 0, 0},
	[GUARD_UNSHOWN] = {EROFS, ENOENT, ENOENT, ENOENT, 0, 0},
};

static const enum guard guard_of_kind[] = {
	[NODE_PLAIN] = GUARD_FREE,
	[NODE_ROOT] = GUARD_FIXED,
	[NODE_PROVIDER] = GUARD_FIXED,
	[NODE_MODEL] = GUARD_FIXED,
	[NODE_OUT] = GUARD_FIXED,
	[NODE_INCOMING] = GUARD_FIXED,
	[NODE_CONTROL] = GUARD_FIXED,
	[NODE_JOBS] = GUARD_FIXED,
	[NODE_JOBS_FOLDER] = GUARD_FOREIGN,
	[NODE_LATEST] = GUARD_FIXED,
	[NODE_LATEST_FOLDER] = GUARD_FOREIGN,
	[NODE_OVERVIEW] = GUARD_FIXED,
	[NODE_SPENDING] = GUARD_FIXED,
	[NODE_GALLERY_MONTHS] = GUARD_FIXED,
	[NODE_GONE] = GUARD_UNSHOWN,
	[NODE_LATEST_LINK] = GUARD_STATIC,
	[NODE_RECORD] = GUARD_RECORD,
	[NODE_ROOT_README] = GUARD_STATIC,
	[NODE_HIDDEN] = GUARD_STATIC,
	[NODE_VOLUME] = GUARD_STATIC,
	[NODE_DIRECTORY] = GUARD_STATIC,
	[NODE_README] = GUARD_STATIC,
	[NODE_SCHEMA] = GUARD_STATIC,
	[NODE_JOBS_JSON] = GUARD_STATIC,
	[NODE_CTL] = GUARD_COMMAND,
	[NODE_EVENTS] = GUARD_STATIC,
	[NODE_SETTINGS] = GUARD_STATIC,
	[NODE_MONTH] = GUARD_STATIC,
	[NODE_METRICS] = GUARD_STATIC,
	[NODE_WARNING] = GUARD_STATIC,
	[NODE_GALLERY] = GUARD_STATIC,
	[NODE_GALLERY_NOW] = GUARD_STATIC,
	[NODE_GALLERY_MONTH] = GUARD_STATIC,
};

int guard_node(const struct node *node, enum action action)
{
	return generated_of(node->kind) ? -refusal[guard_of_kind[node->kind]][action] : 0;
}

/* Of a name that is not in the table, in a folder that is. */
static enum guard guard_inside(
	struct mount *mount, const struct generated *folder, struct node *parent, const char *name)
{
	AUTO_FREE char *path = NULL;
	struct node_seed seed;

	if (folder->kind == NODE_OVERVIEW && warning_is_here(mount, name))
		return GUARD_STATIC;
	if (folder->kind == NODE_OVERVIEW)
		return overview_find(mount->overview, name, &path, NULL) == 0 ? GUARD_SHOWN
		                                                              : GUARD_UNSHOWN;
	if (folder->find && folder->find(mount, parent, name, 0, &seed) == 0)
		return guard_of_kind[seed.kind];
	return GUARD_FOREIGN;
}

int guard_name(fuse_req_t req, struct node *parent, const char *name, enum action action)
{
	struct mount *mount = mount_of(req);
	const struct generated *child = generated_child(parent->kind, name);
	const struct generated *folder = generated_of(parent->kind);
	int error = caller_check(req);
	enum guard guard;
	uint16_t model;

	if (error < 0)
		return error;
	if (child)
		guard = guard_of_kind[child->kind];
	else if (folder)
		guard = guard_inside(mount, folder, parent, name);
	else
		guard = guard_of_kind[entry_kind(mount, parent, name, &model)];
	return -refusal[guard][action];
}

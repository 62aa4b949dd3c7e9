#include "fs/mount/guard.h"

#include "fs/mount/entry.h"
#include "fs/mount/generated.h"

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
 *   link     EROFS    EROFS    EROFS     EROFS   EROFS    EROFS   any name in out/ of the root
 */
enum guard {
	GUARD_FREE,
	GUARD_STATIC,
	GUARD_FIXED,
	GUARD_COMMAND,
	GUARD_RECORD,
	GUARD_FOREIGN,
	GUARD_LINK
};

static const int refusal[][DO_COUNT] = {
	[GUARD_FREE] = {0},
	[GUARD_STATIC] = {EPERM, EPERM, ENOTDIR, EPERM, EPERM, EPERM},
	[GUARD_FIXED] = {EEXIST, EISDIR, EBUSY, EBUSY, EBUSY, EISDIR},
	[GUARD_COMMAND] = {EPERM, EPERM, ENOTDIR, EPERM, EPERM, 0},
	[GUARD_RECORD] = {EPERM, 0, ENOTDIR, EPERM, EPERM, EPERM},
	[GUARD_FOREIGN] = {EPERM, ENOENT, EPERM, EPERM, EPERM, EPERM},
	[GUARD_LINK] = {EROFS, EROFS, EROFS, EROFS, EROFS, EROFS},
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
	[NODE_OVERVIEW] = GUARD_FIXED,
	[NODE_LINK] = GUARD_LINK,
	[NODE_RECORD] = GUARD_RECORD,
	[NODE_ROOT_README] = GUARD_STATIC,
	[NODE_HIDDEN] = GUARD_STATIC,
	[NODE_README] = GUARD_STATIC,
	[NODE_SCHEMA] = GUARD_STATIC,
	[NODE_JOBS_JSON] = GUARD_STATIC,
	[NODE_CTL] = GUARD_COMMAND,
	[NODE_EVENTS] = GUARD_STATIC,
};

int guard_node(const struct node *node, enum action action)
{
	return generated_of(node->kind) ? -refusal[guard_of_kind[node->kind]][action] : 0;
}

/* Of a name that is not in the table, in a folder that is. */
static enum guard guard_inside(
	struct mount *mount, const struct generated *folder, struct node *parent, const char *name)
{
	struct node_seed seed;

	if (folder->find && folder->find(mount, parent, name, 0, &seed) == 0)
		return guard_of_kind[seed.kind];
	return folder->kind == NODE_OVERVIEW ? GUARD_LINK : GUARD_FOREIGN;
}

int guard_name(struct mount *mount, struct node *parent, const char *name, enum action action)
{
	const struct generated *child = generated_child(parent->kind, name);
	const struct generated *folder = generated_of(parent->kind);
	enum guard guard;
	uint16_t model;

	if (child)
		guard = guard_of_kind[child->kind];
	else if (folder)
		guard = guard_inside(mount, folder, parent, name);
	else
		guard = guard_of_kind[entry_kind(mount, parent, name, &model)];
	return -refusal[guard][action];
}

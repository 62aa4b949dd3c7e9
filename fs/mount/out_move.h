/*
 * out_move.h - renames by names in out/ of the root, as what they are at the
 * real places (shown.h):
 *
 *   within out/        the file gets that name in its own folder. A file shown by that name before
 *                      is replaced, wherever it is
 *   out of it          it is moved there, and remembers where it was in an extended attribute
 *   into it, a file    that is shown anyhow: as within out/
 *   into it, another   one that remembers goes back to its folder (a restore from the trash); no
 *                      other has a place there: EROFS
 *
 * A name that would not be shown is EINVAL; one that the folder has already for a file shown by
 * another name is EEXIST; an exchange is EINVAL. The caller holds names exclusively.
 */
#ifndef KINOFS_MOUNT_OUT_MOVE_H
#define KINOFS_MOUNT_OUT_MOVE_H

#include "fs/mount/shown.h"

struct move_end {
	struct node *parent;
	const char *name;
};

struct out_move {
	struct real from, to, victim; /* victim: replaced, but in another folder */
	const char *was_shown;        /* by this name, and is moved out */
	const char *shown;            /* is to be shown by this name */
	bool stays;                   /* at its real place */
	bool returns;                 /* because it remembers */
	char *leaf;                   /* its name there */
};

/* Puts the real places for those in out/, and flags for renameat2(2) there. 0 or -errno. */
int out_move_resolve(struct mount *mount, struct out_move *out, struct move_end *from,
	struct move_end *to, unsigned *flags);
/* After the rename: what else has to change. path: where the file is now. 0 or -errno. */
int out_move_finish(struct mount *mount, struct out_move *out, const char *path);
void out_move_clear(struct mount *mount, struct out_move *out);

#endif

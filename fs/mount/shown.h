/*
 * shown.h - out/ of the root, whose entries are the results and notes of all
 * models themselves (overview.h): a name there is one more name of the same node, as a hard link
 * is one of the same file. The node table does not know it: there a file has its real place alone,
 * and every operation by a name in out/ goes by that.
 *
 * No notification from here could make the kernel forget a name in the other folder without that
 * folder's lock, which is not to be waited for (FUSE.md B9). So it keeps none of out/, but for the
 * moment it takes to look at what was just listed; and to a name that was changed through out/ the
 * publisher has it look anew (announce.h).
 */
#ifndef KINOFS_MOUNT_SHOWN_H
#define KINOFS_MOUNT_SHOWN_H

#include "fs/mount/generated.h"

#include <string.h>

/* Columns of the table in generated.c: for the folder, and for what is in it and no file of the
 * store, a warning (warning.h) or a name that is gone. */
int shown_admit(struct mount *mount, pid_t caller);
int shown_stat_folder(struct mount *mount, struct node *node, struct stat *st);
int shown_find_made(struct mount *mount, struct node *folder, const char *name, pid_t caller,
	struct node_seed *seed);
/* Whether who asks may not get to the file that a name in such a folder stands for, and so is not
 * to know of it. */
bool shown_hides(fuse_req_t req, const struct node *folder, const char *name);

/* Where a file is. folder: its node, with a lookup counted. */
struct real {
	struct node *folder;
	char *path; /* in the mount */
};
/* Of a path, or of a name in out/. The caller holds names and clears it, also after an error. 0,
 * -ENOENT, … */
int real_of_path(struct mount *mount, const char *path, struct real *real);
int real_of_shown(struct mount *mount, const char *name, struct real *real);
void real_clear(struct mount *mount, struct real *real);
static inline const char *real_name(const struct real *real)
{
	return strrchr(real->path, '/') + 1; /* it is in some out/ */
}

/* The folder that the last entry was in, for who looks up many. */
struct shown_at {
	struct real real;
	int fd;                /* of the folder */
	unsigned long changes; /* as long as none was made it is there */
};
#define SHOWN_AT_NONE                                                                              \
	{                                                                                          \
		.fd = -1                                                                           \
	}
void shown_at_clear(struct mount *mount, struct shown_at *at);
/* As entry_enter(). at: kept from one call to the next, or NULL. -ENOENT: not shown, or gone
 * underneath. */
int shown_enter(
	struct mount *mount, const char *name, struct shown_at *at, struct fuse_entry_param *entry);
/* As readahead.h wants it: the entries from *at on, for this person (NULL: all). */
ssize_t shown_read(struct mount *mount, const struct person *person, ino_t folder, off_t *at,
	void *bytes, size_t size);

#endif

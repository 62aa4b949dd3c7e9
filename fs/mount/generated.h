/*
 * generated.h - entries that are not in the store: one table of where they are
 * and how each answers (generated.c). They win over whatever the store has of
 * the same name.
 */
#ifndef KINOFS_MOUNT_GENERATED_H
#define KINOFS_MOUNT_GENERATED_H

#include "fs/mount/file.h"
#include "fs/mount/fs.h"
#include "fs/mount/hash.h"

/* Lists one entry of a folder; returns non-zero to stop. next: the cookie of the one behind it. */
typedef int generated_each(
	void *context, const char *name, enum node_kind kind, ino_t ino, off_t next);

struct generated {
	enum node_kind parent, kind;
	const char *name; /* NULL: as many as the folder's find and list know */
	mode_t mode;
	mode_t shared;    /* of a mount that others use too, where what they may do is looked at
	                     inside; 0: the same */
	bool uncached;    /* changes by itself, so the kernel may not keep it */
	bool unlisted;    /* its folder does not list it by this table */
	bool stored;      /* a folder beside tree/ in the store: only its place is generated */
	bool nonseekable; /* has no file position */

	/*
	 * What is special about its answers; NULL: nothing is. Called without `names`, so that they
	 * may wait for the journal, and remove for the engine.
	 */

	/* Somebody looks it up. 0, or -ENOENT: it is not for them. */
	int (*admit)(struct mount *mount, pid_t caller);
	/* Completes attributes that have mode, owner and number. */
	int (*stat)(struct mount *mount, struct node *node, struct stat *st);

	/* A file. render makes its whole content when it is opened, and for its size; the caller
	 * frees. What is not made as a whole has stat, open and read instead. */
	int (*render)(struct mount *mount, struct node *node, char **text, size_t *bytes);
	/* The file's handle has its node, and nothing else yet. */
	int (*open)(struct mount *mount, struct open_file *file);
	void (*read)(fuse_req_t req, struct open_file *file, size_t size, off_t off);
	int (*write)(struct mount *mount, struct open_file *file, const char *bytes, size_t size);
	/* Takes poll over, which may be NULL. */
	unsigned (*poll)(struct mount *mount, struct open_file *file, struct fuse_pollhandle *poll);

	/* A link: its target, which the caller frees. */
	int (*readlink)(struct mount *mount, struct node *node, char **target);

	/* A folder of entries that are not in this table. find: kind and number of one, or
	 * -ENOENT. list: from the cookie on. remove: of what guard.c lets pass. */
	int (*find)(struct mount *mount, struct node *folder, const char *name, pid_t caller,
		struct node_seed *seed);
	int (*list)(struct mount *mount, struct node *folder, off_t from, generated_each *each,
		void *context, fuse_req_t req);
	int (*remove)(struct mount *mount, struct node *folder, const char *name, fuse_req_t req);
};

/* NULL: the name is not in the table for such a folder. */
const struct generated *generated_child(enum node_kind parent, const char *name);
/* The entry number `index` of those that are listed in such a folder; NULL after the last. */
const struct generated *generated_at(enum node_kind parent, size_t index);
/* The table's line for nodes of this kind; NULL for those that are in the store. */
const struct generated *generated_of(enum node_kind kind);

static inline const struct generated *generated_file(const struct open_file *file)
{
	return generated_of(file->handle.node->kind);
}

/* The inode number of a generated entry, the same in every mount. which: the model's index, the
 * record's id, or a hash. Numbers of the store have the top bit clear: ext4, xfs, btrfs and tmpfs
 * count from below. */
static inline ino_t generated_ino(enum node_kind kind, uint64_t which)
{
	return (ino_t)1 << 63 | (ino_t)kind << 56 | (which & (((ino_t)1 << 56) - 1));
}

/* Of a node inside a model directory. */
static inline const struct model *node_model(const struct mount *mount, const struct node *node)
{
	return mount->setup.models->item[node->model];
}

int generated_stat(struct mount *mount, struct node *node, struct stat *st);
/* Makes what read(2) gets from here on. */
int generated_open(
	struct mount *mount, struct node *node, struct fuse_file_info *fi, struct open_file *file);
void generated_read(fuse_req_t req, struct open_file *file, size_t size, off_t off);

#endif

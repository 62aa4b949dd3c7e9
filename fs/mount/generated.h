/*
 * generated.h - entries that are not in the store: one table of where, name,
 * mode and content (generated.c). They win over whatever the store has of the same name.
 */
#ifndef KINOFS_MOUNT_GENERATED_H
#define KINOFS_MOUNT_GENERATED_H

#include "fs/mount/fs.h"

struct generated {
	enum node_kind parent, kind;
	const char *name; /* NULL: as many as there are, by records.c */
	mode_t mode;
	bool uncached; /* changes by itself */
	bool unseen;   /* not listed, and only there for the publisher */
	/* The content; the caller frees. */
	int (*render)(struct mount *mount, struct node *node, char **text, size_t *bytes);
};

/* NULL: the name is not a generated one in such a folder. */
const struct generated *generated_child(enum node_kind parent, const char *name);
/* The index'th to be listed in such a folder, or NULL behind the last. */
const struct generated *generated_at(enum node_kind parent, size_t index);
/* What a node of this kind is made by, or NULL for one of the store. */
const struct generated *generated_of(enum node_kind kind);

static inline bool is_generated(const struct open_file *file)
{
	return generated_of(file->handle.node->kind) != NULL;
}

/* Present while mounted the same; record: of NODE_RECORD the job's id. */
ino_t generated_ino(enum node_kind kind, uint64_t model_or_record);
ino_t generated_folder_ino(struct mount *mount, struct node *parent, const char *name);
int generated_stat(struct mount *mount, struct node *node, struct stat *st);
/* Mode, owner and number, without looking at the content. */
void generated_stat_plain(
	struct mount *mount, const struct generated *generated, ino_t ino, struct stat *st);

/* records.c: MODEL/jobs. A place: the folder below jobs/, and the stem of a record in it. */
const struct model *node_model(struct mount *mount, const struct node *node);
int records_dir(struct mount *mount, struct node *node, const char *leaf, char **dir);
int records_stat(struct mount *mount, struct node *node, struct stat *st);
int records_render(struct mount *mount, struct node *node, char **text, size_t *bytes);
/* Which of NODE_RECORD and NODE_JOBS_FOLDER name is in this folder; -ENOENT: neither. */
int records_find(struct mount *mount, struct node *parent, const char *name, enum node_kind *kind);
int records_unlink(struct mount *mount, struct node *parent, const char *name);
/* Lists one folder from the cookie on, folders first; each returns non-zero to stop. */
typedef int records_each(
	void *context, const char *name, enum node_kind kind, int64_t id, off_t next);
int records_list(
	struct mount *mount, struct node *folder, off_t from, records_each *each, void *context);

/* links.c: out/ of the root, whose entries are symbolic links (overview.h). */
int links_find(struct mount *mount, const char *name, ino_t *ino);
int links_stat(struct mount *mount, struct node *node, struct stat *st);
/* The target of a link; the caller frees. */
int links_read(struct mount *mount, struct node *node, char **target);
int links_list(struct mount *mount, off_t from, records_each *each, void *context);

#endif

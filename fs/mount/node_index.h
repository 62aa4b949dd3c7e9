/*
 * node_index.h - the three hashes of the node table: by id, by (st_dev, st_ino),
 * and by parent and name. For node.c and node_use.c; the table's lock is held.
 */
#ifndef KINOFS_MOUNT_NODE_INDEX_H
#define KINOFS_MOUNT_NODE_INDEX_H

#include "fs/mount/node.h"

/* NULL: there is none. */
struct node *node_by_id(const struct node_table *table, uint64_t id);
struct node *node_by_key(const struct node_table *table, dev_t dev, ino_t ino);
struct name *name_by_text(
	const struct node_table *table, const struct node *parent, const char *text);

/* What is not there is taken out without complaint. */
void node_add_id(struct node_table *table, struct node *node);
void node_remove_id(struct node_table *table, struct node *node);
void node_add_key(struct node_table *table, struct node *node);
void node_remove_key(struct node_table *table, struct node *node);
void name_add(struct node_table *table, struct name *name);
void name_take_out(struct node_table *table, struct name *name);

#endif

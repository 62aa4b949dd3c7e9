/*
 * node_use.h - what nodes are asked about: their paths and their open handles.
 */
#ifndef KINOFS_MOUNT_NODE_USE_H
#define KINOFS_MOUNT_NODE_USE_H

#include "fs/mount/node.h"

/* The path of node, or of leaf in it. In the mount: "hailuo/x/cat.json", the root is "". In the
 * store: "tree/hailuo/x/cat.json", "incoming/…". The caller frees. 0, -ENOENT for a nameless node,
 * -ENOMEM. */
enum node_base { BASE_MOUNT, BASE_STORE };
int node_path(struct node_table *table, struct node *node, const char *leaf, enum node_base base,
	char **path);

/* Handles. node_open() adds a handle. If the node is open already the handle gets the backing of
 * the others, and the caller has to close its own. node_close() ends a handle's writing; true: it
 * was the last writable one of a dirty node, which is clean now. node_mark_dirty() marks a node
 * dirty if someone has it open for writing; true: someone has. node_release() removes the handle,
 * and frees the node when nothing else holds it; true: it was the last handle. */
void node_open(struct node_table *table, struct node *node, struct handle *handle);
bool node_close(struct node_table *table, struct handle *handle);
bool node_release(struct node_table *table, struct handle *handle);
bool node_mark_dirty(struct node_table *table, struct node *node);
bool node_is_open(struct node_table *table, struct node *node);
/* A duplicate of a descriptor of the node, a writable one if there is one; -ENOENT: not open. */
int node_borrow(struct node_table *table, struct node *node);
/* Visits every open handle. The caller holds the table's lock, or nobody opens or closes any more.
 */
void node_each_handle(struct node_table *table, void (*visit)(void *context, struct handle *handle),
	void *context);
/* Paths in the mount of every name of a node, NULL-terminated; free() each and the list. NULL: no
 * memory. */
char **node_paths(struct node_table *table, struct node *node);
/* Whether a name of the node is below a folder of this kind. */
bool node_is_below(struct node_table *table, struct node *node, enum node_kind kind);
/* Whether the file at this path in the mount has a writable handle. */
bool node_is_written(struct node_table *table, const char *path);

#endif

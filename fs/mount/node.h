/*
 * node.h - the names the kernel knows: one node for each object it has looked
 * up. It knows nothing of FUSE and does no I/O.
 *
 * Ids come from a counter that starts at the time of the mount and never wraps, so no id ever means
 * two objects, not even after a remount: a file server gives ids to its clients as handles (FUSE.md
 * B5). Nodes of the store are found by (st_dev, st_ino), so that hard links share one node;
 * generated ones only by parent and name.
 *
 *   named       it has one or more names. Only such a node is found by (st_dev, st_ino), because
 *               the store reuses inode numbers after an unlink
 *   nameless    unlinked or replaced, but still looked up or open: its content lives on in the
 *               descriptors of its handles
 *   remembered  named, but not looked up any more: a client may still come back with its id
 *   gone        freed, when nlookup is 0, it has neither handles nor children, and it is not
 *               remembered
 *
 * One mutex guards the table, and of a node everything that may change (all but id, kind, model,
 * ino and folder). It is held for operations on memory only and is the innermost lock (fs.h).
 */
#ifndef KINOFS_MOUNT_NODE_H
#define KINOFS_MOUNT_NODE_H

#include "fs/mount/hash.h"
#include "fs/mount/replaced.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum node_kind {
	NODE_PLAIN, /* a user's file or folder, or one being published */
	/* fixed folders of the store */
	NODE_ROOT,
	NODE_PROVIDER, /* on the way to a model directory */
	NODE_MODEL,
	NODE_OUT,
	NODE_INCOMING,
	/* generated folders */
	NODE_CONTROL,
	NODE_JOBS,
	NODE_JOBS_FOLDER,
	NODE_LATEST,
	NODE_LATEST_FOLDER,
	NODE_OVERVIEW,
	NODE_SPENDING,
	NODE_GALLERY_MONTHS,
	/* generated files */
	NODE_GONE, /* a name in the overview, while the publisher removes it */
	NODE_LATEST_LINK,
	NODE_RECORD,
	NODE_ROOT_README,
	NODE_HIDDEN,
	NODE_VOLUME,
	NODE_DIRECTORY,
	NODE_README,
	NODE_SCHEMA,
	NODE_JOBS_JSON,
	NODE_CTL,
	NODE_EVENTS,
	NODE_SETTINGS,
	NODE_MONTH, /* in spending/ */
	NODE_METRICS,
	NODE_WARNING, /* in the overview */
	NODE_GALLERY,
	NODE_GALLERY_NOW,
	NODE_GALLERY_MONTH,
};

#define NODE_ROOT_ID     1     /* FUSE_ROOT_ID */
#define NODES_REMEMBERED 65536 /* the last ones forgotten; 200 bytes each */

struct node;

/* An open file or folder, embedded in what the operations keep about it. */
struct handle {
	struct node *node;
	struct handle *next; /* of the node */
	int fd;              /* -1: generated */
	int backing;         /* id of FUSE passthrough (shim.h), or 0 */
	bool writable;
};

struct name {
	struct name *next_hash;
	struct name *next; /* of the node */
	struct node *parent, *node;
	char text[];
};

struct node {
	uint64_t id, nlookup;
	ino_t ino;
	struct node *next_id, *next_key;
	struct name *names;
	struct handle *handles;
	uint32_t dev;      /* a Linux st_dev has 32 bits */
	uint32_t children; /* names whose parent this is */
	uint32_t writers;  /* writable handles */
	uint16_t model;    /* index in the model set; of NODE_MODEL and the kinds inside one */
	uint8_t kind;
	bool folder : 1;
	bool dirty : 1;      /* has bytes the engine has not been told of; only while writers > 0 */
	bool remembered : 1; /* is in the table's ring */
	bool replaced : 1;   /* by a rename over it: is in the table's list */
};

struct node_table {
	pthread_mutex_t lock;
	struct replaced_list replaced;
	struct node *root;
	uint64_t last_id;
	uint64_t *ring; /* ids of NODES_REMEMBERED nodes, the oldest at ring_next */
	size_t ring_next;
	struct hash ids, keys, names;
};

/* What a name stands for, as found by the caller. */
struct node_seed {
	enum node_kind kind;
	uint16_t model;
	bool backed; /* in the store: dev, ino and links are its st_dev, st_ino, st_nlink */
	bool folder;
	dev_t dev;
	ino_t ino;
	nlink_t links;
};

/* 0 or -ENOMEM. */
int node_table_init(struct node_table *table, const struct stat *root);
/* free_handle is called for every handle still open. */
void node_table_clear(struct node_table *table, void (*free_handle)(struct handle *handle));

/* NULL: no such id, answer ESTALE. The node stays for as long as the kernel's request about it. */
struct node *node_get(struct node_table *table, uint64_t id);
/* The node of parent/name, made when needed, with one more lookup counted. NULL: no memory. */
struct node *node_enter(struct node_table *table, struct node *parent, const char *name,
	const struct node_seed *seed);
/* The node known as parent/name, or NULL; not counted as a lookup. */
struct node *node_child(struct node_table *table, struct node *parent, const char *name);
/* The node of this id, and the folder it is in (the root is in itself), with one more lookup
 * counted because the kernel may have forgotten it. NULL: gone, or nameless. */
struct node *node_enter_again(struct node_table *table, uint64_t id);
struct node *node_enter_parent(struct node_table *table, uint64_t id);
void node_forget(struct node_table *table, struct node *node, uint64_t count);

/* Changes of names, after the system call that made them true. Callers hold the names lock (fs.h)
 * exclusively. */
struct name *name_new(const char *text); /* before the call, so that nothing can fail after it */
void node_unname(struct node_table *table, struct node *parent, const char *name);
/* Takes fresh over. When new_parent had a file of that name it takes *replaced over too, a
 * descriptor of that file: whoever looked the file up just before may still open it, as rename(2)
 * promises. */
void node_rename(struct node_table *table, struct node *parent, const char *name,
	struct node *new_parent, struct name *fresh, int *replaced);
void node_exchange(struct node_table *table, struct node *parent, const char *name,
	struct node *other_parent, const char *other_name);

#endif

#include "fs/mount/node.h"

#include "fs/mount/node_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool is_backed(const struct node *node)
{
	return node->kind < NODE_CONTROL;
}

static void name_link(
	struct node_table *table, struct name *name, struct node *parent, struct node *node)
{
	if (!node->names && is_backed(node))
		node_add_key(table, node);
	name->parent = parent;
	name->node = node;
	name->next = node->names;
	node->names = name;
	parent->children++;
	name_add(table, name);
}

/* The parent may be unused afterwards: collect() it. */
static void name_unlink(struct node_table *table, struct name *name)
{
	struct name **link = &name->node->names;

	name_take_out(table, name);
	while (*link != name)
		link = &(*link)->next;
	*link = name->next;
	name->parent->children--;
	if (!name->node->names && is_backed(name->node))
		node_remove_key(table, name->node);
}

static bool is_unused(const struct node *node)
{
	return node->id != NODE_ROOT_ID && !node->nlookup && !node->handles && !node->children &&
	       !(node->remembered && node->names);
}

static void node_delete(struct node_table *table, struct node *node)
{
	if (node->replaced)
		replaced_forget(&table->replaced, node);
	free(node);
}

/* Frees a node nobody needs, then the folders only it kept. Only a file has more than one name, so
 * the recursion is one deep. */
static void collect(struct node_table *table, struct node *node)
{
	while (node && is_unused(node)) {
		struct node *up = NULL;

		while (node->names) {
			struct name *name = node->names;

			if (up)
				collect(table, up);
			up = name->parent;
			name_unlink(table, name);
			free(name);
		}
		node_remove_id(table, node);
		node_delete(table, node);
		node = up;
	}
}

static void name_remove(struct node_table *table, struct name *name)
{
	struct node *node = name->node, *parent = name->parent;

	name_unlink(table, name);
	free(name);
	collect(table, node);
	collect(table, parent);
}

static struct node *node_new(struct node_table *table, const struct node_seed *seed)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->id = ++table->last_id;
	node->kind = seed->kind;
	node->model = seed->model;
	node->folder = seed->folder;
	node->dev = (uint32_t)seed->dev;
	node->ino = seed->ino;
	node_add_id(table, node);
	return node;
}

int node_table_init(struct node_table *table, const struct stat *root)
{
	struct node_seed seed = {.kind = NODE_ROOT,
		.folder = true,
		.backed = true,
		.dev = root->st_dev,
		.ino = root->st_ino};

	struct timespec now;

	memset(table, 0, sizeof(*table));
	pthread_mutex_init(&table->lock, NULL);
	table->ring = calloc(NODES_REMEMBERED, sizeof(*table->ring));
	if (!table->ring || hash_init(&table->ids) < 0 || hash_init(&table->keys) < 0 ||
		hash_init(&table->names) < 0)
		return -ENOMEM;
	table->root = node_new(table, &seed);
	clock_gettime(CLOCK_REALTIME, &now);
	table->last_id = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	return table->root ? 0 : -ENOMEM;
}

static void node_free(
	struct node_table *table, struct node *node, void (*free_handle)(struct handle *handle))
{
	for (struct handle *handle = node->handles, *rest; handle; handle = rest) {
		rest = handle->next;
		free_handle(handle);
	}
	for (struct name *name = node->names, *rest; name; name = rest) {
		rest = name->next;
		free(name);
	}
	node_delete(table, node);
}

void node_table_clear(struct node_table *table, void (*free_handle)(struct handle *handle))
{
	for (size_t i = 0; table->ids.bucket && i < table->ids.size; i++)
		for (struct node *node = table->ids.bucket[i], *next; node; node = next) {
			next = node->next_id;
			node_free(table, node, free_handle);
		}
	free(table->ring);
	free(table->ids.bucket);
	free(table->keys.bucket);
	free(table->names.bucket);
	pthread_mutex_destroy(&table->lock);
}

struct node *node_get(struct node_table *table, uint64_t id)
{
	struct node *node;

	if (id == NODE_ROOT_ID)
		return table->root;
	pthread_mutex_lock(&table->lock);
	node = node_by_id(table, id);
	pthread_mutex_unlock(&table->lock);
	return node;
}

static bool is_same(const struct node *node, const struct node_seed *seed)
{
	return node->kind == seed->kind && node->ino == seed->ino && node->dev == seed->dev;
}

/* Whether at is this folder or below it. A folder that comes to stand below itself, by a bind mount
 * or by changes underneath the mount, is another node there: no path may go round in a circle. */
static bool is_above(const struct node *node, const struct node *at)
{
	while (at && at != node)
		at = at->names ? at->names->parent : NULL;
	return at != NULL;
}

/* Names a change underneath the mount has made untrue: another object stands there now, or an
 * object with a single link has moved. */
static struct node *find_true(struct node_table *table, struct node *parent, const char *text,
	const struct node_seed *seed, struct name **found)
{
	struct name *name = name_by_text(table, parent, text);
	struct node *node;

	if (name && !is_same(name->node, seed)) {
		name_remove(table, name);
		name = NULL;
	}
	*found = name;
	if (name)
		return name->node;
	if (!seed->backed)
		return NULL;
	node = node_by_key(table, seed->dev, seed->ino);
	if (node && is_above(node, parent)) {
		node_remove_key(table, node); /* from now on known by its name only */
		return NULL;
	}
	if (!node || (is_same(node, seed) && node->folder == seed->folder && !seed->folder &&
			     seed->links > 1))
		return node;
	node->nlookup++; /* keeps it while its names go */
	while (node->names)
		name_remove(table, node->names);
	node->nlookup--;
	if (is_same(node, seed) && node->folder == seed->folder)
		return node;
	collect(table, node);
	return NULL;
}

/* Gives the node, or a new one when it is NULL, this name. NULL: no memory. */
static struct node *enter_name(struct node_table *table, struct node *parent, const char *text,
	const struct node_seed *seed, struct node *node)
{
	struct name *fresh = name_new(text);
	struct node *named = fresh && !node ? node_new(table, seed) : node;

	if (fresh && named) {
		name_link(table, fresh, parent, named);
		return named;
	}
	free(fresh);
	if (node)
		collect(table, node);
	return NULL;
}

struct node *node_enter(struct node_table *table, struct node *parent, const char *text,
	const struct node_seed *seed)
{
	struct name *name;
	struct node *node;

	pthread_mutex_lock(&table->lock);
	parent->children++; /* keeps it while untrue names go */
	node = find_true(table, parent, text, seed, &name);
	parent->children--;
	if (!name)
		node = enter_name(table, parent, text, seed, node);
	if (node)
		node->nlookup++;
	pthread_mutex_unlock(&table->lock);
	return node;
}

struct node *node_child(struct node_table *table, struct node *parent, const char *text)
{
	struct name *name;
	struct node *node;

	pthread_mutex_lock(&table->lock);
	name = name_by_text(table, parent, text);
	node = name ? name->node : NULL;
	pthread_mutex_unlock(&table->lock);
	return node;
}

struct node *node_enter_again(struct node_table *table, uint64_t id)
{
	struct node *node;

	pthread_mutex_lock(&table->lock);
	node = node_by_id(table, id);
	if (node)
		node->nlookup++;
	pthread_mutex_unlock(&table->lock);
	return node;
}

struct node *node_enter_parent(struct node_table *table, uint64_t id)
{
	struct node *node;

	pthread_mutex_lock(&table->lock);
	node = node_by_id(table, id);
	if (node && node != table->root)
		node = node->names ? node->names->parent : NULL;
	if (node)
		node->nlookup++;
	pthread_mutex_unlock(&table->lock);
	return node;
}

/* In place of the one that has been in the ring for longest. */
static void remember(struct node_table *table, struct node *node)
{
	uint64_t *place = &table->ring[table->ring_next];
	struct node *oldest = node_by_id(table, *place);

	if (node->remembered || !node->names)
		return;
	table->ring_next = (table->ring_next + 1) % NODES_REMEMBERED;
	*place = node->id;
	node->remembered = true;
	if (oldest) {
		oldest->remembered = false;
		collect(table, oldest);
	}
}

void node_forget(struct node_table *table, struct node *node, uint64_t count)
{
	pthread_mutex_lock(&table->lock);
	node->nlookup -= count < node->nlookup ? count : node->nlookup;
	if (!node->nlookup)
		remember(table, node);
	collect(table, node);
	pthread_mutex_unlock(&table->lock);
}

struct name *name_new(const char *text)
{
	size_t bytes = strlen(text) + 1;
	struct name *name = malloc(sizeof(*name) + bytes);

	if (name)
		memcpy(name->text, text, bytes);
	return name;
}

static void remove_at(struct node_table *table, const struct node *parent, const char *text)
{
	struct name *name = name_by_text(table, parent, text);

	if (name)
		name_remove(table, name);
}

void node_unname(struct node_table *table, struct node *parent, const char *text)
{
	pthread_mutex_lock(&table->lock);
	remove_at(table, parent, text);
	pthread_mutex_unlock(&table->lock);
}

void node_rename(struct node_table *table, struct node *parent, const char *text,
	struct node *new_parent, struct name *fresh, int *descriptor)
{
	struct name *name, *replaced;
	struct node *node;

	pthread_mutex_lock(&table->lock);
	name = name_by_text(table, parent, text);
	replaced = name_by_text(table, new_parent, fresh->text);
	if (name && replaced && replaced->node == name->node) {
		free(fresh); /* two links of one file: rename(2) does nothing */
		goto out;
	}
	if (replaced) {
		/* without memory it is as with a file that was removed: who is about to open it
		 * must look again */
		if (!replaced->next && replaced->node->names == replaced)
			replaced->node->replaced =
				replaced_keep(&table->replaced, replaced->node, descriptor);
		name_remove(table, replaced);
	}
	if (!name || is_above(name->node, new_parent)) {
		remove_at(table, parent, text); /* what stands there is looked up when needed */
		free(fresh);
		goto out;
	}
	node = name->node;
	node->nlookup++; /* keeps it while it has no name */
	name_remove(table, name);
	name_link(table, fresh, new_parent, node);
	node->nlookup--;
	collect(table, node);
out:
	pthread_mutex_unlock(&table->lock);
}

static void swap_names(struct node_table *table, struct name *name, struct name *other)
{
	struct node *node = name->node, *parent = name->parent, *other_parent = other->parent;

	name_unlink(table, name);
	name_link(table, name, parent, other->node);
	name_unlink(table, other);
	name_link(table, other, other_parent, node);
}

void node_exchange(struct node_table *table, struct node *parent, const char *text,
	struct node *other_parent, const char *other_text)
{
	struct name *name, *other;

	pthread_mutex_lock(&table->lock);
	name = name_by_text(table, parent, text);
	other = name_by_text(table, other_parent, other_text);
	if (!name || !other || is_above(name->node, other_parent) ||
		is_above(other->node, parent)) {
		remove_at(table, parent, text); /* what stands there is looked up when needed */
		remove_at(table, other_parent, other_text);
	} else if (name->node != other->node) {
		swap_names(table, name, other);
	}
	pthread_mutex_unlock(&table->lock);
}

#include "fs/mount/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t mix(uint64_t value)
{
	value ^= value >> 32;
	value *= 0x9e3779b97f4a7c15ULL; /* Fibonacci hashing */
	return value ^ value >> 29;
}

static uint64_t key_hash(dev_t dev, ino_t ino)
{
	return mix((uint64_t)ino ^ (uint64_t)dev << 40);
}

static uint64_t name_hash(const struct node *parent, const char *text)
{
	return mix(hash_fnv(text, parent->id));
}

/* How an entry of each hash is chained and hashed, so that one function can grow all three. */
static void **next_id(void *entry, uint64_t *hash)
{
	struct node *node = entry;

	*hash = node->id;
	return (void **)&node->next_id;
}

static void **next_key(void *entry, uint64_t *hash)
{
	struct node *node = entry;

	*hash = key_hash(node->dev, node->ino);
	return (void **)&node->next_key;
}

static void **next_name(void *entry, uint64_t *hash)
{
	struct name *name = entry;

	*hash = name_hash(name->parent, name->text);
	return (void **)&name->next_hash;
}

static struct node *find_id(struct node_table *table, uint64_t id)
{
	struct node *node = hash_first(&table->ids, id);

	while (node && node->id != id)
		node = node->next_id;
	return node;
}

static struct node *find_key(struct node_table *table, dev_t dev, ino_t ino)
{
	struct node *node = hash_first(&table->keys, key_hash(dev, ino));

	while (node && (node->ino != ino || node->dev != dev))
		node = node->next_key;
	return node;
}

static struct name *find_name(struct node_table *table, const struct node *parent, const char *text)
{
	struct name *name = hash_first(&table->names, name_hash(parent, text));

	while (name && (name->parent != parent || strcmp(name->text, text)))
		name = name->next_hash;
	return name;
}

static bool is_backed(const struct node *node)
{
	return node->kind < NODE_CONTROL;
}

static void name_link(
	struct node_table *table, struct name *name, struct node *parent, struct node *node)
{
	if (!node->names && is_backed(node))
		hash_add(&table->keys, node, next_key);
	name->parent = parent;
	name->node = node;
	name->next = node->names;
	node->names = name;
	parent->children++;
	hash_add(&table->names, name, next_name);
}

/* The parent may be unused afterwards: collect() it. */
static void name_unlink(struct node_table *table, struct name *name)
{
	struct name **link = &name->node->names;

	hash_remove(&table->names, name, next_name);
	while (*link != name)
		link = &(*link)->next;
	*link = name->next;
	name->parent->children--;
	if (!name->node->names && is_backed(name->node))
		hash_remove(&table->keys, name->node, next_key);
}

static bool is_unused(const struct node *node)
{
	return node->id != NODE_ROOT_ID && !node->nlookup && !node->handles && !node->children &&
	       !(node->remembered && node->names);
}

/* Without memory it is as with a file that was removed: who is about to open it must look again. */
static void keep_replaced(struct node_table *table, struct node *node, int *fd)
{
	struct replaced *replaced = *fd < 0 ? NULL : malloc(sizeof(*replaced));

	if (!replaced)
		return;
	*replaced = (struct replaced){.next = table->replaced, .node = node, .fd = *fd};
	table->replaced = replaced;
	node->replaced = true;
	*fd = -1;
}

static void node_delete(struct node_table *table, struct node *node)
{
	for (struct replaced **link = &table->replaced, *replaced; node->replaced && *link;) {
		replaced = *link;
		if (replaced->node != node) {
			link = &replaced->next;
			continue;
		}
		*link = replaced->next;
		(void)close(replaced->fd); /* O_PATH: nothing to lose */
		free(replaced);
		break;
	}
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
		hash_remove(&table->ids, node, next_id);
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
	hash_add(&table->ids, node, next_id);
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
	node = find_id(table, id);
	pthread_mutex_unlock(&table->lock);
	return node;
}

static bool is_same(const struct node *node, const struct node_seed *seed)
{
	return node->kind == seed->kind && node->ino == seed->ino && node->dev == seed->dev;
}

/* Names a change underneath the mount has made untrue: another object stands there now, or an
 * object with a single link has moved. */
static struct node *find_true(struct node_table *table, struct node *parent, const char *text,
	const struct node_seed *seed, struct name **found)
{
	struct name *name = find_name(table, parent, text);
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
	node = find_key(table, seed->dev, seed->ino);
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

struct node *node_enter(struct node_table *table, struct node *parent, const char *text,
	const struct node_seed *seed)
{
	struct name *name, *fresh = NULL;
	struct node *node;

	pthread_mutex_lock(&table->lock);
	parent->children++; /* keeps it while untrue names go */
	node = find_true(table, parent, text, seed, &name);
	parent->children--;
	if (!name)
		fresh = name_new(text);
	if (!name && !fresh) {
		if (node)
			collect(table, node);
		node = NULL;
		goto out;
	}
	if (!node)
		node = node_new(table, seed);
	if (!node) {
		free(fresh);
		goto out;
	}
	if (fresh)
		name_link(table, fresh, parent, node);
	node->nlookup++;
out:
	pthread_mutex_unlock(&table->lock);
	return node;
}

struct node *node_child_locked(
	struct node_table *table, const struct node *parent, const char *text)
{
	struct name *name = find_name(table, parent, text);

	return name ? name->node : NULL;
}

struct node *node_child(struct node_table *table, struct node *parent, const char *text)
{
	struct node *node;

	pthread_mutex_lock(&table->lock);
	node = node_child_locked(table, parent, text);
	pthread_mutex_unlock(&table->lock);
	return node;
}

struct node *node_enter_again(struct node_table *table, uint64_t id)
{
	struct node *node;

	pthread_mutex_lock(&table->lock);
	node = find_id(table, id);
	if (node)
		node->nlookup++;
	pthread_mutex_unlock(&table->lock);
	return node;
}

struct node *node_enter_parent(struct node_table *table, uint64_t id)
{
	struct node *node;

	pthread_mutex_lock(&table->lock);
	node = find_id(table, id);
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
	struct node *oldest = find_id(table, *place);

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

void node_unname(struct node_table *table, struct node *parent, const char *text)
{
	struct name *name;

	pthread_mutex_lock(&table->lock);
	name = find_name(table, parent, text);
	if (name)
		name_remove(table, name);
	pthread_mutex_unlock(&table->lock);
}

void node_rename(struct node_table *table, struct node *parent, const char *text,
	struct node *new_parent, struct name *fresh, int *descriptor)
{
	struct name *name, *replaced;
	struct node *node;

	pthread_mutex_lock(&table->lock);
	name = find_name(table, parent, text);
	replaced = find_name(table, new_parent, fresh->text);
	if (name && replaced && replaced->node == name->node) {
		free(fresh); /* two links of one file: rename(2) does nothing */
		goto out;
	}
	if (replaced) {
		if (!replaced->next && replaced->node->names == replaced)
			keep_replaced(table, replaced->node, descriptor);
		name_remove(table, replaced);
	}
	if (!name) {
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

void node_exchange(struct node_table *table, struct node *parent, const char *text,
	struct node *other_parent, const char *other_text)
{
	struct name *name, *other;
	struct node *node;

	pthread_mutex_lock(&table->lock);
	name = find_name(table, parent, text);
	other = find_name(table, other_parent, other_text);
	if (name && other && name->node != other->node) {
		node = name->node;
		name_unlink(table, name);
		name_link(table, name, parent, other->node);
		name_unlink(table, other);
		name_link(table, other, other_parent, node);
	} else if (name && !other) {
		name_remove(table, name); /* what stands there now is looked up when needed */
	} else if (other && !name) {
		name_remove(table, other);
	}
	pthread_mutex_unlock(&table->lock);
}

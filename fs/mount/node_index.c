#include "fs/mount/node_index.h"

#include <string.h>

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

struct node *node_by_id(const struct node_table *table, uint64_t id)
{
	struct node *node = hash_first(&table->ids, id);

	while (node && node->id != id)
		node = node->next_id;
	return node;
}

struct node *node_by_key(const struct node_table *table, dev_t dev, ino_t ino)
{
	struct node *node = hash_first(&table->keys, key_hash(dev, ino));

	while (node && (node->ino != ino || node->dev != dev))
		node = node->next_key;
	return node;
}

struct name *name_by_text(
	const struct node_table *table, const struct node *parent, const char *text)
{
	struct name *name = hash_first(&table->names, name_hash(parent, text));

	while (name && (name->parent != parent || strcmp(name->text, text)))
		name = name->next_hash;
	return name;
}

void node_add_id(struct node_table *table, struct node *node)
{
	hash_add(&table->ids, node, next_id);
}

void node_remove_id(struct node_table *table, struct node *node)
{
	hash_remove(&table->ids, node, next_id);
}

void node_add_key(struct node_table *table, struct node *node)
{
	hash_add(&table->keys, node, next_key);
}

void node_remove_key(struct node_table *table, struct node *node)
{
	hash_remove(&table->keys, node, next_key);
}

void name_add(struct node_table *table, struct name *name)
{
	hash_add(&table->names, name, next_name);
}

void name_take_out(struct node_table *table, struct name *name)
{
	hash_remove(&table->names, name, next_name);
}

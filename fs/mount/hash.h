/*
 * hash.h - a hash table of entries that hold their own link to the next one:
 * an array of buckets that doubles, and no allocation for an entry. The caller
 * locks.
 */
#ifndef KINOFS_MOUNT_HASH_H
#define KINOFS_MOUNT_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash {
	void **bucket;
	size_t size, count; /* size is a power of two */
};

/* Returns where an entry keeps the next one of its bucket; *value is its hash. */
typedef void **hash_chain(void *entry, uint64_t *value);

int hash_init(struct hash *hash); /* 0 or -ENOMEM; free() bucket at the end */
void hash_add(struct hash *hash, void *entry, hash_chain *chain);
void hash_remove(struct hash *hash, void *entry, hash_chain *chain); /* not there: nothing */

/* FNV-1a, which the caller still has to mix. salt: for a text that is only a key together with a
 * number. */
static inline uint64_t hash_fnv(const char *text, uint64_t salt)
{
	uint64_t hash = 0xcbf29ce484222325ULL ^ salt;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	return hash;
}

static inline uint64_t hash_text(const char *text)
{
	uint64_t hash = hash_fnv(text, 0);

	return hash ^ hash >> 32;
}

static inline void *hash_first(const struct hash *hash, uint64_t value)
{
	return hash->bucket[value & (hash->size - 1)];
}

#endif

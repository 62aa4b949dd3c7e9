#include "fs/mount/hash.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_BUCKETS 64
#define LOAD          2 /* entries in a bucket before the hash grows */

int hash_init(struct hash *hash)
{
	*hash = (struct hash){.size = FIRST_BUCKETS};
	hash->bucket = calloc(hash->size, sizeof(void *));
	return hash->bucket ? 0 : -ENOMEM;
}

static void hash_grow(struct hash *hash, hash_chain *chain)
{
	size_t size = hash->size * 2;
	void **bucket = calloc(size, sizeof(void *));

	if (!bucket)
		return; /* longer chains are slower, not wrong */
	for (size_t i = 0; i < hash->size; i++) {
		void *entry = hash->bucket[i];

		while (entry) {
			uint64_t value;
			void **next = chain(entry, &value);
			void *rest = *next;

			*next = bucket[value & (size - 1)];
			bucket[value & (size - 1)] = entry;
			entry = rest;
		}
	}
	free(hash->bucket);
	hash->bucket = bucket;
	hash->size = size;
}

void hash_add(struct hash *hash, void *entry, hash_chain *chain)
{
	uint64_t value;
	void **next = chain(entry, &value);

	if (hash->count >= hash->size * LOAD)
		hash_grow(hash, chain);
	*next = hash->bucket[value & (hash->size - 1)];
	hash->bucket[value & (hash->size - 1)] = entry;
	hash->count++;
}

void hash_remove(struct hash *hash, void *entry, hash_chain *chain)
{
	uint64_t value, other;
	void **next = chain(entry, &value);
	void **link = &hash->bucket[value & (hash->size - 1)];

	while (*link && *link != entry)
		link = chain(*link, &other);
	if (*link) {
		*link = *next;
		hash->count--;
	}
}

/* disk.h - inside the disk that forgets: disk.c changes it, states.c notes what was done and syncs,
 * left.c makes what is left. No memory is the end of the program. */
#ifndef KINOFS_TESTS_POWER_DISK_H
#define KINOFS_TESTS_POWER_DISK_H

#include "tests/power/states.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

#define ROOTS 4

struct entry {
	uint64_t dir, ino;
	char *name; /* NULL: free */
};

struct entries {
	struct entry *item;
	size_t count, room;
};

struct content {
	char *bytes;
	size_t size, room;
};

struct node {
	uint64_t ino;
	mode_t mode;
	char *target;
	struct content durable;
};

struct pending {
	struct op op;
	uint64_t ino2; /* of the other in an exchange */
	char *name, *name2, *data;
	int64_t at_ms;
	bool marked;
};

struct states {
	bool begun, synced; /* at once */
	int64_t now_ms;
	struct {
		uint64_t ino;
		char *path;
	} root[ROOTS];
	size_t roots;
	struct node *node;
	size_t nodes, node_room;
	struct entries durable, now;
	struct pending *pending;
	size_t pendings, pending_room;
};

#define GROW(array, count, room)                                                                   \
	do {                                                                                       \
		if ((count) == (room)) {                                                           \
			(room) = (room) ? 2 * (room) : 16;                                         \
			(array) = realloc((array), (room) * sizeof(*(array)));                     \
			if (!(array))                                                              \
				abort();                                                           \
		}                                                                                  \
	} while (0)

struct entry *disk_find(const struct entries *entries, uint64_t dir, const char *name);
void disk_remove_name(struct entries *entries, uint64_t dir, const char *name);
struct entries disk_copy_names(const struct entries *entries);
void disk_clear_names(struct entries *entries);

void disk_set_size(struct content *content, size_t size);
void disk_put_bytes(struct content *content, size_t at, const char *bytes, size_t count);

/* NULL: it was removed before anybody looked. */
struct node *disk_node(const struct states *states, uint64_t ino);

/* A change is of names or of data. */
bool disk_is_of_names(const struct pending *pending);
void disk_apply_names(struct entries *entries, const struct pending *pending);
void disk_apply_data(struct content *content, const struct pending *pending);
/* Of changes to a name the earlier come first: those before what is marked are marked, too. */
void disk_mark_earlier(struct states *states);

#endif

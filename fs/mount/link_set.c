#include "fs/mount/link_set.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "spec/place.h"

#include <limits.h>
#include <string.h>

static void **next_name(void *entry, uint64_t *hash)
{
	struct link *link = entry;

	*hash = hash_text(link->name);
	return (void **)&link->next_name;
}

static void **next_path(void *entry, uint64_t *hash)
{
	struct link *link = entry;

	*hash = hash_text(link->path);
	return (void **)&link->next_path;
}

struct link *link_set_find_name(const struct link_set *set, const char *name)
{
	struct link *link = hash_first(&set->names, hash_text(name));

	while (link && strcmp(link->name, name))
		link = link->next_name;
	return link;
}

struct link *link_set_find_path(const struct link_set *set, const char *path)
{
	struct link *link = hash_first(&set->paths, hash_text(path));

	while (link && strcmp(link->path, path))
		link = link->next_path;
	return link;
}

int link_set_init(struct link_set *set)
{
	if (hash_init(&set->names) < 0 || hash_init(&set->paths) < 0)
		return -ENOMEM;
	return 0;
}

static void link_free(struct link *link)
{
	if (!link)
		return;
	free(link->name);
	free(link);
}

void link_set_clear(struct link_set *set)
{
	for (size_t i = 0; i < set->listed; i++)
		if (set->list[i])
			link_set_remove(set, set->list[i]);
	set->listed = 0;
}

void link_set_free(struct link_set *set)
{
	link_set_clear(set);
	free(set->list);
	free(set->names.bucket);
	free(set->paths.bucket);
}

/* ------------------------------------------------------------------ names */

/* Where the part of the name begins that says what kind of file it is. */
static const char *kind_of(const char *name)
{
	size_t note = name_note(name);

	return note ? name + strlen(name) - note : strrchr(name, '.');
}

/* The n'th name a file would have, the first of which is its own. NULL: no memory. */
static char *candidate(const char *path, const char *model_id, unsigned n)
{
	const char *own = path_last(path);
	const char *dot = kind_of(own);
	const char *model = path_last(model_id);
	AUTO_FREE char *end = NULL;
	int stem = (int)(dot - own);

	if (n == 1)
		return strdup(own);
	end = n == 2 ? format(".%s%s", model, dot) : format(".%s.%u%s", model, n - 1, dot);
	if (!end)
		return NULL;
	if (stem > NAME_MAX - (int)strlen(end))
		stem = NAME_MAX - (int)strlen(end);
	/* never inside a character of UTF-8, which has four bytes at most */
	for (int back = 0; back < 3 && stem > 0 && (own[stem] & 0xc0) == 0x80; back++)
		stem--;
	return format("%.*s%s", stem, own, end);
}

/* *n: all before it are taken; moves on. */
static char *free_name(
	const struct link_set *set, const char *path, const char *model_id, unsigned *n)
{
	for (;;) {
		char *name = candidate(path, model_id, (*n)++);

		if (!name || !link_set_find_name(set, name))
			return name;
		free(name);
	}
}

/* ------------------------------------------------------------------ coming and going */

static struct link *link_new(const char *path, const char *model, const struct stat *st)
{
	size_t bytes = strlen(path) + 1;
	struct link *link = calloc(1, sizeof(*link) + bytes);

	if (!link)
		return NULL;
	link->made = st->st_mtim;
	link->ino = st->st_ino;
	link->model = model;
	memcpy(link->path, path, bytes);
	return link;
}

struct link *link_set_add(
	struct link_set *set, const char *path, const char *model, const struct stat *st)
{
	struct link *link = link_new(path, model, st);

	if (!link || ARRAY_ROOM(set->list, set->listed, set->room) < 0) {
		link_free(link);
		return NULL;
	}
	link->slot = set->listed;
	set->list[set->listed++] = link;
	return link;
}

static void show(struct link_set *set, struct link *link, unsigned *n)
{
	link->name = free_name(set, link->path, link->model, n);
	if (!link->name) {
		link_set_remove(set, link);
		return;
	}
	hash_add(&set->names, link, next_name);
	hash_add(&set->paths, link, next_path);
}

void link_set_show(struct link_set *set, struct link *link)
{
	unsigned n = 1;

	show(set, link, &n);
}

void link_set_rename(struct link_set *set, struct link *link, const char *name)
{
	char *fresh = strdup(name);

	if (!fresh)
		return;
	hash_remove(&set->names, link, next_name);
	free(link->name);
	link->name = fresh;
	hash_add(&set->names, link, next_name);
}

static int by_age(const void *a, const void *b)
{
	const struct link *one = *(struct link *const *)a, *other = *(struct link *const *)b;

	if (one->made.tv_sec != other->made.tv_sec)
		return one->made.tv_sec < other->made.tv_sec ? -1 : 1;
	if (one->made.tv_nsec != other->made.tv_nsec)
		return one->made.tv_nsec < other->made.tv_nsec ? -1 : 1;
	return strcmp(one->path, other->path);
}

/* Where the search for a free name ended, as long as no name goes: a thousand folders with a
 * main.mp4 in each would be half a million names to try. */
struct ended {
	uint64_t key;
	unsigned n;
};
#define ENDED 1024

/* The same for all links of one name in one model, unless another takes its place. */
static unsigned *ended_at(struct ended *ended, const struct link *link)
{
	const uint64_t key = hash_fnv(path_last(link->path), (uintptr_t)link->model);
	struct ended *at = &ended[(key ^ key >> 32) % ENDED];

	if (!at->n || at->key != key)
		*at = (struct ended){.key = key, .n = 1};
	return &at->n;
}

void link_set_show_all(struct link_set *set)
{
	struct ended ended[ENDED] = {0};

	if (set->listed)
		qsort(set->list, set->listed, sizeof(struct link *), by_age);
	for (size_t i = 0; i < set->listed; i++) {
		set->list[i]->slot = i;
		show(set, set->list[i], ended_at(ended, set->list[i]));
	}
}

void link_set_remove(struct link_set *set, struct link *link)
{
	if (link->name) {
		hash_remove(&set->names, link, next_name);
		hash_remove(&set->paths, link, next_path);
	}
	set->list[link->slot] = NULL;
	link_free(link);
}

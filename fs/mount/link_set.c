#include "fs/mount/link_set.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"

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

/* The n'th name a video would have, the first of which is its own. NULL: no memory. */
static char *candidate(const char *path, const char *model_id, unsigned n)
{
	const char *own = path_last(path);
	const char *dot = strrchr(own, '.');
	const char *model = path_last(model_id);
	AUTO_FREE char *end = NULL;
	int stem = (int)(dot - own);

	if (n == 1)
		return strdup(own);
	end = n == 2 ? format(".%s%s", model, dot) : format(".%s.%u%s", model, n - 1, dot);
	if (!end)
		return NULL;
	while (stem > NAME_MAX - (int)strlen(end) || (own[stem] & 0xc0) == 0x80)
		stem--; /* never inside a character of UTF-8 */
	return format("%.*s%s", stem, own, end);
}

static char *free_name(const struct link_set *set, const char *path, const char *model_id)
{
	for (unsigned n = 1;; n++) {
		char *name = candidate(path, model_id, n);

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

void link_set_show(struct link_set *set, struct link *link)
{
	link->name = free_name(set, link->path, link->model);
	if (!link->name) {
		link_set_remove(set, link);
		return;
	}
	hash_add(&set->names, link, next_name);
	hash_add(&set->paths, link, next_path);
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

void link_set_show_all(struct link_set *set)
{
	if (set->listed)
		qsort(set->list, set->listed, sizeof(struct link *), by_age);
	for (size_t i = 0; i < set->listed; i++) {
		set->list[i]->slot = i;
		link_set_show(set, set->list[i]);
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

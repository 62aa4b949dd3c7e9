#include "fs/input/listing.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/path.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

static int compare(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
	int order = memcmp(a, b, a_bytes < b_bytes ? a_bytes : b_bytes);

	return order ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static int compare_listed(const void *left, const void *right)
{
	const struct listed *a = left, *b = right;
	int order = compare(a->name + a->as.at, a->as.stem, b->name + b->as.at, b->as.stem);

	return order ? order : strcmp(a->name, b->name);
}

/* What it is listed as, without its name; false: it is not. */
static bool list_as(const struct listing *listing, const char *name, struct listed *listed)
{
	*listed = (struct listed){.as = name_role(listing->model, name, listing->at_top)};
	if (listed->as.role == ROLE_NONE) {
		listed->as = name_role_to_be(listing->model, name, listing->at_top);
		listed->under_way = listed->as.role != ROLE_NONE;
	}
	if (listed->as.role == ROLE_NONE) {
		listed->as = name_role_locked(listing->model, name, listing->at_top);
		listed->locks = listed->as.role != ROLE_NONE;
	}
	return listed->as.role != ROLE_NONE && listed->as.role != ROLE_DEFAULTS;
}

static int add(struct listing *listing, const char *name)
{
	struct listed listed;

	if (!list_as(listing, name, &listed))
		return 0;
	listed.name = strdup(name);
	if (!listed.name || ARRAY_ROOM(listing->item, listing->count, listing->room) < 0) {
		free(listed.name);
		return -ENOMEM;
	}
	listing->item[listing->count++] = listed;
	return 0;
}

static int read_names(struct listing *listing, int fd)
{
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int error = fd < 0 || folder ? 0 : -errno;

	if (!folder) {
		cleanup_fd(&fd);
		return error; /* a folder that is gone has no files */
	}
	while (!error && (errno = 0, entry = readdir(folder)))
		error = add(listing, entry->d_name);
	if (!error && errno)
		error = -errno;
	(void)closedir(folder); /* nothing was written */
	return error;
}

bool listing_is_of(const struct listing *listing, const char *folder)
{
	return listing->folder && !strcmp(listing->folder, folder);
}

int listing_read(
	struct listing *listing, const struct model *model, const char *folder, bool at_top, int fd)
{
	int error;

	listing_clear(listing);
	listing->taken_ms = clock_steady_ms();
	listing->model = model;
	listing->at_top = at_top;
	error = read_names(listing, fd);
	if (!error) {
		listing->folder = strdup(folder);
		error = listing->folder ? 0 : -ENOMEM;
	}
	if (error) {
		listing_clear(listing);
		return error;
	}
	if (listing->count)
		qsort(listing->item, listing->count, sizeof(*listing->item), compare_listed);
	return 0;
}

const struct listed *listing_find(const struct listing *listing, const char *stem, size_t *count)
{
	size_t bytes = strlen(stem), first = 0, end = listing->count;
	const struct listed *item = listing->item;

	while (first < end) {
		size_t middle = first + (end - first) / 2;
		const struct listed *listed = &item[middle];

		if (compare(listed->name + listed->as.at, listed->as.stem, stem, bytes) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	while (end < listing->count &&
		!compare(item[end].name + item[end].as.at, item[end].as.stem, stem, bytes))
		end++;
	*count = end - first;
	return item ? item + first : NULL; /* no items: no array either */
}

void listing_clear(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		free(listing->item[i].name);
	free(listing->item);
	free(listing->folder);
	*listing = (struct listing){0};
}

struct listing *listings_of(struct listings *listings, const char *folder)
{
	for (size_t i = 0; i < LISTINGS; i++)
		if (listing_is_of(&listings->item[i], folder))
			return &listings->item[i];
	listings->next = (listings->next + 1) % LISTINGS;
	return &listings->item[listings->next];
}

void listings_clear(struct listings *listings, int64_t taken_ms)
{
	if (taken_ms == INT64_MAX)
		batch_kept_clear(&listings->batch);
	for (size_t i = 0; i < LISTINGS; i++)
		if (listings->item[i].taken_ms <= taken_ms)
			listing_clear(&listings->item[i]);
}

/* Whether it has the name, or would not have it in any case. */
static bool has(const struct listing *listing, const char *name)
{
	AUTO_FREE char *stem = NULL;
	const struct listed *listed;
	struct listed it;
	size_t count;

	if (!list_as(listing, name, &it))
		return true;
	stem = strndup(name + it.as.at, it.as.stem);
	if (!stem)
		return false;
	listed = listing_find(listing, stem, &count);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(listed[i].name, name))
			return true;
	return false;
}

void listings_saved(struct listings *listings, const char *path)
{
	const char *name = path_last(path);

	for (size_t i = 0; i < LISTINGS; i++) {
		struct listing *listing = &listings->item[i];
		size_t bytes = listing->folder ? strlen(listing->folder) : 0;

		if (bytes && bytes + 1 == (size_t)(name - path) &&
			!strncmp(path, listing->folder, bytes) && !has(listing, name))
			listing_clear(listing);
	}
}

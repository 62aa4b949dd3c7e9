#include "fs/input/listing.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"

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
	int order = compare(a->name + a->at, a->stem, b->name + b->at, b->stem);

	return order ? order : strcmp(a->name, b->name);
}

static int add(struct listing *listing, const char *name, bool at_top)
{
	struct listed listed = {0};

	listed.role = name_role(name, at_top, &listed.stem);
	if (listed.role == ROLE_NONE) {
		listed.role = name_role_to_be(name, at_top, &listed.at, &listed.stem);
		listed.under_way = true;
	}
	if (listed.role == ROLE_NONE || listed.role == ROLE_DEFAULTS)
		return 0;
	listed.name = strdup(name);
	if (!listed.name || ARRAY_ROOM(listing->item, listing->count, listing->room) < 0) {
		free(listed.name);
		return -ENOMEM;
	}
	listing->item[listing->count++] = listed;
	return 0;
}

static int read_names(struct listing *listing, bool at_top, int fd)
{
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int error = fd < 0 || folder ? 0 : -errno;

	if (!folder) {
		cleanup_fd(&fd);
		return error; /* a folder that is gone has no files */
	}
	while (!error && (errno = 0, entry = readdir(folder)))
		error = add(listing, entry->d_name, at_top);
	if (!error && errno)
		error = -errno;
	(void)closedir(folder); /* nothing was written */
	return error;
}

bool listing_is_of(const struct listing *listing, const char *folder)
{
	return listing->folder && !strcmp(listing->folder, folder);
}

int listing_read(struct listing *listing, const char *folder, bool at_top, int fd)
{
	int error;

	listing_clear(listing);
	listing->taken_ms = clock_steady_ms();
	error = read_names(listing, at_top, fd);
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

		if (compare(listed->name + listed->at, listed->stem, stem, bytes) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	while (end < listing->count &&
		!compare(item[end].name + item[end].at, item[end].stem, stem, bytes))
		end++;
	*count = end - first;
	return item + first;
}

void listing_clear(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		free(listing->item[i].name);
	free(listing->item);
	free(listing->folder);
	*listing = (struct listing){0};
}

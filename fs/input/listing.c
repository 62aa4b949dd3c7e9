#include "fs/input/listing.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#define FIRST_ROOM 16

static int compare(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
	int order = memcmp(a, b, a_bytes < b_bytes ? a_bytes : b_bytes);

	return order ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static int compare_listed(const void *left, const void *right)
{
	const struct listed *a = left, *b = right;
	int order = compare(a->name, a->stem, b->name, b->stem);

	return order ? order : strcmp(a->name, b->name);
}

static int add(struct folder_names *names, const char *name, bool at_top)
{
	struct listed *listed;
	size_t stem;
	enum role role = name_role(name, at_top, &stem);

	if (role == ROLE_NONE || role == ROLE_DEFAULTS)
		return 0;
	if (names->count == names->room) {
		size_t room = names->room ? 2 * names->room : FIRST_ROOM;
		struct listed *item = reallocarray(names->item, room, sizeof(*item));

		if (!item)
			return -ENOMEM;
		names->item = item;
		names->room = room;
	}
	listed = &names->item[names->count];
	*listed = (struct listed){.name = strdup(name), .stem = stem, .role = role};
	if (!listed->name)
		return -ENOMEM;
	names->count++;
	return 0;
}

static int read_names(struct folder_names *names, bool at_top, int fd)
{
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int error = 0;

	if (!folder) {
		cleanup_fd(&fd);
		return 0; /* a folder that is gone has no files */
	}
	while (!error && (entry = readdir(folder)))
		error = add(names, entry->d_name, at_top);
	(void)closedir(folder); /* nothing was written */
	return error;
}

bool names_is_of(const struct folder_names *names, const char *folder)
{
	return names->folder && !strcmp(names->folder, folder);
}

int names_read(struct folder_names *names, const char *folder, bool at_top, int fd)
{
	int error;

	names_clear(names);
	names->taken_ms = clock_steady_ms();
	error = read_names(names, at_top, fd);
	if (!error)
		names->folder = strdup(folder);
	if (!names->folder) {
		names_clear(names);
		return -ENOMEM;
	}
	if (names->count)
		qsort(names->item, names->count, sizeof(*names->item), compare_listed);
	return 0;
}

const struct listed *names_find(const struct folder_names *names, const char *stem, size_t *count)
{
	size_t bytes = strlen(stem), first = 0, end = names->count;
	const struct listed *item = names->item;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (compare(item[middle].name, item[middle].stem, stem, bytes) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	while (end < names->count && !compare(item[end].name, item[end].stem, stem, bytes))
		end++;
	*count = end - first;
	return item + first;
}

void names_clear(struct folder_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->item[i].name);
	free(names->item);
	free(names->folder);
	*names = (struct folder_names){0};
}

/*
 * names.h - the names in a folder that can belong to jobs, by stem, so that a
 * thousand drops into one folder do not read it a thousand times.
 */
#ifndef KINOFS_INPUT_LISTING_H
#define KINOFS_INPUT_LISTING_H

#include "spec/place.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct listed {
	char *name;
	size_t stem; /* how many bytes of the name */
	enum role role;
};

/* Begins as {0}. */
struct folder_names {
	char *folder;        /* relative to the mount; NULL: nothing is listed */
	int64_t taken_ms;    /* clock_steady_ms() when its reading began */
	struct listed *item; /* sorted by stem */
	size_t count, room;
};

bool names_is_of(const struct folder_names *names, const char *folder);
/* Lists the folder in fd, which is closed; -1: there is none, and so no names. at_top: it is a
 * model directory. 0 or -ENOMEM. */
int names_read(struct folder_names *names, const char *folder, bool at_top, int fd);
/* The names of this stem, side by side, and how many there are. */
const struct listed *names_find(const struct folder_names *names, const char *stem, size_t *count);
void names_clear(struct folder_names *names);

#endif

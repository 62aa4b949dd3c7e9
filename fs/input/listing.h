/*
 * listing.h - the names in a folder that can belong to jobs, by stem, so that a
 * thousand drops into one folder do not read it a thousand times. A listing
 * belongs to the thread that made it.
 */
#ifndef KINOFS_INPUT_LISTING_H
#define KINOFS_INPUT_LISTING_H

#include "spec/place.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct listed {
	char *name;
	size_t at, stem; /* where in the name the job's stem begins, and its bytes */
	enum role role;
	bool under_way; /* a file like NAME.png.part: it may become a file of this role */
};

/* Begins as {0}. */
struct listing {
	char *folder;        /* relative to the mount; NULL: nothing is listed */
	int64_t taken_ms;    /* clock_steady_ms() when its reading began */
	struct listed *item; /* sorted by stem */
	size_t count, room;
};

bool listing_is_of(const struct listing *listing, const char *folder);
/* Lists the folder in fd, which is closed; -1: there is none, and so no names. at_top: it is a
 * model directory. 0 or -errno, with nothing listed. */
int listing_read(struct listing *listing, const char *folder, bool at_top, int fd);
/* The names of this stem, side by side, and how many there are. */
const struct listed *listing_find(const struct listing *listing, const char *stem, size_t *count);
void listing_clear(struct listing *listing);

#endif

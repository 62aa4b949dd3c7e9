/*
 * listing.h - the names in a folder that can belong to jobs, by stem, so that a
 * thousand drops into one folder do not read it a thousand times. A listing
 * belongs to the thread that made it.
 */
#ifndef KINOFS_INPUT_LISTING_H
#define KINOFS_INPUT_LISTING_H

#include "fs/input/batch.h"
#include "spec/place.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct listed {
	char *name;
	struct named as;
	bool under_way; /* a file like NAME.png.part: it may become a file of this role */
	bool locks;     /* one like .NAME.txt.swp: an editor has a file of this role open */
};

/* Begins as {0}. */
struct listing {
	char *folder; /* relative to the mount; NULL: nothing is listed */
	const struct model *model;
	bool at_top;         /* it is the model's directory */
	int64_t taken_ms;    /* clock_steady_ms() when its reading began */
	struct listed *item; /* sorted by stem */
	size_t count, room;
};

/* Those of several folders: files that move are looked for where they were and where they are.
 * Begins as {0}. */
#define LISTINGS 4
struct listings {
	struct listing item[LISTINGS];
	unsigned int next; /* to be read anew */
	struct batch_kept batch;
};

/* The listing of the folder, or else one for it to be read into, in place of the oldest. */
struct listing *listings_of(struct listings *listings, const char *folder);
/* Those taken at this time or before are not true any more; INT64_MAX: all, and the batch is not
 * needed. */
void listings_clear(struct listings *listings, int64_t taken_ms);

/* A file of this path, in the mount, was saved: a listing of its folder that does not have it is
 * not true any more. */
void listings_saved(struct listings *listings, const char *path);

bool listing_is_of(const struct listing *listing, const char *folder);
/* Lists the folder in fd, which is closed; -1: there is none, and so no names. at_top: it is the
 * model's directory. 0 or -errno, with nothing listed. */
int listing_read(struct listing *listing, const struct model *model, const char *folder,
	bool at_top, int fd);
/* The names of this stem, side by side, and how many there are. */
const struct listed *listing_find(const struct listing *listing, const char *stem, size_t *count);
void listing_clear(struct listing *listing);

#endif

/* states.h - what may be on a disk after a power cut, given what was done and what was synced. */
#ifndef KINOFS_TESTS_POWER_STATES_H
#define KINOFS_TESTS_POWER_STATES_H

#include "tests/power/oplog.h"

#include <stdbool.h>

/* Of what was not synced: */
enum loss {
	LOSS_ALL,     /* nothing is there */
	LOSS_NONE,    /* all of it is, as after a kill */
	LOSS_ORDERED, /* names up to a moment, in order, and some of the data: a journal of names */
	LOSS_DATA,    /* all names, no data: renames without data */
	LOSS_RANDOM,  /* any names, and any 512 bytes of data */
	LOSSES
};
extern const char *const loss_names[LOSSES];

struct states;

struct states *states_new(void);
void states_free(struct states *states);
/* The next thing that was done; data stays the caller's. */
void states_add(struct states *states, const struct op *op, const char *data);
/* Whether all that is done from now on is synced at once. */
void states_be_durable(struct states *states, bool durable);
/* What time it is, by a steady clock: what was done long before has been written by itself. */
void states_go_to(struct states *states, int64_t now_ms);
/* Makes folders into one legal state. to: where, a path for each OP_ROOT; NULL: where they were.
 * Files that are there and stay keep their inode. */
void states_make(const struct states *states, enum loss loss, uint64_t seed, char *const *to);

#endif

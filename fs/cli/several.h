/*
 * several.h - the jobs that an order of the command line is about: those named by a file, and
 * those found below a folder or in a batch; and what they would cost.
 */
#ifndef KINOFS_CLI_SEVERAL_H
#define KINOFS_CLI_SEVERAL_H

#include "spec/model.h"

struct chosen {
	char *mount, *inside; /* of its record, or a path that is no job's */
	cJSON *record;        /* NULL: there is no such job, or it cannot be read */
};

struct several {
	const char *verb; /* "retry" … */
	bool failed_only; /* of those found, only these */
	int takes;        /* of each that is to be paid for */
	struct model_set models;
	struct chosen *item;
	size_t count, room;
	bool found;  /* some were not named, but found */
	int unknown; /* were found, and are left alone: they may have been paid for */
};

/* Adds what a path means. 0, or CLI_USAGE or CLI_FAILED, with the reason printed. */
int several_add(struct several *several, const char *path);
void several_clear(struct several *several);

/* How many takes will be paid for, if all goes well; and what that costs as far as it is known, in
 * credits, with the number of those of which it is not. */
int several_paid(const struct several *several, double *credits, int *unpriced);

#endif

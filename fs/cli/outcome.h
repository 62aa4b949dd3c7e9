/*
 * outcome.h - how jobs have ended, for kinofs wait. The main thread.
 */
#ifndef KINOFS_CLI_OUTCOME_H
#define KINOFS_CLI_OUTCOME_H

#include <cjson/cJSON.h>

enum outcome { OUTCOME_PENDING, OUTCOME_DONE, OUTCOME_BAD };

/* Of one take: a record, or what another says of it. */
enum outcome outcome_of(const cJSON *take);
/* The worst of all; PENDING while one is. */
enum outcome outcome_of_all(const cJSON *takes);

/* The earlier takes that were seen under way. */
struct earlier {
	cJSON *seen;  /* their numbers, as keys */
	cJSON *quiet; /* newest takes of jobs that have no such, as keys */
};

/* The caller clears. 0 or -ENOMEM. */
int earlier_begin(struct earlier *earlier);
void earlier_clear(struct earlier *earlier);
/* Adds to the newest takes of jobs those before them that are under way, or were when it looked
 * first, unless they are there. */
void earlier_add(struct earlier *earlier, const char *mount, cJSON *jobs);

#endif

/*
 * budget.h - the caps: jobs and credits a day and a month. Counts what was
 * submitted since local midnight and since the first of the month; the journal
 * is asked at start and when the day turns, the rest is kept here. Engine thread only.
 */
#ifndef KINOFS_ENGINE_BUDGET_H
#define KINOFS_ENGINE_BUDGET_H

#include "fs/config/config.h"
#include "fs/journal/journal.h"

struct budget {
	int64_t day_ends_ms; /* wall ms; 0: not counted yet */
	int64_t jobs_today;
	double credits_today, credits_this_month;
};

/* Whether one more job of this estimate may go now. 0; or the hold it gets, with *problem and
 * *advice (static) set; *problem is the caller's to free. */
enum job_hold budget_check(struct budget *budget, struct journal *journal, const struct caps *caps,
	const struct job *job, char **problem, const char **advice);
/* A job is being submitted. */
void budget_add(struct budget *budget, const struct job *job);
/* It was surely not accepted. */
void budget_take_back(struct budget *budget, const struct job *job);

#endif

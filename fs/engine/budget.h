/*
 * budget.h - the caps: jobs and credits a day and a month, credits a job.
 * Counts what was submitted since local midnight and since the first of the
 * month; the journal is asked at start and when the day turns, the rest is kept
 * here. What cannot be counted is not let through. Engine thread.
 */
#ifndef KINOFS_ENGINE_BUDGET_H
#define KINOFS_ENGINE_BUDGET_H

#include "fs/config/config.h"
#include "fs/journal/journal.h"

struct budget {
	/* clock_steady_ms(): the wall clock may be set, and gives nobody a second day; 0: not
	 * counted yet */
	int64_t day_ends_ms;
	int64_t jobs_today;
	double credits_today, credits_this_month;
};

/* Whether one more job of this estimate may go now: HOLD_NONE, or the hold it gets, with *problem
 * (the caller frees; NULL: no memory) and *advice (static) set. */
enum job_hold budget_check(struct budget *budget, struct journal *journal, const struct caps *caps,
	const struct job_row *row, char **problem, const char **advice);
/* A job is being submitted. */
void budget_add(struct budget *budget, const struct job_row *row);
/* It was surely not accepted. */
void budget_take_back(struct budget *budget, const struct job_row *row);

#endif

/*
 * budget.h - the caps: jobs a day, credits a day and a month, credits a job
 * (fs/README.md 2, invariants 9 and 10). It counts what was submitted since
 * local midnight and since the first of the month. The journal is asked at a
 * start and when the day turns; in between the numbers are kept here. What
 * cannot be counted is held. Engine thread. Amounts are credits.
 */
#ifndef KINOFS_ENGINE_BUDGET_H
#define KINOFS_ENGINE_BUDGET_H

#include "fs/config/config.h"
#include "fs/journal/journal.h"

struct budget {
	/* When to count anew, by clock_steady_ms(): a wall clock that is set gives nobody a second
	 * day. 0: not counted yet */
	int64_t day_ends_ms;
	unsigned int changes; /* how often the rest, or a cap, became another */
	int64_t jobs_today;
	double credits_today, credits_this_month;
};

/* Counts, if there is a cap, and it was not done yet or the day has turned; false: it cannot be
 * counted now. */
bool budget_count(struct budget *budget, struct journal *journal, const struct caps *caps);
/* Whether the job of this row may go now: HOLD_NONE, or the hold it is to get, with *problem (the
 * caller frees; NULL: no memory) and *advice (static). */
enum job_hold budget_check(struct budget *budget, struct journal *journal, const struct caps *caps,
	const struct job_row *row, char **problem, const char **advice);
/* The job is being submitted: it counts from now on, also when its answer is lost. */
void budget_add(struct budget *budget, const struct job_row *row);
/* It was surely not accepted, and counts no more. */
void budget_take_back(struct budget *budget, const struct job_row *row);

/* To a hundredth, to be shown. */
double budget_rounded(double credits);

#endif

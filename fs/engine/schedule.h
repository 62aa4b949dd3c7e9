/*
 * schedule.h - when to ask after a task next, by how long the last tasks of its
 * model took. Pure.
 *
 * A task that ends while nobody asks is seen half a pause later, so pauses are
 * short where ends are likely. With a density of ends f and a share S of tasks
 * that still run, polls at a rate of sqrt(f / S) make the mean lateness the
 * least for their number; the factor is chosen so that a task is asked after
 * POLLS times on average. f and S are those of the durations known, each spread
 * to its neighbours, newer ones counting more; and some of it lies anywhere, for
 * what has never happened yet.
 */
#ifndef KINOFS_ENGINE_SCHEDULE_H
#define KINOFS_ENGINE_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#define SCHEDULE_KNOWN 32 /* durations that are looked at, the newest */

struct schedule {                        /* zero-initialise: nothing is known */
	int64_t took_ms[SCHEDULE_KNOWN]; /* a ring */
	size_t count, next;              /* the one that is overwritten next */
	/* made of them, by schedule_learn(); seconds */
	struct spread {
		double middle, half, weight;
	} spread[SCHEDULE_KNOWN];
	double elsewhere; /* the share of ends that lie anywhere … */
	double usual;     /* … half of them before this, which is the middle one */
	double last;      /* no other end is known from here on */
	double factor;
};

/* Another task has ended, this long (> 0) after it was accepted. */
void schedule_learn(struct schedule *schedule, int64_t took_ms);

/* How long to wait before the next question about a task that is this old and was running when it
 * was asked for last. ms, at least 2,000. Without a duration known: the provider's advice
 * (fs/net/API.md 1.4), and slower for ever. */
int64_t schedule_pause(const struct schedule *schedule, int64_t age_ms);

#endif

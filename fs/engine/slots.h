/*
 * slots.h - how many jobs do one thing at a time: uploads, polls, downloads have
 * slots, so that ten thousand jobs need no ten thousand connections. Engine
 * thread.
 *
 * Every provider has slots of its own, so that one that is slow or does not
 * answer keeps no other waiting. And what is tried again has half as many of its
 * own: sixty tasks whose polls are never answered do not
 * stand before one whose are. In each the jobs wait in turn.
 */
#ifndef KINOFS_ENGINE_SLOTS_H
#define KINOFS_ENGINE_SLOTS_H

#include "fs/engine/jobs.h"

#include <stdatomic.h>

struct places {
	const struct slots *of;
	int limit, used;
	int64_t pace_ms, not_before_ms; /* steady */
	bool pumping;
	struct job_list waiting;
	struct timer timer; /* for the pace */
};

struct slots {
	struct places first[PROVIDERS], again[PROVIDERS];
	struct timers *timers;
	atomic_int *queue; /* how many wait, for who wants to know (figures.h) */
	job_action *work;  /* begins; must end in slots_leave(), at once or later */
};

/* limit: of a provider, for first tries. pace_ms: between two beginnings of its first tries; four
 * times that between others. 0: none. */
void slots_init(
	struct slots *slots, int limit, int64_t pace_ms, struct timers *timers, job_action *work);
/* Waits for a slot, in turn; then works. again: it was tried already, in vain. */
void slots_enter(struct slots *slots, struct job *job, bool again);
/* Gives its slot back, or its place in the queue, of whatever slots; the next one works. */
void slots_leave(struct job *job);

#endif

/* timer.h - timers of the engine: a binary heap of timers embedded in what they belong to. */
#ifndef KINOFS_ENGINE_TIMER_H
#define KINOFS_ENGINE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {          /* zero-initialise */
	int64_t due_ms; /* clock_steady_ms() */
	uint64_t order; /* among timers due at once, the one set first fires first */
	size_t index;   /* in the heap, from 1; 0: not set */
	void (*fire)(void *engine, struct timer *timer);
};

struct timers { /* zero-initialise */
	struct timer **heap;
	size_t count, room;
	uint64_t set; /* how many were set so far */
};

/* Sets it, or sets it anew. 0 or -ENOMEM. */
int timer_set(struct timers *timers, struct timer *timer, int64_t due_ms);
void timer_clear(struct timers *timers, struct timer *timer);
/* Takes out the first one that is due, or NULL. */
struct timer *timer_due(struct timers *timers, int64_t now_ms);
/* When the first one is due; INT64_MAX: none is set. */
int64_t timer_next(const struct timers *timers);
void timers_free(struct timers *timers);

#endif

#include "fs/engine/timer.h"

#include <errno.h>
#include <stdlib.h>

static void put(struct timers *timers, size_t place, struct timer *timer)
{
	timers->heap[place - 1] = timer;
	timer->place = place;
}

/* Moves the timer from a hole at `place` to where it belongs. */
static void settle(struct timers *timers, size_t place, struct timer *timer)
{
	while (place > 1 && timers->heap[place / 2 - 1]->due_ms > timer->due_ms) {
		put(timers, place, timers->heap[place / 2 - 1]);
		place /= 2;
	}
	for (;;) {
		size_t child = 2 * place;

		if (child > timers->count)
			break;
		if (child < timers->count &&
			timers->heap[child]->due_ms < timers->heap[child - 1]->due_ms)
			child++;
		if (timers->heap[child - 1]->due_ms >= timer->due_ms)
			break;
		put(timers, place, timers->heap[child - 1]);
		place = child;
	}
	put(timers, place, timer);
}

int timer_set(struct timers *timers, struct timer *timer, int64_t due_ms)
{
	if (!timer->place) {
		if (timers->count == timers->room) {
			size_t room = timers->room ? 2 * timers->room : 64;
			struct timer **heap = realloc(timers->heap, room * sizeof(struct timer *));

			if (!heap)
				return -ENOMEM;
			timers->heap = heap;
			timers->room = room;
		}
		timer->place = ++timers->count;
	}
	timer->due_ms = due_ms;
	settle(timers, timer->place, timer);
	return 0;
}

void timer_clear(struct timers *timers, struct timer *timer)
{
	size_t place = timer->place;
	struct timer *last;

	if (!place)
		return;
	timer->place = 0;
	last = timers->heap[--timers->count];
	if (last != timer)
		settle(timers, place, last);
}

struct timer *timer_due(struct timers *timers, int64_t now_ms)
{
	struct timer *first = timers->count ? timers->heap[0] : NULL;

	if (!first || first->due_ms > now_ms)
		return NULL;
	timer_clear(timers, first);
	return first;
}

int64_t timer_next(const struct timers *timers)
{
	return timers->count ? timers->heap[0]->due_ms : INT64_MAX;
}

void timers_free(struct timers *timers)
{
	free(timers->heap);
	*timers = (struct timers){0};
}

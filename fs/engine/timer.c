#include "fs/engine/timer.h"

#include <errno.h>
#include <stdlib.h>

static bool is_before(const struct timer *a, const struct timer *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void put(struct timers *timers, size_t index, struct timer *timer)
{
	timers->heap[index - 1] = timer;
	timer->index = index;
}

/* Moves the timer from a hole at `index` to where it belongs. */
static void settle(struct timers *timers, size_t index, struct timer *timer)
{
	while (index > 1 && is_before(timer, timers->heap[index / 2 - 1])) {
		put(timers, index, timers->heap[index / 2 - 1]);
		index /= 2;
	}
	for (;;) {
		size_t child = 2 * index;

		if (child > timers->count)
			break;
		if (child < timers->count &&
			is_before(timers->heap[child], timers->heap[child - 1]))
			child++;
		if (!is_before(timers->heap[child - 1], timer))
			break;
		put(timers, index, timers->heap[child - 1]);
		index = child;
	}
	put(timers, index, timer);
}

int timer_set(struct timers *timers, struct timer *timer, int64_t due_ms)
{
	if (!timer->index) {
		if (timers->count == timers->room) {
			size_t room = timers->room ? 2 * timers->room : 64;
			struct timer **heap = realloc(timers->heap, room * sizeof(struct timer *));

			if (!heap)
				return -ENOMEM;
			timers->heap = heap;
			timers->room = room;
		}
		timer->index = ++timers->count;
	}
	timer->due_ms = due_ms;
	timer->order = timers->set++;
	settle(timers, timer->index, timer);
	return 0;
}

void timer_clear(struct timers *timers, struct timer *timer)
{
	size_t index = timer->index;
	struct timer *last;

	if (!index)
		return;
	timer->index = 0;
	last = timers->heap[--timers->count];
	if (last != timer)
		settle(timers, index, last);
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

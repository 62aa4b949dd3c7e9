/* rate.c - a queue of times for each window. */
#include "contrib/simulator/rate.h"

#include <string.h>

struct window {
	double *times;
	size_t start, end, capacity;
};

static struct window seen[PROVIDERS];
static struct window used[PROVIDERS];
static size_t most;
static unsigned int refused;

static size_t window_count(struct window *window)
{
	double oldest = now_seconds() - SIM_RATE_SECONDS;

	while (window->start < window->end && window->times[window->start] <= oldest)
		window->start++;
	return window->end - window->start;
}

static void window_add(struct window *window)
{
	size_t count = window_count(window);

	if (window->end == window->capacity && window->start > window->capacity / 2) {
		memmove(window->times, window->times + window->start, count * sizeof(double));
		window->start = 0;
		window->end = count;
	} else if (window->end == window->capacity) {
		size_t capacity = window->capacity ? 2 * window->capacity : 64;
		double *times = reallocarray(window->times, capacity, sizeof(double));

		if (!times)
			return; /* a count too low, rather than no simulator */
		window->times = times;
		window->capacity = capacity;
	}
	window->times[window->end++] = now_seconds();
}

void rate_see(enum provider provider)
{
	size_t count;

	window_add(&seen[provider]);
	count = window_count(&seen[provider]);
	if (count > most)
		most = count;
}

bool rate_full(enum provider provider)
{
	if (!sim.rate || window_count(&used[provider]) < (size_t)sim.rate)
		return false;
	refused++;
	return true;
}

void rate_use(enum provider provider)
{
	window_add(&used[provider]);
}

unsigned int rate_most(void)
{
	return (unsigned int)most;
}

unsigned int rate_refused(void)
{
	return refused;
}

void rate_free(void)
{
	for (int i = 0; i < PROVIDERS; i++) {
		free(seen[i].times);
		free(used[i].times);
	}
}

#include "fs/engine/durations.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/engine/core.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct duration {
	LIST_ENTRY(duration) entry;
	char *model;
	struct schedule schedule;
};

/* Without a journal to read it begins anew. */
static void load(struct engine *engine, struct duration *duration)
{
	int64_t took[SCHEDULE_KNOWN];
	size_t count = journal_took(engine->jobs.journal, duration->model, took, SCHEDULE_KNOWN);

	for (size_t i = 0; i < count; i++)
		schedule_learn(&duration->schedule, took[i]);
}

static struct duration *of_model(struct engine *engine, const char *model)
{
	struct duration *duration;

	LIST_FOREACH(duration, &engine->durations.list, entry)
	if (!strcmp(duration->model, model))
		return duration;
	duration = calloc(1, sizeof(*duration));
	if (duration)
		duration->model = strdup(model);
	if (!duration || !duration->model) {
		free(duration);
		return NULL;
	}
	load(engine, duration);
	LIST_INSERT_HEAD(&engine->durations.list, duration, entry);
	return duration;
}

const struct schedule *durations_of(struct engine *engine, const char *model)
{
	const struct duration *duration = of_model(engine, model);

	return duration ? &duration->schedule : NULL;
}

static int compare_ms(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

/* Minutes once they are more than one and a half. */
static char *say_range(int64_t from_ms, int64_t to_ms, size_t count)
{
	bool minutes = to_ms > 90 * 1000;
	int64_t unit_ms = minutes ? 60 * 1000 : 1000;
	int64_t from = from_ms / unit_ms, to = (to_ms + unit_ms - 1) / unit_ms;

	if (from < 1)
		from = 1;
	if (to < from)
		to = from;
	return from == to ? format("about %" PRId64 " %s%s (the last %zu did)", to,
				    minutes ? "minute" : "second", to > 1 ? "s" : "", count)
	                  : format("%" PRId64 " to %" PRId64 " %s (the last %zu did)", from, to,
				    minutes ? "minutes" : "seconds", count);
}

char *durations_usual(struct engine *engine, const char *model)
{
	const struct schedule *schedule = durations_of(engine, model);
	int64_t took[SCHEDULE_KNOWN];
	size_t count = schedule ? schedule->count : 0;

	if (!count)
		return NULL;
	(void)memcpy(took, schedule->took_ms, count * sizeof(*took));
	qsort(took, count, sizeof(*took), compare_ms);
	return say_range(took[count / 10], took[count - 1 - count / 10], count);
}

void durations_note(struct engine *engine, const char *model, int64_t took_ms)
{
	struct duration *duration = of_model(engine, model);

	if (!duration)
		return;
	/* the journal's error is logged; a duration less only makes for a worse guess */
	(void)journal_put_took(
		engine->jobs.journal, model, took_ms, clock_wall_ms(), SCHEDULE_KNOWN);
	schedule_learn(&duration->schedule, took_ms);
}

void durations_free(struct durations *durations)
{
	while (!LIST_EMPTY(&durations->list)) {
		struct duration *duration = LIST_FIRST(&durations->list);

		LIST_REMOVE(duration, entry);
		free(duration->model);
		free(duration);
	}
}

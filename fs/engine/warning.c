#include "fs/engine/warning.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/engine/core.h"

#include <string.h>

#define USED_UP_TO     0.8 /* of a cap, before it is warned of */
#define COUNT_AGAIN_MS (60 * 1000)

/* One cap, and what counts against it. */
struct cap {
	const char *when, *unit, *key, *ends;
	double used, limit;
};

static bool is_near(const struct cap *cap)
{
	return cap->limit > 0 && cap->used >= USED_UP_TO * cap->limit;
}

/* "Today 85 of 100 jobs are used (caps.jobs_per_day); 15 are left, until midnight." */
static char *line_of(const struct cap *cap)
{
	const double left = cap->limit - cap->used;

	return format("%s %.10g of %.10g %s are used (%s); %.10g are left, until %s.", cap->when,
		budget_rounded(cap->used), cap->limit, cap->unit, cap->key,
		budget_rounded(left > 0 ? left : 0), cap->ends);
}

/* A line for each that is near its end; the caller frees. NULL: none is, or no memory. */
static char *near_caps(const struct budget *budget, const struct caps *caps)
{
	const struct cap all[] = {{"Today", "jobs", "caps.jobs_per_day", "midnight",
					  (double)budget->jobs_today, (double)caps->jobs_per_day},
		{"Today", "credits", "caps.credits_per_day", "midnight", budget->credits_today,
			caps->credits_per_day},
		{"This month", "credits", "caps.credits_per_month", "the end of the month",
			budget->credits_this_month, caps->credits_per_month}};
	char *lines = NULL;

	for (size_t i = 0; i < COUNT(all); i++) {
		AUTO_FREE char *line = is_near(&all[i]) ? line_of(&all[i]) : NULL;
		AUTO_FREE char *before = line ? TAKE(lines) : NULL;

		if (line)
			lines = format("%s%s%s", before ? before : "", before ? "\n" : "", line);
	}
	return lines;
}

static char *text_of(const struct engine *engine, const char *lines)
{
	const char *file = engine->setup.config->file;

	return format(
		"%s\n\n"
		"Credits are counted as the models' prices say, what is under way included.\n"
		"What would go over a cap is held then, with a note, and goes by itself when the "
		"day or\nthe month is over; one job goes at once with: kinofs release PATH\n\n"
		"To raise a cap: change it in %s%s, and mount again,\n"
		"or send kinofs SIGHUP (systemctl --user reload kinofs).\n"
		"Where it went: kinofs spend --by model\n",
		lines, file ? file : "the configuration",
		file ? "" : " (see kinofs.conf(5); there is none yet)");
}

void warning_look(struct engine *engine)
{
	struct warning *warning = &engine->warning;
	const struct caps *caps = &engine->setup.config->caps;
	AUTO_FREE char *lines = NULL;

	if (!engine->host.warn || !budget_count(&engine->budget, engine->jobs.journal, caps) ||
		warning->changes == engine->budget.changes)
		return; /* as a rule */
	warning->changes = engine->budget.changes;
	lines = near_caps(&engine->budget, caps);
	if (lines && !warning->shown)
		log_warn("%.*s", (int)strcspn(lines, "\n"), lines);
	if (lines || warning->shown)
		engine->host.warn(engine->host.context, lines ? text_of(engine, lines) : NULL);
	warning->shown = lines;
}

int64_t warning_ends_ms(const struct engine *engine, int64_t by_ms)
{
	const int64_t now = clock_steady_ms(), day_ends_ms = engine->budget.day_ends_ms;
	/* it is over, and could not be counted anew */
	const int64_t ends_ms = day_ends_ms > now ? day_ends_ms : now + COUNT_AGAIN_MS;

	return engine->warning.shown && ends_ms < by_ms ? ends_ms : by_ms;
}

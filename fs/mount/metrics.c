#include "fs/mount/metrics.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/metric.h"
#include "fs/base/version.h"
#include "fs/engine/figures.h"
#include "fs/engine/hook.h"
#include "fs/journal/tally.h"
#include "fs/mount/spending.h"
#include "spec/price.h"

#include <math.h>
#include <stdlib.h>

static void print_start(const struct mount *mount, FILE *out)
{
	metric_describe(out, "kinofs_build_info", "gauge", "Which kinofs this is; always 1.");
	metric_value(out, "kinofs_build_info", 1, "version", VERSION, NULL);
	metric_describe(out, "kinofs_start_time_seconds", "gauge",
		"When it was mounted, in seconds since 1970.");
	metric_value(out, "kinofs_start_time_seconds",
		(double)mount->started.tv_sec + (double)mount->started.tv_nsec / 1e9, NULL);
}

static void print_state(void *out, const char *model, const char *state, double takes)
{
	metric_value(out, "kinofs_jobs", takes, "model", model, "state", state, NULL);
}

static int print_jobs(const struct mount *mount, FILE *out)
{
	metric_describe(
		out, "kinofs_jobs", "gauge", "Takes that have not ended, by state and by model.");
	return tally_unfinished(mount->setup.view, print_state, out);
}

/* Gauges all: an order that is refused, and an estimate that was too high, take something back. */
static const struct {
	enum tally_period period;
	const char *orders, *credits, *dollars, *when;
} ordered[] = {
	{TALLY_TODAY, "kinofs_today_orders", "kinofs_today_credits", "kinofs_today_dollars",
		"since midnight"},
	{TALLY_THIS_MONTH, "kinofs_month_orders", "kinofs_month_credits", "kinofs_month_dollars",
		"in this month"},
	{TALLY_EVER, "kinofs_ever_orders", "kinofs_ever_credits", "kinofs_ever_dollars",
		"since there is this journal"},
};

/* One of the three numbers of a period, for each provider that has any. */
static int print_ordered(const struct mount *mount, size_t period, FILE *out)
{
	struct tallies tallies;
	int error = tally_orders(mount->setup.view, ordered[period].period, &tallies);
	const char *const name[] = {
		ordered[period].orders, ordered[period].credits, ordered[period].dollars};
	static const char *const help[] = {"Takes ordered",
		"Credits taken for them, else estimated,", "US dollars, at the price of a credit,"};

	for (size_t i = 0; i < COUNT(name) && !error; i++) {
		char text[120];

		(void)snprintf(text, sizeof(text), "%s %s, by provider.", help[i],
			ordered[period].when); /* fits */
		metric_describe(out, name[i], "gauge", text);
		for (size_t k = 0; k < tallies.count; k++) {
			const struct tally *of = &tallies.item[k];
			const double number[] = {
				of->orders, of->credits, of->credits * USD_PER_CREDIT};

			metric_value(out, name[i], number[i], "provider", of->provider, NULL);
		}
	}
	return error;
}

/* Those that are set. */
static void print_caps(struct mount *mount, FILE *out)
{
	static const char *const caps[][3] = {
		{"jobs_per_day", "kinofs_today_orders_limit", "The cap of jobs a day."},
		{"credits_per_day", "kinofs_today_credits_limit", "The cap of credits a day."},
		{"credits_per_month", "kinofs_month_credits_limit", "The cap of credits a month."},
		{"credits_per_job", "kinofs_job_credits_limit", "The cap of credits of one job."},
	};

	AUTO_JSON cJSON *now = cJSON_CreateObject();

	caps_add(mount, now);
	for (size_t i = 0; i < COUNT(caps); i++) {
		double cap = json_number(json_object(now, "caps"), caps[i][0]);

		if (isnan(cap))
			continue;
		metric_describe(out, caps[i][1], "gauge", caps[i][2]);
		metric_value(out, caps[i][1], cap, NULL);
	}
}

int metrics_render(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	char *made = NULL;
	FILE *out = open_memstream(&made, bytes);
	int error = out ? 0 : -ENOMEM;

	(void)node;
	if (error)
		return error;
	print_start(mount, out);
	error = print_jobs(mount, out);
	for (size_t i = 0; i < COUNT(ordered) && !error; i++)
		error = print_ordered(mount, i, out);
	print_caps(mount, out);
	figures_print(mount->setup.figures, out);
	metric_describe(out, "kinofs_hook_waiting_ends", "gauge",
		"Ends of jobs that the hook is still to be run for.");
	metric_value(out, "kinofs_hook_waiting_ends", hook_waiting(mount->setup.hook), NULL);
	made = stream_text(out, &made);
	if (error || !made) {
		free(made);
		return error ? error : -ENOMEM;
	}
	*text = made;
	return 0;
}

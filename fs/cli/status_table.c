#include "fs/cli/status_table.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/cli/cli.h"
#include "fs/cli/spent.h"
#include "spec/price.h"

#include <math.h>
#include <string.h>

#define CELL       32
#define NAME_LEAST 5  /* columns of a job's name, on however narrow a terminal */
#define INDENT     13 /* of what is said of a job, under its age */

enum group { GROUP_RUNNING, GROUP_WAITING, GROUP_HELD, GROUP_FAILED, GROUP_OVER };

static const struct state {
	const char *name;
	enum group group;
	const char *colour;
} states[] = {
	{"waiting", GROUP_WAITING, "33"},
	{"held", GROUP_HELD, "33"},
	{"queued", GROUP_RUNNING, "36"},
	{"uploading", GROUP_RUNNING, "36"},
	{"submitting", GROUP_RUNNING, "36"},
	{"running", GROUP_RUNNING, "36"},
	{"downloading", GROUP_RUNNING, "36"},
	{"done", GROUP_OVER, "32"},
	{"rejected", GROUP_FAILED, "31"},
	{"failed", GROUP_FAILED, "31"},
	{"unknown", GROUP_FAILED, "31"},
	{"cancelled", GROUP_OVER, "2"},
};

size_t status_names(const char *names[STATUS_STATES_MAX])
{
	for (size_t i = 0; i < COUNT(states); i++)
		names[i] = states[i].name;
	return COUNT(states);
}

/* A settling one waits, whatever it was. A state of a newer kinofs is taken for one under way. */
static const struct state *state_of(const cJSON *job)
{
	const char *name = json_is_true(job, "settling") ? "waiting" : cli_text(job, "state");

	for (size_t i = 0; i < COUNT(states); i++)
		if (!strcmp(states[i].name, name))
			return &states[i];
	return &states[2];
}

bool status_is_live(const cJSON *job)
{
	const enum group group = state_of(job)->group;

	return group != GROUP_FAILED && group != GROUP_OVER;
}

struct status_counts status_count(const cJSON *jobs)
{
	int count[GROUP_OVER + 1] = {0};
	const cJSON *job;

	cJSON_ArrayForEach (job, jobs)
		count[state_of(job)->group]++;
	return (struct status_counts){
		count[GROUP_RUNNING], count[GROUP_WAITING], count[GROUP_HELD], count[GROUP_FAILED]};
}

/* ------------------------------------------------------------------ cells */

/* 0: it has no such time. */
static int64_t seconds_of(const cJSON *job, const char *key)
{
	struct tm parts = {0};

	return strptime(cli_text(job, key), "%Y-%m-%dT%H:%M:%SZ", &parts) ? (int64_t)timegm(&parts)
	                                                                  : 0;
}

/* "59s", "3m", "5h", "12d" */
static void print_span(char cell[CELL], const char *before, int64_t seconds)
{
	const char unit = seconds < 100 ? 's' : seconds < 6000 ? 'm' : seconds < 172800 ? 'h' : 'd';
	const int64_t length = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 86400;

	if (seconds < 0)
		seconds = 0;
	(void)snprintf(cell, CELL, "%s%lld%c", before, (long long)(seconds / length), unit);
}

/* Since it was dropped, or since it ended. */
static void print_age(char cell[CELL], const cJSON *job)
{
	const char *from = status_is_live(job)           ? "created"
	                   : seconds_of(job, "finished") ? "finished"
	                                                 : "changed";

	print_span(cell, "", clock_wall_ms() / 1000 - seconds_of(job, from));
}

/* Of the time that such a task usually takes. */
static void print_left(char cell[CELL], const cJSON *job)
{
	int64_t expected = seconds_of(job, "expected_finish");
	int64_t left = expected - clock_wall_ms() / 1000;
	double progress = json_number(job, "progress");

	if (expected && left > 0)
		print_span(cell, "~", left);
	else if (expected)
		(void)snprintf(cell, CELL, "late");
	else if (progress > 0 && status_is_live(job))
		(void)snprintf(cell, CELL, "at %.0f%%", progress);
	else
		(void)snprintf(cell, CELL, "-");
}

/* What it cost, or would: ~ before an estimate. */
static void print_cost(char cell[CELL], const cJSON *job)
{
	double spent = json_number(job, "spent_credits");
	double estimate = json_number(json_get(job, "estimate"), "credits");

	if (!isnan(spent))
		(void)snprintf(cell, CELL, "$%.3f", spent * USD_PER_CREDIT);
	else if (!isnan(estimate) && (status_is_live(job) || *cli_text(job, "submitted")))
		(void)snprintf(cell, CELL, "~$%.3f", estimate * USD_PER_CREDIT);
	else
		(void)snprintf(cell, CELL, "-");
}

/* ------------------------------------------------------------------ a job */

#define FORMAT  "%-6s %-6s %-8s "
#define COLUMNS (12 + 7 + 7 + 9) /* what stands before the job's name */

/* Of a name behind so many columns; 0: no end. */
static int room_for(const struct screen *screen, int before)
{
	const int room = screen->width - before;

	return !screen->width ? 0 : room < NAME_LEAST ? NAME_LEAST : room;
}

static void print_line(FILE *out, const struct screen *screen, const cJSON *job)
{
	char age[CELL], left[CELL], cost[CELL], state[CELL];
	AUTO_FREE char *name = cli_job_shown(job), *model = quote_name(cli_text(job, "model"));
	const int take = (int)json_number(job, "take");
	AUTO_FREE char *shown = take > 1 ? format("%s/%s (take %d)", model, name, take)
	                                 : format("%s/%s", model, name);

	print_age(age, job);
	print_left(left, job);
	print_cost(cost, job);
	(void)snprintf(state, sizeof(state), "%-11s", state_of(job)->name);
	screen_put_coloured(out, screen, state_of(job)->colour, state);
	(void)fprintf(out, " " FORMAT, age, left, cost);
	screen_put_cut(out, name && model && shown ? shown : "", room_for(screen, COLUMNS));
	(void)fputc('\n', out);
}

/* Why it does not go on, and what to do, a line each. NULL: nothing is said, or no memory. */
static char *reasons_of(const cJSON *job)
{
	static const char *const keys[] = {"waiting_for", "held_because", "error"};
	char *made = NULL;
	size_t bytes;
	FILE *out = open_memstream(&made, &bytes);
	const cJSON *line;

	if (!out)
		return NULL;
	for (size_t i = 0; i < COUNT(keys); i++)
		cJSON_ArrayForEach (line, json_get(job, keys[i]))
			cli_print(out, "", line, "\n");
	if (json_get(job, "error") && !strcmp(cli_text(job, "state"), "running"))
		cli_print(out, "", json_get(job, "advice"), "\n");
	if (*cli_text(job, "warning")) {
		cli_print(out, "", json_get(job, "warning"), " ");
		cli_print(out, "", json_get(job, "advice"), "\n");
	}
	if (*cli_text(job, "links_live_until"))
		(void)fprintf(
			out, "the result links live until %s\n", cli_text(job, "links_live_until"));
	return stream_text(out, &made);
}

static void print_reasons(FILE *out, const struct screen *screen, const char *reasons)
{
	while (*reasons) {
		size_t length = strcspn(reasons, "\n");
		AUTO_FREE char *line = strndup(reasons, length);

		if (line)
			screen_put_wrapped(out, screen, INDENT, line);
		reasons += length + (reasons[length] == '\n');
	}
}

void status_print(FILE *out, const struct screen *screen, const cJSON *jobs)
{
	AUTO_FREE char *before = NULL;
	const cJSON *job;

	(void)fprintf(out, "%-11s " FORMAT "%s\n", "STATE", "AGE", "LEFT", "COST", "JOB");
	cJSON_ArrayForEach (job, jobs) {
		char *reasons = reasons_of(job);

		print_line(out, screen, job);
		if (reasons && *reasons && before && !strcmp(reasons, before))
			(void)fprintf(out, "%*s(the same)\n", INDENT, "");
		else
			print_reasons(out, screen, reasons ? reasons : "");
		free(before);
		before = reasons;
	}
}

/* ------------------------------------------------------------------ progress */

#define BAR    10
#define IN_BAR (12 + BAR + 3 + 7) /* columns before the name */

/* Of the usual time that has gone, or as the provider says. 0: nothing is known. */
static int part_of_bar(const cJSON *job)
{
	const int64_t from = seconds_of(job, "accepted");
	const int64_t expected = seconds_of(job, "expected_finish");
	const int64_t gone = clock_wall_ms() / 1000 - from;
	const double progress = json_number(job, "progress");
	double part = expected > from ? (double)gone / (double)(expected - from) : progress / 100;

	return part > 0 ? (int)fmin(BAR, part * BAR) : 0; /* not NAN */
}

void status_print_progress(FILE *out, const struct screen *screen, const cJSON *job)
{
	static const char full[] = "##########", empty[] = "..........";
	AUTO_FREE char *name = cli_job_shown(job), *model = quote_name(cli_text(job, "model"));
	AUTO_FREE char *shown = name && model ? path_join(model, name) : NULL;
	const int part = part_of_bar(job);
	char state[CELL], left[CELL];

	(void)snprintf(state, sizeof(state), "%-11s", state_of(job)->name);
	print_left(left, job);
	screen_put_coloured(out, screen, state_of(job)->colour, state);
	(void)fprintf(out, " [%.*s%.*s] %-6s ", part, full, BAR - part, empty, left);
	screen_put_cut(out, shown ? shown : "", room_for(screen, IN_BAR));
	(void)fputc('\n', out);
}

/* ------------------------------------------------------------------ totals */

static void print_spent(FILE *out, const char *when, const struct spent *sum, const cJSON *caps,
	const char *jobs_cap, const char *credits_cap)
{
	double jobs = json_number(caps, jobs_cap), credits = json_number(caps, credits_cap);

	(void)fprintf(out, "; %s: %.0f", when, sum->orders);
	if (!isnan(jobs))
		(void)fprintf(out, " of %.0f", jobs);
	(void)fprintf(out, " order%s, %.10g", sum->orders == 1 && isnan(jobs) ? "" : "s",
		spent_rounded(sum->taken));
	if (!isnan(credits))
		(void)fprintf(out, " of %.10g", credits);
	(void)fprintf(out, " credits ($%.2f)", sum->taken * USD_PER_CREDIT);
}

/* Before it holds anything: from four fifths of a cap on. */
static void warn_of_cap(
	FILE *out, const struct screen *screen, const cJSON *caps, const char *cap, double used)
{
	const double most = json_number(caps, cap);
	AUTO_FREE char *text = NULL;

	if (isnan(most) || used < 0.8 * most)
		return;
	text = format("warning: %.0f%% of caps.%s is used; what is over it is held",
		floor(100 * used / most), cap);
	screen_set_colour(out, screen, used < most ? "33" : "31");
	screen_put_wrapped(out, screen, 0, text ? text : "");
	screen_set_colour(out, screen, NULL);
}

void status_print_totals(FILE *out, const struct screen *screen, const char *mount,
	const struct status_counts *counts)
{
	char name[SPENT_MONTH_BYTES];
	AUTO_JSON cJSON *month = NULL;
	AUTO_FREE char *text = NULL;
	struct spent today, all;
	const cJSON *caps;
	char *made = NULL;
	size_t bytes;
	FILE *line = open_memstream(&made, &bytes);

	if (!line)
		return;
	(void)fprintf(line, "%d running, %d waiting, %d held, %d failed", counts->running,
		counts->waiting, counts->held, counts->failed);
	spent_this_month(name);
	month = spent_read(mount, name);
	caps = json_get(month, "caps");
	today = spent_of(month, cli_text(month, "today"));
	all = spent_of(month, NULL);
	if (month) {
		print_spent(line, "today", &today, caps, "jobs_per_day", "credits_per_day");
		print_spent(line, "this month", &all, caps, "", "credits_per_month");
	}
	text = stream_text(line, &made);
	if (text)
		screen_put_wrapped(out, screen, 0, text);
	warn_of_cap(out, screen, caps, "jobs_per_day", today.orders);
	warn_of_cap(out, screen, caps, "credits_per_day", today.taken);
	warn_of_cap(out, screen, caps, "credits_per_month", all.taken);
}

/*
 * kinofs wait: until the named jobs have ended. Woken by poll(2) on
 * .kinofs/events.jsonl, so it costs nothing while nothing happens. The paths of
 * results are printed as they arrive, and why a job did not end well as it does. On a terminal
 * there is a line for each job below them, drawn again each second; elsewhere nothing but what must
 * be said.
 */
#include "fs/cli/cli.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/cli/meant.h"
#include "fs/cli/outcome.h"
#include "fs/cli/screen.h"
#include "fs/cli/status_table.h"
#include "spec/place.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <string.h>

#define APPEAR_MS  5000 /* how long a file just dropped may take to have a record */
#define TICK_MS    1000 /* of the progress */
#define LINES_MOST 20   /* of it, on a higher terminal too */

struct waiting {
	struct model_set models;
	char *mount;
	int events;
	int64_t start_ms, until_ms; /* steady; INT64_MAX: for ever */
	struct screen screen;       /* standard error */
	int drawn;                  /* lines of progress that stand there */
	cJSON *told;                /* jobs whose missing files were named, as keys */
	cJSON *ended;               /* what was told of takes that have ended, as keys */
	struct earlier earlier;
	char **inside; /* the paths, relative to the mount */
	bool *has_job; /* whether one was ever seen there */
	int count;
};

/* ------------------------------------------------------------------ the jobs meant */

static cJSON *read_record(const struct waiting *waiting, const struct place *place)
{
	AUTO_FREE char *path =
		place_path(place->model, AREA_JOBS, place->dir, place->stem, ".json");

	return path ? cli_read_json(waiting->mount, path) : NULL;
}

/* The records of one path: of a job's file its job, of a folder every job below, of a batch its
 * lines. */
static void add_jobs(const struct waiting *waiting, const char *inside, cJSON *jobs)
{
	AUTO_JSON cJSON *document = NULL;
	struct meant meant;
	cJSON *job, *next;

	if (meant_of(&waiting->models, waiting->mount, inside, &meant) < 0) {
		meant_clear(&meant);
		return;
	}
	if (meant.kind == MEANT_JOB) {
		job = read_record(waiting, &meant.place);
		if (job)
			cJSON_AddItemToArray(jobs, job);
	} else {
		document = cli_read_json(waiting->mount, ".kinofs/jobs.json");
		job = cJSON_GetArrayItem(json_get(document, "jobs"), 0);
		for (; job; job = next) {
			next = job->next;
			if (meant_has(&meant, job))
				cJSON_AddItemToArray(
					jobs, cJSON_DetachItemViaPointer(
						      json_get(document, "jobs"), job));
		}
	}
	meant_clear(&meant);
}

static cJSON *read_jobs(struct waiting *waiting)
{
	cJSON *jobs = cJSON_CreateArray();

	for (int i = 0; i < waiting->count; i++) {
		int before = cJSON_GetArraySize(jobs);

		add_jobs(waiting, waiting->inside[i], jobs);
		waiting->has_job[i] = waiting->has_job[i] || cJSON_GetArraySize(jobs) > before;
	}
	if (jobs)
		earlier_add(&waiting->earlier, waiting->mount, jobs);
	return jobs;
}

/* ------------------------------------------------------------------ telling */

/* Before anything else is printed. */
static void erase_progress(struct waiting *waiting)
{
	if (waiting->drawn)
		(void)fprintf(stderr, "\033[%dA\r\033[J", waiting->drawn);
	waiting->drawn = 0;
}

/* The jobs that are in work, then the others, as many as fit. How many were left out. */
static int draw_jobs(struct waiting *waiting, const cJSON *jobs)
{
	const int height = waiting->screen.height - 2;
	const int room = height > 0 && height < LINES_MOST ? height : LINES_MOST;
	const cJSON *job;
	int left = 0;

	for (int in_work = 1; in_work >= 0; in_work--)
		cJSON_ArrayForEach (job, jobs) {
			if (outcome_of(job) != OUTCOME_PENDING ||
				in_work != (json_get(job, "accepted") != NULL))
				continue;
			if (waiting->drawn < room) {
				status_print_progress(stderr, &waiting->screen, job);
				waiting->drawn++;
			} else {
				left++;
			}
		}
	return left;
}

static void show_progress(struct waiting *waiting, const cJSON *jobs)
{
	int64_t seconds = (clock_steady_ms() - waiting->start_ms) / 1000;
	const cJSON *job;
	int ended = 0, all = 0, left;

	if (!waiting->screen.is_terminal)
		return;
	erase_progress(waiting);
	screen_look(STDERR_FILENO, &waiting->screen); /* it may have another width now */
	cJSON_ArrayForEach (job, jobs) {
		all++;
		ended += outcome_of(job) != OUTCOME_PENDING;
	}
	left = draw_jobs(waiting, jobs);
	(void)fprintf(stderr, "%d:%02d  %d of %d ended", (int)(seconds / 60), (int)(seconds % 60),
		ended, all);
	(void)fprintf(stderr, left ? "; %d more\n" : "\n", left);
	waiting->drawn++;
}

/* Once for each job: what a user has to bring, which nothing else would tell a script. */
static void tell_missing(struct waiting *waiting, const cJSON *jobs)
{
	const cJSON *job, *line;

	cJSON_ArrayForEach (job, jobs) {
		AUTO_FREE char *name = cli_job_shown(job);

		if (!name || strcmp(cli_text(job, "state"), "waiting") != 0 ||
			json_is_true(job, "settling") || cJSON_HasObjectItem(waiting->told, name))
			continue;
		cJSON_AddTrueToObject(waiting->told, name);
		cJSON_ArrayForEach (line, json_get(job, "waiting_for")) {
			erase_progress(waiting);
			(void)fprintf(stderr, "%s waits for ", name);
			cli_print(stderr, "", line, "\n");
		}
	}
}

static void print_reasons(const cJSON *job)
{
	static const char *const keys[] = {"error", "held_because"};
	AUTO_FREE char *name = cli_job_shown(job);

	(void)fprintf(stderr, "%s: %s\n", name ? name : "", cli_text(job, "state"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const cJSON *line;

		cJSON_ArrayForEach (line, json_get(job, keys[i]))
			cli_print(stderr, "  ", line, "\n");
	}
	if (*cli_text(job, "advice"))
		cli_print(stderr, "  ", json_get(job, "advice"), "\n");
}

/* As it is for a program, as it can be shown for a person. */
static void print_outputs(const struct waiting *waiting, const cJSON *job)
{
	const cJSON *quoted = json_array(job, "outputs_quoted");
	const cJSON *list = quoted ? quoted : json_array(job, "outputs");
	const cJSON *output;

	cJSON_ArrayForEach (output, list) {
		const char *text = cJSON_GetStringValue(output);
		AUTO_FREE char *bytes = !text ? NULL : quoted ? unquote_name(text) : strdup(text);
		AUTO_FREE char *path = bytes ? path_join(waiting->mount, bytes) : NULL;
		AUTO_FREE char *shown = path && isatty(STDOUT_FILENO) ? quote_name(path) : NULL;

		if (path)
			puts(shown ? shown : path);
	}
}

/* Whether this was not told of a take yet; it is from now on. */
static bool is_news(struct waiting *waiting, const cJSON *job, const char *what)
{
	AUTO_FREE char *key = format("%.0f %s", json_number(job, "id"), what);

	return key && !json_get(waiting->ended, key) && cJSON_AddTrueToObject(waiting->ended, key);
}

/* Of what has ended since: why, if not all is well, and what came of it. */
static void print_ended(struct waiting *waiting, const cJSON *jobs)
{
	const cJSON *job;

	cJSON_ArrayForEach (job, jobs) {
		const enum outcome outcome = outcome_of(job);

		if (outcome == OUTCOME_BAD && is_news(waiting, job, cli_text(job, "state"))) {
			erase_progress(waiting);
			print_reasons(job);
		}
		if (outcome != OUTCOME_PENDING && cJSON_GetArraySize(json_get(job, "outputs")) &&
			is_news(waiting, job, "outputs")) {
			erase_progress(waiting);
			print_outputs(waiting, job);
		}
	}
	(void)fflush(stdout); /* whoever reads it goes on with each; flush_output() tells */
}

/* ------------------------------------------------------------------ waiting */

/* Until something happened, or the time is up, or (on a terminal) a second has gone. */
static void sleep_until_event(const struct waiting *waiting, int64_t deadline_ms)
{
	struct pollfd events = {.fd = waiting->events, .events = POLLIN};
	int64_t left = deadline_ms == INT64_MAX ? -1 : deadline_ms - clock_steady_ms();
	char skipped[65536];

	if (waiting->screen.is_terminal && (left < 0 || left > TICK_MS))
		left = TICK_MS;
	if (left > INT32_MAX)
		left = INT32_MAX;
	(void)poll(&events, 1, (int)(left < -1 ? 0 : left)); /* a signal only wakes it early */
	while (read(waiting->events, skipped, sizeof(skipped)) > 0)
		;
}

/* The first path that is neither of a job nor anything else: mistyped, or not dropped yet. */
static const char *nothing_at(const struct waiting *waiting)
{
	for (int i = 0; i < waiting->count; i++) {
		AUTO_FREE char *path = path_join(waiting->mount, waiting->inside[i]);

		if (!waiting->has_job[i] && path && access(path, F_OK) < 0)
			return waiting->inside[i];
	}
	return NULL;
}

/* Why there is no more to wait for; CLI_OK: there is. nothing: a path where nothing is, or NULL. */
static int why_end(
	const struct waiting *waiting, bool known, const char *nothing, int64_t appear_ms)
{
	int64_t now = clock_steady_ms();

	if (nothing && now >= appear_ms) {
		cli_complain("%s/%s: there is no job, nor a file", waiting->mount, nothing);
		return CLI_USAGE;
	}
	if (!known && now >= appear_ms) {
		(void)fputs("kinofs: there is no job here\n", stderr);
		return CLI_USAGE;
	}
	if (now >= waiting->until_ms) {
		(void)fputs("kinofs: timed out; the jobs go on\n", stderr);
		return CLI_TIMEOUT;
	}
	return CLI_OK;
}

static int wait_for_jobs(struct waiting *waiting)
{
	int64_t appear_ms = waiting->start_ms + APPEAR_MS;

	for (;;) {
		AUTO_JSON cJSON *jobs = read_jobs(waiting);
		bool known = cJSON_GetArraySize(jobs) > 0;
		const char *nothing = nothing_at(waiting);
		enum outcome outcome;
		int status;

		tell_missing(waiting, jobs);
		print_ended(waiting, jobs);
		outcome = outcome_of_all(jobs);
		if (known && !nothing && outcome != OUTCOME_PENDING) {
			erase_progress(waiting);
			return outcome == OUTCOME_BAD ? CLI_FAILED : CLI_OK;
		}
		show_progress(waiting, jobs);
		status = why_end(waiting, known, nothing, appear_ms);
		if (status != CLI_OK)
			return status;
		sleep_until_event(waiting, (known && !nothing) || waiting->until_ms < appear_ms
						   ? waiting->until_ms
						   : appear_ms);
	}
}

static bool set_paths(struct waiting *waiting, char **paths, int count)
{
	waiting->inside = calloc((size_t)count, sizeof(char *));
	waiting->has_job = calloc((size_t)count, sizeof(bool));
	for (int i = 0; waiting->inside && waiting->has_job && i < count; i++) {
		AUTO_FREE char *mount = NULL;

		if (!cli_find_mount(paths[i], &mount, &waiting->inside[i]))
			return false;
		waiting->count++;
		if (waiting->mount && strcmp(waiting->mount, mount) != 0) {
			(void)fputs("kinofs: all paths must be in one mount\n", stderr);
			return false;
		}
		if (!waiting->mount)
			waiting->mount = TAKE(mount);
		if (!cli_find_job(&waiting->models, waiting->mount, &waiting->inside[i]))
			return false;
	}
	return waiting->inside && waiting->has_job;
}

static bool open_events(struct waiting *waiting)
{
	AUTO_FREE char *path = path_join(waiting->mount, ".kinofs/events.jsonl");

	if (!path)
		return false;
	waiting->events = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (waiting->events >= 0 && lseek(waiting->events, 0, SEEK_END) >= 0)
		return true;
	cli_complain("%s: %s", path, strerror(errno));
	return false;
}

static bool read_timeout(const char *text, struct waiting *waiting)
{
	char *rest;
	double seconds = strtod(text, &rest);

	if (*rest || rest == text || !(seconds >= 0 && seconds < 1e9)) {
		(void)fprintf(stderr, "kinofs: --timeout %s: must be a number of seconds\n", text);
		return false;
	}
	waiting->until_ms = waiting->start_ms + (int64_t)(seconds * 1000);
	return true;
}

int cli_wait(int argc, char **argv)
{
	static const struct option options[] = {
		{"timeout", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
	struct waiting waiting = {.events = -1, .until_ms = INT64_MAX};
	int status = CLI_USAGE;
	bool usable = true;
	int letter;

	waiting.start_ms = clock_steady_ms();
	screen_look(STDERR_FILENO, &waiting.screen);
	waiting.told = cJSON_CreateObject();
	waiting.ended = cJSON_CreateObject();
	while ((letter = getopt_long(argc, argv, "t:", options, NULL)) == 't')
		usable = usable && read_timeout(optarg, &waiting);
	if (letter != -1 || optind == argc) {
		cli_usage(argv[0]);
		usable = false;
	}
	if (usable && earlier_begin(&waiting.earlier) == 0 &&
		cli_models_load(&waiting.models) == 0 &&
		set_paths(&waiting, argv + optind, argc - optind) && open_events(&waiting))
		status = wait_for_jobs(&waiting);
	models_free(&waiting.models);
	for (int i = 0; i < waiting.count; i++)
		free(waiting.inside[i]);
	free(waiting.inside);
	free(waiting.has_job);
	free(waiting.mount);
	cJSON_Delete(waiting.told);
	cJSON_Delete(waiting.ended);
	earlier_clear(&waiting.earlier);
	cleanup_fd(&waiting.events);
	return status;
}

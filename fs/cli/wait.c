/*
 * kinofs wait: until the named jobs have ended. Woken by poll(2) on
 * .kinofs/events.jsonl, so it costs nothing while nothing happens; on a
 * terminal it also keeps a progress line.
 */
#include "fs/cli/cli.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/json.h"
#include "fs/base/path.h"
#include "spec/place.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <string.h>

#define APPEAR_MS 5000 /* how long a file just dropped may take to have a record */
#define TICK_MS   1000 /* of the progress line */

struct waiting {
	struct model_set models;
	char *mount;
	int events;
	int64_t start_ms, until_ms; /* steady; INT64_MAX: for ever */
	bool terminal;
	cJSON *told;   /* jobs whose missing files were named, as keys */
	char **inside; /* the paths, relative to the mount */
	int count;
};

enum outcome { OUTCOME_PENDING, OUTCOME_DONE, OUTCOME_BAD };

static enum outcome outcome_of(const cJSON *job)
{
	static const char *const bad[] = {"failed", "rejected", "unknown", "cancelled", "held"};
	const char *state = cli_text(job, "state");

	if (json_is_true(job, "settling"))
		return OUTCOME_PENDING;
	if (!strcmp(state, "done"))
		return OUTCOME_DONE;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!strcmp(state, bad[i]))
			return OUTCOME_BAD;
	return OUTCOME_PENDING;
}

/* ------------------------------------------------------------------ the jobs meant */

static cJSON *read_record(const struct waiting *waiting, const struct place *place)
{
	AUTO_FREE char *path = place_path(place->model, AREA_JOBS, place->dir, place->stem, "json");

	return path ? cli_read_json(waiting->mount, path) : NULL;
}

static bool is_below(const cJSON *job, const char *folder)
{
	AUTO_FREE char *path = path_join(cli_text(job, "model"), cli_text(job, "job"));

	return path && path_below(path, folder);
}

/* The records of one path: of a job's file its job, of a folder every job below. */
static void add_jobs(const struct waiting *waiting, const char *inside, cJSON *jobs)
{
	AUTO_JSON cJSON *document = NULL;
	struct place place = {0};
	cJSON *job, *next;

	if (place_of(&waiting->models, inside, &place) < 0)
		return;
	if (place.stem && (place.role != ROLE_NONE || place.area == AREA_JOBS)) {
		job = read_record(waiting, &place);
		if (job)
			cJSON_AddItemToArray(jobs, job);
	} else {
		document = cli_read_json(waiting->mount, ".kinofs/jobs.json");
		job = cJSON_GetArrayItem(json_get(document, "jobs"), 0);
		for (; job; job = next) {
			next = job->next;
			if (is_below(job, inside))
				cJSON_AddItemToArray(
					jobs, cJSON_DetachItemViaPointer(
						      json_get(document, "jobs"), job));
		}
	}
	place_clear(&place);
}

static cJSON *read_jobs(const struct waiting *waiting)
{
	cJSON *jobs = cJSON_CreateArray();

	for (int i = 0; i < waiting->count; i++)
		add_jobs(waiting, waiting->inside[i], jobs);
	return jobs;
}

/* ------------------------------------------------------------------ telling */

static void show_progress(const struct waiting *waiting, const cJSON *jobs)
{
	int64_t seconds = (clock_steady_ms() - waiting->start_ms) / 1000;
	const cJSON *job, *shown = NULL;
	int ended = 0, all = 0;

	if (!waiting->terminal)
		return;
	cJSON_ArrayForEach (job, jobs) {
		all++;
		if (outcome_of(job) != OUTCOME_PENDING)
			ended++;
		else
			shown = job;
	}
	if (shown)
		(void)fprintf(stderr, "\r\033[K%d:%02d  %d of %d ended; %s: %s %s",
			(int)(seconds / 60), (int)(seconds % 60), ended, all,
			cli_text(shown, "job"), cli_text(shown, "state"),
			cli_text(shown, "provider_state"));
	else
		(void)fputs("\r\033[K", stderr);
}

/* Once for each job: what a user has to bring, which nothing else would tell a script. */
static void tell_missing(struct waiting *waiting, const cJSON *jobs)
{
	const cJSON *job, *line;

	cJSON_ArrayForEach (job, jobs) {
		const char *name = cli_text(job, "job");

		if (strcmp(cli_text(job, "state"), "waiting") != 0 ||
			json_is_true(job, "settling") || cJSON_HasObjectItem(waiting->told, name))
			continue;
		cJSON_AddTrueToObject(waiting->told, name);
		cJSON_ArrayForEach (line, json_get(job, "waiting_for")) {
			(void)fprintf(stderr, "%s%s waits for %s\n",
				waiting->terminal ? "\r\033[K" : "", name,
				cJSON_GetStringValue(line));
		}
	}
}

static void print_reasons(const cJSON *job)
{
	static const char *const keys[] = {"error", "held_because"};

	(void)fprintf(stderr, "%s: %s\n", cli_text(job, "job"), cli_text(job, "state"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const cJSON *line;

		cJSON_ArrayForEach (line, json_get(job, keys[i]))
			(void)fprintf(stderr, "  %s\n", cJSON_GetStringValue(line));
	}
	if (*cli_text(job, "advice"))
		(void)fprintf(stderr, "  %s\n", cli_text(job, "advice"));
}

static int print_results(const struct waiting *waiting, const cJSON *jobs)
{
	const cJSON *job, *output;
	int status = CLI_OK;

	cJSON_ArrayForEach (job, jobs) {
		if (outcome_of(job) == OUTCOME_BAD) {
			print_reasons(job);
			status = CLI_FAILED;
		}
		cJSON_ArrayForEach (output, json_get(job, "outputs"))
			printf("%s/%s\n", waiting->mount, cJSON_GetStringValue(output));
	}
	return status;
}

/* ------------------------------------------------------------------ waiting */

/* Until something happened, or the time is up, or (on a terminal) a second has gone. */
static void sleep_until_event(const struct waiting *waiting, int64_t deadline_ms)
{
	struct pollfd events = {.fd = waiting->events, .events = POLLIN};
	int64_t left = deadline_ms == INT64_MAX ? -1 : deadline_ms - clock_steady_ms();
	char skipped[65536];

	if (waiting->terminal && (left < 0 || left > TICK_MS))
		left = TICK_MS;
	if (left > INT32_MAX)
		left = INT32_MAX;
	(void)poll(&events, 1, (int)(left < -1 ? 0 : left)); /* a signal only wakes it early */
	while (read(waiting->events, skipped, sizeof(skipped)) > 0)
		;
}

static bool is_over(const cJSON *jobs)
{
	const cJSON *job;

	cJSON_ArrayForEach (job, jobs)
		if (outcome_of(job) == OUTCOME_PENDING)
			return false;
	return true;
}

static int wait_for_jobs(struct waiting *waiting)
{
	int64_t appear_ms = waiting->start_ms + APPEAR_MS;

	for (;;) {
		AUTO_JSON cJSON *jobs = read_jobs(waiting);
		int64_t now = clock_steady_ms();
		int known = cJSON_GetArraySize(jobs);

		tell_missing(waiting, jobs);
		show_progress(waiting, jobs);
		if (known && is_over(jobs))
			return print_results(waiting, jobs);
		if (!known && now >= appear_ms) {
			(void)fputs("kinofs: there is no job here\n", stderr);
			return CLI_USAGE;
		}
		if (now >= waiting->until_ms) {
			(void)fputs("kinofs: timed out; the jobs go on\n", stderr);
			return CLI_TIMEOUT;
		}
		sleep_until_event(waiting,
			known || waiting->until_ms < appear_ms ? waiting->until_ms : appear_ms);
	}
}

static bool set_paths(struct waiting *waiting, char **paths, int count)
{
	waiting->inside = calloc((size_t)count, sizeof(char *));
	for (int i = 0; waiting->inside && i < count; i++) {
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
	}
	return waiting->inside;
}

static bool open_events(struct waiting *waiting)
{
	AUTO_FREE char *path = path_join(waiting->mount, ".kinofs/events.jsonl");

	if (!path)
		return false;
	waiting->events = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (waiting->events >= 0 && lseek(waiting->events, 0, SEEK_END) >= 0)
		return true;
	(void)fprintf(stderr, "kinofs: %s: %s\n", path, strerror(errno));
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
	waiting.terminal = isatty(STDERR_FILENO);
	waiting.told = cJSON_CreateObject();
	while ((letter = getopt_long(argc, argv, "t:", options, NULL)) == 't')
		usable = usable && read_timeout(optarg, &waiting);
	if (letter != -1 || optind == argc) {
		(void)fputs("usage: kinofs wait [--timeout SECONDS] PATH…\n", stderr);
		usable = false;
	}
	if (usable && cli_models_load(&waiting.models) == 0 &&
		set_paths(&waiting, argv + optind, argc - optind) && open_events(&waiting))
		status = wait_for_jobs(&waiting);
	models_free(&waiting.models);
	for (int i = 0; i < waiting.count; i++)
		free(waiting.inside[i]);
	free(waiting.inside);
	free(waiting.mount);
	cJSON_Delete(waiting.told);
	cleanup_fd(&waiting.events);
	return status;
}

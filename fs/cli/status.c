/*
 * kinofs status: the jobs of a mount, or of all mounts of this user, as a table
 * with the reasons why one does not go on, and what was spent. On a terminal it
 * is as wide as that, in colours, and --watch draws it again each second: the
 * mount's files are opened anew each time, so that it can be unmounted meanwhile.
 */
#include "fs/cli/cli.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/cli/mounts.h"
#include "fs/cli/screen.h"
#include "fs/cli/status_table.h"
#include "spec/nearest.h"
#include "spec/place.h"

#include <getopt.h>
#include <string.h>

struct query {
	struct mounts mounts;
	bool json, paths, watch, all;
	char *states; /* separated by commas; NULL: any */
	char *model;  /* or a folder of models; NULL: any */
};

/* ------------------------------------------------------------------ which jobs */

static bool is_listed(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (!strncmp(list, word, length) && (!list[length] || list[length] == ','))
			return true;
	}
	return false;
}

static bool is_wanted(const struct query *query, const cJSON *job)
{
	if (query->model && !path_within(cli_text(job, "model"), query->model))
		return false;
	if (query->states)
		return is_listed(query->states, cli_text(job, "state"));
	return query->all || query->json || status_is_live(job);
}

static void sift(const struct query *query, cJSON *jobs)
{
	cJSON *next;

	for (cJSON *job = jobs ? jobs->child : NULL; job; job = next) {
		next = job->next;
		if (!is_wanted(query, job))
			cJSON_Delete(cJSON_DetachItemViaPointer(jobs, job));
	}
}

/* ------------------------------------------------------------------ printing */

static cJSON *read_jobs(const char *mount)
{
	cJSON *document = cli_read_json(mount, ".kinofs/jobs.json");

	if (!document)
		cli_complain("%s does not answer", mount);
	return document;
}

/* Of all mounts in one list; each job says where it is. */
static int print_json(const struct query *query)
{
	AUTO_JSON cJSON *all = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(all, "jobs");
	AUTO_FREE char *text = NULL;
	int status = CLI_OK;

	for (size_t i = 0; i < query->mounts.count; i++) {
		AUTO_JSON cJSON *document = read_jobs(query->mounts.item[i]);
		cJSON *jobs = json_get(document, "jobs"), *job;

		if (!document) /* unmounted meanwhile, perhaps; of the others it is told */
			status = CLI_FAILED;
		sift(query, jobs);
		while ((job = cJSON_DetachItemFromArray(jobs, 0))) {
			cJSON_AddStringToObject(job, "mount", query->mounts.item[i]);
			quote_json(job);
			cJSON_AddItemToArray(list, job);
		}
	}
	text = quote_json_print(all, true);
	puts(text ? text : "");
	return text ? status : CLI_FAILED;
}

/* What a job was dropped as: its prompt, its spec or a picture; else its record. The caller frees.
 * NULL: no memory. */
static char *path_of(const char *mount, const cJSON *job)
{
	static const char *const suffixes[] = {"txt", "json", "png", "jpg", "jpeg", "webp"};
	AUTO_FREE char *name = cli_job_bytes(job);
	AUTO_FREE char *folder = name ? path_folder(name) : NULL;
	AUTO_FREE char *record = name ? place_fit(path_last(name), ".json", PLACE_NAME_MAX) : NULL;
	const char *model = cli_text(job, "model");

	if (!folder || !record)
		return NULL;
	for (size_t i = 0; i < COUNT(suffixes); i++) {
		char *path = format("%s/%s/%s.%s", mount, model, name, suffixes[i]);

		if (!path || access(path, F_OK) == 0)
			return path;
		free(path);
	}
	return format("%s/%s/jobs/%s%s%s", mount, model, folder, *folder ? "/" : "", record);
}

/* For other commands, or a completion: bytes as they are, but for a terminal. */
static int print_paths(const struct query *query)
{
	int status = CLI_OK;

	for (size_t i = 0; i < query->mounts.count; i++) {
		AUTO_JSON cJSON *document = read_jobs(query->mounts.item[i]);
		const cJSON *job;

		if (!document)
			status = CLI_FAILED;
		sift(query, json_get(document, "jobs"));
		cJSON_ArrayForEach (job, json_get(document, "jobs")) {
			AUTO_FREE char *path = path_of(query->mounts.item[i], job);
			AUTO_FREE char *shown =
				path && isatty(STDOUT_FILENO) ? quote_name(path) : NULL;

			if (path)
				puts(shown ? shown : path);
			else
				status = CLI_FAILED;
		}
	}
	return status;
}

static int print_mount(
	const struct query *query, const char *mount, FILE *out, const struct screen *screen)
{
	AUTO_JSON cJSON *document = read_jobs(mount);
	cJSON *jobs = json_get(document, "jobs");
	struct status_counts counts;

	if (!document)
		return CLI_FAILED;
	counts = status_count(jobs);
	sift(query, jobs);
	if (query->mounts.count > 1) {
		AUTO_FREE char *shown = quote_name(mount);

		screen_put_coloured(out, screen, "1", shown ? shown : "");
		(void)fputc('\n', out);
	}
	if (cJSON_GetArraySize(jobs))
		status_print(out, screen, jobs);
	else
		(void)fputs(query->all || query->states || query->model
				    ? "no such jobs\n"
				    : "nothing is under way (what has ended: -a)\n",
			out);
	status_print_totals(out, screen, mount, &counts);
	return CLI_OK;
}

/* One that does not answer is named, and left out from then on. */
static int print_all(struct query *query, FILE *out, const struct screen *screen)
{
	int status = CLI_OK;

	for (size_t i = 0; i < query->mounts.count; i++) {
		if (i)
			(void)fputc('\n', out);
		if (print_mount(query, query->mounts.item[i], out, screen) != CLI_OK) {
			status = CLI_FAILED;
			mounts_drop(&query->mounts, i--);
		}
	}
	return status;
}

/* Lines in place of those that are there; what does not fit is left out at the end. */
static void draw(const char *text, const struct screen *screen)
{
	int left = screen->height ? screen->height : INT32_MAX;

	(void)fputs("\033[H", stdout);
	for (; *text && left > 1; left--) {
		size_t length = strcspn(text, "\n");

		(void)printf("%.*s\033[K\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
	(void)fputs(*text ? "…\033[J" : "\033[J", stdout);
	(void)fflush(stdout); /* whoever looks at it sees whether it went well */
}

static int watch(struct query *query)
{
	struct screen screen;

	for (;;) {
		AUTO_FREE char *text = NULL;
		char *made = NULL;
		size_t bytes;
		FILE *out = open_memstream(&made, &bytes);

		screen_look(STDOUT_FILENO, &screen);
		if (!out)
			return CLI_FAILED;
		(void)print_all(query, out, &screen); /* what is left of it is drawn */
		text = stream_text(out, &made);
		if (!query->mounts.count || !text)
			return CLI_FAILED;
		draw(text, &screen);
		(void)sleep(1);
	}
}

/* ------------------------------------------------------------------ arguments */

static bool check_states(const char *list)
{
	const char *names[STATUS_STATES_MAX];
	size_t count = status_names(names);

	while (list) {
		AUTO_FREE char *word = strndup(list, strcspn(list, ","));
		const char *near = NULL;
		bool known = false;

		for (size_t i = 0; word && i < count; i++)
			known = known || !strcmp(names[i], word);
		if (!known) {
			near = word ? nearest_name(word, names, count) : NULL;
			(void)fprintf(stderr, "kinofs: --state: there is no state %s%s%s%s\n",
				word ? word : "", near ? "; did you mean " : "", near ? near : "",
				near ? "?" : "");
			return false;
		}
		list = strchr(list, ',');
		list += list ? 1 : 0;
	}
	return true;
}

static bool check_model(char *model)
{
	struct model_set models = {0};
	size_t length = strlen(model);
	bool known = false;

	if (length && model[length - 1] == '/') /* as completion leaves it */
		model[length - 1] = '\0';
	if (cli_models_load(&models) == 0)
		for (size_t i = 0; i < models.count && !known; i++)
			known = path_within(models.item[i]->id, model);
	if (!known)
		(void)fprintf(stderr, "kinofs: no model %s; see: kinofs models\n", model);
	models_free(&models);
	return known;
}

/* optind is then that of the mount point, if there is one. */
static bool read_options(int argc, char **argv, struct query *query)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
		{"paths", no_argument, NULL, 'p'}, {"watch", no_argument, NULL, 'w'},
		{"state", required_argument, NULL, 's'}, {"model", required_argument, NULL, 'm'},
		{NULL, 0, NULL, 0}};
	int letter;

	while ((letter = getopt_long(argc, argv, "a", options, NULL)) != -1) {
		switch (letter) {
		case 'a': query->all = true; break;
		case 'j': query->json = true; break;
		case 'p': query->paths = true; break;
		case 'w': query->watch = true; break;
		case 's': query->states = optarg; break;
		case 'm': query->model = optarg; break;
		default: cli_usage(argv[0]); return false;
		}
	}
	if (argc - optind > 1 || query->json + query->paths + query->watch > 1) {
		cli_usage(argv[0]);
		return false;
	}
	if (query->watch && !isatty(STDOUT_FILENO)) {
		(void)fputs("kinofs: --watch draws on a terminal; a program can wait with poll(2) "
			    "for .kinofs/events.jsonl\n",
			stderr);
		return false;
	}
	return check_states(query->states) && (!query->model || check_model(query->model));
}

int cli_status(int argc, char **argv)
{
	struct query query = {0};
	struct screen screen;
	int status = CLI_USAGE;

	if (read_options(argc, argv, &query) &&
		mounts_find(optind < argc ? argv[optind] : NULL, &query.mounts)) {
		screen_look(STDOUT_FILENO, &screen);
		status = query.json    ? print_json(&query)
		         : query.paths ? print_paths(&query)
		         : query.watch ? watch(&query)
		                       : print_all(&query, stdout, &screen);
	}
	mounts_free(&query.mounts);
	return status;
}

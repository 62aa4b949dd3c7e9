#include "fs/journal/record.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/journal/rowjson.h"
#include "spec/place.h"
#include "spec/price.h"
#include "spec/spec.h"

#include <math.h>
#include <string.h>
#include <time.h>

static void add_text(cJSON *object, const char *key, const char *text)
{
	if (text)
		cJSON_AddStringToObject(object, key, text);
}

static void add_time(cJSON *object, const char *key, int64_t ms)
{
	char text[40];
	time_t seconds = (time_t)(ms / 1000);
	struct tm parts;

	if (!ms || !gmtime_r(&seconds, &parts))
		return;
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts); /* always fits */
	cJSON_AddStringToObject(object, key, text);
}

static void add_number(cJSON *object, const char *key, double number)
{
	if (isnan(number))
		cJSON_AddNullToObject(object, key);
	else
		cJSON_AddNumberToObject(object, key, number);
}

static void add_money(cJSON *object, const struct job_row *row)
{
	cJSON *estimate = cJSON_AddObjectToObject(object, "estimate");

	add_number(estimate, "credits", row->estimate);
	add_number(estimate, "usd", row->estimate * USD_PER_CREDIT);
	add_number(object, "spent_credits", row->spent);
}

static void add_outputs(cJSON *object, const struct job_row *row)
{
	cJSON *outputs = cJSON_AddArrayToObject(object, "outputs");

	for (size_t i = 0; i < row->noutputs; i++)
		if (row->output[i].state == OUTPUT_PUBLISHED && row->output[i].file)
			cJSON_AddItemToArray(outputs, cJSON_CreateString(row->output[i].file));
}

static const char *const output_states[] = {[OUTPUT_LINKED] = "waiting",
	[OUTPUT_NAMED] = "waiting",
	[OUTPUT_PUBLISHED] = "published",
	[OUTPUT_LOST] = "lost"};

/* What became of each, where the list of files does not say it all. */
static void add_results(cJSON *object, const struct job_row *row)
{
	bool is_plain = true;
	cJSON *results;

	for (size_t i = 0; i < row->noutputs; i++)
		is_plain = is_plain && row->output[i].state == OUTPUT_PUBLISHED &&
		           !row->output[i].other;
	results = is_plain ? NULL : cJSON_AddArrayToObject(object, "results");
	for (size_t i = 0; results && i < row->noutputs; i++) {
		const struct output *output = &row->output[i];
		cJSON *result = cJSON_CreateObject();

		add_text(result, "state", output_states[output->state]);
		add_text(result, "file", output->state == OUTPUT_PUBLISHED ? output->file : NULL);
		add_text(result, "type", output->other);
		add_text(result, "problem", output->problem);
		cJSON_AddItemToArray(results, result);
	}
}

/* What became of each that says what it is, or could have. */
static void add_provenance(cJSON *object, const struct job_row *row)
{
	cJSON *files = NULL;

	for (size_t i = 0; i < row->noutputs; i++) {
		const struct output *output = &row->output[i];
		cJSON *file;

		if (output->state != OUTPUT_PUBLISHED || !(output->is || output->unmarked))
			continue;
		files = files ? files : cJSON_AddArrayToObject(object, "provenance");
		file = cJSON_CreateObject();
		add_text(file, "file", output->file);
		if (file)
			cJSON_AddBoolToObject(file, "marked", !output->unmarked);
		add_text(file, "reason", output->unmarked);
		add_text(file, "sha256_as_it_came", output->came);
		add_text(file, "sha256", output->is);
		cJSON_AddItemToArray(files, file);
	}
}

static void add_lines(cJSON *object, const char *key, const char *lines)
{
	cJSON *array = cJSON_AddArrayToObject(object, key);

	while (lines && *lines) {
		size_t length = strcspn(lines, "\n");
		AUTO_FREE char *line = strndup(lines, length);

		if (line && *line)
			cJSON_AddItemToArray(array, cJSON_CreateString(line));
		lines += length + (lines[length] == '\n');
	}
}

/* The first folder of the job below out/ that results were not put into (fs/engine/outname.h):
 * "summer" for out/summer~cat.mp4. The caller frees. NULL: they are where they belong. */
static char *passed_by(const struct job_row *row, const char *file)
{
	AUTO_FREE char *out = format("%s/out", row->model_id);
	const char *inside = out ? path_below(file, out) : NULL;
	AUTO_FREE char *folder = inside ? path_folder(inside) : NULL;
	const char *rest = folder ? path_below(row->dir, folder) : NULL;
	size_t length = rest ? strcspn(rest, "/") : 0;
	const char *name = path_last(file);

	if (!length || strncmp(name, rest, length) != 0 || name[length] != '~')
		return NULL;
	return format("%s%s%.*s", folder, *folder ? "/" : "", (int)length, rest);
}

static char *say_passed_by(const struct job_row *row)
{
	AUTO_FREE char *folder = NULL;

	for (size_t i = 0; i < row->noutputs && !folder; i++)
		if (row->output[i].state == OUTPUT_PUBLISHED && row->output[i].file)
			folder = passed_by(row, row->output[i].file);
	return folder ? format("out/%s is a link, or no folder, and links in out/ are not "
			       "followed: what came is beside it.",
				folder)
	              : NULL;
}

/* What stands in the way, under the name that says how bad it is. */
static void add_problem(cJSON *object, const struct job_row *row)
{
	static const char *const key[] = {[NOTE_WAITING] = "waiting_for",
		[NOTE_HELD] = "held_because",
		[NOTE_ERROR] = "error"};
	enum job_note note = record_note(row);
	AUTO_FREE char *money = NULL, *passed = NULL;

	if (note == NOTE_NONE || note == NOTE_RUNNING || row->state == JOB_DOWNLOADING) {
		passed = row->problem ? NULL : say_passed_by(row);
		add_text(object, "warning", passed ? passed : row->problem);
		add_text(object, "advice", row->advice);
		return;
	}
	add_lines(object, key[note], row->problem);
	money = record_money(row);
	add_text(object, "money", money);
	add_text(object, "advice", row->advice);
}

static void add_identity(cJSON *object, const struct job_row *row)
{
	AUTO_FREE char *name = job_name(row);

	cJSON_AddNumberToObject(object, "id", (double)row->id);
	add_text(object, "job", name);
	add_text(object, "model", row->model_id);
	cJSON_AddNumberToObject(object, "take", row->take);
	add_text(object, "state", job_state_name(row->state));
	cJSON_AddBoolToObject(object, "settling", row->settling);
}

cJSON *record_summary(const struct job_row *row, const struct model *model)
{
	cJSON *object = cJSON_CreateObject();

	add_identity(object, row);
	add_text(object, "provider", model ? model->provider : NULL);
	add_text(object, "task", row->task);
	add_text(object, "provider_state", row->provider_state);
	if (row->progress >= 0)
		cJSON_AddNumberToObject(object, "progress", row->progress);
	if (row->more)
		cJSON_AddNumberToObject(object, "takes_to_come", row->more);
	add_time(object, "created", row->created_ms);
	add_time(object, "submitted", row->submitted_ms);
	add_time(object, "accepted", row->accepted_ms);
	add_time(object, "finished", row->finished_ms);
	add_time(object, "changed", row->changed_ms);
	if (row->state == JOB_DOWNLOADING)
		add_time(object, "links_live_until", row->links_until_ms);
	add_money(object, row);
	add_text(object, "rights", row->rights);
	add_outputs(object, row);
	add_results(object, row);
	add_problem(object, row);
	quote_json(object);
	return object;
}

void record_expect(cJSON *summary, int64_t at_ms)
{
	add_time(summary, "expected_finish", at_ms);
}

/* Stands for the bytes of a picture that is sent with the request. */
static char *describe(const struct picture *picture)
{
	if (picture->frame)
		return format("data:%s;base64,(the %s frame of %s)", picture->type,
			film_frame_name(picture->frame), picture->path);
	return format("data:%s;base64,(%lld bytes of %s, SHA-256 %s)", picture->type,
		(long long)picture->bytes, picture->path, picture->sha256);
}

/* What was sent for a local picture; until then the user's words stand there. */
static void fill_pictures(const struct job_row *row, const struct model *model, cJSON *body)
{
	for (size_t i = 0; i < row->npictures; i++) {
		const struct picture *picture = &row->picture[i];
		AUTO_FREE char *described = NULL;

		if (!picture->url && row->submitted_ms && picture->sha256 && picture->type)
			described = describe(picture);
		if (picture->url || described) /* without memory the user's words stay */
			(void)spec_set_string(model, body, picture->field,
				picture->url ? picture->url : described);
	}
}

cJSON *record_full(const struct job_row *row, const struct model *model, const char *request)
{
	cJSON *object = record_summary(row, model);
	cJSON *body = request ? cJSON_Parse(request) : NULL;
	cJSON *pictures;

	add_provenance(object, row);
	if (!body) {
		quote_json(object);
		return object;
	}
	if (model) {
		cJSON *effective;

		fill_pictures(row, model, body);
		effective = spec_effective(model, body);
		if (effective)
			cJSON_AddItemToObject(object, "input_with_defaults", effective);
	}
	cJSON_AddItemToObject(object, "request", body);
	pictures = pictures_json(row->picture, row->npictures);
	if (pictures)
		cJSON_AddItemToObject(object, "pictures", pictures);
	quote_json(object);
	return object;
}

/* ------------------------------------------------------------------ notes */

#define TRIES_UNTOLD 4 /* what comes right by itself within half a minute needs no note */

/* Whether a result will not come soon. */
static bool is_in_trouble(const struct job_row *row)
{
	for (size_t i = 0; i < row->noutputs; i++)
		if (row->output[i].state != OUTPUT_PUBLISHED &&
			row->output[i].state != OUTPUT_LOST && row->output[i].problem &&
			(row->output[i].tries > TRIES_UNTOLD || row->output[i].now.need))
			return true;
	return false;
}

enum job_note record_note(const struct job_row *row)
{
	switch (row->state) {
	case JOB_WAITING: return row->problem ? NOTE_WAITING : NOTE_NONE;
	case JOB_HELD: return NOTE_HELD;
	case JOB_RUNNING: return job_is_stuck(row) ? NOTE_ERROR : NOTE_RUNNING;
	case JOB_DOWNLOADING: return is_in_trouble(row) ? NOTE_WAITING : NOTE_RUNNING;
	case JOB_DONE: return row->problem ? NOTE_ERROR : NOTE_NONE;
	case JOB_REJECTED:
	case JOB_FAILED:
	case JOB_UNKNOWN: return NOTE_ERROR;
	default: return NOTE_NONE;
	}
}

const char *record_note_suffix(enum job_note note)
{
	static const char *const suffix[] = {[NOTE_WAITING] = "waiting",
		[NOTE_HELD] = "held",
		[NOTE_ERROR] = "error",
		[NOTE_RUNNING] = "running"};

	return suffix[note];
}

/* To two decimals, for a person. */
static double rounded(double credits)
{
	return round(credits * 100) / 100;
}

char *record_money(const struct job_row *row)
{
	char estimate[64] = "how much is not known";

	if (!isnan(row->estimate))
		(void)snprintf(
			estimate, sizeof(estimate), "about %.10g credits", rounded(row->estimate));
	if (row->state == JOB_UNKNOWN)
		return format("Money MAY have been spent (%s): the request left, and no clear "
			      "answer came back.",
			estimate);
	if (!row->task)
		return strdup("No money was spent.");
	if (job_is_stuck(row))
		return format("It was accepted, so money was probably spent (%s).", estimate);
	if (!isnan(row->spent))
		return format("The provider says it charged %.10g credits.", rounded(row->spent));
	if (row->state == JOB_FAILED && !row->output)
		return strdup("The provider did not say what it charged; failed tasks are normally "
			      "free.");
	return isnan(row->estimate)
	               ? strdup("What it cost is not known.")
	               : format("About %.10g credits (estimate).", rounded(row->estimate));
}

static const char *headline(const struct job_row *row)
{
	switch (row->state) {
	case JOB_WAITING: return "is waiting for";
	case JOB_HELD: return "is held";
	case JOB_REJECTED: return "was not sent";
	case JOB_RUNNING: return "may be lost";
	case JOB_UNKNOWN: return "may or may not have been accepted";
	case JOB_DOWNLOADING: return "is made, but has not arrived yet";
	case JOB_DONE: return "is done, but not all is well";
	default: return "failed";
	}
}

/* "2026-11-26 14:03:12", here. */
static void print_time(char text[32], int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm parts = {0};

	(void)localtime_r(
		&seconds, &parts); /* else the year 1900, for no year that there will be */
	(void)strftime(text, 32, "%Y-%m-%d %H:%M:%S", &parts); /* always fits */
}

static char *say_price(const struct job_row *row)
{
	if (isnan(row->estimate))
		return strdup("What it costs is not known.");
	return format("It costs about %.10g credits ($%.3f).", rounded(row->estimate),
		row->estimate * USD_PER_CREDIT);
}

char *record_running_text(const struct job_row *row, const char *usual)
{
	AUTO_FREE char *plain = job_name(row), *name = plain ? quote_name(plain) : NULL;
	AUTO_FREE char *money = say_price(row), *time = NULL;
	AUTO_FREE char *problem = quote_lines(row->problem ? row->problem : "");
	char since[32];

	time = usual ? format("Such tasks usually take %s.", usual)
	             : strdup("How long such a task takes is not known yet.");
	if (!name || !money || !time || !problem)
		return NULL;
	print_time(since, row->accepted_ms);
	return format(
		"%s (take %d) is under way:\n\nIt was ordered %s, as task %s.\n%s\n%s\n%s%s%s%s\n"
		"What it makes comes here by itself, and this note goes. To see all jobs that "
		"are under way: kinofs status\n",
		name, row->take, since, row->task ? row->task : "?", time, money, problem,
		*problem ? "\n" : "", row->advice ? row->advice : "", row->advice ? "\n" : "");
}

char *record_note_text(const struct job_row *row)
{
	AUTO_FREE char *plain = job_name(row), *name = plain ? quote_name(plain) : NULL;
	AUTO_FREE char *money = record_money(row);
	AUTO_FREE char *problem = quote_lines(row->problem ? row->problem : "");
	size_t length = problem ? strlen(problem) : 0;
	bool ended = length && problem[length - 1] == '\n';

	if (record_note(row) == NOTE_RUNNING)
		return record_running_text(row, NULL);
	if (!name || !money || !problem)
		return NULL;
	return format("%s %s:\n\n%s%s\n%s\n%s%s", name, headline(row), problem, ended ? "" : "\n",
		money, row->advice ? row->advice : "", row->advice ? "\n" : "");
}

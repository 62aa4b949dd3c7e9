#include "fs/journal/record.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
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

/* What stands in the way, under the name that says how bad it is. */
static void add_problem(cJSON *object, const struct job_row *row)
{
	static const char *const key[] = {[NOTE_WAITING] = "waiting_for",
		[NOTE_HELD] = "held_because",
		[NOTE_ERROR] = "error"};
	enum job_note note = record_note(row);
	AUTO_FREE char *money = NULL;

	if (note == NOTE_NONE) {
		add_text(object, "warning", row->problem);
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
	add_outputs(object, row);
	add_problem(object, row);
	return object;
}

/* Stands for the bytes of a picture that is sent with the request. */
static char *describe(const struct picture *picture)
{
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

	if (!body)
		return object;
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
	return object;
}

/* ------------------------------------------------------------------ notes */

enum job_note record_note(const struct job_row *row)
{
	switch (row->state) {
	case JOB_WAITING: return row->problem ? NOTE_WAITING : NOTE_NONE;
	case JOB_HELD: return NOTE_HELD;
	case JOB_REJECTED:
	case JOB_FAILED:
	case JOB_UNKNOWN: return NOTE_ERROR;
	default: return NOTE_NONE;
	}
}

const char *record_note_suffix(enum job_note note)
{
	static const char *const suffix[] = {
		[NOTE_WAITING] = "waiting", [NOTE_HELD] = "held", [NOTE_ERROR] = "error"};

	return suffix[note];
}

char *record_money(const struct job_row *row)
{
	double estimate = isnan(row->estimate) ? 0 : row->estimate;

	if (row->state == JOB_UNKNOWN)
		return format(
			"Money MAY have been spent (about %.4g credits): the request left, and "
			"no clear answer came back.",
			estimate);
	if (!row->task)
		return strdup("No money was spent.");
	if (!isnan(row->spent))
		return format("The provider says it charged %.4g credits.", row->spent);
	if (row->state == JOB_FAILED)
		return strdup("The provider did not say what it charged; failed tasks are normally "
			      "free.");
	return format("About %.4g credits (estimate).", estimate);
}

static const char *headline(const struct job_row *row)
{
	switch (row->state) {
	case JOB_WAITING: return "is waiting for";
	case JOB_HELD: return "is held";
	case JOB_REJECTED: return "was not sent";
	case JOB_UNKNOWN: return "may or may not have been accepted";
	default: return "failed";
	}
}

char *record_note_text(const struct job_row *row)
{
	AUTO_FREE char *name = job_name(row);
	AUTO_FREE char *money = record_money(row);
	const char *problem = row->problem ? row->problem : "";
	size_t length = strlen(problem);
	bool ended = length && problem[length - 1] == '\n';

	if (!name || !money)
		return NULL;
	return format("%s %s:\n\n%s%s\n%s\n%s%s", name, headline(row), problem, ended ? "" : "\n",
		money, row->advice ? row->advice : "", row->advice ? "\n" : "");
}

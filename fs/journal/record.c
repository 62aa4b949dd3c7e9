#include "fs/journal/record.h"

#include "fs/base/cleanup.h"
#include "spec/place.h"
#include "spec/price.h"
#include "spec/spec.h"

#include <math.h>
#include <string.h>

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

static void add_money(cJSON *object, const struct job *job)
{
	cJSON *estimate = cJSON_AddObjectToObject(object, "estimate");

	add_number(estimate, "credits", job->estimate);
	add_number(estimate, "usd", job->estimate * USD_PER_CREDIT);
	add_number(object, "spent_credits", job->spent);
}

static void add_outputs(cJSON *object, const struct job *job)
{
	cJSON *outputs = cJSON_AddArrayToObject(object, "outputs");
	const cJSON *output;

	cJSON_ArrayForEach (output, job->outputs) {
		const cJSON *file = cJSON_GetObjectItemCaseSensitive(output, "file");

		if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(output, "published")) &&
			cJSON_IsString(file))
			cJSON_AddItemToArray(outputs, cJSON_CreateString(file->valuestring));
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

/* What stands in the way, under the name that says how bad it is. */
static void add_problem(cJSON *object, const struct job *job)
{
	static const char *const key[] = {[NOTE_WAITING] = "waiting_for",
		[NOTE_HELD] = "held_because",
		[NOTE_ERROR] = "error"};
	enum job_note note = record_note(job);
	AUTO_FREE char *money = NULL;

	if (note == NOTE_NONE) {
		add_text(object, "warning", job->problem);
		add_text(object, "advice", job->advice);
		return;
	}
	add_lines(object, key[note], job->problem);
	money = record_money(job);
	add_text(object, "money", money);
	add_text(object, "advice", job->advice);
}

static void add_identity(cJSON *object, const struct job *job)
{
	AUTO_FREE char *name = job_name(job);

	cJSON_AddNumberToObject(object, "id", (double)job->id);
	add_text(object, "job", name);
	add_text(object, "model", job->model_id);
	cJSON_AddNumberToObject(object, "take", job->take);
	add_text(object, "state", job_state_name(job->state));
	cJSON_AddBoolToObject(object, "settling", job->settling);
}

cJSON *record_summary(const struct job *job)
{
	cJSON *object = cJSON_CreateObject();

	add_identity(object, job);
	add_text(object, "provider", job->provider ? job->provider->name : NULL);
	add_text(object, "task", job->task);
	add_text(object, "provider_state", job->provider_state);
	if (job->progress >= 0)
		cJSON_AddNumberToObject(object, "progress", job->progress);
	add_time(object, "created", job->created_ms);
	add_time(object, "submitted", job->submitted_ms);
	add_time(object, "accepted", job->accepted_ms);
	add_time(object, "finished", job->finished_ms);
	add_time(object, "changed", job->changed_ms);
	if (job->state == JOB_DOWNLOADING)
		add_time(object, "links_live_until", job->links_until_ms);
	add_money(object, job);
	add_outputs(object, job);
	add_problem(object, job);
	return object;
}

cJSON *record_full(const struct job *job, const char *request)
{
	cJSON *object = record_summary(job);
	cJSON *body = request ? cJSON_Parse(request) : NULL;

	if (!body)
		return object;
	if (job->model) {
		cJSON *effective = spec_effective(job->model, body);

		if (effective)
			cJSON_AddItemToObject(object, "input_with_defaults", effective);
	}
	cJSON_AddItemToObject(object, "request", body);
	if (job->pictures)
		cJSON_AddItemToObject(object, "pictures", cJSON_Duplicate(job->pictures, 1));
	return object;
}

/* ------------------------------------------------------------------ notes */

enum job_note record_note(const struct job *job)
{
	switch (job->state) {
	case JOB_WAITING: return job->problem ? NOTE_WAITING : NOTE_NONE;
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

char *record_money(const struct job *job)
{
	char *money = NULL;
	int length;

	if (job->state == JOB_UNKNOWN)
		length = asprintf(&money,
			"Money MAY have been spent (about %.4g credits): the request left, and no "
			"answer came back.",
			isnan(job->estimate) ? 0 : job->estimate);
	else if (!job->task)
		length = asprintf(&money, "No money was spent.");
	else if (!isnan(job->spent))
		length = asprintf(&money, "The provider says it charged %.4g credits.", job->spent);
	else if (job->state == JOB_FAILED)
		length = asprintf(&money, "The provider did not say what it charged; failed tasks "
					  "are normally free.");
	else
		length = asprintf(&money, "About %.4g credits (estimate).",
			isnan(job->estimate) ? 0 : job->estimate);
	return length < 0 ? NULL : money;
}

static const char *headline(const struct job *job)
{
	switch (job->state) {
	case JOB_WAITING: return "is waiting for";
	case JOB_HELD: return "is held";
	case JOB_REJECTED: return "was not sent";
	case JOB_UNKNOWN: return "may or may not have been accepted";
	default: return "failed";
	}
}

char *record_note_text(const struct job *job)
{
	AUTO_FREE char *name = job_name(job);
	AUTO_FREE char *money = record_money(job);
	const char *problem = job->problem ? job->problem : "";
	size_t length = strlen(problem);
	bool ended = length && problem[length - 1] == '\n';
	char *text;

	if (!name || !money ||
		asprintf(&text, "%s %s:\n\n%s%s\n%s\n%s%s", name, headline(job), problem,
			ended ? "" : "\n", money, job->advice ? job->advice : "",
			job->advice ? "\n" : "") < 0)
		return NULL;
	return text;
}

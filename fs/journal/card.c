#include "fs/journal/card.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/journal/record.h"
#include "spec/place.h"
#include "spec/spec.h"

#include <math.h>
#include <string.h>

#define VALUE_BYTES 400 /* of a parameter: a data: URI is longer than anyone reads */

static void add_text(cJSON *card, const char *key, const char *text)
{
	if (text && *text)
		cJSON_AddStringToObject(card, key, text);
}

static void add_time(cJSON *card, const char *key, int64_t ms)
{
	if (ms > 0)
		cJSON_AddNumberToObject(card, key, (double)ms);
}

static void add_credits(cJSON *card, const char *key, double credits)
{
	if (!isnan(credits))
		cJSON_AddNumberToObject(card, key, credits);
}

/* ------------------------------------------------------------------ what was asked for */

/* Where a text of at most so many bytes ends, between two characters. */
static size_t cut(const char *text, size_t most)
{
	size_t length = strnlen(text, most);

	while (length == most && length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

/* ["duration", "6"]: a pair, for a key of an object may mean something to a script. */
static void add_parameter(cJSON *parameters, const cJSON *field)
{
	AUTO_FREE char *printed = cJSON_IsString(field) ? NULL : cJSON_PrintUnformatted(field);
	const char *text = printed ? printed : cJSON_GetStringValue(field);
	AUTO_FREE char *shown = NULL;
	cJSON *pair;

	if (!text || !*text)
		return;
	shown = format("%.*s%s", (int)cut(text, VALUE_BYTES), text,
		strlen(text) > VALUE_BYTES ? " …" : "");
	pair = cJSON_CreateArray();
	cJSON_AddItemToArray(pair, cJSON_CreateString(field->string));
	cJSON_AddItemToArray(pair, cJSON_CreateString(shown ? shown : ""));
	cJSON_AddItemToArray(parameters, pair);
}

/* The input of a request; the caller deletes. NULL: there is none. */
static cJSON *input_of(const struct model *model, const char *request)
{
	AUTO_JSON cJSON *body = request ? cJSON_Parse(request) : NULL;
	cJSON *inner = cJSON_GetObjectItemCaseSensitive(body, "input");

	if (body && model)
		return spec_effective(model, body);
	return inner ? cJSON_DetachItemViaPointer(body, inner) : TAKE(body);
}

static void add_request(cJSON *card, const struct gallery_take *take, const struct model *model)
{
	AUTO_JSON cJSON *input = input_of(model, take->request);
	const char *prompt = model && model->prompt ? model->prompt->name : "prompt";
	cJSON *parameters = cJSON_AddArrayToObject(card, "parameters");
	const cJSON *field;

	cJSON_ArrayForEach (field, input) {
		if (!strcmp(field->string, prompt))
			add_text(card, "prompt", cJSON_GetStringValue(field));
		else
			add_parameter(parameters, field);
	}
}

/* ------------------------------------------------------------------ files */

static void add_link(cJSON *object, const char *path)
{
	AUTO_FREE char *link = quote_link(path);

	add_text(object, "link", link);
}

static bool is_picture(const struct picture *picture)
{
	return !picture->frame && picture->type && !strncmp(picture->type, "image/", 6);
}

static void add_pictures(cJSON *card, const struct job_row *row)
{
	cJSON *pictures = cJSON_AddArrayToObject(card, "pictures");

	for (size_t i = 0; i < row->npictures; i++) {
		AUTO_FREE char *link =
			is_picture(&row->picture[i]) ? quote_link(row->picture[i].path) : NULL;

		if (link)
			cJSON_AddItemToArray(pictures, cJSON_CreateString(link));
	}
}

static void add_files(cJSON *card, const struct job_row *row)
{
	cJSON *files = cJSON_AddArrayToObject(card, "files");

	for (size_t i = 0; i < row->noutputs; i++) {
		const struct output *output = &row->output[i];
		cJSON *file;

		if (output->state != OUTPUT_PUBLISHED || !output->file)
			continue;
		file = cJSON_CreateObject();
		add_link(file, output->file);
		add_text(file, "name", path_last(output->file));
		add_text(file, "type", output->type);
		cJSON_AddItemToArray(files, file);
	}
}

/* ------------------------------------------------------------------ problems */

/* What the user may say for it to go on, or to be made once more; NULL: nothing. */
static const char *order_for(const struct job_row *row)
{
	switch (row->state) {
	case JOB_HELD:
		return row->hold == HOLD_KEY || row->hold == HOLD_READ_ONLY ? NULL : "release";
	case JOB_RUNNING: return job_is_stuck(row) ? "retry" : NULL;
	case JOB_REJECTED: return "show";
	case JOB_DONE:
	case JOB_FAILED:
	case JOB_UNKNOWN:
	case JOB_CANCELLED: return "retry";
	default: return NULL;
	}
}

static void add_command(cJSON *card, const struct job_row *row, const char *mountpoint)
{
	AUTO_FREE char *name = place_fit(row->stem, ".json", PLACE_NAME_MAX);
	AUTO_FREE char *inside = name ? path_join(row->dir, name) : NULL, *word = NULL;
	AUTO_FREE char *path =
		inside ? format("%s/%s/jobs/%s", mountpoint, row->model_id, inside) : NULL;
	AUTO_FREE char *command = NULL;
	const char *order = order_for(row);

	word = path && order ? quote_shell(path) : NULL;
	command = word ? format("kinofs %s %s", order, word) : NULL;
	add_text(card, "command", command);
}

static void add_problem(cJSON *card, const struct job_row *row)
{
	AUTO_FREE char *money = record_money(row);
	const enum job_note note = record_note(row);

	add_text(card, "problem", row->problem);
	add_text(card, "advice", row->advice);
	if (note != NOTE_NONE && note != NOTE_RUNNING)
		add_text(card, "note", record_note_suffix(note));
	add_text(card, "money", money);
}

cJSON *card_make(const struct gallery_take *take, const struct model *model, const char *mountpoint)
{
	const struct job_row *row = take->row;
	cJSON *card = cJSON_CreateObject();
	AUTO_FREE char *name = job_name(row);

	cJSON_AddNumberToObject(card, "id", (double)row->id);
	add_text(card, "job", name);
	add_text(card, "model", row->model_id);
	add_text(card, "title", model ? model->title : NULL);
	add_text(card, "dir", row->dir);
	cJSON_AddNumberToObject(card, "take", row->take);
	cJSON_AddBoolToObject(card, "shown", row->shown);
	add_text(card, "state", job_state_name(row->state));
	cJSON_AddBoolToObject(card, "settling", row->settling);
	add_time(card, "created", row->created_ms);
	add_time(card, "submitted", row->submitted_ms);
	add_time(card, "accepted", row->accepted_ms);
	add_time(card, "finished", row->finished_ms);
	add_time(card, "changed", row->changed_ms);
	add_time(card, "expected", take->expected_ms);
	if (row->progress >= 0)
		cJSON_AddNumberToObject(card, "progress", row->progress);
	add_credits(card, "estimate", row->estimate);
	add_credits(card, "spent", row->spent);
	cJSON_AddBoolToObject(card, "ordered", row->task || row->state == JOB_UNKNOWN);
	add_request(card, take, model);
	add_pictures(card, row);
	add_files(card, row);
	add_problem(card, row);
	add_command(card, row, mountpoint);
	quote_json(card);
	return card;
}

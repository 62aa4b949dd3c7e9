#include "spec/check.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "spec/address.h"
#include "spec/media_field.h"
#include "spec/nearest.h"
#include "spec/text.h"
#include "spec/url.h"
#include "spec/value.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

void check_clear(struct check *check)
{
	for (size_t i = 0; i < check->count; i++) {
		free(check->item[i].address);
		free(check->item[i].path);
	}
	free(check->item);
	check->item = NULL;
	check->count = check->room = 0;
}

/* ------------------------------------------------------------------ where */

char *check_address(const struct check *check)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	for (size_t i = 0; i < check->depth; i++)
		if (check->at[i].name) /* the stream tells */
			(void)fprintf(out, "%s%s", i ? "/" : "", check->at[i].name);
		else
			(void)fprintf(out, "/%zu", check->at[i].number);
	return stream_text(out, &text);
}

void check_problem(const struct check *check, const char *format, ...)
{
	AUTO_FREE char *address = check_address(check), *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	problems_add_in(check->problems, check->file, address && *address ? address : NULL, "%s",
		text ? text : "is wrong, and there was no memory to say how");
}

static bool enter(struct check *check, const char *name, size_t number)
{
	if (check->depth == COUNT(check->at)) /* json_read() lets nothing so deep through */
		return false;
	check->at[check->depth].name = name;
	check->at[check->depth++].number = number;
	return true;
}

/* ------------------------------------------------------------------ plain values */

/* "allowed: …" of a field that has no enum. */
static const char *allowed_words(const struct model_field *field, char words[100])
{
	const char *kind = field->type == FIELD_INTEGER ? "a whole number" : "a number";

	if (field->type == FIELD_STRING)
		(void)snprintf(words, 100, "a text in double quotes");
	else if (field->type == FIELD_BOOLEAN)
		(void)snprintf(words, 100, "true, false");
	else if (field->type == FIELD_LIST)
		(void)snprintf(words, 100, "a list, [ … ]");
	else if (field->type == FIELD_OBJECT)
		(void)snprintf(words, 100, "an object, { … }");
	else if (field->has_minimum && field->has_maximum)
		(void)snprintf(
			words, 100, "%s from %.15g to %.15g", kind, field->minimum, field->maximum);
	else if (field->has_minimum)
		(void)snprintf(words, 100, "%s, at least %.15g", kind, field->minimum);
	else if (field->has_maximum)
		(void)snprintf(words, 100, "%s, at most %.15g", kind, field->maximum);
	else
		(void)snprintf(words, 100, "%s", kind);
	return words;
}

static bool right_kind(const cJSON *value, const struct model_field *field)
{
	double number = cJSON_IsNumber(value) ? value->valuedouble : NAN;

	switch (field->type) {
	case FIELD_STRING: return cJSON_IsString(value);
	case FIELD_BOOLEAN: return cJSON_IsBool(value);
	case FIELD_LIST: return cJSON_IsArray(value);
	case FIELD_OBJECT: return cJSON_IsObject(value);
	case FIELD_INTEGER:
		if (number != trunc(number))
			return false;
		break;
	case FIELD_NUMBER: break;
	}
	return isfinite(number) && !(field->has_minimum && number < field->minimum) &&
	       !(field->has_maximum && number > field->maximum);
}

static void check_text(const struct check *check, const struct model_field *field, const char *text)
{
	bool is_prompt = field == check->model->prompt;
	size_t chars = text_chars(text);

	if (field->min_chars > 0 && text_blank(text))
		check_problem(check, "is empty; %s%s",
			is_prompt ? "say " : "give it a text, or leave it out",
			is_prompt ? makes_wish(check->model->results) : "");
	else if (chars < field->min_chars)
		check_problem(
			check, "%zu characters; at least %zu are needed", chars, field->min_chars);
	else if (field->max_chars && chars > field->max_chars)
		check_problem(check, "%zu characters; the limit is %zu", chars, field->max_chars);
}

/* Whether so many make whole steps: of 0.1, say, which no double is. */
static bool is_multiple(double number, double of)
{
	double steps = number / of;

	return fabs(steps - round(steps)) < 1e-9 * fmax(1, fabs(steps));
}

static void refuse_value(
	const struct check *check, const cJSON *value, const struct model_field *field)
{
	AUTO_FREE char *list = field->allowed ? text_list(field->allowed) : NULL;
	char shown[TEXT_SHOWN_BYTES], only[TEXT_SHOWN_BYTES], words[100];

	if (field->only)
		check_problem(check, "%s is not possible; allowed: %s", text_value(value, shown),
			text_value(field->only, only));
	else if (field->allowed)
		check_problem(check, "%s is not possible; allowed: %s", text_value(value, shown),
			list ? list : "see README.txt");
	else
		check_problem(check, "%s is not possible; allowed: %s", text_value(value, shown),
			allowed_words(field, words));
}

/* ------------------------------------------------------------------ lists and objects */

static int check_value(
	struct check *check, cJSON *parent, cJSON **item, const struct model_field *field);

static void check_length(const struct check *check, const struct model_field *field, size_t count)
{
	if (count < field->min_items)
		check_problem(
			check, "%zu in the list; at least %zu are needed", count, field->min_items);
	else if (field->max_items && count > field->max_items)
		check_problem(check, "%zu in the list; the limit is %zu", count, field->max_items);
}

static int check_items(struct check *check, cJSON *list, const struct model_field *field)
{
	size_t number = 0;
	int error = 0;

	check_length(check, field, (size_t)cJSON_GetArraySize(list));
	for (cJSON *item = list->child; item && !error; item = item->next) {
		if (check->problems->count == LIMIT_PROBLEMS || !enter(check, NULL, number++))
			return 0; /* nothing more would be heard */
		error = check_value(check, list, &item, field->field);
		check->depth--;
	}
	return error;
}

/* In a list no other file gives what is not there. */
static void check_needed(struct check *check, const cJSON *object, const struct model_field *field)
{
	bool in_list = false;

	for (size_t i = 0; i < check->depth; i++)
		in_list = in_list || !check->at[i].name;
	for (size_t i = 0; in_list && i < field->nfield; i++) {
		const struct model_field *member = &field->field[i];

		if (!member->required || member->fallback || json_get(object, member->name))
			continue;
		if (enter(check, member->name, 0)) {
			check_problem(check, "is needed");
			check->depth--;
		}
	}
}

int check_members(
	struct check *check, cJSON *object, const struct model_field *field, bool is_whole)
{
	int error = 0;

	for (cJSON *item = object->child; item && !error; item = item->next) {
		const struct model_field *member = field_member(field, item->string);

		if (check->problems->count == LIMIT_PROBLEMS)
			return 0; /* nothing more would be heard */
		if (!member) {
			check_unknown(check, field, item->string, is_whole);
		} else if (enter(check, member->name, 0)) {
			error = check_value(check, object, &item, member);
			check->depth--;
		}
	}
	if (!error)
		check_needed(check, object, field);
	return error;
}

/* Coerces and judges the member or item *item, which points to it afterwards. 0 or -ENOMEM. */
static int check_value(
	struct check *check, cJSON *parent, cJSON **item, const struct model_field *field)
{
	int error = value_coerce(parent, item, field);
	const cJSON *value = *item;
	char shown[TEXT_SHOWN_BYTES];
	const char *why;

	if (error)
		return error;
	if (cJSON_IsNull(value)) {
		check_problem(check, "null is no value; leave the field out instead");
	} else if (!value_allowed(value, field) || !right_kind(value, field)) {
		refuse_value(check, value, field);
	} else if (field->type == FIELD_LIST) {
		return check_items(check, *item, field);
	} else if (field->type == FIELD_OBJECT) {
		return check_members(check, *item, field, false);
	} else if (field->media) {
		return media_check(check, field, value);
	} else if (field->is_job && result_is_named(value->valuestring)) {
		return media_check_path(check, field, value);
	} else if (field->is_link && (why = url_fault(value->valuestring))) {
		check_problem(check, "%s is no link that the provider can fetch: %s",
			text_value(value, shown), why);
	} else if (field->type == FIELD_STRING) {
		check_text(check, field, value->valuestring);
	} else if (field->multiple_of > 0 && !is_multiple(value->valuedouble, field->multiple_of)) {
		check_problem(check, "%.15g is not possible; allowed: multiples of %.15g",
			value->valuedouble, field->multiple_of);
	}
	return 0;
}

int check_at(struct check *check, cJSON *input, const struct model_field *field)
{
	AUTO_FREE char *above = strdup(field->address);
	AUTO_FREE char *names = strdup(field->address);
	size_t before = check->depth;
	char *rest = names, *name;
	cJSON *item = address_get(input, field->address), *parent = input;
	int error = 0;

	if (!above || !names || !item)
		return -ENOMEM;
	if (strrchr(above, '/')) {
		*strrchr(above, '/') = '\0';
		parent = address_get(input, above);
	}
	while ((name = strsep(&rest, "/")))
		(void)enter(check, name, 0); /* no model is so deep */
	error = check_value(check, parent, &item, field);
	check->depth = before;
	return error;
}

/* ------------------------------------------------------------------ unknown names */

/* The names of an object's fields, with commas. The caller frees; NULL: no memory. */
static char *names_of(const struct model_field *object)
{
	char *names = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&names, &bytes);

	if (!out)
		return NULL;
	for (size_t i = 0; i < object->nfield; i++)
		(void)fprintf(out, "%s%s", i ? ", " : "", object->field[i].name);
	return stream_text(out, &names);
}

void check_unknown(
	struct check *check, const struct model_field *object, const char *name, bool is_whole)
{
	AUTO_FREE char *names = names_of(object);
	const char *name_of[LIMIT_JSON_KEYS + 1];
	size_t count = 0;
	const char *nearest;

	for (; count < object->nfield && count < LIMIT_JSON_KEYS; count++)
		name_of[count] = object->field[count].name;
	if (is_whole)
		name_of[count++] = "takes";
	nearest = nearest_name(name, name_of, count);
	if (!enter(check, name, 0))
		return;
	if (nearest)
		check_problem(check, "no such field; did you mean \"%s\"? Fields: %s", nearest,
			names ? names : "see README.txt");
	else
		check_problem(check, "no such field. Fields: %s", names ? names : "see README.txt");
	check->depth--;
}

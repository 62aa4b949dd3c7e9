#include "spec/check.h"

#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "spec/nearest.h"
#include "spec/picture.h"
#include "spec/text.h"
#include "spec/value.h"

#include <math.h>
#include <string.h>

void check_clear(struct check *check)
{
	for (size_t i = 0; i < check->npictures; i++)
		free(check->picture[i].path);
	check->npictures = 0;
}

/* "allowed: …" of a field that has no enum. */
static const char *allowed_words(const struct model_field *field, char words[100])
{
	const char *kind = field->type == FIELD_INTEGER ? "a whole number" : "a number";

	if (field->type == FIELD_STRING)
		(void)snprintf(words, 100, "a text in double quotes");
	else if (field->type == FIELD_BOOLEAN)
		(void)snprintf(words, 100, "true, false");
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
	size_t chars = text_chars(text);

	if (field->min_chars > 0 && text_blank(text))
		problems_add_in(check->problems, check->file, field->name, "is empty; %s",
			field == check->model->prompt ? "say what the video shall show"
						      : "give it a text, or leave it out");
	else if (chars < field->min_chars)
		problems_add_in(check->problems, check->file, field->name,
			"%zu characters; at least %zu are needed", chars, field->min_chars);
	else if (field->max_chars && chars > field->max_chars)
		problems_add_in(check->problems, check->file, field->name,
			"%zu characters; the limit is %zu", chars, field->max_chars);
}

int check_value(struct check *check, cJSON *object, cJSON **item, const struct model_field *field)
{
	char shown[TEXT_SHOWN_BYTES], words[100];
	AUTO_FREE char *list = NULL;
	int error = value_coerce(object, item, field);
	const cJSON *value = *item;

	if (error)
		return error;
	if (cJSON_IsNull(value)) {
		problems_add_in(check->problems, check->file, field->name,
			"null is no value; leave the field out instead");
	} else if (field->allowed && !value_allowed(value, field)) {
		list = text_list(field->allowed);
		problems_add_in(check->problems, check->file, field->name,
			"%s is not possible; allowed: %s", text_value(value, shown),
			list ? list : "see README.txt");
	} else if (!right_kind(value, field)) {
		problems_add_in(check->problems, check->file, field->name,
			"%s is not possible; allowed: %s", text_value(value, shown),
			allowed_words(field, words));
	} else if (field->picture) {
		return picture_check(check, field, value);
	} else if (field->type == FIELD_STRING) {
		check_text(check, field, value->valuestring);
	}
	return 0;
}

/* The names of an object's members, with commas. The caller frees; NULL: no memory. */
static char *names_of(const cJSON *object)
{
	const cJSON *member;
	char *names = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&names, &bytes);

	if (!out)
		return NULL;
	cJSON_ArrayForEach (member, object) {
		(void)fprintf(out, "%s%s", member == object->child ? "" : ", ", member->string);
	}
	if (fclose(out) != 0) {
		free(names);
		return NULL;
	}
	return names;
}

void check_rules(const struct model *model, const cJSON *input, struct problems *problems)
{
	const cJSON *rule, *wanted;

	cJSON_ArrayForEach (rule, model->rules) {
		const cJSON *refuse = json_get(rule, "refuse");
		const cJSON *message = json_get(rule, "message");
		AUTO_FREE char *names = NULL;
		bool hit = true;

		cJSON_ArrayForEach (wanted, refuse) {
			hit = hit && cJSON_Compare(wanted, json_get(input, wanted->string), true);
		}
		if (!hit)
			continue;
		names = names_of(refuse);
		problems_add(problems, names, "%s", message->valuestring);
	}
}

void check_unknown(const struct check *check, const char *name)
{
	AUTO_FREE char *names = names_of(json_get(check->model->schema, "properties"));
	const char *name_of[LIMIT_JSON_KEYS + 1];
	size_t count = 0;
	const char *nearest;

	for (; count < check->model->nfield && count < LIMIT_JSON_KEYS; count++)
		name_of[count] = check->model->field[count].name;
	name_of[count++] = "takes";
	nearest = nearest_name(name, name_of, count);
	if (nearest)
		problems_add_in(check->problems, check->file, name,
			"no such field; did you mean \"%s\"? Fields: %s", nearest,
			names ? names : "see README.txt");
	else
		problems_add_in(check->problems, check->file, name, "no such field. Fields: %s",
			names ? names : "see README.txt");
}

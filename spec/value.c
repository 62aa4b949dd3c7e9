#include "spec/value.h"

#include "fs/base/cleanup.h"
#include "spec/text.h"

#include <math.h>
#include <string.h>
#include <strings.h>

void value_replace(cJSON *object, cJSON *item, cJSON *replacement)
{
	/* by pointer, as a name may (wrongly) be there twice; the name itself moves over */
	replacement->string = item->string; /* NULL in a list */
	item->string = NULL;
	(void)cJSON_ReplaceItemViaPointer(object, item, replacement); /* fails only for NULLs */
}

static bool same_text(const cJSON *value, const char *text)
{
	char shown[TEXT_SHOWN_BYTES];

	if (cJSON_IsString(value))
		return strcasecmp(value->valuestring, text) == 0;
	return cJSON_IsNumber(value) && strcmp(text_value(value, shown), text) == 0;
}

/* The entry of an enum of texts that the user meant. */
static const cJSON *meant(const cJSON *value, const struct model_field *field)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, field->allowed) {
		if (same_text(value, entry->valuestring))
			return entry;
	}
	return NULL;
}

/* A list of the one value that was written where a list is wanted. */
static cJSON *list_of(const cJSON *value)
{
	AUTO_JSON cJSON *list = cJSON_CreateArray();
	cJSON *copy = cJSON_Duplicate(value, true);

	if (copy && cJSON_AddItemToArray(list, copy))
		return TAKE(list);
	cJSON_Delete(copy);
	return NULL;
}

static bool read_number(const char *text, double *number)
{
	char *end;

	if (!*text || strspn(text, "0123456789+-.eE") != strlen(text))
		return false; /* strtod alone would take " 6", 0x6, nan and inf */
	*number = strtod(text, &end);
	return *end == '\0' && isfinite(*number);
}

/* *wanted: what shall stand there instead, NULL: leave it. 0 or -ENOMEM. */
static int convert(const cJSON *value, const struct model_field *field, cJSON **wanted)
{
	const cJSON *entry;
	double number;

	*wanted = NULL;
	if (cJSON_IsNull(value) || field->type == FIELD_OBJECT ||
		(field->type == FIELD_LIST && cJSON_IsArray(value)))
		return 0;
	if (field->type == FIELD_LIST) {
		*wanted = list_of(value);
	} else if (field->type == FIELD_STRING) {
		entry = field->allowed ? meant(value, field) : NULL;
		if (!entry || (cJSON_IsString(value) &&
				      strcmp(value->valuestring, entry->valuestring) == 0))
			return 0;
		*wanted = cJSON_CreateString(entry->valuestring);
	} else if (!cJSON_IsString(value)) {
		return 0;
	} else if (field->type == FIELD_BOOLEAN) {
		bool yes = strcasecmp(value->valuestring, "true") == 0;

		if (!yes && strcasecmp(value->valuestring, "false") != 0)
			return 0;
		*wanted = cJSON_CreateBool(yes);
	} else {
		if (!read_number(value->valuestring, &number))
			return 0;
		*wanted = cJSON_CreateNumber(number);
	}
	return *wanted ? 0 : -ENOMEM;
}

int value_coerce(cJSON *object, cJSON **item, const struct model_field *field)
{
	cJSON *wanted;
	int error = convert(*item, field, &wanted);

	if (error || !wanted)
		return error;
	value_replace(object, *item, wanted);
	*item = wanted;
	return 0;
}

bool value_allowed(const cJSON *value, const struct model_field *field)
{
	const cJSON *entry;

	if (field->only)
		return cJSON_Compare(value, field->only, true);
	if (!field->allowed)
		return true;
	cJSON_ArrayForEach (entry, field->allowed) {
		if (cJSON_Compare(value, entry, true))
			return true;
	}
	return false;
}

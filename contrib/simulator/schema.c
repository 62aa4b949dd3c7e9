/* schema.c - the check of a value, and the way to a field. */
#include "contrib/simulator/schema.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define OUT_OF_RANGE "is not within the range of allowed options"

/* "NAME IS-WRONG"; malloc'ed. */
static char *__attribute__((format(printf, 2, 3)))
problem(const char *name, const char *format, ...)
{
	AUTO_FREE char *text = NULL;
	char *message = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (asprintf(&message, "%s %s", name ? name : "input", text ? text : "is wrong") < 0)
		return NULL;
	return message;
}

const cJSON *schema_get(const cJSON *schema, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(schema, key);
}

const char *schema_text(const cJSON *schema, const char *key)
{
	return cJSON_GetStringValue(schema_get(schema, key));
}

const cJSON *schema_file(const cJSON *field)
{
	const cJSON *file = schema_get(field, "x-kinofs-file");

	return file ? file : schema_get(field, "x-kinofs-picture");
}

static bool is_among(const cJSON *list, const cJSON *value)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, list)
		if (cJSON_Compare(item, value, true))
			return true;
	return false;
}

static bool is_blank(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return !*text;
}

/* Whether the number lies beyond the limit of this name, on the side of the sign. */
static bool is_beyond(const cJSON *schema, const char *key, double number, int sign)
{
	const cJSON *limit = schema_get(schema, key);

	return cJSON_IsNumber(limit) && (number - limit->valuedouble) * sign > 0;
}

static char *check_number(const cJSON *schema, const cJSON *value, const char *name)
{
	const cJSON *step = schema_get(schema, "multipleOf");
	double steps = cJSON_IsNumber(step) && step->valuedouble > 0
	                       ? value->valuedouble / step->valuedouble
	                       : 0;

	if (is_beyond(schema, "minimum", value->valuedouble, -1) ||
		is_beyond(schema, "maximum", value->valuedouble, 1) ||
		fabs(steps - round(steps)) > 1e-9)
		return problem(name, OUT_OF_RANGE);
	return NULL;
}

/* http(s), or what the field says it takes beside. */
static bool is_link(const cJSON *file, const char *text)
{
	const cJSON *scheme;

	if (!strncasecmp(text, "http://", 7) || !strncasecmp(text, "https://", 8))
		return true;
	if (!strncasecmp(text, "data:", 5))
		return cJSON_IsTrue(schema_get(file, "data_uri"));
	cJSON_ArrayForEach (scheme, schema_get(file, "schemes")) {
		size_t length = strlen(scheme->valuestring ? scheme->valuestring : "");

		if (length && !strncasecmp(text, scheme->valuestring, length) &&
			!strncmp(text + length, "://", 3))
			return true;
	}
	return false;
}

static char *check_text(const cJSON *schema, const cJSON *value, const char *name)
{
	long length = text_length(value->valuestring);
	const cJSON *file = schema_file(schema);

	if (length < 0)
		return problem(name, "is not valid UTF-8");
	if (file && !is_link(file, value->valuestring))
		return problem(name, "must be a URL");
	if (is_beyond(schema, "minLength", (double)length, -1))
		return problem(name, "is below the minimum length of %.0f",
			schema_get(schema, "minLength")->valuedouble);
	if (is_beyond(schema, "maxLength", (double)length, 1))
		return problem(name, "exceeds the maximum length of %.0f",
			schema_get(schema, "maxLength")->valuedouble);
	return NULL;
}

/* A list says for its items that they are files. */
static char *check_item(const cJSON *list, const cJSON *value, const char *name)
{
	const cJSON *file = schema_file(list);

	if (file && (!cJSON_IsString(value) || !is_link(file, value->valuestring)))
		return problem(name, "must be a URL");
	if (cJSON_IsNull(value))
		return problem(name, "is required");
	return schema_check(schema_get(list, "items"), value, name);
}

static char *check_list(const cJSON *schema, const cJSON *value, const char *name)
{
	double count = cJSON_GetArraySize(value);
	const cJSON *item;
	char *message = NULL;
	int index = 0;

	if (is_beyond(schema, "minItems", count, -1))
		return problem(name, "needs at least %.0f items",
			schema_get(schema, "minItems")->valuedouble);
	if (is_beyond(schema, "maxItems", count, 1))
		return problem(name, "exceeds the maximum of %.0f items",
			schema_get(schema, "maxItems")->valuedouble);
	cJSON_ArrayForEach (item, value) {
		AUTO_FREE char *path = NULL;

		if (asprintf(&path, "%s/%d", name ? name : "input", index++) < 0)
			path = NULL;
		message = check_item(schema, item, path);
		if (message)
			return message;
	}
	return NULL;
}

/* One member of an object, there or not. A blank text is as good as none where one is required. */
static char *check_member(
	const cJSON *schema, const cJSON *member, const cJSON *value, const char *path)
{
	const cJSON *name;
	bool is_required = false;

	cJSON_ArrayForEach (name, schema_get(schema, "required"))
		is_required |= name->valuestring && !strcmp(name->valuestring, member->string);
	if (is_required && (!value || cJSON_IsNull(value) ||
				   (cJSON_IsString(value) && is_blank(value->valuestring))))
		return problem(path, "is required");
	return value && !cJSON_IsNull(value) ? schema_check(member, value, path) : NULL;
}

static char *check_object(const cJSON *schema, const cJSON *value, const char *name)
{
	const cJSON *properties = schema_get(schema, "properties");
	const cJSON *member;
	char *message = NULL;

	cJSON_ArrayForEach (member, properties) {
		AUTO_FREE char *path = NULL;

		if (asprintf(&path, "%s%s%s", name ? name : "", name ? "/" : "", member->string) <
			0)
			path = NULL;
		message = check_member(schema, member, schema_get(value, member->string), path);
		if (message)
			return message;
	}
	if (!properties || cJSON_IsTrue(schema_get(schema, "additionalProperties")))
		return NULL;
	cJSON_ArrayForEach (member, value)
		if (!schema_get(properties, member->string))
			return problem(member->string, "is not a parameter of this model");
	return NULL;
}

static bool is_whole(const cJSON *value)
{
	return cJSON_IsNumber(value) && value->valuedouble == floor(value->valuedouble);
}

static const struct type {
	const char *name;
	cJSON_bool (*is)(const cJSON *value);
	char *(*check)(const cJSON *schema, const cJSON *value, const char *name); /* or NULL */
	const char *wrong;
} types[] = {
	{"string", cJSON_IsString, check_text, "must be a string"},
	{"integer", cJSON_IsNumber, check_number, "must be an integer"},
	{"number", cJSON_IsNumber, check_number, "must be a number"},
	{"boolean", cJSON_IsBool, NULL, "must be a boolean"},
	{"array", cJSON_IsArray, check_list, "must be an array"},
	{"object", cJSON_IsObject, check_object, "must be an object"},
};

/* A choice is checked first: what is of the wrong type is none of them either. */
char *schema_check(const cJSON *schema, const cJSON *value, const char *name)
{
	const cJSON *choices = schema_get(schema, "enum");
	const cJSON *constant = schema_get(schema, "const");
	const char *type = schema_text(schema, "type");
	bool is_integer = type && !strcmp(type, "integer");

	if ((choices && !is_among(choices, value)) ||
		(constant && !cJSON_Compare(constant, value, true)) ||
		(is_integer && cJSON_IsNumber(value) && !is_whole(value)))
		return problem(name, OUT_OF_RANGE);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (type && strcmp(type, types[i].name) != 0)
			continue;
		if (types[i].is(value))
			return types[i].check ? types[i].check(schema, value, name) : NULL;
		if (type)
			return problem(name, "%s", types[i].wrong);
	}
	return NULL;
}

/* One step of an address into a list or an object. */
static const cJSON *step(const cJSON *value, const char *name)
{
	char *end;
	long index = strtol(name, &end, 10);

	if (!cJSON_IsArray(value))
		return schema_get(value, name);
	return end != name && !*end && index >= 0 ? cJSON_GetArrayItem(value, (int)index) : NULL;
}

static const cJSON *step_schema(const cJSON *schema, const char *name)
{
	const cJSON *items = schema_get(schema, "items");

	return items ? items : schema_get(schema_get(schema, "properties"), name);
}

static const cJSON *walk(const cJSON *at, const char *address,
	const cJSON *(*take)(const cJSON *at, const char *name))
{
	AUTO_FREE char *names = strdup(address);
	char *rest = names;

	while (at && rest) {
		const char *name = strsep(&rest, "/");

		at = take(at, name);
	}
	return names ? at : NULL;
}

const cJSON *schema_at(const cJSON *schema, const char *address)
{
	return walk(schema, address, step_schema);
}

const cJSON *value_at(const cJSON *value, const char *address)
{
	const cJSON *found = walk(value, address, step);

	return cJSON_IsNull(found) ? NULL : found;
}

const cJSON *value_effective(const cJSON *schema, const cJSON *input, const char *address)
{
	const cJSON *value = value_at(input, address);
	const cJSON *field = value ? NULL : schema_at(schema, address);

	if (!value)
		value = schema_get(field, "const");
	return value ? value : schema_get(field, "default");
}

double value_number(const cJSON *value, double otherwise)
{
	const char *text = cJSON_GetStringValue(value);
	char *end = NULL;
	double number = text ? strtod(text, &end) : 0;

	if (cJSON_IsNumber(value))
		return value->valuedouble;
	return text && end != text ? number : otherwise;
}

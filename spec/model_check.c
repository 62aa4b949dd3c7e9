#include "spec/model_check.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "spec/kind.h"

#include <math.h>
#include <string.h>

#define MOST_FIELDS    64 /* of one object */
#define MOST_DEPTH     6
#define SMALL_LETTERS  "abcdefghijklmnopqrstuvwxyz"
#define LETTERS_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const struct key top_keys[] = {
	{"$schema", TEXT, false},
	{"$id", TEXT, true},
	{"$comment", TEXT, false},
	{"title", TEXT, true},
	{"description", TEXT, false},
	{"type", TEXT, false},
	{"properties", OBJECT, true},
	{"required", LIST, false},
	{"additionalProperties", BOOLEAN, false},
	{"x-kinofs-provider", TEXT, true},
	{"x-kinofs-endpoint", TEXT, false},
	{"x-kinofs-envelope", BOOLEAN, false},
	{"x-kinofs-model", TEXT, false},
	{"x-kinofs-prompt", TEXT, false},
	{"x-kinofs-result", ANY, false},
	{"x-kinofs-source", TEXT, false},
	{"x-kinofs-prices", LIST, false},
	{"x-kinofs-rules", LIST, false},
	{"x-kinofs-retired", TEXT, false},
	{NULL, ANY, false},
};

static const struct key property_keys[] = {
	{"$comment", TEXT, false},
	{"title", TEXT, false},
	{"description", TEXT, false},
	{"type", TEXT, true},
	{"enum", LIST, false},
	{"const", ANY, false},
	{"default", ANY, false},
	{"examples", LIST, false},
	{"format", TEXT, false},
	{"minimum", NUMBER, false},
	{"maximum", NUMBER, false},
	{"multipleOf", NUMBER, false},
	{"minLength", SIZE, false},
	{"maxLength", SIZE, false},
	{"items", OBJECT, false},
	{"minItems", SIZE, false},
	{"maxItems", SIZE, false},
	{"properties", OBJECT, false},
	{"required", LIST, false},
	{"additionalProperties", BOOLEAN, false},
	{"x-kinofs-file", OBJECT, false},
	{"x-kinofs-job", BOOLEAN, false},
	{NULL, ANY, false},
};

static const struct key file_keys[] = {
	{"types", LIST, true},
	{"max_bytes", SIZE, false},
	{"data_uri", BOOLEAN, false},
	{"schemes", LIST, false},
	{"marks", LIST, false},
	{NULL, ANY, false},
};

bool model_key_is(const cJSON *item, enum key_kind kind)
{
	double number = cJSON_IsNumber(item) ? item->valuedouble : NAN;

	switch (kind) {
	case TEXT: return cJSON_IsString(item) && *item->valuestring;
	case SIZE: return number >= 0 && number <= 1e9 && number == trunc(number);
	case NUMBER: return isfinite(number);
	case BOOLEAN: return cJSON_IsBool(item);
	case LIST: return cJSON_IsArray(item);
	case OBJECT: return cJSON_IsObject(item);
	case ANY: break;
	}
	return true;
}

bool model_check_keys(
	const cJSON *object, const struct key *keys, const char *where, struct problems *problems)
{
	static const char *const words[] = {"a text that is not empty", "a whole number from 0",
		"a number", "true or false", "a list", "an object", "anything"};
	bool fits = true; /* the list of problems may be full, and tells nothing then */
	const cJSON *item;

	if (!cJSON_IsObject(object)) {
		problems_add(problems, where, "an object is wanted");
		return false;
	}
	cJSON_ArrayForEach (item, object) {
		const struct key *key = keys;

		while (key->name && strcmp(key->name, item->string) != 0)
			key++;
		fits = fits && key->name && model_key_is(item, key->kind);
		if (!key->name)
			problems_add(
				problems, where, "kinofs knows no key \"%s\" here", item->string);
		else if (!model_key_is(item, key->kind))
			problems_add(
				problems, where, "\"%s\" wants %s", key->name, words[key->kind]);
	}
	for (const struct key *key = keys; key->name; key++)
		if (key->required && !json_get(object, key->name)) {
			problems_add(problems, where, "\"%s\" is missing", key->name);
			fits = false;
		}
	return fits;
}

/* The names of generated entries, in the root and in every model (fs/mount/generated.c), which
 * would hide the model. Those with a dot in front are refused with all of their kind. */
static void check_part(const char *part, size_t length, struct problems *problems)
{
	static const char *const generated[] = {"out", "jobs", "README.txt", "schema.json"};

	if (length == 0 || *part == '.')
		problems_add(
			problems, "$id", "no part of a model id may be empty or begin with a dot");
	for (size_t i = 0; i < COUNT(generated); i++)
		if (strlen(generated[i]) == length && strncmp(part, generated[i], length) == 0)
			problems_add(problems, "$id",
				"no part of a model id may be \"%s\", which kinofs makes itself",
				generated[i]);
}

static void check_id(const char *id, struct problems *problems)
{
	if (strlen(id) > 200 || strspn(id, LETTERS_DIGITS "._-/") != strlen(id)) {
		problems_add(problems, "$id",
			"\"%s\" is no model id: 1 to 200 of A-Z a-z 0-9 . _ - /", id);
		return;
	}
	while (true) {
		size_t part = strcspn(id, "/");

		check_part(id, part, problems);
		if (!id[part])
			return;
		id += part + 1;
	}
}

static void check_endpoint(const cJSON *schema, struct problems *problems)
{
	const char *endpoint = json_text(schema, "x-kinofs-endpoint");

	if (endpoint && strspn(endpoint, LETTERS_DIGITS "._-") != strlen(endpoint))
		problems_add(problems, "x-kinofs-endpoint",
			"\"%s\" is no last part of a URL: only A-Z a-z 0-9 . _ -", endpoint);
}

/* ------------------------------------------------------------------ properties */

static bool kind_of_type(const cJSON *value, const char *type)
{
	if (strcmp(type, "string") == 0)
		return cJSON_IsString(value);
	if (strcmp(type, "boolean") == 0)
		return cJSON_IsBool(value);
	if (strcmp(type, "array") == 0)
		return cJSON_IsArray(value);
	if (strcmp(type, "object") == 0)
		return cJSON_IsObject(value);
	return model_key_is(value, NUMBER) &&
	       (strcmp(type, "number") == 0 || value->valuedouble == trunc(value->valuedouble));
}

static void check_enum(
	const cJSON *property, const char *type, const char *where, struct problems *problems)
{
	const cJSON *allowed = json_get(property, "enum");
	const cJSON *only = json_get(property, "const");
	const cJSON *entry;

	if (allowed && !allowed->child)
		problems_add(problems, where, "\"enum\" is empty");
	if (only && !kind_of_type(only, type))
		problems_add(problems, where, "\"const\" is no %s", type);
	cJSON_ArrayForEach (entry, allowed) {
		if (!kind_of_type(entry, type)) {
			problems_add(problems, where, "\"enum\" holds a value that is no %s", type);
			return;
		}
	}
}

static void check_types(const cJSON *file, const char *where, struct problems *problems)
{
	const cJSON *entry;

	if (!json_get(file, "types")->child)
		problems_add(problems, where, "\"types\" is empty");
	cJSON_ArrayForEach (entry, json_get(file, "types")) {
		if (!model_key_is(entry, TEXT) || !media_kind_of_type(entry->valuestring))
			problems_add(problems, where,
				"\"types\" holds what is no MIME type of a picture, film or sound");
	}
	cJSON_ArrayForEach (entry, json_get(file, "schemes")) {
		if (!model_key_is(entry, TEXT) || strspn(entry->valuestring, LETTERS_DIGITS
							  "+.-") != strlen(entry->valuestring))
			problems_add(
				problems, where, "\"schemes\" holds what is no scheme of a URL");
	}
}

static void check_marks(
	const cJSON *file, bool is_list, const char *where, struct problems *problems)
{
	const cJSON *marks = json_get(file, "marks"), *entry;

	if (marks && (!marks->child || (!is_list && marks->child->next)))
		problems_add(
			problems, where, "\"marks\" has one mark, or in a list one for each place");
	cJSON_ArrayForEach (entry, marks) {
		const char *mark = cJSON_GetStringValue(entry);

		if (!mark || strlen(mark) > 16 || strspn(mark, SMALL_LETTERS) != strlen(mark))
			problems_add(problems, where, "a mark is \"\" or at most 16 small letters");
	}
}

static void check_file_field(
	const cJSON *property, const char *type, const char *where, struct problems *problems)
{
	const cJSON *file = json_get(property, "x-kinofs-file");
	const char *items = json_text(json_get(property, "items"), "type");
	bool is_list = strcmp(type, "array") == 0 && items && strcmp(items, "string") == 0;

	if (!file || !model_check_keys(file, file_keys, where, problems))
		return;
	if ((strcmp(type, "string") != 0 && !is_list) || json_get(property, "enum"))
		problems_add(problems, where,
			"a field for files is a \"string\" without \"enum\", or a list of strings");
	check_types(file, where, problems);
	check_marks(file, is_list, where, problems);
}

static void check_bounds(
	const cJSON *property, const char *type, const char *where, struct problems *problems)
{
	static const char *const pairs[][2] = {
		{"minimum", "maximum"}, {"minLength", "maxLength"}, {"minItems", "maxItems"}};
	bool numeric = strcmp(type, "integer") == 0 || strcmp(type, "number") == 0;
	const bool fits[] = {numeric, strcmp(type, "string") == 0, strcmp(type, "array") == 0};
	const cJSON *step = json_get(property, "multipleOf");

	for (size_t i = 0; i < COUNT(pairs); i++) {
		const cJSON *low = json_get(property, pairs[i][0]),
			    *high = json_get(property, pairs[i][1]);

		if ((low || high) && !fits[i])
			problems_add(problems, where,
				"\"%s\" and \"%s\" mean nothing for type \"%s\"", pairs[i][0],
				pairs[i][1], type);
		if (low && high && low->valuedouble > high->valuedouble)
			problems_add(
				problems, where, "\"%s\" is over \"%s\"", pairs[i][0], pairs[i][1]);
	}
	if (step && (!numeric || step->valuedouble <= 0))
		problems_add(problems, where, "\"multipleOf\" is a number above 0, of a number");
}

static void check_property(
	const cJSON *property, const char *where, int depth, struct problems *problems);
static void check_properties(
	const cJSON *schema, const char *above, int depth, struct problems *problems);

/* What a list or an object has inside. */
static void check_inside(const cJSON *property, const char *type, const char *where, int depth,
	struct problems *problems)
{
	const cJSON *items = json_get(property, "items");
	bool is_list = strcmp(type, "array") == 0, is_object = strcmp(type, "object") == 0;
	AUTO_FREE char *inside = format("%s/*", where);

	if (is_list != (items != NULL))
		problems_add(problems, where, "a list, and nothing else, has \"items\"");
	if (is_object != (json_get(property, "properties") != NULL))
		problems_add(problems, where, "an object, and nothing else, has \"properties\"");
	if (depth == MOST_DEPTH)
		problems_add(problems, where, "fields are at most %d deep", MOST_DEPTH);
	else if (is_list && items)
		check_property(items, inside, depth + 1, problems);
	else if (is_object)
		check_properties(property, where, depth + 1, problems);
}

static void check_property(
	const cJSON *property, const char *where, int depth, struct problems *problems)
{
	static const char *const types[] = {
		"string", "integer", "number", "boolean", "array", "object"};
	const char *type = NULL;

	if (!where || !model_check_keys(property, property_keys, where, problems))
		return;
	for (size_t i = 0; i < COUNT(types); i++)
		if (strcmp(json_get(property, "type")->valuestring, types[i]) == 0)
			type = types[i];
	if (!type) {
		problems_add(problems, where,
			"\"type\" is one of \"string\", \"integer\", \"number\", \"boolean\", "
			"\"array\", \"object\"");
		return;
	}
	check_enum(property, type, where, problems);
	check_file_field(property, type, where, problems);
	if (json_is_true(property, "x-kinofs-job") &&
		(strcmp(type, "string") != 0 || json_get(property, "enum") ||
			json_get(property, "x-kinofs-file")))
		problems_add(problems, where,
			"a field for another job is a \"string\" without \"enum\" and \"x-kinofs-file\"");
	check_bounds(property, type, where, problems);
	check_inside(property, type, where, depth, problems);
}

static void check_name(
	const cJSON *schema, const char *name, bool at_top, struct problems *problems)
{
	static const char *const taken[] = {"model", "callBackUrl", "takes"};
	bool wrapped =
		!json_get(schema, "x-kinofs-endpoint") || json_is_true(schema, "x-kinofs-envelope");

	if (!*name || strlen(name) > 64 || strspn(name, LETTERS_DIGITS "_-") != strlen(name))
		problems_add(problems, name, "a field's name is 1 to 64 of A-Z a-z 0-9 _ -");
	for (size_t i = 0; at_top && i < COUNT(taken); i++)
		if (strcmp(name, taken[i]) == 0)
			problems_add(problems, name, "a field cannot have this name");
	if (at_top && wrapped && strcmp(name, "input") == 0)
		problems_add(problems, name, "a field cannot have this name");
}

static void check_required(const cJSON *schema, struct problems *problems)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, json_get(schema, "required")) {
		if (!cJSON_IsString(entry) ||
			!json_get(json_get(schema, "properties"), entry->valuestring))
			problems_add(problems, "required", "%s is not in \"properties\"",
				cJSON_IsString(entry) ? entry->valuestring : "what is no text");
	}
}

static void check_properties(
	const cJSON *schema, const char *above, int depth, struct problems *problems)
{
	const cJSON *properties = json_get(schema, "properties"), *property;

	if (!properties)
		return;
	if (!properties->child || cJSON_GetArraySize(properties) > MOST_FIELDS)
		problems_add(problems, "properties", "1 to %d fields", MOST_FIELDS);
	cJSON_ArrayForEach (property, properties) {
		AUTO_FREE char *where = *above ? format("%s/%s", above, property->string)
		                               : strdup(property->string);

		check_name(schema, property->string, !*above, problems);
		check_property(property, where, depth, problems);
	}
	check_required(schema, problems);
}

void model_check_shape(const cJSON *schema, struct problems *problems)
{
	if (!model_check_keys(schema, top_keys, NULL, problems))
		return;
	check_id(json_get(schema, "$id")->valuestring, problems);
	check_endpoint(schema, problems);
	if (!makes_read(json_get(schema, "x-kinofs-result")))
		problems_add(problems, "x-kinofs-result",
			"is \"video\", \"image\", \"audio\", or a list of these");
	check_properties(schema, "", 0, problems);
	model_check_rows(schema, problems);
}

#include "spec/model_check.h"

#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "spec/check.h"
#include "spec/text.h"

#include <math.h>
#include <string.h>

#define LETTERS_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define MOST_FIELDS    64

enum kind { TEXT, SIZE, NUMBER, BOOLEAN, LIST, OBJECT, ANY };

struct key {
	const char *name;
	enum kind kind;
	bool required;
};

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
	{"x-kinofs-prompt", TEXT, true},
	{"x-kinofs-first-frame", TEXT, false},
	{"x-kinofs-last-frame", TEXT, false},
	{"x-kinofs-source", TEXT, false},
	{"x-kinofs-prices", LIST, false},
	{"x-kinofs-rules", LIST, false},
	{NULL, ANY, false},
};

static const struct key property_keys[] = {
	{"$comment", TEXT, false},
	{"title", TEXT, false},
	{"description", TEXT, false},
	{"type", TEXT, true},
	{"enum", LIST, false},
	{"default", ANY, false},
	{"examples", LIST, false},
	{"minimum", NUMBER, false},
	{"maximum", NUMBER, false},
	{"minLength", SIZE, false},
	{"maxLength", SIZE, false},
	{"x-kinofs-picture", OBJECT, false},
	{NULL, ANY, false},
};

static const struct key picture_keys[] = {
	{"types", LIST, true},
	{"max_bytes", SIZE, false},
	{"data_uri", BOOLEAN, false},
	{NULL, ANY, false},
};

static const struct key price_keys[] = {
	{"when", OBJECT, false},
	{"credits", NUMBER, false},
	{"usd", NUMBER, false},
	{"date", TEXT, true},
	{"source", TEXT, true},
	{NULL, ANY, false},
};

static const struct key rule_keys[] = {
	{"refuse", OBJECT, true},
	{"message", TEXT, true},
	{NULL, ANY, false},
};

static bool of_kind(const cJSON *item, enum kind kind)
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

/* Every member known and of its kind, every required one there. where is the object's name. */
static bool check_keys(
	const cJSON *object, const struct key *keys, const char *where, struct problems *problems)
{
	static const char *const words[] = {"a text that is not empty", "a whole number from 0",
		"a number", "true or false", "a list", "an object", "anything"};
	size_t before = problems->count;
	const cJSON *item;

	if (!cJSON_IsObject(object)) {
		problems_add(problems, where, "an object is wanted");
		return false;
	}
	cJSON_ArrayForEach (item, object) {
		const struct key *key = keys;

		while (key->name && strcmp(key->name, item->string) != 0)
			key++;
		if (!key->name)
			problems_add(
				problems, where, "kinofs knows no key \"%s\" here", item->string);
		else if (!of_kind(item, key->kind))
			problems_add(
				problems, where, "\"%s\" wants %s", key->name, words[key->kind]);
	}
	for (const struct key *key = keys; key->name; key++)
		if (key->required && !json_get(object, key->name))
			problems_add(problems, where, "\"%s\" is missing", key->name);
	return problems->count == before;
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

		if (part == 0 || *id == '.')
			problems_add(problems, "$id",
				"no part of a model id may be empty or begin with a dot");
		if ((part == 3 && strncmp(id, "out", 3) == 0) ||
			(part == 4 && strncmp(id, "jobs", 4) == 0))
			problems_add(problems, "$id",
				"no part of a model id may be \"out\" or \"jobs\", which are "
				"folders of every model");
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

static bool kind_of_type(const cJSON *value, const char *type)
{
	if (strcmp(type, "string") == 0)
		return cJSON_IsString(value);
	if (strcmp(type, "boolean") == 0)
		return cJSON_IsBool(value);
	return of_kind(value, NUMBER) &&
	       (strcmp(type, "number") == 0 || value->valuedouble == trunc(value->valuedouble));
}

static void check_enum(const cJSON *property, const char *type, struct problems *problems)
{
	const cJSON *allowed = json_get(property, "enum");
	const cJSON *entry;

	if (allowed && !allowed->child)
		problems_add(problems, property->string, "\"enum\" is empty");
	cJSON_ArrayForEach (entry, allowed) {
		if (!kind_of_type(entry, type)) {
			problems_add(problems, property->string,
				"\"enum\" holds a value that is no %s", type);
			return;
		}
	}
}

static void check_picture_field(const cJSON *property, const char *type, struct problems *problems)
{
	const cJSON *picture = json_get(property, "x-kinofs-picture");
	const cJSON *entry;

	if (!picture || !check_keys(picture, picture_keys, property->string, problems))
		return;
	if (strcmp(type, "string") != 0 || json_get(property, "enum"))
		problems_add(problems, property->string,
			"a picture field is of type \"string\" and has no \"enum\"");
	if (!json_get(picture, "types")->child)
		problems_add(problems, property->string, "\"types\" is empty");
	cJSON_ArrayForEach (entry, json_get(picture, "types")) {
		if (!of_kind(entry, TEXT) || strncmp(entry->valuestring, "image/", 6) != 0)
			problems_add(problems, property->string,
				"\"types\" holds what is no MIME type of a picture");
	}
}

static void check_bounds(const cJSON *property, const char *type, struct problems *problems)
{
	static const char *const pairs[][2] = {{"minimum", "maximum"}, {"minLength", "maxLength"}};
	bool numeric = strcmp(type, "integer") == 0 || strcmp(type, "number") == 0;

	for (size_t i = 0; i < 2; i++) {
		const cJSON *low = json_get(property, pairs[i][0]),
			    *high = json_get(property, pairs[i][1]);
		bool fits = i == 0 ? numeric : strcmp(type, "string") == 0;

		if ((low || high) && !fits)
			problems_add(problems, property->string,
				"\"%s\" and \"%s\" mean nothing for type \"%s\"", pairs[i][0],
				pairs[i][1], type);
		if (low && high && low->valuedouble > high->valuedouble)
			problems_add(problems, property->string, "\"%s\" is over \"%s\"",
				pairs[i][0], pairs[i][1]);
	}
}

static void check_property(const cJSON *property, struct problems *problems)
{
	static const char *const types[] = {"string", "integer", "number", "boolean"};
	static const char *const taken[] = {"model", "callBackUrl", "input", "takes"};
	const char *name = property->string;
	const char *type = NULL;

	if (!*name || strlen(name) > 64 || strspn(name, LETTERS_DIGITS "_") != strlen(name))
		problems_add(problems, name, "a field's name is 1 to 64 of A-Z a-z 0-9 _");
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		if (strcmp(name, taken[i]) == 0)
			problems_add(problems, name, "a field cannot have this name");
	if (!check_keys(property, property_keys, name, problems))
		return;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(json_get(property, "type")->valuestring, types[i]) == 0)
			type = types[i];
	if (!type) {
		problems_add(problems, name,
			"\"type\" is one of \"string\", \"integer\", \"number\", \"boolean\"");
		return;
	}
	check_enum(property, type, problems);
	check_picture_field(property, type, problems);
	check_bounds(property, type, problems);
}

/* That key, if there, names a field of type string; a picture one or another. */
static void check_naming(
	const cJSON *schema, const char *key, bool picture, struct problems *problems)
{
	const cJSON *name = json_get(schema, key);
	const cJSON *property =
		name ? json_get(json_get(schema, "properties"), name->valuestring) : NULL;
	const char *type = cJSON_GetStringValue(json_get(property, "type"));

	if (!name)
		return;
	if (!property)
		problems_add(problems, key, "\"%s\" is not in \"properties\"", name->valuestring);
	else if (!type || strcmp(type, "string") != 0 ||
		 picture != (json_get(property, "x-kinofs-picture") != NULL))
		problems_add(problems, key, "\"%s\" is no %s field", name->valuestring,
			picture ? "picture" : "text");
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

static bool is_date(const char *text)
{
	static const char form[] = "0000-00-00";

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	return true;
}

static void check_rows(const cJSON *schema, struct problems *problems)
{
	const cJSON *row;

	cJSON_ArrayForEach (row, json_get(schema, "x-kinofs-prices")) {
		const cJSON *credits = json_get(row, "credits"), *usd = json_get(row, "usd");

		if (!check_keys(row, price_keys, "x-kinofs-prices", problems))
			continue;
		if (!credits == !usd || (credits ? credits : usd)->valuedouble < 0)
			problems_add(problems, "x-kinofs-prices",
				"each row has either \"credits\" or \"usd\", not below 0");
		if (!is_date(json_get(row, "date")->valuestring))
			problems_add(problems, "x-kinofs-prices", "\"%s\" is no date YYYY-MM-DD",
				json_get(row, "date")->valuestring);
	}
	cJSON_ArrayForEach (row, json_get(schema, "x-kinofs-rules")) {
		if (check_keys(row, rule_keys, "x-kinofs-rules", problems) &&
			!json_get(row, "refuse")->child)
			problems_add(problems, "x-kinofs-rules", "\"refuse\" is empty");
	}
}

void model_check_shape(const cJSON *schema, struct problems *problems)
{
	const cJSON *property;
	int fields = 0;
	size_t pictures = 0;

	if (!check_keys(schema, top_keys, NULL, problems))
		return;
	check_id(json_get(schema, "$id")->valuestring, problems);
	check_endpoint(schema, problems);
	cJSON_ArrayForEach (property, json_get(schema, "properties")) {
		check_property(property, problems);
		pictures += json_get(property, "x-kinofs-picture") != NULL;
		fields++;
	}
	if (fields > MOST_FIELDS || pictures > CHECK_PICTURES)
		problems_add(problems, "properties", "at most %d fields, %zu of them pictures",
			MOST_FIELDS, CHECK_PICTURES);
	check_required(schema, problems);
	check_naming(schema, "x-kinofs-prompt", false, problems);
	check_naming(schema, "x-kinofs-first-frame", true, problems);
	check_naming(schema, "x-kinofs-last-frame", true, problems);
	check_rows(schema, problems);
}

/* The members of a row's object are fields with values they may have. */
static int check_row_values(const struct model *model, const cJSON *values, const char *where,
	struct problems *problems)
{
	struct check check = {.model = model, .problems = problems, .file = where, .dir = ""};
	AUTO_JSON cJSON *copy = cJSON_Duplicate(values, true);
	int error = 0;

	if (!copy)
		return values ? -ENOMEM : 0;
	for (cJSON *item = copy->child; item && error == 0; item = item->next) {
		const struct model_field *field = model_field(model, item->string);

		if (!field)
			check_unknown(&check, item->string);
		else
			error = check_value(&check, copy, &item, field);
		if (field && error == 0 &&
			!cJSON_Compare(item, json_get(values, field->name), true))
			problems_add_in(
				problems, where, field->name, "write the value as its type has it");
	}
	check_clear(&check);
	return error;
}

static int check_default(
	const struct model *model, const struct model_field *field, struct problems *problems)
{
	AUTO_JSON cJSON *values = cJSON_CreateObject();
	cJSON *copy = cJSON_Duplicate(field->fallback, true);

	if (!values || !copy || !cJSON_AddItemToObject(values, field->name, copy)) {
		cJSON_Delete(copy);
		return -ENOMEM;
	}
	return check_row_values(model, values, "default", problems);
}

int model_check_values(const struct model *model, struct problems *problems)
{
	const cJSON *row;
	int error = 0;

	for (size_t i = 0; i < model->nfield && error == 0; i++)
		if (model->field[i].fallback)
			error = check_default(model, &model->field[i], problems);
	cJSON_ArrayForEach (row, model->prices) {
		if (error == 0)
			error = check_row_values(
				model, json_get(row, "when"), "x-kinofs-prices", problems);
	}
	cJSON_ArrayForEach (row, model->rules) {
		if (error == 0)
			error = check_row_values(
				model, json_get(row, "refuse"), "x-kinofs-rules", problems);
	}
	return error;
}

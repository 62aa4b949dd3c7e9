#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "spec/docs.h"
#include "spec/docs_parts.h"
#include "spec/kind.h"
#include "spec/media_field.h"
#include "spec/text.h"

#include <string.h>

/* cJSON's functions take NULL for an object and return NULL then, so a missing allocation runs
 * through to the end, where `lost` remembers it. */
struct writer {
	bool lost;
};

static void put(struct writer *out, cJSON *object, const char *name, cJSON *item)
{
	if (item && cJSON_AddItemToObject(object, name, item))
		return;
	cJSON_Delete(item);
	out->lost = true;
}

static void put_text(struct writer *out, cJSON *object, const char *name, const char *text)
{
	put(out, object, name, text ? cJSON_CreateString(text) : NULL);
}

static cJSON *put_object(struct writer *out, cJSON *object, const char *name)
{
	cJSON *item = cJSON_AddObjectToObject(object, name);

	out->lost = out->lost || !item;
	return item;
}

static void put_number(
	struct writer *out, cJSON *object, const char *name, bool there, double value)
{
	if (there)
		put(out, object, name, cJSON_CreateNumber(value));
}

/* Adds what would be coerced to the value: 6 for "6", "6" for 6. */
static void add_twin(struct writer *out, cJSON *list, const cJSON *value)
{
	char shown[TEXT_SHOWN_BYTES];
	cJSON *twin = NULL;
	char *end;

	if (cJSON_IsNumber(value)) {
		twin = cJSON_CreateString(text_value(value, shown));
	} else if (cJSON_IsString(value)) {
		double number = strtod(value->valuestring, &end);

		if (end == value->valuestring || *end)
			return; /* no number, so none stands for it */
		twin = cJSON_CreateNumber(number);
	} else {
		return;
	}
	if (!cJSON_AddItemToArray(list, twin)) {
		cJSON_Delete(twin);
		out->lost = true;
	}
}

/* The values, and what would be coerced to them. */
static void put_enum(struct writer *out, cJSON *property, const struct model_field *field)
{
	cJSON *list = cJSON_Duplicate(field->allowed, true);
	const cJSON *value;

	cJSON_ArrayForEach (value, field->allowed)
		add_twin(out, list, value);
	put(out, property, "enum", list);
}

/* What the value at an address is not to be: an object that holds only that. NULL: a schema cannot
 * say it as a person may write it. */
static cJSON *wanted_schema(struct writer *out, const struct model *model, const cJSON *wanted)
{
	const struct model_field *field = model_field(model, wanted->string);
	const cJSON *entry;
	cJSON *schema, *list;

	if (!field || (cJSON_IsObject(wanted) && json_get(wanted, "given")))
		return NULL;
	if (cJSON_IsObject(wanted))
		return cJSON_Duplicate(wanted, true);
	schema = cJSON_CreateObject();
	if (cJSON_IsBool(wanted) && field->type != FIELD_BOOLEAN)
		return schema; /* given: anything */
	list = cJSON_AddArrayToObject(schema, "enum");
	if (!cJSON_IsArray(wanted)) {
		out->lost |= !cJSON_AddItemToArray(list, cJSON_Duplicate(wanted, true));
		add_twin(out, list, wanted);
	}
	for (entry = cJSON_IsArray(wanted) ? wanted->child : NULL; entry; entry = entry->next) {
		out->lost |= !cJSON_AddItemToArray(list, cJSON_Duplicate(entry, true));
		add_twin(out, list, entry);
	}
	return schema;
}

/* Of a field that must not be given: {"required": [it]}, to be refused beside the rest. */
static bool is_absence(const struct model *model, const cJSON *wanted)
{
	const struct model_field *field = model_field(model, wanted->string);

	return field && field->type != FIELD_BOOLEAN && cJSON_IsFalse(wanted);
}

static bool put_rule(
	struct writer *out, cJSON *refused, const struct model *model, const cJSON *rule)
{
	cJSON *required = cJSON_AddArrayToObject(refused, "required");
	cJSON *properties = put_object(out, refused, "properties");
	const cJSON *wanted;

	cJSON_ArrayForEach (wanted, json_get(rule, "refuse")) {
		cJSON *schema;

		if (is_absence(model, wanted) || strchr(wanted->string, '/'))
			return false; /* a file may give it; or it lies deeper */
		schema = wanted_schema(out, model, wanted);
		if (!schema)
			return false;
		put(out, properties, wanted->string, schema);
		out->lost |= !cJSON_AddItemToArray(required, cJSON_CreateString(wanted->string));
	}
	return json_get(rule, "refuse") && !json_get(rule, "sum");
}

/* The model's cross-field rules, for what the spec says itself: defaults, files and sums are the
 * check's business. */
static void put_rules(struct writer *out, cJSON *object, const struct model *model)
{
	AUTO_JSON cJSON *all = cJSON_CreateArray();
	const cJSON *rule;

	out->lost |= !all;
	cJSON_ArrayForEach (rule, model->rules) {
		cJSON *entry = cJSON_CreateObject();
		bool is_told = put_rule(out, put_object(out, entry, "not"), model, rule);

		put_text(out, entry, "errorMessage", json_text(rule, "message"));
		if (is_told && cJSON_AddItemToArray(all, entry))
			continue;
		out->lost |= is_told;
		cJSON_Delete(entry);
	}
	if (all && all->child)
		put(out, object, "allOf", TAKE(all));
}

static void put_type(struct writer *out, cJSON *property, const struct model_field *field)
{
	static const struct {
		const char *type, *pattern; /* of the text that is coerced to it */
	} known[] = {
		[FIELD_STRING] = {"string", NULL},
		[FIELD_INTEGER] = {"integer", "^-?[0-9]+$"},
		[FIELD_NUMBER] = {"number", "^-?[0-9]+(\\.[0-9]+)?$"},
		[FIELD_BOOLEAN] = {"boolean", "^(true|false)$"},
		[FIELD_LIST] = {"array", NULL},
		[FIELD_OBJECT] = {"object", NULL},
	};
	const char *both[] = {known[field->type].type, "string"};

	if (!known[field->type].pattern) {
		put_text(out, property, "type", known[field->type].type);
		return;
	}
	put(out, property, "type", cJSON_CreateStringArray(both, 2));
	put_text(out, property, "pattern", known[field->type].pattern);
}

static bool has_file_beside(const struct model_field *field)
{
	const cJSON *mark = field->marks ? field->marks->child : NULL;

	return mark && !*mark->valuestring;
}

static char *describe(const struct model_field *field)
{
	const char *text = field->description ? field->description : "";
	const char *noun = media_noun(field->media);
	char types[200];

	if (!field->media)
		return strdup(text);
	return format(
		"%s%sAn http(s) link, or the path of a %s in this mount, relative to the spec; "
		"%s.%s%s%s%s",
		text, *text ? " " : "", noun, media_types(field, types),
		field->media & MEDIA_PICTURE && media_frame_type(field)
			? " NAME.mp4#last: the last picture of that film; #first: its first."
			: "",
		has_file_beside(field) ? " A " : "", has_file_beside(field) ? noun : "",
		has_file_beside(field) ? " file of the spec's own name will do instead." : "");
}

static void put_members(struct writer *out, cJSON *schema, const struct model_field *object);

static void put_bounds(struct writer *out, cJSON *property, const struct model_field *field)
{
	put_number(out, property, "minimum", field->has_minimum, field->minimum);
	put_number(out, property, "maximum", field->has_maximum, field->maximum);
	put_number(out, property, "multipleOf", field->multiple_of > 0, field->multiple_of);
	put_number(out, property, "minLength", field->min_chars > 0, (double)field->min_chars);
	put_number(out, property, "maxLength", field->max_chars > 0, (double)field->max_chars);
	put_number(out, property, "minItems", field->min_items > 0, (double)field->min_items);
	put_number(out, property, "maxItems", field->max_items > 0, (double)field->max_items);
}

static void fill_field(struct writer *out, cJSON *property, const struct model_field *field)
{
	AUTO_FREE char *words = describe(field);

	put_text(out, property, "description", words);
	if (field->only)
		put(out, property, "const", cJSON_Duplicate(field->only, true));
	else if (field->allowed)
		put_enum(out, property, field);
	else
		put_type(out, property, field);
	if (field->fallback)
		put(out, property, "default", cJSON_Duplicate(field->fallback, true));
	put_bounds(out, property, field);
	if (field->type == FIELD_OBJECT)
		put_members(out, property, field);
	if (field->type == FIELD_LIST)
		fill_field(out, put_object(out, property, "items"), field->field);
}

static void put_fields(struct writer *out, cJSON *properties, const struct model_field *object)
{
	for (size_t i = 0; i < object->nfield; i++)
		fill_field(
			out, put_object(out, properties, object->field[i].name), &object->field[i]);
}

/* The model's own fields, each with the prices that go by it. */
static void put_own_fields(struct writer *out, cJSON *properties, const struct model *model)
{
	put_fields(out, properties, &model->root);
	for (size_t i = 0; i < model->root.nfield; i++) {
		const struct model_field *field = &model->root.field[i];
		AUTO_FREE char *price = docs_price_by(model, field->name);
		AUTO_FREE char *words = price && *price ? describe(field) : NULL;
		AUTO_FREE char *all =
			words ? format("%s%sPrice: %s.", words, *words ? " " : "", price) : NULL;
		cJSON *text = all ? cJSON_CreateString(all) : NULL;

		out->lost = out->lost || !price || (*price && !text);
		if (text && !cJSON_ReplaceItemInObjectCaseSensitive(
				    cJSON_GetObjectItemCaseSensitive(properties, field->name),
				    "description", text)) {
			cJSON_Delete(text);
			out->lost = true;
		}
	}
}

static void put_members(struct writer *out, cJSON *schema, const struct model_field *object)
{
	put(out, schema, "additionalProperties", cJSON_CreateFalse());
	put_fields(out, put_object(out, schema, "properties"), object);
}

static void put_model(struct writer *out, cJSON *properties, const struct model *model)
{
	cJSON *property = put_object(out, properties, "model");

	put_text(out, property, "description",
		"The model's name, as the provider's examples have it; not needed here.");
	put_text(out, property, "const", model->name);
	property = put_object(out, properties, "$schema");
	put_text(out, property, "description", "Where an editor finds this schema; never sent.");
	put_text(out, property, "type", "string");
}

static void put_takes(struct writer *out, cJSON *properties)
{
	static const char *const both[] = {"integer", "string"};
	cJSON *property = put_object(out, properties, "takes");

	put_text(out, property, "description",
		"How many to make of this; each is paid for. Never sent.");
	put(out, property, "type", cJSON_CreateStringArray(both, 2));
	put_text(out, property, "pattern", "^[0-9]+$");
	put_number(out, property, "minimum", true, 1);
	put_number(out, property, "maximum", true, LIMIT_TAKES);
	put_number(out, property, "default", true, 1);
}

/* With "input" the fields stand inside it, and only the envelope beside it. */
static void put_envelope(
	struct writer *out, cJSON *schema, cJSON *properties, const struct model *model)
{
	static const char *const beside[] = {"$schema", "model", "callBackUrl", "takes", "input"};
	static const char *const needs[] = {"input"};
	cJSON *property = put_object(out, properties, "callBackUrl");
	cJSON *inner;

	put_text(out, property, "description",
		"A link of yours that the provider calls when the task is done. kinofs does not "
		"need it.");
	put_text(out, property, "type", "string");
	put_text(out, property, "pattern", "^[hH][tT][tT][pP][sS]?://");
	property = put_object(out, properties, "input");
	put_text(out, property, "description",
		"The fields, as the provider's examples have them; they may also stand directly in "
		"the spec.");
	put_text(out, property, "type", "object");
	put(out, property, "additionalProperties", cJSON_CreateFalse());
	put_own_fields(out, put_object(out, property, "properties"), model);
	put_rules(out, property, model);
	inner = put_object(out, schema, "if");
	put(out, inner, "required", cJSON_CreateStringArray(needs, 1));
	inner = put_object(out, put_object(out, schema, "then"), "propertyNames");
	put(out, inner, "enum", cJSON_CreateStringArray(beside, 5));
	put_text(
		out, inner, "errorMessage", "Beside \"input\" no field may stand: put it into it.");
}

char *docs_schema(const struct model *model)
{
	struct writer out = {false};
	AUTO_JSON cJSON *schema = cJSON_CreateObject();
	const char *words = json_text(model->schema, "description");
	AUTO_FREE char *price = docs_price_words(model);
	AUTO_FREE char *both = format("%s%s%s%s", words ?: "", words ? " " : "",
		price && *price == '$' ? "Price: " : "", price ?: "");
	cJSON *properties;

	put_text(&out, schema, "$schema", "http://json-schema.org/draft-07/schema#");
	put_text(&out, schema, "title", model->title);
	out.lost = out.lost || !price;
	put_text(&out, schema, "description", both);
	put_text(&out, schema, "type", "object");
	put(&out, schema, "additionalProperties", cJSON_CreateFalse());
	properties = put_object(&out, schema, "properties");
	put_own_fields(&out, properties, model);
	put_rules(&out, schema, model);
	put_model(&out, properties, model);
	put_takes(&out, properties);
	if (model->wrapped)
		put_envelope(&out, schema, properties, model);
	return out.lost ? NULL : cJSON_Print(schema);
}

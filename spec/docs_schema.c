#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "spec/docs.h"
#include "spec/picture.h"
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

/* The model's cross-field rules, for what the spec says itself: defaults are the check's business.
 */
static void put_rules(struct writer *out, cJSON *object, const struct model *model)
{
	cJSON *all = model->rules ? cJSON_CreateArray() : NULL;
	const cJSON *rule, *value;

	cJSON_ArrayForEach (rule, model->rules) {
		cJSON *entry = cJSON_CreateObject();
		cJSON *refused = put_object(out, entry, "not");
		cJSON *required = cJSON_AddArrayToObject(refused, "required");
		cJSON *properties = put_object(out, refused, "properties");

		cJSON_ArrayForEach (value, json_get(rule, "refuse")) {
			cJSON *list = cJSON_AddArrayToObject(
				put_object(out, properties, value->string), "enum");

			out->lost |= !cJSON_AddItemToArray(list, cJSON_Duplicate(value, true));
			out->lost |=
				!cJSON_AddItemToArray(required, cJSON_CreateString(value->string));
			add_twin(out, list, value);
		}
		if (!cJSON_AddItemToArray(all, entry)) {
			cJSON_Delete(entry);
			out->lost = true;
		}
	}
	if (all)
		put(out, object, "allOf", all);
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
	};
	const char *both[] = {known[field->type].type, "string"};

	if (field->type == FIELD_STRING) {
		put_text(out, property, "type", "string");
		return;
	}
	put(out, property, "type", cJSON_CreateStringArray(both, 2));
	put_text(out, property, "pattern", known[field->type].pattern);
}

static char *describe(const struct model *model, const struct model_field *field)
{
	static const char mark[] = "An http(s) link, or the path of a picture in this mount, "
				   "relative to the spec; ";
	const char *text = field->description ? field->description : "";
	char types[200];

	if (!field->picture)
		return strdup(text);
	return format("%s%s%s%s.%s", text, *text ? " " : "", mark, picture_types(field, types),
		field == model->first_frame
			? " A picture file of the spec's own name will do instead."
			: "");
}

static void put_field(struct writer *out, cJSON *properties, const struct model *model,
	const struct model_field *field)
{
	AUTO_FREE char *words = describe(model, field);
	cJSON *property = put_object(out, properties, field->name);

	put_text(out, property, "description", words);
	if (field->allowed)
		put_enum(out, property, field);
	else
		put_type(out, property, field);
	if (field->fallback)
		put(out, property, "default", cJSON_Duplicate(field->fallback, true));
	put_number(out, property, "minimum", field->has_minimum, field->minimum);
	put_number(out, property, "maximum", field->has_maximum, field->maximum);
	put_number(out, property, "minLength", field->min_chars > 0, (double)field->min_chars);
	put_number(out, property, "maxLength", field->max_chars > 0, (double)field->max_chars);
}

static void put_fields(struct writer *out, cJSON *properties, const struct model *model)
{
	for (size_t i = 0; i < model->nfield; i++)
		put_field(out, properties, model, &model->field[i]);
}

static void put_model(struct writer *out, cJSON *properties, const struct model *model)
{
	cJSON *property = put_object(out, properties, "model");

	put_text(out, property, "description",
		"The model's name, as the provider's examples have it; not needed here.");
	put_text(out, property, "const", model->id);
	property = put_object(out, properties, "$schema");
	put_text(out, property, "description", "Where an editor finds this schema; never sent.");
	put_text(out, property, "type", "string");
}

static void put_takes(struct writer *out, cJSON *properties)
{
	static const char *const both[] = {"integer", "string"};
	cJSON *property = put_object(out, properties, "takes");

	put_text(out, property, "description",
		"How many videos to make of this; each is paid for. Never sent.");
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
		"A link of yours that the provider calls when the video is done. kinofs does not "
		"need it.");
	put_text(out, property, "type", "string");
	put_text(out, property, "pattern", "^[hH][tT][tT][pP][sS]?://");
	property = put_object(out, properties, "input");
	put_text(out, property, "description",
		"The fields, as the provider's examples have them; they may also stand directly in "
		"the spec.");
	put_text(out, property, "type", "object");
	put(out, property, "additionalProperties", cJSON_CreateFalse());
	put_fields(out, put_object(out, property, "properties"), model);
	put_rules(out, property, model);
	inner = put_object(out, schema, "if");
	put(out, inner, "required", cJSON_CreateStringArray(needs, 1));
	inner = put_object(out, put_object(out, schema, "then"), "propertyNames");
	put(out, inner, "enum", cJSON_CreateStringArray(beside, 5));
}

char *docs_schema(const struct model *model)
{
	struct writer out = {false};
	AUTO_JSON cJSON *schema = cJSON_CreateObject();
	const cJSON *words = json_get(model->schema, "description");
	cJSON *properties;

	put_text(&out, schema, "$schema", "http://json-schema.org/draft-07/schema#");
	put_text(&out, schema, "title", model->title);
	if (words)
		put_text(&out, schema, "description", words->valuestring);
	put_text(&out, schema, "type", "object");
	put(&out, schema, "additionalProperties", cJSON_CreateFalse());
	properties = put_object(&out, schema, "properties");
	put_fields(&out, properties, model);
	put_rules(&out, schema, model);
	put_model(&out, properties, model);
	put_takes(&out, properties);
	if (model->wrapped)
		put_envelope(&out, schema, properties, model);
	return out.lost ? NULL : cJSON_Print(schema);
}

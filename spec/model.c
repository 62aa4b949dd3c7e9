#include "spec/model.h"

#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "spec/json_text.h"
#include "spec/model_check.h"

#include <string.h>

static enum field_type type_of(const cJSON *property)
{
	static const char *const names[] = {[FIELD_STRING] = "string",
		[FIELD_INTEGER] = "integer",
		[FIELD_NUMBER] = "number",
		[FIELD_BOOLEAN] = "boolean"};
	const char *type = json_text(property, "type");
	enum field_type found = FIELD_STRING;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(type, names[i]) == 0)
			found = (enum field_type)i;
	return found;
}

static size_t size_of(const cJSON *object, const char *name)
{
	const cJSON *item = json_get(object, name);

	return item ? (size_t)item->valuedouble : 0;
}

static bool is_required(const cJSON *schema, const char *name)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, json_get(schema, "required")) {
		if (strcmp(entry->valuestring, name) == 0)
			return true;
	}
	return false;
}

/* From a property that model_check_shape() has found sound. */
static void fill_field(const cJSON *schema, const cJSON *property, struct model_field *field)
{
	const cJSON *picture = json_get(property, "x-kinofs-picture");
	const cJSON *minimum = json_get(property, "minimum"),
		    *maximum = json_get(property, "maximum");

	*field = (struct model_field){
		.name = property->string,
		.type = type_of(property),
		.required = is_required(schema, property->string),
		.picture = picture != NULL,
		.picture_data_uri = json_is_true(picture, "data_uri"),
		.picture_types = json_get(picture, "types"),
		.picture_max_bytes = size_of(picture, "max_bytes"),
		.allowed = json_get(property, "enum"),
		.fallback = json_get(property, "default"),
		.min_chars = size_of(property, "minLength"),
		.max_chars = size_of(property, "maxLength"),
		.has_minimum = minimum != NULL,
		.has_maximum = maximum != NULL,
		.minimum = minimum ? minimum->valuedouble : 0,
		.maximum = maximum ? maximum->valuedouble : 0,
		.description = json_text(property, "description"),
	};
}

static const struct model_field *field_named_by(const struct model *model, const char *key)
{
	const char *name = json_text(model->schema, key);

	return name ? model_field(model, name) : NULL;
}

/* From a schema that model_check_shape() has found sound. 0 or -ENOMEM. */
static int fill_model(struct model *model)
{
	const cJSON *properties = json_get(model->schema, "properties");
	const cJSON *envelope = json_get(model->schema, "x-kinofs-envelope");
	const cJSON *property;

	model->field = calloc((size_t)cJSON_GetArraySize(properties), sizeof(struct model_field));
	if (!model->field)
		return -ENOMEM;
	cJSON_ArrayForEach (property, properties) {
		fill_field(model->schema, property, &model->field[model->nfield++]);
	}
	model->id = json_text(model->schema, "$id");
	model->title = json_text(model->schema, "title");
	model->provider = json_text(model->schema, "x-kinofs-provider");
	model->endpoint = json_text(model->schema, "x-kinofs-endpoint");
	/* with one URL for all models the body must name its own */
	model->wrapped = envelope ? cJSON_IsTrue(envelope) : !model->endpoint;
	model->prompt = field_named_by(model, "x-kinofs-prompt");
	model->first_frame = field_named_by(model, "x-kinofs-first-frame");
	model->last_frame = field_named_by(model, "x-kinofs-last-frame");
	model->prices = json_get(model->schema, "x-kinofs-prices");
	model->rules = json_get(model->schema, "x-kinofs-rules");
	return 0;
}

static int parse(struct model *model, const char *json, size_t bytes, struct problems *problems)
{
	int error = json_read(json, bytes, LIMIT_MODEL_BYTES, NULL, problems, &model->schema);

	if (error)
		return error;
	model_check_shape(model->schema, problems);
	if (problems->count > 0)
		return -EINVAL;
	error = fill_model(model);
	if (error)
		return error;
	error = model_check_values(model, problems);
	return error ? error : problems->count > 0 ? -EINVAL : 0;
}

struct model *model_parse(const char *json, size_t bytes, char **fault)
{
	struct problems problems = {0};
	struct model *model = calloc(1, sizeof(*model));
	int error = model ? parse(model, json, bytes, &problems) : -ENOMEM;

	*fault = error == -EINVAL ? problems_text(&problems) : NULL;
	problems_clear(&problems);
	if (error == 0)
		return model;
	model_free(model);
	return NULL;
}

void model_free(struct model *model)
{
	if (!model)
		return;
	free(model->field);
	cJSON_Delete(model->schema);
	free(model);
}

const struct model_field *model_field(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->nfield; i++)
		if (strcmp(model->field[i].name, name) == 0)
			return &model->field[i];
	return NULL;
}

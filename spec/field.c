#include "spec/field.h"

#include "fs/base/array.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "spec/kind.h"

#include <errno.h>
#include <string.h>

static enum field_type type_of(const cJSON *property)
{
	static const char *const names[] = {[FIELD_STRING] = "string",
		[FIELD_INTEGER] = "integer",
		[FIELD_NUMBER] = "number",
		[FIELD_BOOLEAN] = "boolean",
		[FIELD_LIST] = "array",
		[FIELD_OBJECT] = "object"};
	const char *type = json_text(property, "type");
	enum field_type found = FIELD_STRING;

	for (size_t i = 0; i < COUNT(names); i++)
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

static void fill_media(const cJSON *file, struct model_field *field)
{
	const cJSON *type;

	field->data_uri = json_is_true(file, "data_uri");
	field->types = json_get(file, "types");
	field->schemes = json_get(file, "schemes");
	field->marks = json_get(file, "marks");
	field->max_bytes = size_of(file, "max_bytes");
	cJSON_ArrayForEach (type, field->types)
		field->media |= media_kind_of_type(type->valuestring);
}

/* What is said of a list is true of its items, but for the marks. */
static void inherit_media(const struct model_field *list, struct model_field *item)
{
	item->media = list->media;
	item->data_uri = list->data_uri;
	item->types = list->types;
	item->schemes = list->schemes;
	item->max_bytes = list->max_bytes;
}

static void fill_bounds(const cJSON *property, struct model_field *field)
{
	const cJSON *minimum = json_get(property, "minimum"),
		    *maximum = json_get(property, "maximum");

	field->min_chars = size_of(property, "minLength");
	field->max_chars = size_of(property, "maxLength");
	field->min_items = size_of(property, "minItems");
	field->max_items = size_of(property, "maxItems");
	field->has_minimum = minimum != NULL;
	field->has_maximum = maximum != NULL;
	field->minimum = minimum ? minimum->valuedouble : 0;
	field->maximum = maximum ? maximum->valuedouble : 0;
	if (json_get(property, "multipleOf"))
		field->multiple_of = json_get(property, "multipleOf")->valuedouble;
}

static int fill_inside(const cJSON *property, struct model_field *field, size_t *order);

/* From a property that model_check_shape() has found sound; above: what it is inside of. */
static int fill_field(const cJSON *property, const struct model_field *above, bool required,
	struct model_field *field, size_t *order)
{
	const bool is_item = above->type == FIELD_LIST;

	*field = (struct model_field){
		.name = is_item ? above->name : property->string,
		.order = (*order)++,
		.type = type_of(property),
		.required = required,
		.allowed = json_get(property, "enum"),
		.only = json_get(property, "const"),
		.fallback = json_get(property, "default") ?: json_get(property, "const"),
		.description = json_text(property, "description"),
	};
	field->is_job = json_is_true(property, "x-kinofs-job");
	field->is_link =
		json_text(property, "format") && strcmp(json_text(property, "format"), "uri") == 0;
	field->address = *above->address
	                         ? format("%s/%s", above->address, is_item ? "*" : field->name)
	                         : strdup(field->name);
	if (!field->address)
		return -ENOMEM;
	fill_bounds(property, field);
	fill_media(json_get(property, "x-kinofs-file"), field);
	if (is_item && above->media)
		inherit_media(above, field);
	return fill_inside(property, field, order);
}

int field_fill_members(const cJSON *schema, struct model_field *object, size_t *order)
{
	const cJSON *properties = json_get(schema, "properties"), *property;
	int error = 0;

	object->field = calloc((size_t)cJSON_GetArraySize(properties) + 1, sizeof(*object->field));
	if (!object->field)
		return -ENOMEM;
	cJSON_ArrayForEach (property, properties) {
		if (!error)
			error = fill_field(property, object, is_required(schema, property->string),
				&object->field[object->nfield++], order);
	}
	return error;
}

static int fill_inside(const cJSON *property, struct model_field *field, size_t *order)
{
	const cJSON *items = json_get(property, "items");

	if (field->type == FIELD_OBJECT)
		return field_fill_members(property, field, order);
	if (field->type != FIELD_LIST)
		return 0;
	field->field = calloc(1, sizeof(*field->field));
	if (!field->field)
		return -ENOMEM;
	field->nfield = 1;
	return fill_field(items, field, true, field->field, order);
}

void field_clear(struct model_field *field)
{
	for (size_t i = 0; i < field->nfield; i++)
		field_clear(&field->field[i]);
	free(field->field);
	free(field->address);
}

const struct model_field *field_member(const struct model_field *object, const char *name)
{
	for (size_t i = 0; i < object->nfield; i++)
		if (strcmp(object->field[i].name, name) == 0)
			return &object->field[i];
	return NULL;
}

static const struct model_field *step(
	const struct model_field *at, const char *address, size_t length)
{
	if (at->type == FIELD_LIST)
		return at->field;
	for (size_t i = 0; i < at->nfield; i++)
		if (strlen(at->field[i].name) == length &&
			strncmp(at->field[i].name, address, length) == 0)
			return &at->field[i];
	return NULL;
}

const struct model_field *model_field(const struct model *model, const char *address)
{
	const struct model_field *at = &model->root;

	while (at) {
		size_t length = strcspn(address, "/");

		at = step(at, address, length);
		if (!address[length])
			break;
		address += length + 1;
	}
	return at;
}

/* catalogue_field.c - one field: from the provider's schema to that of a model file. */
#include "spec/catalogue_parts.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "spec/text.h"

#include <math.h>
#include <string.h>

#define MOST_DEPTH       8
#define DESCRIPTION_MOST 3000

/* Keys that a model file has, too, and those that are read beside them. */
static bool is_known(const char *key)
{
	static const char *const known[] = {"type", "description", "enum", "const", "default",
		"format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
		"multipleOf", "minLength", "maxLength", "pattern", "items", "minItems", "maxItems",
		"properties", "required", "additionalProperties"};

	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(key, known[i]) == 0)
			return true;
	return false;
}

/* ------------------------------------------------------------------ type */

static const char *type_by_value(const cJSON *value)
{
	if (cJSON_IsString(value))
		return "string";
	if (cJSON_IsBool(value))
		return "boolean";
	if (!cJSON_IsNumber(value))
		return NULL;
	return value->valuedouble == trunc(value->valuedouble) ? "integer" : "number";
}

/* The one type beside "null"; of what has none, that of its values. NULL: none, or several. */
static const char *type_of(const cJSON *said)
{
	const cJSON *type = json_get(said, "type"), *entry;
	const char *found = NULL;

	if (cJSON_IsString(type))
		return type->valuestring;
	cJSON_ArrayForEach (entry, type) {
		if (!cJSON_IsString(entry) || strcmp(entry->valuestring, "null") == 0)
			continue;
		if (found)
			return NULL;
		found = entry->valuestring;
	}
	if (type)
		return found;
	if (json_get(said, "properties"))
		return "object";
	if (json_get(said, "items"))
		return "array";
	return type_by_value(
		json_get(said, "const") ?: cJSON_GetArrayItem(json_get(said, "enum"), 0));
}

/* {"anyOf": [X, {"type": "null"}]} is X. */
static void open_nullable(cJSON *said)
{
	static const char *const keys[] = {"anyOf", "oneOf"};

	for (size_t i = 0; i < COUNT(keys); i++) {
		cJSON *branches = json_get(said, keys[i]), *branch, *other = NULL;
		size_t others = 0;

		cJSON_ArrayForEach (branch, branches) {
			const char *type = json_text(branch, "type");

			if (type && strcmp(type, "null") == 0)
				continue;
			other = branch;
			others++;
		}
		if (others != 1 || !cJSON_IsObject(other))
			continue;
		branches = cJSON_DetachItemFromObjectCaseSensitive(said, keys[i]);
		while (other->child) {
			cJSON *key = cJSON_DetachItemViaPointer(other, other->child);

			if (json_get(said, key->string) ||
				!cJSON_AddItemToObject(said, key->string, key))
				cJSON_Delete(key);
		}
		cJSON_Delete(branches);
	}
}

/* ------------------------------------------------------------------ values */

static bool is_of(const cJSON *value, const char *type)
{
	const char *own = type_by_value(value);

	if (cJSON_IsArray(value))
		return strcmp(type, "array") == 0;
	return own && (strcmp(own, type) == 0 ||
			      (strcmp(type, "number") == 0 && strcmp(own, "integer") == 0));
}

/* 6 for "6", and the other way round, as pages mix them. NULL: the value is of no use. */
static cJSON *value_as(const cJSON *value, const char *type)
{
	regmatch_t all[CATALOGUE_GROUPS];

	if (is_of(value, type))
		return cJSON_Duplicate(value, true);
	if (cJSON_IsNumber(value) && strcmp(type, "string") == 0) {
		AUTO_FREE char *text = cJSON_PrintUnformatted(value);

		return text ? cJSON_CreateString(text) : NULL;
	}
	if (cJSON_IsString(value) && strlen(value->valuestring) < 16 &&
		catalogue_finds(value->valuestring, "^[0-9]+(\\.[0-9]+)?$", all)) {
		AUTO_JSON cJSON *number =
			cJSON_CreateNumber(catalogue_number(value->valuestring, &all[0]));

		return number && is_of(number, type) ? TAKE(number) : NULL;
	}
	return NULL;
}

static void put_enum(
	struct making *making, const cJSON *said, const char *type, cJSON *field, const char *where)
{
	const cJSON *entry;
	cJSON *list = cJSON_CreateArray();

	cJSON_ArrayForEach (entry, json_get(said, "enum")) {
		cJSON *value = value_as(entry, type);

		if (value)
			making_add(making, list, value);
		else if (!cJSON_IsNull(entry))
			problems_add(
				&making->problems, where, "\"enum\" holds what is no %s", type);
	}
	making_put(making, field, "enum", list);
}

static bool is_allowed(const cJSON *value, const cJSON *field)
{
	const double number = cJSON_IsNumber(value) ? value->valuedouble : NAN;
	const cJSON *allowed = json_get(field, "enum"), *entry;
	const size_t chars = cJSON_IsString(value) ? text_chars(value->valuestring) : 0;

	if (number < json_number(field, "minimum") || number > json_number(field, "maximum"))
		return false;
	if (cJSON_IsString(value) && ((double)chars < json_number(field, "minLength") ||
					     (double)chars > json_number(field, "maxLength")))
		return false;
	cJSON_ArrayForEach (entry, allowed) {
		if (cJSON_Compare(entry, value, true))
			return true;
	}
	return !allowed;
}

/* An empty default says that there is none; one that the field itself does not allow is a slip of
 * the page. A default is not needed, so both are left out. */
static void put_default(struct making *making, const cJSON *said, const char *type, cJSON *field)
{
	const cJSON *fallback = json_get(said, "default");
	cJSON *value = fallback ? value_as(fallback, type) : NULL;
	const char *text = cJSON_GetStringValue(value);

	if (value && !cJSON_IsArray(value) && !json_get(field, "const") &&
		!json_get(field, "x-kinofs-file") && !(text && !*text) && is_allowed(value, field))
		making_put(making, field, "default", value);
	else
		cJSON_Delete(value);
}

/* ------------------------------------------------------------------ restrictions */

/* "^(https?|oss)://": links of these schemes. */
static bool is_link_pattern(const char *pattern)
{
	regmatch_t all[CATALOGUE_GROUPS];

	return catalogue_finds(pattern, "^\\^\\(?https[?]?(\\|[a-z]+)*\\)?:(\\\\?/){2}$", all);
}

/* What is not blank; kinofs takes no blank text where it takes no empty one. */
static bool is_not_blank(const char *pattern)
{
	return strcmp(pattern, "^.*\\S.*$") == 0 || strcmp(pattern, "\\S") == 0;
}

static void take_pattern(struct making *making, const cJSON *said, cJSON *field, const char *where)
{
	const char *pattern = json_text(said, "pattern");

	if (!pattern)
		return;
	if (is_link_pattern(pattern)) /* catalogue_media() takes it out */
		making_put(making, field, "pattern", cJSON_CreateString(pattern));
	else if (!is_not_blank(pattern))
		problems_add(&making->problems, where,
			"must be like \"%s\", which kinofs cannot check", pattern);
	else if (!(json_number(field, "minLength") >= 1))
		making_put(making, field, "minLength", cJSON_CreateNumber(1));
}

static void put_bounds(
	struct making *making, const cJSON *said, const char *type, cJSON *field, const char *where)
{
	static const struct {
		const char *key, *exclusive;
		double step;
	} ends[] = {{"minimum", "exclusiveMinimum", 1}, {"maximum", "exclusiveMaximum", -1}};
	static const char *const others[] = {
		"multipleOf", "minLength", "maxLength", "minItems", "maxItems"};

	for (size_t i = 0; i < COUNT(others); i++)
		if (json_get(said, others[i]) &&
			json_number(said, others[i]) != 0) /* 0: no limit */
			making_put(making, field, others[i],
				cJSON_Duplicate(json_get(said, others[i]), true));
	for (size_t i = 0; i < COUNT(ends); i++) {
		const double end = json_number(said, ends[i].key);
		const double beyond = json_number(said, ends[i].exclusive);

		if (!isnan(beyond) && (strcmp(type, "integer") != 0 || !isnan(end)))
			problems_add(&making->problems, where,
				"\"%s\" cannot be said in a model file", ends[i].exclusive);
		else if (!isnan(beyond))
			making_put(making, field, ends[i].key,
				cJSON_CreateNumber(beyond + ends[i].step));
		else if (json_get(said, ends[i].key))
			making_put(making, field, ends[i].key,
				cJSON_Duplicate(json_get(said, ends[i].key), true));
	}
}

/* Keys that restrict a field and that nobody here reads. */
static void check_keys(struct making *making, const cJSON *said, const char *where)
{
	const cJSON *key = json_get(said, "additionalProperties");

	if (key && !cJSON_IsBool(key))
		problems_add(&making->problems, where, "has members of any name");
	cJSON_ArrayForEach (key, said) {
		if (!is_known(key->string))
			problems_add(&making->problems, where,
				"its schema says \"%s\", which a model file cannot say",
				key->string);
	}
}

/* ------------------------------------------------------------------ the whole field */

static void put_inside(struct making *making, const char *name, const cJSON *said, const char *type,
	cJSON *field, const char *where, int depth)
{
	AUTO_FREE char *inside = format("%s/*", where);

	if (strcmp(type, "object") == 0) {
		catalogue_members(making, said, field, where, depth + 1);
		return;
	}
	if (strcmp(type, "array") != 0)
		return;
	if (json_get(said, "items"))
		making_put(making, field, "items",
			catalogue_field(making, name, json_get(said, "items"),
				inside ? inside : where, depth + 1));
	else
		problems_add(&making->problems, where, "is a list of what is not said");
}

static void put_description(struct making *making, const cJSON *said, cJSON *field)
{
	const char *text = json_text(said, "description");

	if (text && !text_blank(text)) {
		AUTO_FREE char *plain = text_printable(text, strlen(text), DESCRIPTION_MOST);

		making_put(making, field, "description", plain ? cJSON_CreateString(plain) : NULL);
	}
}

static cJSON *make_field(
	struct making *making, const char *name, const cJSON *said, const char *address, int depth)
{
	const char *type = type_of(said), *unit = json_text(said, "format");
	cJSON *field = cJSON_CreateObject();

	check_keys(making, said, address);
	if (!type) {
		problems_add(&making->problems, address, "its type is not said");
		return field;
	}
	making_put(making, field, "type", cJSON_CreateString(type));
	put_description(making, said, field);
	if (unit && *unit)
		making_put(making, field, "format", cJSON_CreateString(unit));
	if (json_get(said, "enum"))
		put_enum(making, said, type, field, address);
	if (json_get(said, "const"))
		making_put(making, field, "const", cJSON_Duplicate(json_get(said, "const"), true));
	put_bounds(making, said, type, field, address);
	put_inside(making, name, said, type, field, address, depth);
	take_pattern(making, said, field, address);
	catalogue_limits(making, name, field);
	if (!*address || address[strlen(address) - 1] != '*') /* a list says it for its items */
		catalogue_media(making, name, field, address);
	put_default(making, said, type, field);
	return field;
}

cJSON *catalogue_field(
	struct making *making, const char *name, const cJSON *said, const char *address, int depth)
{
	AUTO_JSON cJSON *copy = cJSON_Duplicate(said, true);

	if (!cJSON_IsObject(said) || depth > MOST_DEPTH) {
		problems_add(&making->problems, address,
			depth > MOST_DEPTH ? "is too deep" : "its schema is no object");
		return cJSON_CreateNull();
	}
	if (!copy)
		return NULL;
	open_nullable(copy);
	return make_field(making, name, copy, address, depth);
}

void catalogue_members(
	struct making *making, const cJSON *said, cJSON *object, const char *address, int depth)
{
	const cJSON *member, *entry;
	cJSON *properties = cJSON_CreateObject(), *required = cJSON_CreateArray();

	if (!cJSON_IsObject(json_get(said, "properties")))
		problems_add(
			&making->problems, *address ? address : NULL, "its fields are not said");
	cJSON_ArrayForEach (member, json_object(said, "properties")) {
		AUTO_FREE char *where = *address ? format("%s/%s", address, member->string)
		                                 : strdup(member->string);

		if (!where)
			making->lost = true;
		else
			making_put(making, properties, member->string,
				catalogue_field(making, member->string, member, where, depth));
	}
	cJSON_ArrayForEach (entry, json_get(said, "required")) {
		const char *text = cJSON_GetStringValue(entry);
		const size_t bytes = text ? strcspn(text, " \t") : 0;
		AUTO_FREE char *name = strndup(text ? text : "", bytes);

		making_add(making, required, name ? cJSON_CreateString(name) : NULL);
	}
	if (required && required->child)
		making_put(making, object, "required", required);
	else
		cJSON_Delete(required);
	making_put(making, object, "properties", properties);
}

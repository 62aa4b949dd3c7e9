/* catalogue_renew.c - a model file and what the provider says of the model now. */
#include "spec/catalogue_parts.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"

#include <string.h>

/* Keys that people wrote better than a page does, or that no page says. */
static const char *const kept[] = {"title", "description", "x-kinofs-prompt", "x-kinofs-result",
	"x-kinofs-rules", "x-kinofs-endpoint", "x-kinofs-envelope", "x-kinofs-model", "$id"};

static void keep(struct making *making, cJSON *into, const cJSON *old, const char *key)
{
	if (json_get(old, key))
		making_put(making, into, key, cJSON_Duplicate(json_get(old, key), true));
}

/* What stands only in the old file: prose that no program reads. */
static void keep_missing(struct making *making, cJSON *into, const cJSON *old, const char *key)
{
	if (!json_get(into, key))
		keep(making, into, old, key);
}

static void renew_file(struct making *making, cJSON *field, const cJSON *old)
{
	cJSON *file = json_get(field, "x-kinofs-file");
	const cJSON *known = json_get(old, "x-kinofs-file");
	const char *is_unsaid = json_text(field, "$comment");

	keep(making, field, old, "x-kinofs-job"); /* schemas do not say it */
	if (!known)
		return;
	if (!file) {
		keep(making, field, old, "x-kinofs-file");
		return;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(file, "marks");
	keep(making, file, known, "marks");
	keep(making, file, known, "data_uri");
	if (is_unsaid && strcmp(is_unsaid, CATALOGUE_TYPES_UNSAID) == 0)
		keep(making, file, known, "types");
	keep_missing(making, file, known, "max_bytes");
	keep_missing(making, file, known, "schemes");
}

static void renew_members(struct making *making, cJSON *object, const cJSON *old);

static bool is_type(const cJSON *field, const char *type)
{
	const char *own = json_text(field, "type");

	return own && strcmp(own, type) == 0;
}

/* The old default, where the page has none and its values still hold it. */
static void renew_default(struct making *making, cJSON *field, const cJSON *old)
{
	const cJSON *value;

	cJSON_ArrayForEach (value, json_get(field, "enum")) {
		if (cJSON_Compare(value, json_get(old, "default"), true))
			break;
	}
	if (value || !json_get(field, "enum"))
		keep_missing(making, field, old, "default");
}

static void renew_field(struct making *making, cJSON *field, const cJSON *old)
{
	static const char *const only_there[] = {"enum", "minimum", "maximum", "multipleOf",
		"minLength", "maxLength", "minItems", "maxItems", "format"};
	const char *type = json_text(old, "type");

	keep(making, field, old, "description");
	if (type && is_type(field, "number") && is_type(old, "integer"))
		keep(making, field, old, "type"); /* a page says number of either */
	if (!type || !is_type(field, type))
		return;
	for (size_t i = 0; i < COUNT(only_there); i++)
		keep_missing(making, field, old, only_there[i]);
	renew_default(making, field, old);
	renew_file(making, field, old);
	renew_members(making, field, old);
	if (json_object(field, "items") && json_object(old, "items"))
		renew_field(making, json_get(field, "items"), json_get(old, "items"));
}

static void renew_members(struct making *making, cJSON *object, const cJSON *old)
{
	cJSON *field;

	cJSON_ArrayForEach (field, json_object(object, "properties")) {
		const cJSON *known = json_object(json_get(old, "properties"), field->string);

		if (known)
			renew_field(making, field, known);
	}
}

cJSON *catalogue_renew(const cJSON *old, const cJSON *made)
{
	struct making making = {0};
	cJSON *file = cJSON_Duplicate(made, true);

	if (!file)
		return NULL;
	for (size_t i = 0; i < COUNT(kept); i++)
		keep(&making, file, old, kept[i]);
	keep_missing(&making, file, old, "x-kinofs-prices");
	renew_members(&making, file, old);
	if (!making.lost)
		return file;
	cJSON_Delete(file);
	return NULL;
}

/* ------------------------------------------------------------------ the same or not */

static int compare_items(const void *left, const void *right)
{
	const char *one = cJSON_GetStringValue(*(cJSON *const *)left);
	const char *other = cJSON_GetStringValue(*(cJSON *const *)right);

	return strcmp(one ? one : "", other ? other : "");
}

/* In the order of the alphabet, as their own means nothing. */
static void sort_texts(cJSON *list)
{
	cJSON *items[64];
	size_t count = 0;

	if (cJSON_GetArraySize(list) > (int)COUNT(items))
		return;
	while (list && list->child)
		items[count++] = cJSON_DetachItemFromArray(list, 0);
	qsort(items, count, sizeof(*items), compare_items);
	for (size_t i = 0; i < count; i++)
		if (!cJSON_AddItemToArray(list, items[i]))
			cJSON_Delete(items[i]);
}

static void strip(cJSON *item)
{
	static const char *const words[] = {"$schema", "$comment", "title", "description", "format",
		"examples", "date", "source", "x-kinofs-source", "additionalProperties"};

	for (size_t i = 0; i < COUNT(words); i++)
		if (cJSON_IsString(json_get(item, words[i])) ||
			cJSON_IsArray(json_get(item, words[i])) ||
			cJSON_IsBool(json_get(item, words[i])))
			cJSON_DeleteItemFromObjectCaseSensitive(item, words[i]);
	sort_texts(json_array(item, "types"));
	sort_texts(json_array(item, "schemes"));
	for (cJSON *child = item ? item->child : NULL; child; child = child->next)
		strip(child);
}

static int compare_texts(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The order of what is required means nothing. */
static bool same_names(const cJSON *left, const cJSON *right)
{
	const char *one[64], *other[64];
	size_t counts[2] = {0, 0};
	const cJSON *entry;

	cJSON_ArrayForEach (entry, left) {
		if (cJSON_IsString(entry) && counts[0] < COUNT(one))
			one[counts[0]++] = entry->valuestring;
	}
	cJSON_ArrayForEach (entry, right) {
		if (cJSON_IsString(entry) && counts[1] < COUNT(other))
			other[counts[1]++] = entry->valuestring;
	}
	qsort(one, counts[0], sizeof(*one), compare_texts);
	qsort(other, counts[1], sizeof(*other), compare_texts);
	for (size_t i = 0; i < counts[0] && counts[0] == counts[1]; i++)
		if (strcmp(one[i], other[i]) != 0)
			return false;
	return counts[0] == counts[1];
}

/* Members of the two, by name, that are not the same. */
static void list_members(FILE *out, const cJSON *left, const cJSON *right, const char **comma)
{
	const cJSON *member;

	cJSON_ArrayForEach (member, left) {
		const cJSON *other = json_get(right, member->string);

		if (other && cJSON_Compare(member, other, true))
			continue;
		(void)fprintf(out, "%s%s%s", *comma, other ? "" : "without ", member->string);
		*comma = ", ";
	}
	cJSON_ArrayForEach (member, right) {
		if (json_get(left, member->string))
			continue;
		(void)fprintf(out, "%swith %s", *comma, member->string); /* the stream tells */
		*comma = ", ";
	}
}

char *catalogue_difference(const cJSON *left, const cJSON *right)
{
	AUTO_JSON cJSON *one = cJSON_Duplicate(left, true), *other = cJSON_Duplicate(right, true);
	AUTO_JSON cJSON *fields = NULL, *other_fields = NULL;
	const char *comma = "";
	char *text = NULL;
	size_t bytes;
	FILE *out = catalogue_same(left, right) ? NULL : open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	strip(one);
	strip(other);
	fields = cJSON_DetachItemFromObjectCaseSensitive(one, "properties");
	other_fields = cJSON_DetachItemFromObjectCaseSensitive(other, "properties");
	if (same_names(json_get(one, "required"), json_get(other, "required"))) {
		cJSON_DeleteItemFromObjectCaseSensitive(one, "required");
		cJSON_DeleteItemFromObjectCaseSensitive(other, "required");
	}
	list_members(out, fields, other_fields, &comma);
	list_members(out, one, other, &comma);
	return stream_text(out, &text);
}

bool catalogue_same(const cJSON *left, const cJSON *right)
{
	AUTO_JSON cJSON *one = cJSON_Duplicate(left, true), *other = cJSON_Duplicate(right, true);

	strip(one);
	strip(other);
	if (!one || !other || !same_names(json_get(one, "required"), json_get(other, "required")))
		return false;
	cJSON_DeleteItemFromObjectCaseSensitive(one, "required");
	cJSON_DeleteItemFromObjectCaseSensitive(other, "required");
	return cJSON_Compare(one, other, true);
}

#include "fs/journal/rowjson.h"

#include "fs/base/cleanup.h"
#include "fs/base/json.h"

#include <string.h>

static bool add_text(cJSON *object, const char *key, const char *text)
{
	return !text || cJSON_AddStringToObject(object, key, text);
}

/* An object at the end of the array, or NULL. */
static cJSON *add_object(cJSON *array)
{
	cJSON *object = cJSON_CreateObject();

	if (object && cJSON_AddItemToArray(array, object))
		return object;
	cJSON_Delete(object);
	return NULL;
}

cJSON *pictures_json(const struct picture *picture, size_t count)
{
	AUTO_JSON cJSON *array = picture ? cJSON_CreateArray() : NULL;

	for (size_t i = 0; array && i < count; i++) {
		const struct picture *one = &picture[i];
		cJSON *object = add_object(array);

		if (!object || !add_text(object, "field", one->field) ||
			!add_text(object, "path", one->path) ||
			!add_text(object, "sha256", one->sha256) ||
			(one->sha256 &&
				!cJSON_AddNumberToObject(object, "bytes", (double)one->bytes)) ||
			!add_text(object, "type", one->type) || !add_text(object, "url", one->url))
			return NULL;
	}
	return TAKE(array);
}

char *pictures_text(const struct picture *picture, size_t count)
{
	AUTO_JSON cJSON *array = pictures_json(picture, count);

	return array ? cJSON_PrintUnformatted(array) : NULL;
}

char *outputs_text(const struct output *output, size_t count)
{
	AUTO_JSON cJSON *array = output ? cJSON_CreateArray() : NULL;

	for (size_t i = 0; array && i < count; i++) {
		const struct output *one = &output[i];
		cJSON *object = add_object(array);

		if (!object || !add_text(object, "url", one->url) ||
			!add_text(object, "type", one->type) ||
			(one->bytes &&
				!cJSON_AddNumberToObject(object, "bytes", (double)one->bytes)) ||
			!add_text(object, "file", one->file) ||
			(one->state == OUTPUT_PUBLISHED &&
				!cJSON_AddTrueToObject(object, "published")))
			return NULL;
	}
	return array ? cJSON_PrintUnformatted(array) : NULL;
}

/* A copy of a member into *text; false: no memory. */
static bool take_text(const cJSON *object, const char *key, char **text)
{
	const char *value = json_text(object, key);

	*text = value ? strdup(value) : NULL;
	return *text || !value;
}

/* A number of bytes; 0: none, or not to be believed. */
static int64_t read_bytes(const cJSON *object)
{
	int64_t bytes = json_count(object, "bytes", INT64_C(1) << 53); /* what a double can say */

	return bytes > 0 ? bytes : 0;
}

/* The array of a text, and room for its items; *items NULL: there are none. */
static bool open_array(const char *text, cJSON **array, size_t size, void **items)
{
	*items = NULL;
	*array = text ? cJSON_Parse(text) : NULL;
	if (!text)
		return true;
	if (!cJSON_IsArray(*array))
		return false;
	*items = calloc((size_t)cJSON_GetArraySize(*array) + 1, size);
	return *items;
}

bool pictures_parse(const char *text, struct picture **picture, size_t *count)
{
	AUTO_JSON cJSON *array = NULL;
	const cJSON *object;
	void *items;
	bool read = open_array(text, &array, sizeof(**picture), &items);

	*picture = items;
	*count = 0;
	if (!read || !items)
		return read;
	cJSON_ArrayForEach (object, array) {
		struct picture *one = &(*picture)[(*count)++];

		one->bytes = read_bytes(object);
		read = take_text(object, "field", &one->field) &&
		       take_text(object, "path", &one->path) &&
		       take_text(object, "sha256", &one->sha256) &&
		       take_text(object, "type", &one->type) &&
		       take_text(object, "url", &one->url) && read;
		read = read && one->field && one->path;
	}
	return read;
}

bool outputs_parse(const char *text, struct output **output, size_t *count)
{
	AUTO_JSON cJSON *array = NULL;
	const cJSON *object;
	void *items;
	bool read = open_array(text, &array, sizeof(**output), &items);

	*output = items;
	*count = 0;
	if (!read || !items)
		return read;
	cJSON_ArrayForEach (object, array) {
		struct output *one = &(*output)[(*count)++];

		one->bytes = read_bytes(object);
		read = take_text(object, "url", &one->url) &&
		       take_text(object, "type", &one->type) &&
		       take_text(object, "file", &one->file) && read;
		one->state = json_is_true(object, "published") ? OUTPUT_PUBLISHED
		             : one->file                       ? OUTPUT_NAMED
		                                               : OUTPUT_LINKED;
		read = read && one->url;
	}
	return read;
}

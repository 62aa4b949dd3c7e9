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

static bool add_picture(cJSON *array, const struct picture *picture)
{
	cJSON *object = add_object(array);

	return object && add_text(object, "field", picture->field) &&
	       add_text(object, "path", picture->path) &&
	       add_text(object, "frame", film_frame_name(picture->frame)) &&
	       add_text(object, "sha256", picture->sha256) &&
	       (!picture->sha256 ||
		       cJSON_AddNumberToObject(object, "bytes", (double)picture->bytes)) &&
	       add_text(object, "type", picture->type) && add_text(object, "url", picture->url);
}

/* An item for each step, so that the journal finds the picture by it as by its own path. */
static bool add_way(cJSON *array, const struct picture *picture)
{
	for (size_t i = 0; i < picture->nway; i++) {
		cJSON *object = add_object(array);

		if (!object || !add_text(object, "path", picture->way[i]))
			return false;
	}
	return true;
}

static cJSON *list(const struct picture *picture, size_t count, bool ways)
{
	AUTO_JSON cJSON *array = picture ? cJSON_CreateArray() : NULL;

	for (size_t i = 0; array && i < count; i++)
		if (!add_picture(array, &picture[i]) || (ways && !add_way(array, &picture[i])))
			return NULL;
	return TAKE(array);
}

cJSON *pictures_json(const struct picture *picture, size_t count)
{
	return list(picture, count, false);
}

char *pictures_text(const struct picture *picture, size_t count)
{
	AUTO_JSON cJSON *array = list(picture, count, true);

	return array ? cJSON_PrintUnformatted(array) : NULL;
}

static bool add_count(cJSON *object, const char *key, int64_t count)
{
	return !count || cJSON_AddNumberToObject(object, key, (double)count);
}

static bool add_mark(cJSON *object, const char *key, bool set)
{
	return !set || cJSON_AddTrueToObject(object, key);
}

char *outputs_text(const struct output *output, size_t count)
{
	AUTO_JSON cJSON *array = output ? cJSON_CreateArray() : NULL;

	for (size_t i = 0; array && i < count; i++) {
		const struct output *one = &output[i];
		cJSON *object = add_object(array);

		if (!object || !add_text(object, "url", one->url) ||
			!add_text(object, "type", one->type) ||
			!add_count(object, "bytes", one->bytes) ||
			!add_text(object, "file", one->file) ||
			!add_mark(object, "published", one->state == OUTPUT_PUBLISHED) ||
			!add_mark(object, "lost", one->state == OUTPUT_LOST) ||
			!add_mark(object, "still", one->is_still) ||
			!add_count(object, "promised", one->promised) ||
			!add_count(object, "kept", one->kept) ||
			!add_text(object, "validator", one->validator) ||
			!add_count(object, "tries", one->tries) ||
			!add_count(object, "dead_ms", one->dead_ms) ||
			!add_count(object, "moov", one->moov) ||
			!add_text(object, "came", one->came) || !add_text(object, "is", one->is) ||
			!add_text(object, "unmarked", one->unmarked) ||
			!add_text(object, "other", one->other) ||
			!add_text(object, "problem", one->problem))
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

/* A number of bytes, or of ms; 0: none, or not to be believed. */
static int64_t read_count(const cJSON *object, const char *key)
{
	int64_t count = json_count(object, key, INT64_C(1) << 53); /* what a double can say */

	return count > 0 ? count : 0;
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

/* The next step on the way of a picture. */
static bool take_step(const cJSON *object, struct picture *picture)
{
	char **way = reallocarray(picture->way, picture->nway + 1, sizeof(*way));

	if (!way)
		return false;
	picture->way = way;
	if (!take_text(object, "path", &way[picture->nway]) || !way[picture->nway])
		return false;
	picture->nway++;
	return true;
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
		struct picture *one;

		if (*count && !json_text(object, "field")) {
			read = take_step(object, &(*picture)[*count - 1]) && read;
			continue;
		}
		one = &(*picture)[(*count)++];
		one->bytes = read_count(object, "bytes");
		one->frame = film_frame_parse(json_text(object, "frame"));
		read = take_text(object, "field", &one->field) &&
		       take_text(object, "path", &one->path) &&
		       take_text(object, "sha256", &one->sha256) &&
		       take_text(object, "type", &one->type) &&
		       take_text(object, "url", &one->url) && read;
		read = read && one->field && one->path;
	}
	return read;
}

static enum output_state read_state(const cJSON *object, const struct output *one)
{
	if (json_is_true(object, "published"))
		return OUTPUT_PUBLISHED;
	if (json_is_true(object, "lost"))
		return OUTPUT_LOST;
	return one->file ? OUTPUT_NAMED : OUTPUT_LINKED;
}

static bool read_output(const cJSON *object, struct output *one)
{
	int64_t tries = json_count(object, "tries", INT32_MAX);
	bool read = take_text(object, "url", &one->url) && take_text(object, "type", &one->type) &&
	            take_text(object, "file", &one->file) &&
	            take_text(object, "validator", &one->validator) &&
	            take_text(object, "came", &one->came) && take_text(object, "is", &one->is) &&
	            take_text(object, "unmarked", &one->unmarked) &&
	            take_text(object, "other", &one->other) &&
	            take_text(object, "problem", &one->problem);

	one->state = read_state(object, one);
	one->is_still = json_is_true(object, "still");
	one->bytes = read_count(object, "bytes");
	one->promised = read_count(object, "promised");
	one->kept = read_count(object, "kept");
	one->moov = read_count(object, "moov");
	one->tries = tries > 0 ? (int)tries : 0;
	one->dead_ms = read_count(object, "dead_ms");
	return read && one->url;
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
		read = read_output(object, &(*output)[(*count)++]) && read;
	}
	return read;
}

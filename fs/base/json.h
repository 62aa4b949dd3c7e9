/*
 * json.h - members of objects, by name and by type: NULL, NAN or -1 for what
 * is absent, null or of another type, so that no caller need look twice. What
 * they return belongs to the object. Pure, any thread.
 */
#ifndef KINOFS_BASE_JSON_H
#define KINOFS_BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* The member, of whatever type. */
static inline cJSON *json_get(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static inline const char *json_text(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(json_get(object, key));
}

static inline cJSON *json_object(const cJSON *object, const char *key)
{
	cJSON *member = json_get(object, key);

	return cJSON_IsObject(member) ? member : NULL;
}

static inline cJSON *json_array(const cJSON *object, const char *key)
{
	cJSON *member = json_get(object, key);

	return cJSON_IsArray(member) ? member : NULL;
}

static inline bool json_is_true(const cJSON *object, const char *key)
{
	return cJSON_IsTrue(json_get(object, key));
}

double json_number(const cJSON *object, const char *key); /* finite, else NAN */

/* A whole number, or a string of digits, within 0 … max; else -1. */
int64_t json_count(const cJSON *object, const char *key, int64_t max);

#endif

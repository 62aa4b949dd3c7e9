/* json.h - the one look-up cJSON makes long. Any thread. */
#ifndef KINOFS_BASE_JSON_H
#define KINOFS_BASE_JSON_H

#include <cjson/cJSON.h>

/* The text of a member; NULL when there is none, or it is no text. The object keeps it. */
static inline const char *json_text(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

#endif

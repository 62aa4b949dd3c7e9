#include "spec/address.h"

#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "spec/value.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The member of an object, or the item of a list, that the first part of the address names. */
static cJSON *step(const cJSON *at, const char *address, size_t length)
{
	AUTO_FREE char *name = NULL;
	char *end;
	unsigned long number;

	if (cJSON_IsArray(at)) {
		number = strtoul(address, &end, 10);
		return end == address + length && length && number <= INT_MAX
		               ? cJSON_GetArrayItem(at, (int)number)
		               : NULL;
	}
	name = strndup(address, length);
	return name ? json_get(at, name) : NULL;
}

cJSON *address_get(const cJSON *input, const char *address)
{
	const cJSON *at = input;

	while (at) {
		size_t length = strcspn(address, "/");

		at = step(at, address, length);
		if (!address[length])
			break;
		address += length + 1;
	}
	return (cJSON *)(uintptr_t)at;
}

/* Puts it into the object or list that it belongs in. */
static int put_last(cJSON *at, const char *name, cJSON *value)
{
	cJSON *old = step(at, name, strlen(name));

	if (old) {
		value_replace(at, old, value);
		return 0;
	}
	if (!cJSON_IsObject(at)) {
		cJSON_Delete(value);
		return -ENOENT;
	}
	if (cJSON_AddItemToObject(at, name, value))
		return 0;
	cJSON_Delete(value);
	return -ENOMEM;
}

static cJSON *make_object(cJSON *at, const char *address, size_t length)
{
	AUTO_FREE char *name = strndup(address, length);

	return name && cJSON_IsObject(at) ? cJSON_AddObjectToObject(at, name) : NULL;
}

int address_put(cJSON *input, const char *address, cJSON *value)
{
	cJSON *at = input;
	size_t length;

	if (!value)
		return -ENOMEM;
	while (address[length = strcspn(address, "/")]) {
		cJSON *next = step(at, address, length);

		if (!next && !(next = make_object(at, address, length))) {
			cJSON_Delete(value);
			return cJSON_IsObject(at) ? -ENOMEM : -ENOENT;
		}
		at = next;
		address += length + 1;
	}
	return put_last(at, address, value);
}

bool address_is_within(const char *address, const char *above)
{
	size_t length = strlen(above);

	return !length ||
	       (!strncmp(address, above, length) && (!address[length] || address[length] == '/'));
}

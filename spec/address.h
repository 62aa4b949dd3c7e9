/*
 * address.h - where in a request a value stands: the names of the objects it is
 * in and its own, and numbers in lists, with "/" between them: "prompt",
 * "input/prompt", "image_urls/0". No name has a "/" (model_check.c). Pure, any thread.
 */
#ifndef KINOFS_SPEC_ADDRESS_H
#define KINOFS_SPEC_ADDRESS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* The value there; NULL: there is none. */
cJSON *address_get(const cJSON *input, const char *address);

/* Puts the value there, in place of an older one; objects on the way are made, lists are not. Takes
 * the value over in any case. 0; -ENOMEM; -ENOENT: there is no list, or none so long. */
int address_put(cJSON *input, const char *address, cJSON *value);

/* Whether it is `above`, or inside it; everything is inside "". */
bool address_is_within(const char *address, const char *above);

#endif

/*
 * value.h - from the type a user wrote to the type the API wants, where that
 * loses nothing: 6 and "6", "true" and true, "768p" and "768P". Pure, any thread.
 */
#ifndef KINOFS_SPEC_VALUE_H
#define KINOFS_SPEC_VALUE_H

#include "spec/model.h"

/* Puts replacement into item's place and under its name, and deletes item. */
void value_replace(cJSON *object, cJSON *item, cJSON *replacement);

/* Coerces a member of object; *item is the member afterwards. What cannot be coerced stays as it
 * is, for the checks to refuse. 0 or -ENOMEM. */
int value_coerce(cJSON *object, cJSON **item, const struct model_field *field);

/* Whether value is one of field->allowed, exactly. */
bool value_allowed(const cJSON *value, const struct model_field *field);

#endif

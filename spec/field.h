/* field.h - the fields of a model, from its schema; for model.c. */
#ifndef KINOFS_SPEC_FIELD_H
#define KINOFS_SPEC_FIELD_H

#include "spec/model.h"

/* The fields of an object, from a schema that model_check_shape() has found sound. 0 or -ENOMEM;
 * field_clear() in any case. */
int field_fill_members(const cJSON *schema, struct model_field *object, size_t *order);
void field_clear(struct model_field *field);

#endif

/*
 * model_check.h - what may be wrong with a model file (model.h). Whoever adds a
 * model learns of every slip at once; a keyword that kinofs would not check is
 * a slip too, since a wrong request costs money.
 */
#ifndef KINOFS_SPEC_MODEL_CHECK_H
#define KINOFS_SPEC_MODEL_CHECK_H

#include "spec/model.h"
#include "spec/problem.h"

/* Keys and their types: without problems the schema can be read into a struct model. */
void model_check_shape(const cJSON *schema, struct problems *problems);

/* Values that must fit the fields: defaults, price rows, rules. 0 or -ENOMEM. */
int model_check_values(const struct model *model, struct problems *problems);

#endif

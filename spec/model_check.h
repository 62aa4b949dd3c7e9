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

/* What must fit the fields: the prompt, marks, defaults, price rows, rules. 0 or -ENOMEM. */
int model_check_values(const struct model *model, struct problems *problems);

/* ------------------------------------------------------------------ for model_rows.c */

enum key_kind { TEXT, SIZE, NUMBER, BOOLEAN, LIST, OBJECT, ANY };

struct key {
	const char *name; /* NULL ends a list */
	enum key_kind kind;
	bool required;
};

bool model_key_is(const cJSON *item, enum key_kind kind);
/* Every member known and of its kind, every required one there. where is the object's name. */
bool model_check_keys(
	const cJSON *object, const struct key *keys, const char *where, struct problems *problems);
/* The rows of prices and rules, as model_check_shape(). */
void model_check_rows(const cJSON *schema, struct problems *problems);

#endif

/*
 * check.h - one field's value against what its model says of it. Pure, any thread.
 */
#ifndef KINOFS_SPEC_CHECK_H
#define KINOFS_SPEC_CHECK_H

#include "spec/spec.h"

/* A document under judgement: a spec, or a defaults.json. */
struct check {
	const struct model *model;
	struct problems *problems;
	const char *file;               /* named behind each problem; NULL: the spec itself */
	const char *dir;                /* what its picture paths are relative to */
	struct spec_picture picture[4]; /* local pictures found; check_clear() frees them */
	size_t npictures;
	int takes; /* how many takes the document asks for; 0: it does not say */
};

#define CHECK_PICTURES (sizeof(((struct check *)NULL)->picture) / sizeof(struct spec_picture))

void check_clear(struct check *check);

/* Coerces and judges the member *item of object, which *item points to afterwards. 0 or -ENOMEM. */
int check_value(struct check *check, cJSON *object, cJSON **item, const struct model_field *field);

/* The model's cross-field rules over an input. */
void check_rules(const struct model *model, const cJSON *input, struct problems *problems);

/* Adds the problem that the model has no field of this name, with the nearest one and all others.
 */
void check_unknown(const struct check *check, const char *name);

#endif

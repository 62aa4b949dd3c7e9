/*
 * schema.h - values against a JSON Schema: the words of kinofs-spec(5), read anew.
 *
 * An address is a field's name, or names with a slash between them ("input/prompt", "images/0").
 */
#ifndef KINOFS_CONTRIB_SIMULATOR_SCHEMA_H
#define KINOFS_CONTRIB_SIMULATOR_SCHEMA_H

#include "contrib/simulator/sim.h"

/* The first thing that is wrong with the value, malloc'ed, in kie.ai's words: "prompt is required";
 * NULL: nothing. name: of the field, NULL: the input as a whole. */
char *schema_check(const cJSON *schema, const cJSON *value, const char *name);

/* Members of a schema: NULL when there is none. */
const cJSON *schema_get(const cJSON *schema, const char *key);
const char *schema_text(const cJSON *schema, const char *key);
/* x-kinofs-file of a field, or its older name. */
const cJSON *schema_file(const cJSON *field);

const cJSON *schema_at(const cJSON *schema, const char *address);
/* NULL also where the value is null. */
const cJSON *value_at(const cJSON *value, const char *address);
/* What is given, else the default or the constant. */
const cJSON *value_effective(const cJSON *schema, const cJSON *input, const char *address);
/* A number, or the number a text begins with; otherwise is returned when there is none. */
double value_number(const cJSON *value, double otherwise);

/* rules.c: the x-kinofs-rules and x-kinofs-prices of a model. */
char *rules_check(const cJSON *schema, const cJSON *input); /* as schema_check() */
/* Credits (1 is $0.005); 0: no row tells. A film or sound whose length would count is taken for
 * RULES_SECONDS long. */
double rules_price(const cJSON *schema, const cJSON *input);
#define RULES_SECONDS 5.0

#endif

/* catalogue_parts.h - the steps of catalogue_make(); private to catalogue*.c. Pure, any thread. */
#ifndef KINOFS_SPEC_CATALOGUE_PARTS_H
#define KINOFS_SPEC_CATALOGUE_PARTS_H

#include "spec/catalogue.h"
#include "spec/problem.h"

#include <regex.h>
#include <stddef.h>

/* One model file on its way. */
struct making {
	const struct catalogue_entry *said;
	const cJSON *document;
	struct problems problems; /* reasons against it */
	cJSON *rules;             /* x-kinofs-rules; an array */
	const cJSON *fields;      /* that the rules are about: "properties" of the input */
	size_t nodes;             /* copied so far: references can multiply a small document */
	bool lost;                /* there was no memory for some of it */
};

/* Adds a member, in place of one of that name; value is taken over, NULL: no memory for it. */
void making_put(struct making *making, cJSON *object, const char *key, cJSON *value);
void making_add(struct making *making, cJSON *list, cJSON *value);

/* The schema of the input without references; in "allOf" is only what no merging can do away with.
 * NULL: problems say why. */
cJSON *catalogue_input(struct making *making);

/* What a schema says of several fields at once, as rules: "oneOf", "anyOf", "not",
 * "dependentRequired" and "allOf" of these are taken out of the input. */
void catalogue_rules(struct making *making, cJSON *input);

/* The field of a model file. name: without those above it. NULL: problems say why. */
cJSON *catalogue_field(
	struct making *making, const char *name, const cJSON *said, const char *address, int depth);
/* "properties" and "required" of an object, into one of a model file. */
void catalogue_members(
	struct making *making, const cJSON *said, cJSON *object, const char *address, int depth);

/* The comment of a field for files whose types are only the usual ones. */
#define CATALOGUE_TYPES_UNSAID "which types it takes is not said; these are the usual ones"

/* Adds "x-kinofs-file" to a field that names files, by its name and description. */
void catalogue_media(struct making *making, const char *name, cJSON *field, const char *address);
/* Which files beside a spec fill the fields of the model. */
void catalogue_marks(struct making *making, cJSON *properties);

/* Adds the limits that stand only in the description. */
void catalogue_limits(struct making *making, const char *name, cJSON *field);

/* Rows of prices; NULL: the prose is not wholly understood. */
cJSON *catalogue_prices(struct making *making, const cJSON *file);

#define CATALOGUE_GROUPS 8

/* The first place in text that an extended regular expression fits, any case. */
bool catalogue_finds(const char *text, const char *expression, regmatch_t group[CATALOGUE_GROUPS]);
/* The number of a group, "20,000" as well as "10.0"; NAN: it is none. */
double catalogue_number(const char *text, const regmatch_t *group);

#endif

/*
 * catalogue.h - from what a provider says of one of its models, a JSON Schema in
 * an OpenAPI document and some prose, to a model file (model.h). Pure, any thread.
 *
 * What restricts a request and cannot be said in a model file is a reason to make none: a request
 * that kinofs does not understand costs money. Annotations are dropped. What only prose says is
 * taken over where it can be read in one way only; a price that is not wholly understood is none.
 */
#ifndef KINOFS_SPEC_CATALOGUE_H
#define KINOFS_SPEC_CATALOGUE_H

#include <cjson/cJSON.h>
#include <stdbool.h>

struct catalogue_entry {
	const char *id;          /* the provider's name of the model */
	const char *title;       /* or NULL */
	const char *description; /* or NULL */
	const char *tasks;       /* what it makes from what: "Text to Video, Image to Video" */
	const cJSON *schema;     /* an OpenAPI 3.1 document, or the schema of the input alone */
	const char *price;       /* prose, or NULL */
	const char *provider;    /* as in x-kinofs-provider */
	const char *source;      /* for x-kinofs-source and prices */
	const char *date;        /* YYYY-MM-DD: when it was said */
};

/* 0 with *file, which model_parse() accepts: cJSON_Delete(). -EINVAL with *why, one line a reason,
 * which the caller frees; -ENOMEM. */
int catalogue_make(const struct catalogue_entry *said, cJSON **file, char **why);

/* Whether it makes what kinofs delivers: videos, pictures or sounds. */
bool catalogue_is_media(const struct catalogue_entry *said);

/* The model file for something that there is one for already: what the provider says now, in the
 * words, rules and marks of the old file, and with its prices where the provider's are not
 * understood. The result need not be one that model_parse() accepts. NULL: no memory. */
cJSON *catalogue_renew(const cJSON *old, const cJSON *made);

/* Whether two model files say the same, but for words, sources and dates. */
bool catalogue_same(const cJSON *left, const cJSON *right);

/* What differs, with commas: fields, rules, prices. The caller frees. NULL: nothing, or no memory.
 */
char *catalogue_difference(const cJSON *left, const cJSON *right);

#endif

/*
 * model.h - a model is a data file: a JSON Schema of its input (draft-07) with
 * a few x-kinofs-* keys. Adding a model never needs C.
 *
 * At the top level of the file:
 *   "$id"                     the model id; also its directory in the mount
 *   "title", "description"    for README.txt
 *   "x-kinofs-provider"       a provider's name (fs/net/provider.h): "kie", "ppinfra"
 *   "x-kinofs-endpoint"       last part of the create URL, where each model has its own
 *   "x-kinofs-envelope"       true: the body is {"model", "callBackUrl"?, "input": {fields}};
 *                             false: the fields; as a rule, true when there is no endpoint
 *   "x-kinofs-prompt"         name of the field a .txt file fills
 *   "x-kinofs-first-frame"    name of the field a picture fills, if any
 *   "x-kinofs-last-frame"     name of the field a .end. picture fills, if any
 *   "x-kinofs-source"         where the facts come from, with a date
 *   "x-kinofs-prices"         rows {"when": {field: value, …}, "credits": N | "usd": N,
 *                             "date": "YYYY-MM-DD", "source": "…"}; the first row whose
 *                             "when" matches the spec (defaults filled in) is the price
 *   "x-kinofs-rules"          rows {"refuse": {field: value, …}, "message": "…"} over the
 *                             spec with defaults filled in
 *   "properties", "required"  plain JSON Schema: type, enum, default, minimum, maximum,
 *                             minLength, maxLength (Unicode characters), description, and in
 *                             a picture field "x-kinofs-picture": {"types": ["image/png", …],
 *                             "max_bytes": N, "data_uri": true|false}
 *
 * A model and a set are immutable once made, so any thread may read them.
 */
#ifndef KINOFS_SPEC_MODEL_H
#define KINOFS_SPEC_MODEL_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum field_type { FIELD_STRING, FIELD_INTEGER, FIELD_NUMBER, FIELD_BOOLEAN };

struct model_field {
	const char *name; /* all strings point into the model's schema */
	enum field_type type;
	bool required;
	bool picture;                /* takes an http(s) URL or a path inside the mount */
	bool picture_data_uri;       /* takes data:image/…;base64,… too */
	const cJSON *picture_types;  /* array of MIME types */
	size_t picture_max_bytes;    /* 0: LIMIT_PICTURE_BYTES */
	const cJSON *allowed;        /* enum, or NULL */
	const cJSON *fallback;       /* "default": shown, priced, recorded, not sent; or NULL */
	size_t min_chars, max_chars; /* of a string; max 0: no limit */
	bool has_minimum, has_maximum;
	double minimum, maximum;
	const char *description; /* or NULL */
};

struct model {
	const char *id;    /* "hailuo/02-text-to-video-pro": also its path in the mount */
	const char *title; /* for people */
	const char *provider;
	const char *endpoint; /* "minimax-hailuo-02"; NULL: the provider has one URL for all */
	bool wrapped;         /* the body is {"model", "callBackUrl"?, "input": {…}}, not flat */
	const struct model_field *prompt;      /* never NULL */
	const struct model_field *first_frame; /* NULL: the model takes no picture */
	const struct model_field *last_frame;  /* NULL: it takes no last frame */
	struct model_field *field;
	size_t nfield;
	const cJSON *prices, *rules; /* arrays or NULL */
	cJSON *schema;               /* the whole file; owns every string above */
};

/* Reads one model file. NULL with *fault (the caller frees) saying what is wrong in it, one line a
 * problem; *fault NULL: no memory. A keyword that kinofs would not check is an error too. */
struct model *model_parse(const char *json, size_t bytes, char **fault);
void model_free(struct model *model);

const struct model_field *model_field(const struct model *model, const char *name);

struct model_set {
	struct model **item; /* sorted by id */
	size_t count, room;
};

/* The built-in models. 0 or -ENOMEM. models_free() whatever it returns. */
int models_builtin(struct model_set *set);
/* Adds a model, which the set then owns; one of the same id is replaced. 0, -ENOMEM, or -EINVAL
 * when its directory would lie inside another model's. */
int models_add(struct model_set *set, struct model *model);
const struct model *models_find(const struct model_set *set, const char *id);
void models_free(struct model_set *set);

#endif

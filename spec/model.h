/*
 * model.h - a model is a data file: a JSON Schema of its input (2020-12 words)
 * with a few x-kinofs-* keys. Adding a model never needs C.
 *
 * At the top level of the file:
 *   "$id"                     the model id; also its directory in the mount
 *   "title", "description"    for README.txt
 *   "x-kinofs-provider"       a provider's name (fs/net/provider.h): "kie", "ppinfra"
 *   "x-kinofs-endpoint"       last part of the create URL, where each model has its own
 *   "x-kinofs-envelope"       true: the body is {"model", "callBackUrl"?, "input": {fields}};
 *                             false: the fields; as a rule, true when there is no endpoint
 *   "x-kinofs-model"          the model's name in the request, where it is not the id
 *   "x-kinofs-prompt"         ADDRESS of the field a .txt file fills; absent: there is no prompt
 *   "x-kinofs-result"         what it makes: "video" (as a rule), "image", "audio", or a list
 *   "x-kinofs-retired"        "YYYY-MM-DD": since then the provider does not offer it any more
 *   "x-kinofs-source"         where the facts come from, with a date
 *   "x-kinofs-prices"         rows (price.h)
 *   "x-kinofs-rules"          rows (rule.h)
 *   "properties", "required"  plain JSON Schema: type, enum, const, default, minimum, maximum,
 *                             multipleOf, minLength, maxLength (Unicode characters), items,
 *                             minItems, maxItems, properties, required, description, and
 *                             "x-kinofs-file" in a text, or a list of texts, that names a file:
 *                             {"types": ["image/png", …], "max_bytes": N, "data_uri": true|false,
 *                             "schemes": ["asset", …], "marks": ["", "end"]}
 *
 *                             and "x-kinofs-job": true in a text that names the task of another
 *                             job: its id, or the path of a result of that job
 *
 * A mark is what a file's name has between the job's and its suffix: "" is dog.png, "end" is
 * dog.end.png. Several marks of a list are its places in order; of a list with one mark, "ref", the
 * files are dog.ref.png dog.ref2.png …, and with the mark "" dog.png dog.2.png …
 *
 * A required field with a default, or a const, is sent with it; other defaults are shown, priced
 * and recorded only.
 *
 * A model and a set are immutable once made, so any thread may read them.
 */
#ifndef KINOFS_SPEC_MODEL_H
#define KINOFS_SPEC_MODEL_H

#include "spec/makes.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum field_type {
	FIELD_STRING,
	FIELD_INTEGER,
	FIELD_NUMBER,
	FIELD_BOOLEAN,
	FIELD_LIST,
	FIELD_OBJECT
};

/* Of files, by their suffix (place.h) and by their MIME type: a mask of kinds. */
enum media_kind { MEDIA_PICTURE = 1, MEDIA_FILM = 2, MEDIA_SOUND = 4 };
#define MEDIA_KINDS 3

struct model_field {
	const char *name; /* all strings point into the model's schema */
	char *address;    /* address.h; that of a list's items ends in a star instead of a number */
	size_t order;     /* among all fields of the model, each before what is inside it */
	enum field_type type;
	bool required;
	unsigned int media;   /* takes a link or a path inside the mount, of these kinds; 0: no */
	bool is_job;          /* names the task of another job: its id, or the path of its result */
	bool is_link;         /* "format": "uri": a link, never the name of a file */
	bool data_uri;        /* takes data:image/…;base64,… too */
	const cJSON *types;   /* array of MIME types */
	const cJSON *schemes; /* of links, beside http(s); or NULL */
	const cJSON *marks;   /* or NULL: no file beside the spec fills it */
	size_t max_bytes;     /* 0: media_limit() (kind.h) */
	const cJSON *allowed; /* enum, or NULL */
	const cJSON *only;    /* const, or NULL */
	const cJSON *fallback;       /* "default", or the const; or NULL */
	size_t min_chars, max_chars; /* of a string; max 0: no limit */
	size_t min_items, max_items; /* of a list; max 0: no limit */
	bool has_minimum, has_maximum;
	double minimum, maximum, multiple_of; /* 0: of nothing */
	struct model_field *field;            /* of an object; of a list, the one of its items */
	size_t nfield;
	const char *description; /* or NULL */
};

/* A place for files beside the spec. */
struct model_slot {
	const struct model_field *field;
	const char *mark;
	size_t at;     /* in the list; 0 when it is none */
	bool numbered; /* of a list that has this one mark */
};

struct model {
	const char *id;    /* "hailuo/02-text-to-video-pro": also its path in the mount */
	const char *name;  /* in the request */
	const char *title; /* for people */
	const char *provider;
	const char *endpoint; /* "minimax-hailuo-02"; NULL: the provider has one URL for all */
	bool wrapped;         /* the body is {"model", "callBackUrl"?, "input": {…}}, not flat */
	unsigned int results; /* what it makes: a mask of enum result_kind, never 0 */
	const struct model_field *prompt; /* NULL: it takes none */
	struct model_field root;          /* an object: the input */
	struct model_slot *slot;
	size_t nslot;
	const cJSON *prices, *rules; /* arrays or NULL */
	cJSON *schema;               /* the whole file; owns every string above */
};

/* Reads one model file. NULL with *fault (the caller frees) saying what is wrong in it, one line a
 * problem; *fault NULL: no memory. A keyword that kinofs would not check is an error too. */
struct model *model_parse(const char *json, size_t bytes, char **fault);
void model_free(struct model *model);

/* The field at an address, a number or a star standing for any item of a list. NULL: none. */
const struct model_field *model_field(const struct model *model, const char *address);
/* The member of an object of that name. NULL: none. */
const struct model_field *field_member(const struct model_field *object, const char *name);
/* The slot of a kind of file with the mark; NULL: none. */
const struct model_slot *model_slot(
	const struct model *model, enum media_kind kind, const char *mark);

/* What to call what it makes: makes_noun(). */
static inline const char *model_noun(const struct model *model)
{
	return makes_noun(model->results);
}

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
/* The model whose directory a path leads into. NULL: none's. */
const struct model *models_of_path(const struct model_set *set, const char *path);
void models_free(struct model_set *set);

#endif

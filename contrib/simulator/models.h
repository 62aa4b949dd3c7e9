/*
 * models.h - the models the simulator serves: every model file that it is given.
 *
 * A model file is a JSON Schema of what the provider takes, with x-kinofs-* keys (kinofs-spec(5)).
 * Where the providers' behaviour is UNKNOWN (fs/net/API.md 10) this is strict: an unknown field, a
 * wrong type or a blank prompt is refused, because a client that sends one has a bug. Wordings not
 * quoted in fs/net/API.md 5 are INFERRED. The table is constant once the server runs.
 */
#ifndef KINOFS_CONTRIB_SIMULATOR_MODELS_H
#define KINOFS_CONTRIB_SIMULATOR_MODELS_H

#include "contrib/simulator/schema.h"

enum provider {
	KIE,
	PPINFRA,
};

#define PROVIDERS 2

struct model {
	enum provider provider;
	const char *id;   /* unique */
	const char *name; /* in the request; two files may share it: two shapes of one model */
	cJSON *schema;    /* the whole file, which holds every string above */
};

enum kind {
	KIND_VIDEO,
	KIND_IMAGE,
	KIND_AUDIO,
	KIND_TASK, /* not a file: a task that has made one */
};

/* A file or a task that a request refers to. */
struct media {
	const char *url; /* or the data URI, or the task's id */
	enum kind kind;
	const cJSON *types; /* MIME types allowed, NULL: any */
	double max_bytes;   /* 0: the provider's usual limit */
	bool is_last;       /* the picture the film ends with */
};

/* What a request asks for once it has been checked. The strings live in the request's JSON or in
 * the model table. */
struct job {
	enum provider provider;
	const char *model;
	const char *prompt; /* may be empty */
	struct media *media;
	size_t media_count;
	const char *results[SIM_RESULTS]; /* the file types it will make, as of result_type() */
	size_t result_count;
	int seconds;
	const char *resolution; /* may be empty */
	double price;           /* credits */
};

/* result.c: the file type of a result of this kind, without a dot: the one wanted, where there is
 * such a one, else the usual one. wanted may be NULL. */
const char *result_type(enum kind kind, const char *wanted);
/* False: a suffix that no result has. */
bool result_kind(const char *type, enum kind *ret_kind);

/* The built-in models, then those of the folder (or NULL), whose files replace built-in ones of the
 * same id. A file that cannot be used is named on stderr and left out. */
void models_load(const char *folder);
void models_free(void);

bool models_has(enum provider provider, const char *name);
/* NULL ends it. */
const struct model *models_next(const struct model *model);

/* NULL when the input is good and *ret_job is filled; else the malloc'ed first problem, in kie.ai's
 * words where they are known. job_clear() either way. */
char *models_check(
	enum provider provider, const char *name, const cJSON *input, struct job *ret_job);
void job_clear(struct job *job);

/* job.c: what a checked input asks for. False: no memory. */
bool job_read(const struct model *model, const cJSON *input, struct job *ret_job);

#endif

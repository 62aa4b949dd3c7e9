/* models.h - the models the simulator serves, and what each accepts (fs/net/API.md 6 and 7.2). */
#ifndef KINOFS_CONTRIB_SIMULATOR_MODELS_H
#define KINOFS_CONTRIB_SIMULATOR_MODELS_H

#include "contrib/simulator/sim.h"

enum provider {
	KIE,
	PPINFRA,
};

#define PROVIDERS 2

struct model;

/* What a request asks for once it has been checked. The strings live in the request's JSON or in
 * the model table. */
struct job {
	const struct model *model;
	const char *prompt;
	const char *first; /* URL or data URI of the picture, NULL: none */
	const char *last;
	int seconds;
	const char *resolution;
	double price; /* credits */
};

/* NULL: not a model of this provider. */
const struct model *model_find(enum provider provider, const char *name);
const char *model_name(const struct model *model);
enum provider model_provider(const struct model *model);

/* NULL when the input is good and *ret_job is filled; else the malloc'ed first problem, in kie.ai's
 * words where they are known. */
char *model_check(const struct model *model, const cJSON *input, struct job *ret_job);

#endif

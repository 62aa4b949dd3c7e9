/* build.h - a job being put together: what the parts of spec_build() share. */
#ifndef KINOFS_SPEC_BUILD_H
#define KINOFS_SPEC_BUILD_H

#include "spec/spec.h"

struct build {
	const struct model *model;
	const struct spec_source *source;
	struct spec *spec;
	struct problems *problems;
	bool unreadable; /* a document is no JSON object: what it would have given is not known */
};

static inline cJSON *build_input(const struct build *build)
{
	return spec_input(build->model, build->spec->body);
}

/* Puts what a file gave where its field is, and judges it. Takes the value over in any case. 0 or
 * -errno. */
int build_put(struct build *build, const struct model_field *field, cJSON *value);

/* beside.c: the files beside the spec fill the slots of the model. missing: as spec_build(). 0 or
 * -errno. */
int beside_add(struct build *build, struct problems *missing);

/* missing.c: what the job still waits for. */
void missing_find(const struct build *build, struct problems *missing);

#endif

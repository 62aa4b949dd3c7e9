/*
 * body.h - from what a user may write (the provider's whole body, or the bare
 * input) to the provider's body, every field coerced and judged. Pure, any thread.
 */
#ifndef KINOFS_SPEC_BODY_H
#define KINOFS_SPEC_BODY_H

#include "spec/check.h"

/*
 * Turns the JSON of check's document, owned by the caller throughout, into a request body; the
 * order of what the user wrote stays, and "takes" goes to check->takes. 0; -EINVAL: no body can be
 * made of it, a problem says why; -ENOMEM.
 */
int body_make(struct check *check, cJSON **json);

/* A body without fields: {"model": …, "input": {}} or {}. NULL: no memory. */
cJSON *body_empty(const struct model *model);

#endif

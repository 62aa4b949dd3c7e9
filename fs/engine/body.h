/* body.h - the request body of a job, filled in when it is sent. Engine thread. */
#ifndef KINOFS_ENGINE_BODY_H
#define KINOFS_ENGINE_BODY_H

#include "fs/input/tree.h"
#include "fs/journal/job.h"
#include "spec/model.h"

/* The request as it was judged, every local picture replaced by its uploaded URL, or by its bytes
 * as a data URI. The caller frees. NULL: a picture is not there or not the one that was judged, or
 * no memory. */
char *body_to_send(const struct tree *tree, const struct job_row *row, const struct model *model,
	const char *request);

#endif

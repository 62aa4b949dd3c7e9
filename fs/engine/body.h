/* body.h - the request body of a job, filled in as it is sent. Engine thread. */
#ifndef KINOFS_ENGINE_BODY_H
#define KINOFS_ENGINE_BODY_H

#include "fs/input/tree.h"
#include "fs/journal/job.h"
#include "fs/net/http.h"
#include "spec/model.h"

/* The request as it was judged, every local picture replaced by its uploaded URL, or by its bytes
 * as a data URI, which are read, and compared with the ones judged, only when they are sent. Sets
 * body, or part, which http_start() takes over. 0, or -errno: a picture is not there, or no
 * memory. */
int body_to_send(const struct tree *tree, const struct job_row *row, const struct model *model,
	const char *text, struct http_request *request);

#endif

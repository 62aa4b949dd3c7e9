/*
 * body.h - the request body of a job, from its row. Its pictures are in
 * job->pictures; the body in the journal is what the record shows.
 */
#ifndef KINOFS_ENGINE_BODY_H
#define KINOFS_ENGINE_BODY_H

#include "fs/input/files.h"
#include "fs/journal/job.h"

/* The body with every local picture replaced by its uploaded URL, or by words that stand for its
 * bytes: what the record shows. The caller frees. NULL: no memory, or no such body. */
char *body_record(const struct job *job, const char *request);

/* The body to send: like the record, with the bytes of inline pictures in it as data URIs. The
 * caller frees. NULL: a picture is not there or not the one that was judged, or no memory. */
char *body_to_send(const struct tree *tree, const struct job *job, const char *request);

#endif

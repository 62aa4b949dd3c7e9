/*
 * chain.h - jobs that wait for what other jobs are to make: one that comes to
 * nothing stops those behind it, and they say so. Engine thread.
 */
#ifndef KINOFS_ENGINE_CHAIN_H
#define KINOFS_ENGINE_CHAIN_H

#include "fs/engine/jobs.h"
#include "spec/problem.h"

/* Sets a job, whose pictures were taken over (pictures.h), to wait for what is missing: and says of
 * a result that does not come by itself which job it is to come from, and what is the matter with
 * that. Those behind it are told when that is news. */
void chain_wait(struct engine *engine, struct job *job, struct problems *missing);

/* What became of a job is news to those that wait for what it makes: they are judged anew. well:
 * there is nothing the matter with it, so only those that had said so. */
void chain_tell(struct engine *engine, const struct job_key *key, bool well);
void chain_tell_of(struct engine *engine, const struct job *job, bool well);

#endif

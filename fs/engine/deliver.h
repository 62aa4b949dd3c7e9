/*
 * deliver.h - from a whole part to a file in out/. Engine thread; what waits for the disk is done
 * by the publisher's.
 */
#ifndef KINOFS_ENGINE_DELIVER_H
#define KINOFS_ENGINE_DELIVER_H

#include "fs/engine/jobs.h"

struct marked;

/* The part of job->at is whole: it is made durable, unless it is, marked if it is to be, and named.
 */
void deliver_whole(struct engine *engine, struct job *job);
/* job->at is named: it is published, or was just before the last run ended. */
void deliver_named(struct engine *engine, struct job *job);

/* What was written of job->at so far is made durable while the download goes on: `bytes` of it. */
void deliver_keep(struct engine *engine, struct job *job, int64_t bytes);

/* The publisher's answers: 0, or -errno. which: as the orders had it. */
void deliver_synced(struct engine *engine, int64_t which, int error);
void deliver_marked(struct engine *engine, int64_t which, const struct marked *marked);
void deliver_published(struct engine *engine, int64_t which, int error);

#endif

/*
 * marking.h - a film that came gets its marks (fs/net/provenance.h) before it gets a name. A thread
 * of its own reads and writes, one film at a time; it is started when there is the first. Engine
 * thread.
 *
 * The part is whole and durable before anything is written to it, and its row says how long it is
 * and where its moov is: so whatever a crash leaves of marks is taken back first, at the next try.
 * What cannot be marked is as it came.
 */
#ifndef KINOFS_ENGINE_MARKING_H
#define KINOFS_ENGINE_MARKING_H

#include "fs/engine/jobs.h"

struct inbox;
struct markings;

/* The inbox must outlive it. NULL: no memory. Until markings_start() the engine's thread does it
 * all itself. */
struct markings *markings_new(struct inbox *inbox);
void markings_free(struct markings *markings);
void markings_start(struct markings *markings);
/* The film under way is waited for. */
void markings_stop(struct markings *markings);

/* What became of a film. */
struct marked {
	int error;        /* 0, or -errno: nobody knows what stands there, so it is tried again */
	const char *came; /* SHA-256 of the file as it came, NULL: it was not looked at */
	const char *is;   /* and as it is now, durably */
	const char *left; /* why that is the same; NULL: it is marked, or was not to be */
};

/* The result job->at is marked, or as it came if marks are off now. deliver_marked() follows, by
 * the inbox or at once; which: as that has it. 0 or -errno, -ENOENT: there is no such part. */
int marking_ask(struct engine *engine, struct job *job, int64_t which);

#endif

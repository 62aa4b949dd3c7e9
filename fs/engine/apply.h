/*
 * apply.h - a row becomes what its job's files were judged to be. Engine
 * thread.
 */
#ifndef KINOFS_ENGINE_APPLY_H
#define KINOFS_ENGINE_APPLY_H

#include "fs/engine/identity.h"
#include "fs/engine/settle.h"

/* One look at a job. */
struct judging {
	struct engine *engine;
	const struct settling *settling;
	struct job_key key;
	struct takes own, same;
	struct assembly assembly;
};

/* Writes what was judged into the row, which was not sent yet, and moves it on: rejected, waiting,
 * held, or queued. 0, in how many ms to look again, or -errno. */
int64_t apply(struct judging *judging, struct job *job, const struct identification *id);

#endif

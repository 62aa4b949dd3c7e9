/* follow.h - a job goes with its files to another name. Engine thread. */
#ifndef KINOFS_ENGINE_FOLLOW_H
#define KINOFS_ENGINE_FOLLOW_H

#include "fs/engine/jobs.h"
#include "fs/input/assemble.h"

/*
 * `job`, a take of another name, is what the files of `own` are; those of its own name say
 * something else, or are gone. It comes to the name of `own` with the other takes of its order, or,
 * when no file is left where it was, with every take there is. 0 or -errno: nothing has changed.
 */
int64_t follow_files(
	struct engine *engine, struct job *job, const struct takes *own, struct assembly *assembly);

#endif

/* follow.h - a job goes with its files to another name. Engine thread. */
#ifndef KINOFS_ENGINE_FOLLOW_H
#define KINOFS_ENGINE_FOLLOW_H

#include "fs/engine/jobs.h"
#include "fs/input/assemble.h"

/*
 * Gives `job`, a take of another name, the name whose takes are `own`: that name's files, read in
 * `assembly`, now say what `job` was ordered for, and the files of its old name do not any more.
 * The other takes of its order come along; if no file is left at the old name, all its takes do.
 * They get numbers behind those the new name has. 0; 1 ms, to be judged again at once, for a copy
 * of yet another job; or -errno.
 */
int64_t follow_files(
	struct engine *engine, struct job *job, const struct takes *own, struct assembly *assembly);

#endif

/* follow.h - a job goes with its files to another name. Engine thread. */
#ifndef KINOFS_ENGINE_FOLLOW_H
#define KINOFS_ENGINE_FOLLOW_H

#include "fs/engine/jobs.h"
#include "fs/input/assemble.h"

/* Whether a row not sent yet must not be lost although its files say this order now: what is held
 * until released is held wherever it is met again. */
bool must_stay(const struct job_row *open, const char *order);
/* Such a row stays, but cancelled; another goes. */
void give_way(struct job *open, const char *order);

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

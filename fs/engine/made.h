/*
 * made.h - which job made a file in some out/. Found by the names that results
 * and notes are given (outname.h), and, for a job that has another name by now,
 * among those that changed last. Engine thread.
 */
#ifndef KINOFS_ENGINE_MADE_H
#define KINOFS_ENGINE_MADE_H

#include "fs/engine/jobs.h"

/* Every take of the job whose result or note has this path (relative to the mount), which must be
 * the one it was given: what the user renamed is no result any more. *take: the one that made the
 * result, or of a note any; NULL: no job is known that did. 0 or -errno; takes_clear() in any case.
 */
int made_find(struct engine *engine, const char *path, struct takes *takes, struct job **take);

#endif

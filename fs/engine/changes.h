/*
 * changes.h - what the mount tells, and what a start finds: from paths to jobs
 * that settle. Engine thread.
 */
#ifndef KINOFS_ENGINE_CHANGES_H
#define KINOFS_ENGINE_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct settling;

/* A file has these bytes since at_ms (wall). */
void changes_saved(struct engine *engine, const char *path, int64_t at_ms);
/* A name is gone. */
void changes_removed(struct engine *engine, const char *path);
/* A file or folder has another name. */
void changes_moved(struct engine *engine, const char *from, const char *to);
/* A file met at start. */
enum found {
	FOUND_UNKNOWN,     /* the journal did not know its job when it was looked at */
	FOUND_LAST_MOMENT, /* it changed in the last moments of a run that crashed, before that
	                      could be noted down: it is a drop like any other */
	FOUND_CHANGED,     /* of a job that is known, it changed while nothing was mounted */
};
void changes_found(struct engine *engine, const char *path, enum found how);
/* A batch is quiet: each of its lines is a job that settles. 0, or in how many ms to look again. */
int64_t changes_judge_batch(struct engine *engine, const struct settling *settling);

#endif

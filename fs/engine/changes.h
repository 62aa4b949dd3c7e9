/*
 * changes.h - from a path to the job it belongs to, which begins to settle:
 * what the mount tells of saves, removals and renames, and what a start finds
 * (recover.h). Engine thread. Paths are relative to the mount; without memory a
 * change is logged, and is met again when the file is saved or at the next start.
 */
#ifndef KINOFS_ENGINE_CHANGES_H
#define KINOFS_ENGINE_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct settling;

/* The file was saved at at_ms (wall clock): this is what may order again after a failure. */
void changes_saved(struct engine *engine, const char *path, int64_t at_ms);
/* There is no file of this name any more. */
void changes_removed(struct engine *engine, const char *path);
/* A file or folder has another name now. For each file it is a removal and a rename into place;
 * it counts as saved when its bytes were written. */
void changes_moved(struct engine *engine, const char *from, const char *to);
/* Goes on with a folder that moved: one name of it. false: there is none. What was told later must
 * wait until then. */
bool changes_go_on(struct engine *engine);
/* Without going on. */
void changes_drop(struct engine *engine);
/* A file met at start. */
enum found {
	FOUND_UNKNOWN,     /* the journal does not know its job: that will be held */
	FOUND_LAST_MOMENT, /* it changed in the last moments of a run that crashed, before that
	                      could be noted down: it is a drop like any other */
	FOUND_CHANGED,     /* it changed while nothing was mounted: its job is held if it was sent
	                      before, else it goes as it is now */
};
void changes_found(struct engine *engine, const char *path, enum found how);
/* A batch is quiet: the job of each of its lines begins to settle, and of each line that is gone.
 * 0, or in how many ms to look again. */
int64_t changes_judge_batch(struct engine *engine, const struct settling *settling);

#endif

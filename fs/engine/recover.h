/*
 * recover.h - what a start finds (fs/README.md 2, invariants 4 and 11). The
 * journal's unfinished jobs go on where they were, but for a create that was
 * under way: its answer is lost, so it is unknown. What was not sent yet is
 * judged anew before it may go, or held when the journal is not the one that was
 * left (lastrun.h). Then, beside the running engine, the tree is looked through
 * for files that the journal does not know, or that changed while nothing was
 * mounted (changes_found()).
 */
#ifndef KINOFS_ENGINE_RECOVER_H
#define KINOFS_ENGINE_RECOVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct engine;

struct recovery {
	int64_t began_ms; /* the start, by the wall clock: what changes later, the mount tells */
	int64_t files_behind_ms; /* the clock of the store's files, behind ours */
	pthread_t scanner;
	bool scanning;
	atomic_bool stop;
};

/* Before the engine's thread runs. 0 or -errno. */
int recover_load(struct engine *engine);
/* Looks through the tree on a thread of its own. */
void recover_scan(struct engine *engine);
/* The same on the calling thread, until it is done or recovery.stop. */
void recover_look_through(struct engine *engine);
/* Ends the thread. */
void recover_end(struct engine *engine);

#endif

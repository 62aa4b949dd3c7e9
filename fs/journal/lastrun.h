/*
 * lastrun.h - how the last run ended, and whether the journal is still the one
 * it left. A journal that was lost, or put back from a copy, may know less than
 * was paid for, and must never cause a submission (fs/README.md 2, invariant
 * 11). It is compared with the file `run` beside it; a copy of the whole store,
 * in which the two agree, is told by the witness outside (witness.h). For main,
 * before and after the threads.
 */
#ifndef KINOFS_JOURNAL_LASTRUN_H
#define KINOFS_JOURNAL_LASTRUN_H

#include <stdbool.h>
#include <stdint.h>

struct journal;

struct last_run {
	bool known;         /* there was one */
	bool ended;         /* cleanly */
	int64_t generation; /* of the journal it wrote to */
	/* For the run to come: */
	bool restored;    /* the journal is not the one it left: hold what it would submit */
	int64_t crash_ms; /* it crashed, and was alive last at this time (wall); 0: it did not */
	int64_t seen_until_ms; /* what changed later (wall), no run has seen; 0: not known */
};

/* Before the journal is opened, which may change its file. */
void last_run_look(int store_fd, struct last_run *last);
/* After: compares the journal's generation, raises it, and marks the run as begun. fresh: the
 * journal was made now. 0 or -errno, logged. */
int last_run_begin(int store_fd, struct journal *journal, bool fresh, struct last_run *last);
/* The run ends cleanly. */
void last_run_end(int store_fd, struct journal *journal);

#endif

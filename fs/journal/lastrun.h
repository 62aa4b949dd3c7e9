/*
 * lastrun.h - how the last run ended, and whether the journal is still the one
 * it left. A journal that was lost, or put back from a copy, may know less than
 * was paid for, and must never cause a submission (fs/README.md 2, invariant
 * 11). It is compared with the file `run` beside it; a copy of the whole store,
 * in which the two agree, is told by the witness outside (witness.h). A journal
 * that lies apart from its store (-o journal=DIR) and the store know each other
 * by the registry (registry.h). For main, before and after the threads.
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
	bool rebooted;    /* with the machine, so what it had not synced is lost: any file that was
	                     not judged may be half a file */
	int64_t seen_until_ms; /* what changed later (wall), no run has seen; 0: not known */
	int64_t began_ms;      /* the start by the clock of the store's files; 0: it is ours */
	char heartbeat[48];    /* the file whose time is the heartbeat, in the store */
	char parts[12];        /* what this journal's files in incoming/ begin with */
};

/* The folders: of the journal, and of the store, which are one descriptor when the journal is in
 * the store. */
struct run_folders {
	int journal_fd, store_fd;
	const char *where; /* the journal's folder, for people */
};

/* Before the journal is opened, which may change its file. */
void last_run_look(int journal_fd, struct last_run *last);
/* After: compares the journal's generation, raises it, and marks the run as begun. fresh: the
 * journal was made now. 0 or -errno, logged: -EXDEV, it is the journal of another store. */
int last_run_begin(const struct run_folders *folders, struct journal *journal, bool fresh,
	struct last_run *last);
/* The run ends cleanly. */
void last_run_end(int journal_fd, struct journal *journal);

#endif

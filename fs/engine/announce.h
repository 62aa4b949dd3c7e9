/*
 * announce.h - tells the user of a change once it is durable: a line in
 * events.jsonl, one in the log (logbook.h), and the note beside the results. Engine thread. Returns
 * no errors: what cannot be written is logged, and the journal has it all the same.
 */
#ifndef KINOFS_ENGINE_ANNOUNCE_H
#define KINOFS_ENGINE_ANNOUNCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct engine;
struct job;
struct journal;

struct announcer {
	int folder_fd;          /* where it is: beside the journal */
	int events_fd;          /* events.jsonl */
	int64_t last_event;     /* the highest number that an event has, told or not (commit.c) */
	atomic_int under_way;   /* notes the host was told of, not yet in out/ */
	atomic_bool has_failed; /* one will not get there in this run */
	int64_t posted_ms;      /* the last of them, clock_steady_ms() */
	int64_t settle_ms; /* when what is owed is looked at, clock_steady_ms(); INT64_MAX: never */
};

/* Opens the log of events, which goes on behind the last number that the journal or the log has: of
 * a journal that was damaged or put back, the log may know more. 0 or -errno; the caller closes
 * events_fd. */
int announce_open(struct announcer *announcer, int folder_fd, struct journal *journal);

/* Writes the lines, unless they were written for this change already, and makes the note fit the
 * state: one note for a job at a time, none when all is well. */
void announce(struct engine *engine, struct job *job);
/* Removes the job's note from out/; the next announce() brings it back. */
void announce_no_note(struct engine *engine, struct job *job);

/* At a start: the notes that the last run owed are written, or removed, once more. 0 or -errno. */
int announce_owed(struct engine *engine);
/* When announce_settle() has something to do, clock_steady_ms(); INT64_MAX: never. */
int64_t announce_next_ms(const struct engine *engine);
/* What is in out/, and on the disk by now, is owed no longer. */
void announce_settle(struct engine *engine);

#endif

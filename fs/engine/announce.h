/*
 * announce.h - tells the user of a change once it is durable: a line in
 * events.jsonl, and the note beside the results. Engine thread. Returns no
 * errors: what cannot be written is logged, and the journal has it all the same.
 */
#ifndef KINOFS_ENGINE_ANNOUNCE_H
#define KINOFS_ENGINE_ANNOUNCE_H

struct engine;
struct job;

struct announcer {
	int events_fd; /* the store's events.jsonl */
};

/* Writes the line, unless it was written for this change already, and makes the note fit the state:
 * one note for a job at a time, none when all is well. */
void announce(struct engine *engine, struct job *job);
/* Removes the job's note from out/; the next announce() brings it back. */
void announce_no_note(struct engine *engine, struct job *job);

#endif

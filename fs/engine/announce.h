/*
 * announce.h - what the user sees of a change once it is durable: a line in
 * events.jsonl, and the note beside the results. Engine thread.
 */
#ifndef KINOFS_ENGINE_ANNOUNCE_H
#define KINOFS_ENGINE_ANNOUNCE_H

struct engine;
struct job;

struct announcer {
	int events_fd; /* the store's events.jsonl */
};

/* Writes the line, unless the log knows the change, and brings the note up to the state: one note
 * for a job at a time, none when all is well. */
void announce(struct engine *engine, struct job *job);
/* Removes the job's note from out/; the next announce() brings it back. */
void announce_no_note(struct engine *engine, struct job *job);

#endif

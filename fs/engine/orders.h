/*
 * orders.h - what the user asks for: lines written to .kinofs/ctl ("retry [-n N]
 * PATH", "cancel PATH", "release PATH", "find PATH"), and the removal of a record. A path is
 * a file of the job, its record, "MODEL/NAME", or what came of it in an out/ (made.h), also that of
 * the root; find answers with the record's path, as quote_name() has it. Engine thread. What an
 * order changed is committed by the caller before the user hears the answer. asker: who may do what
 * he may do with the files of the job; NULL: all (owner.h).
 */
#ifndef KINOFS_ENGINE_ORDERS_H
#define KINOFS_ENGINE_ORDERS_H

struct engine;
struct job_key;
struct person;

/* 0 or -errno, with *answer a sentence for a person (the caller frees; NULL: no memory). */
int orders_run(struct engine *engine, const char *line, const struct person *asker, char **answer);
/* Cancels a job not yet submitted, forgets one that has ended; -EBUSY in between. */
int orders_forget(struct engine *engine, const struct job_key *key, const struct person *asker,
	char **answer);

#endif

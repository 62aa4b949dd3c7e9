/*
 * orders.h - what the user asks for: lines written to .kinofs/ctl ("retry [-n N]
 * PATH", "cancel PATH", "release PATH"), and the removal of a record. A path is
 * a file of the job, its record, or "MODEL/NAME". Engine thread. What an order
 * changed is committed by the caller before the user hears the answer.
 */
#ifndef KINOFS_ENGINE_ORDERS_H
#define KINOFS_ENGINE_ORDERS_H

struct engine;
struct job_key;

/* 0 or -errno, with *answer a sentence for a person (the caller frees; NULL: no memory). */
int orders_run(struct engine *engine, const char *line, char **answer);
/* Cancels a job not yet submitted, forgets one that has ended; -EBUSY in between. */
int orders_forget(struct engine *engine, const struct job_key *key, char **answer);

#endif

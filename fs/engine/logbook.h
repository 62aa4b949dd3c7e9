/*
 * logbook.h - orders, results, refusals and what they cost, as lines of the log: for whoever runs
 * kinofs. No prompt is in them, nor what a provider says, which may repeat one; both are in the
 * job's record. Engine thread.
 */
#ifndef KINOFS_ENGINE_LOGBOOK_H
#define KINOFS_ENGINE_LOGBOOK_H

struct job;

/* Writes a line if the job, which is committed, has another state than the last time, or is held
 * for another reason, and that concerns money. */
void logbook_write(struct job *job);

#endif

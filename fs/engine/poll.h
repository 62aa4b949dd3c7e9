/*
 * poll.h - asking after tasks. A task that was accepted is asked after until
 * the provider gives a final answer, however long that takes (fs/README.md 2,
 * invariant 5). Engine thread.
 */
#ifndef KINOFS_ENGINE_POLL_H
#define KINOFS_ENGINE_POLL_H

struct engine;
struct job;

/* It is durable that the task was accepted. */
void enter_running(struct engine *engine, struct job *job);
/* The job has a slot of polls: asks once, and sets the time of the next. */
void poll_task(struct engine *engine, struct job *job);

#endif

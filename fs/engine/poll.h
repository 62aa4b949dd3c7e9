/*
 * poll.h - asking after tasks. A task that was accepted is asked after until
 * the provider gives a final answer, however long that takes. Engine thread.
 */
#ifndef KINOFS_ENGINE_POLL_H
#define KINOFS_ENGINE_POLL_H

struct engine;
struct job;

void enter_running(struct engine *engine, struct job *job);
/* What is done with a slot of polls. */
void poll_task(struct engine *engine, struct job *job);

#endif

/*
 * slots.h - how many jobs do one thing at a time: uploads, polls, downloads have
 * slots each, so that ten thousand jobs need no ten thousand connections.
 * Engine thread.
 */
#ifndef KINOFS_ENGINE_SLOTS_H
#define KINOFS_ENGINE_SLOTS_H

#include "fs/engine/jobs.h"

struct slots {
	int limit, used;
	bool pumping;
	struct job_list waiting;
	job_action *work; /* begins; must end in slots_leave(), at once or later */
};

void slots_init(struct slots *slots, int limit, job_action *work);
/* Waits for a slot, in turn; then works. */
void slots_enter(struct slots *slots, struct job *job);
/* Gives its slot back, or its place in the queue, of whatever slots; the next one works. */
void slots_leave(struct job *job);

#endif

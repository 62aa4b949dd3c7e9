/*
 * lane.h - how many jobs do one thing at a time: uploads, polls, downloads go
 * through a lane each, so that ten thousand jobs need no ten thousand
 * connections. Engine thread only.
 */
#ifndef KINOFS_ENGINE_SLOTS_H
#define KINOFS_ENGINE_SLOTS_H

#include "fs/journal/job.h"

struct lane {
	int limit, active;
	bool pumping;
	struct job_list waiting;
	job_action *work; /* begins; must end in lane_leave(), at once or later */
};

void lane_init(struct lane *lane, int limit, job_action *work);
void lane_enter(struct engine *engine, struct lane *lane, struct job *job);
/* Ends its stay, waiting or at work, in whatever lane it is; starts the next. */
void lane_leave(struct engine *engine, struct job *job);

#endif

#include "fs/engine/slots.h"

void lane_init(struct lane *lane, int limit, job_action *work)
{
	lane->limit = limit;
	lane->active = 0;
	lane->pumping = false;
	lane->work = work;
	TAILQ_INIT(&lane->waiting);
}

/* Not recursive: work() that ends at once comes back here through lane_leave(). */
static void pump(struct engine *engine, struct lane *lane)
{
	struct job *job;

	if (lane->pumping)
		return;
	lane->pumping = true;
	while (lane->active < lane->limit && (job = TAILQ_FIRST(&lane->waiting))) {
		TAILQ_REMOVE(&lane->waiting, job, lane_entry);
		job->in_lane_queue = false;
		lane->active++;
		lane->work(engine, job);
	}
	lane->pumping = false;
}

void lane_enter(struct engine *engine, struct lane *lane, struct job *job)
{
	lane_leave(engine, job);
	job->lane = lane;
	job->in_lane_queue = true;
	TAILQ_INSERT_TAIL(&lane->waiting, job, lane_entry);
	pump(engine, lane);
}

void lane_leave(struct engine *engine, struct job *job)
{
	struct lane *lane = job->lane;

	if (!lane)
		return;
	job->lane = NULL;
	if (job->in_lane_queue) {
		job->in_lane_queue = false;
		TAILQ_REMOVE(&lane->waiting, job, lane_entry);
		return;
	}
	lane->active--;
	pump(engine, lane);
}

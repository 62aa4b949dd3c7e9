#include "fs/engine/slots.h"

void slots_init(struct slots *slots, int limit, job_action *work)
{
	slots->limit = limit;
	slots->used = 0;
	slots->pumping = false;
	slots->work = work;
	TAILQ_INIT(&slots->waiting);
}

/* Not recursive: work() that ends at once comes back here through slots_leave(). */
static void pump(struct slots *slots)
{
	struct job *job;

	if (slots->pumping)
		return;
	slots->pumping = true;
	while (slots->used < slots->limit && (job = TAILQ_FIRST(&slots->waiting))) {
		TAILQ_REMOVE(&slots->waiting, job, queue_entry);
		job->waits_for_slot = false;
		slots->used++;
		slots->work(job->engine, job);
	}
	slots->pumping = false;
}

void slots_enter(struct slots *slots, struct job *job)
{
	slots_leave(job);
	job->slots = slots;
	job->waits_for_slot = true;
	TAILQ_INSERT_TAIL(&slots->waiting, job, queue_entry);
	pump(slots);
}

void slots_leave(struct job *job)
{
	struct slots *slots = job->slots;

	if (!slots)
		return;
	job->slots = NULL;
	if (job->waits_for_slot) {
		job->waits_for_slot = false;
		TAILQ_REMOVE(&slots->waiting, job, queue_entry);
		return;
	}
	slots->used--;
	pump(slots);
}

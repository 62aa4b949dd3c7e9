#include "fs/engine/states.h"

#include "fs/base/cleanup.h"
#include "fs/engine/chain.h"
#include "fs/engine/copies.h"
#include "fs/engine/core.h"
#include "fs/engine/fetch.h"
#include "fs/engine/frames.h"
#include "fs/engine/hook.h"
#include "fs/engine/poll.h"
#include "fs/engine/submit.h"
#include "fs/engine/uploads.h"

static void enter_end(struct engine *engine, struct job *job)
{
	copies_tell(engine, job);
	chain_tell_of(engine, job, job->row.state == JOB_DONE);
	if (!job->set.ended)
		return;
	figures_ended(engine->figures, job->model, job->row.state);
	hook_tell(engine->setup.hook, job);
}

static void hold(struct engine *engine, struct job *job)
{
	chain_tell_of(engine, job, false);
	enter_held(engine, job);
}

static void queue(struct engine *engine, struct job *job)
{
	chain_tell_of(engine, job, true);
	enter_queued(engine, job);
}

/* The job's place among uploads, or its turn, goes with it from queued to the answer. */
static void abort_work(struct engine *engine, struct job *job, enum job_state to)
{
	if (to == JOB_UPLOADING || to == JOB_SUBMITTING)
		return;
	timer_clear(&engine->timers, &job->timer);
	if (job->transfer)
		http_cancel(engine->http, job->transfer);
	job->transfer = NULL;
	frames_drop(job);
	cleanup_fd(&job->part_fd);
	job->at = -1;
	ratelimit_leave(job, job->row.state == JOB_SUBMITTING);
	slots_leave(job);
}

const struct jobs_hooks state_hooks = {
	.enter = {[JOB_HELD] = hold,
		[JOB_QUEUED] = queue,
		[JOB_UPLOADING] = enter_uploading,
		[JOB_SUBMITTING] = enter_submitting,
		[JOB_RUNNING] = enter_running,
		[JOB_DOWNLOADING] = enter_downloading,
		[JOB_DONE] = enter_end,
		[JOB_REJECTED] = enter_end,
		[JOB_FAILED] = enter_end,
		[JOB_UNKNOWN] = enter_end,
		[JOB_CANCELLED] = enter_end},
	.abort = abort_work,
	.committed = announce,
	.renaming = announce_no_note,
};

#include "fs/engine/settle.h"

#include "fs/base/clock.h"
#include "fs/base/log.h"
#include "fs/config/config.h"
#include "fs/engine/core.h"
#include "fs/engine/intake.h"
#include "fs/engine/owner.h"

#include <search.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define RENAME_DIVISOR   8  /* of the settle time: 250 ms of 2 s */
#define TOGETHER_DIVISOR 16 /* of the settle time, … */
#define TOGETHER_MS      10 /* … and this: what is quiet within 135 ms of 2 s is judged at once */

static struct job_key key_of(const struct settling *settling)
{
	return (struct job_key){settling->model->id, settling->dir, settling->stem};
}

static int compare(const void *left, const void *right)
{
	const struct settling *a = left, *b = right;
	const struct job_key one = key_of(a), other = key_of(b);
	int order = job_key_compare(&one, &other);

	return order ? order : a->batch - b->batch;
}

static void settling_free(struct settling *settling)
{
	free(settling->dir);
	free(settling->stem);
	free(settling);
}

static void forget(struct engine *engine, struct settling *settling)
{
	timer_clear(&engine->settle.timers, &settling->timer);
	(void)tdelete(settling, &engine->settle.tree, compare); /* returns the parent */
	settling_free(settling);
}

static void set_timer(struct engine *engine, struct timer *timer, int64_t delay_ms)
{
	if (timer_set(&engine->settle.timers, timer, clock_steady_ms() + delay_ms) < 0)
		log_error("no memory for a timer; save it again");
}

static void due(void *context, struct timer *timer)
{
	struct engine *engine = context;
	struct settling *settling =
		(struct settling *)((char *)timer - offsetof(struct settling, timer));
	int64_t awake_ms = engine_awake_ms(engine), again_ms;

	if (awake_ms < settling->delay_ms) { /* what happened meanwhile is still to come in */
		set_timer(engine, timer, settling->delay_ms - awake_ms);
		return;
	}
	/* what came while it was still to be left alone counts */
	listings_clear(&engine->judged, timer->due_ms);
	again_ms = engine->settle.judge(engine, settling);
	settling->judged = true;
	if (again_ms > 0)
		set_timer(engine, timer, again_ms);
	else
		forget(engine, settling);
}

static struct settling *settling_new(
	const struct job_key *key, const struct model *model, bool batch)
{
	struct settling *settling = calloc(1, sizeof(*settling));

	if (!settling)
		return NULL;
	settling->timer.fire = due;
	settling->model = model;
	settling->batch = batch;
	settling->dir = strdup(key->dir);
	settling->stem = strdup(key->stem);
	if (settling->dir && settling->stem)
		return settling;
	settling_free(settling);
	return NULL;
}

/* What is settling of this name. NULL: nothing. */
static struct settling *find(struct engine *engine, const struct job_key *key, bool batch)
{
	const struct model *model = models_find(engine->setup.models, key->model);
	union { /* a look-up never writes to its key */
		const char *in;
		char *out;
	} dir = {key->dir}, stem = {key->stem};
	struct settling wanted = {.model = model, .dir = dir.out, .stem = stem.out, .batch = batch};
	struct settling **node = model ? tfind(&wanted, &engine->settle.tree, compare) : NULL;

	return node ? *node : NULL;
}

/* The same, made when there is none. NULL: the model is gone, or no memory, which is logged. */
static struct settling *get(struct engine *engine, const struct job_key *key, bool batch)
{
	const struct model *model = models_find(engine->setup.models, key->model);
	struct settling *settling = find(engine, key, batch);

	if (settling || !model)
		return settling;
	settling = settling_new(key, model, batch);
	if (settling && tsearch(settling, &engine->settle.tree, compare)) {
		intake_await(engine->doors.intake, true);
		return settling;
	}
	log_error(
		"no memory to look after %s/%s/%s; save it again", key->model, key->dir, key->stem);
	if (settling)
		settling_free(settling);
	return NULL;
}

/* A rename right after a write does not cut the write's settle time short. What is quiet at nearly
 * the same moment is judged together: one listing of the folder and one commit serve all. */
static void leave_alone(struct engine *engine, struct settling *settling, int64_t delay_ms)
{
	int64_t now = clock_steady_ms(), due_ms = now + delay_ms;
	int64_t together = delay_ms / TOGETHER_DIVISOR + TOGETHER_MS;

	due_ms += (together - due_ms % together) % together;
	settling->changed_ms = now;
	if (settling->timer.index && settling->timer.due_ms >= due_ms && !settling->judged)
		return;
	settling->judged = false;
	settling->delay_ms = delay_ms;
	set_timer(engine, &settling->timer, due_ms - now);
}

/* ------------------------------------------------------------------ the durable mark */

/* Why a job settles. */
enum cause { CAUSE_CHANGE, CAUSE_RENAME, CAUSE_FOUND };

/* The take that bears the mark: the newest, or a new one. Of one that was cancelled `hold` says
 * why, so it cannot say that its files were found. NULL: logged. */
static struct job *bearer(
	struct engine *engine, const struct job_key *key, enum cause cause, struct takes *takes)
{
	struct job *job;

	if (jobs_takes(&engine->jobs, key, takes) < 0) {
		log_error("the journal cannot be read; save %s/%s/%s again", key->model, key->dir,
			key->stem);
		return NULL;
	}
	if (takes->count && (cause != CAUSE_FOUND || takes->item[0]->row.state != JOB_CANCELLED))
		return takes->item[0];
	job = jobs_add_take(&engine->jobs, key, takes);
	if (job)
		job_show(job);
	return job;
}

/* Whether what is held until the user lets it go is let go by this: a save does, not the return of
 * a name that was lost. */
static bool lets_go(const struct job_row *row, int64_t saved_ms, enum cause cause)
{
	if (!saved_ms || row->hold != HOLD_UNTIL_RELEASED)
		return false;
	return cause == CAUSE_CHANGE || saved_ms > row->changed_ms;
}

/* A job found at start stays marked as such until its files are saved. */
static void mark(
	struct engine *engine, const struct job_key *key, int64_t saved_ms, enum cause cause)
{
	struct takes takes;
	struct job *job = bearer(engine, key, cause, &takes);
	bool known = job && job->row.settling;

	if (job) {
		owner_look(engine, job);
		job->row.settling = true;
		if (!known && saved_ms) /* it was asked for as it was, and waits for a file */
			job->row.asked = false;
		if (cause == CAUSE_FOUND)
			job->row.hold = HOLD_UNTIL_RELEASED;
		else if (lets_go(&job->row, saved_ms, cause)) {
			job->row.hold = HOLD_NONE;
			known = false;
		}
		if (job->row.saved_ms < saved_ms) {
			job->row.saved_ms = saved_ms;
			job_commit_then(job, NULL);
		}
		if (!known)
			job_update(job);
	}
	takes_clear(&takes);
}

static void settle(struct engine *engine, const struct job_key *key, int64_t delay_ms,
	int64_t saved_ms, enum cause cause)
{
	struct settling *settling = get(engine, key, false);

	if (!settling)
		return;
	if (settling->saved_ms < saved_ms)
		settling->saved_ms = saved_ms;
	if (cause == CAUSE_FOUND || (cause == CAUSE_CHANGE && saved_ms))
		settling->found = cause == CAUSE_FOUND;
	mark(engine, key, saved_ms, cause);
	leave_alone(engine, settling, delay_ms);
}

void settle_soon(struct engine *engine, const struct job_key *key, int64_t saved_ms)
{
	settle(engine, key, engine->setup.config->settle_ms, saved_ms, CAUSE_CHANGE);
}

void settle_renamed(struct engine *engine, const struct job_key *key, int64_t saved_ms)
{
	settle(engine, key, engine->setup.config->settle_ms / RENAME_DIVISOR, saved_ms,
		CAUSE_RENAME);
}

void settle_now(struct engine *engine, const struct job_key *key)
{
	settle(engine, key, 0, 0, CAUSE_CHANGE);
}

void settle_found(struct engine *engine, const struct job_key *key)
{
	settle(engine, key, 0, 0, CAUSE_FOUND);
}

void settle_batch(struct engine *engine, const struct job_key *key, int64_t saved_ms)
{
	struct settling *settling = get(engine, key, true);

	if (!settling)
		return;
	if (settling->saved_ms < saved_ms)
		settling->saved_ms = saved_ms;
	leave_alone(engine, settling, engine->setup.config->settle_ms);
}

bool settle_was_saved(struct engine *engine, const struct job_key *key, bool batch)
{
	const struct settling *settling = find(engine, key, batch);

	return settling && settling->saved_ms;
}

void settle_look_again(struct engine *engine, const struct job_key *key)
{
	struct settling *settling = find(engine, key, false);

	if (settling && settling->judged)
		set_timer(engine, &settling->timer, 0);
}

void settle_stop(struct engine *engine, const struct job_key *key)
{
	struct settling *settling = find(engine, key, false);

	if (settling)
		forget(engine, settling);
}

void settle_mark_again(struct engine *engine, const struct job_key *key)
{
	const struct settling *settling = find(engine, key, false);

	if (settling)
		mark(engine, key, settling->saved_ms, settling->found ? CAUSE_FOUND : CAUSE_CHANGE);
}

static void collect_batch(const void *node, VISIT visit, void *context)
{
	struct settling **last = context;
	struct settling *settling = *(struct settling *const *)node;

	if ((visit == preorder || visit == leaf) && settling->batch)
		*last = settling;
}

void settle_end(struct engine *engine)
{
	struct settling *batch;

	do {
		batch = NULL;
		twalk_r(engine->settle.tree, collect_batch, &batch);
		if (batch) {
			(void)engine->settle.judge(engine, batch); /* if not, it is held at start */
			forget(engine, batch);
		}
	} while (batch);
}

bool settle_is_empty(const struct settle *settle)
{
	return !settle->tree;
}

void settle_free(struct engine *engine)
{
	while (engine->settle.tree)
		forget(engine, *(struct settling **)engine->settle.tree);
	timers_free(&engine->settle.timers);
}

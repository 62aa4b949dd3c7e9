/*
 * Settling. A changed file touches the job it belongs to: the job's row is
 * marked as settling (durable, so a crash forgets no drop), and when nothing
 * of it has changed for the settle time its files are judged (judge.c).
 */
#include "fs/engine/settle.h"

#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "fs/base/log.h"
#include "fs/input/batch.h"
#include "fs/mount/mount.h"

#include <errno.h>
#include <search.h>
#include <stddef.h>
#include <string.h>

#define SETTLE_TOGETHER_DIVISOR 16 /* of the settle time, … */
#define SETTLE_TOGETHER_MS      10 /* … and this: drops within 135 ms of 2 s */

static int compare_drops(const void *left, const void *right)
{
	const struct drop *a = left, *b = right;
	int order = strcmp(a->model->id, b->model->id);

	if (!order)
		order = strcmp(a->dir, b->dir);
	if (!order)
		order = strcmp(a->stem, b->stem);
	return order ? order : a->batch - b->batch;
}

static void drop_free(struct drop *drop)
{
	free(drop->dir);
	free(drop->stem);
	free(drop);
}

static void drop_forget(struct engine *engine, struct drop *drop);
static bool judge_batch(struct engine *engine, const struct drop *drop);

static void drop_due(void *context, struct timer *timer)
{
	struct engine *engine = context;
	struct drop *drop = (struct drop *)((char *)timer - offsetof(struct drop, timer));

	/* what came while it was still to be left alone counts */
	if (engine->names.taken_ms <= timer->due_ms)
		names_clear(&engine->names);
	if (drop->batch ? !judge_batch(engine, drop) : !drop_judge(engine, drop)) {
		engine_set_timer(engine, timer, engine->config->settle_ms + 100);
		return;
	}
	drop_forget(engine, drop);
}

static struct drop *drop_new(
	const struct model *model, const char *dir, const char *stem, bool batch)
{
	struct drop *drop = calloc(1, sizeof(*drop));

	if (!drop)
		return NULL;
	drop->timer.fire = drop_due;
	drop->model = model;
	drop->batch = batch;
	drop->dir = strdup(dir);
	drop->stem = strdup(stem);
	if (drop->dir && drop->stem)
		return drop;
	drop_free(drop);
	return NULL;
}

/* The drop of a job, made when there is none. NULL: no memory, logged. */
static struct drop *drop_get(struct engine *engine, const struct model *model, const char *dir,
	const char *stem, bool batch)
{
	struct drop *drop = drop_new(model, dir, stem, batch);
	struct drop **node = drop ? tsearch(drop, &engine->drops, compare_drops) : NULL;

	atomic_store(&engine->intake.awaiting, true);
	if (!node) {
		log_error("no memory to look after %s/%s/%s; save it again", model->id, dir, stem);
		if (drop)
			drop_free(drop);
		return NULL;
	}
	if (*node != drop) {
		drop_free(drop);
		return *node;
	}
	return drop;
}

struct drop *drop_find(struct engine *engine, const struct model *model, const char *dir,
	const char *stem, bool batch)
{
	union { /* a look-up never writes to its key */
		const char *in;
		char *out;
	} dir_name = {dir}, stem_name = {stem};
	struct drop key = {
		.model = model, .dir = dir_name.out, .stem = stem_name.out, .batch = batch};
	struct drop **node = tfind(&key, &engine->drops, compare_drops);

	return node ? *node : NULL;
}

static void drop_forget(struct engine *engine, struct drop *drop)
{
	timer_clear(&engine->timers, &drop->timer);
	(void)tdelete(drop, &engine->drops, compare_drops); /* returns the parent */
	drop_free(drop);
}

void drop_end(struct engine *engine, const struct job *job)
{
	struct drop *drop =
		job->model ? drop_find(engine, job->model, job->dir, job->stem, false) : NULL;

	if (drop)
		drop_forget(engine, drop);
}

/*
 * Marks the job's newest take as settling; a job new to the journal gets its row now. A job that
 * was found at start stays marked as such until the user does something with its files.
 */
static void mark_settling(struct engine *engine, const struct model *model, const char *dir,
	const char *stem, bool found)
{
	int error;
	struct job *job = engine_load(engine, model->id, dir, stem, &error);

	if (error) {
		log_error("the journal cannot be read; save %s/%s/%s again", model->id, dir, stem);
		return;
	}
	if (job && job->settling && (found || job->hold != HOLD_FOUND))
		return;
	if (!job) {
		job = job_new(model->id, dir, stem);
		if (!job) {
			log_error("no memory for the job %s/%s", dir, stem);
			return;
		}
		job->created_ms = job->changed_ms = clock_wall_ms();
		engine_keep(engine, job);
	}
	if (found)
		job->hold = HOLD_FOUND;
	else if (job->hold == HOLD_FOUND)
		job->hold = HOLD_NONE;
	job->settling = true;
	job->told = false;
	engine_touch(engine, job, NULL);
}

/* A rename right after a write does not cut the write's settle time short. Drops of nearly the same
 * moment are judged together: one listing of the folder and one commit serve them all. */
static void set_settle_time(struct engine *engine, struct drop *drop, int64_t settle_ms)
{
	int64_t now = clock_steady_ms(), due = now + settle_ms;
	int64_t together = settle_ms / SETTLE_TOGETHER_DIVISOR + SETTLE_TOGETHER_MS;

	due += (together - due % together) % together;
	if (!drop->timer.place || drop->timer.due_ms < due)
		engine_set_timer(engine, &drop->timer, due - now);
}

static void touch(struct engine *engine, const struct model *model, const char *dir,
	const char *stem, int64_t settle_ms, bool found)
{
	struct drop *drop = drop_get(engine, model, dir, stem, false);

	if (!drop)
		return;
	mark_settling(engine, model, dir, stem, found);
	set_settle_time(engine, drop, settle_ms);
}

void drop_touch(
	struct engine *engine, const char *model, const char *dir, const char *stem, bool now)
{
	const struct model *known = models_find(engine->setup.models, model);

	if (known)
		touch(engine, known, dir, stem, now ? 0 : engine->config->settle_ms, false);
}

/* ------------------------------------------------------------------ batches */

static void touch_batch(struct engine *engine, const struct model *model, const char *dir,
	const char *stem, int64_t settle_ms)
{
	struct drop *drop = drop_get(engine, model, dir, stem, true);

	if (drop)
		set_settle_time(engine, drop, settle_ms);
}

/* Every line of a batch, and every job of a line it had before. */
void drop_touch_lines(struct engine *engine, const struct model *model, const char *dir,
	const char *stem, int lines, bool found)
{
	for (int line = 1; line <= LIMIT_BATCH_LINES; line++) {
		AUTO_FREE char *job = batch_job(stem, line);
		bool known = job && engine_knows(engine, model->id, dir, job);

		if (!job)
			return;
		/* a blank line before it is no reason to stop */
		if (found ? line <= lines && !known : line <= lines || known)
			touch(engine, model, dir, job, 0, found);
	}
}

/* The .jsonl of a batch, or NULL; the caller frees. */
static char *batch_path(struct engine *engine, const struct drop *drop)
{
	AUTO_FREE char *first = batch_job(drop->stem, 1);
	struct job_files files = {0};
	char *path = NULL;

	if (first && files_find(&engine->tree, drop->model, drop->dir, first, &files) == 0)
		path = TAKE(files.batch);
	files_clear(&files);
	return path;
}

/* The batch is quiet: its lines are drops. false: someone is still writing it. */
static bool judge_batch(struct engine *engine, const struct drop *drop)
{
	AUTO_FREE char *path = batch_path(engine, drop);
	int lines = path ? batch_lines(&engine->tree, path) : 0;

	if (path && mount_is_being_written(engine->mount, path))
		return false;
	if (lines == -EFBIG)
		log_warn("%s is too large for a batch", path);
	drop_touch_lines(engine, drop->model, drop->dir, drop->stem, lines < 0 ? 0 : lines, false);
	return true;
}

/* ------------------------------------------------------------------ what the mount tells */

void drop_changed_after(struct engine *engine, const char *path, int64_t settle_ms)
{
	struct place place;

	if (place_of(engine->setup.models, path, &place) < 0) {
		log_error("no memory to look after %s; save it again", path);
		return;
	}
	if (is_job_file(&place))
		touch(engine, place.model, place.dir, place.stem, settle_ms, false);
	else if (place.role == ROLE_BATCH)
		touch_batch(engine, place.model, place.dir, place.stem, settle_ms);
	waiting_touch(engine, &place, path);
	place_clear(&place);
}

void drop_changed(struct engine *engine, const char *path)
{
	drop_changed_after(engine, path, engine->config->settle_ms);
}

static void touch_removed(struct engine *engine, const struct place *place)
{
	struct drop *drop;

	touch(engine, place->model, place->dir, place->stem, engine->config->settle_ms, false);
	drop = drop_find(engine, place->model, place->dir, place->stem, false);
	if (drop)
		drop->renamed = false;
}

void drop_removed(struct engine *engine, const char *path)
{
	struct place place;

	if (place_of(engine->setup.models, path, &place) < 0)
		return; /* the next start sees that it is gone */
	/* only a job that is known can lose a file; an editor's probe makes none */
	if (is_job_file(&place) && engine_knows(engine, place.model->id, place.dir, place.stem))
		touch_removed(engine, &place);
	else if (place.role == ROLE_BATCH)
		touch_batch(engine, place.model, place.dir, place.stem, engine->config->settle_ms);
	place_clear(&place);
}

/* Whether the job's files are the very ones its newest take was made from. */
static bool is_as_judged(struct engine *engine, const struct place *place)
{
	int error;
	struct job *job = engine_load(engine, place->model->id, place->dir, place->stem, &error);
	struct assembly assembly = {0};
	bool same;

	if (!job)
		return error; /* nothing looks new because it cannot be read */
	same = job->fingerprint &&
	       assemble(&engine->tree, place->model, place->dir, place->stem, &assembly) == 0 &&
	       !strcmp(job->fingerprint, assembly.fingerprint);
	assembly_clear(&assembly);
	engine_put_back(engine, job);
	return same;
}

static void found_batch(
	struct engine *engine, const char *path, const struct place *place, bool last_moment)
{
	int lines = batch_lines(&engine->tree, path);

	if (last_moment)
		touch_batch(
			engine, place->model, place->dir, place->stem, engine->config->settle_ms);
	else if (lines > 0)
		drop_touch_lines(engine, place->model, place->dir, place->stem, lines, true);
}

/*
 * A file met at start. What the journal does not know is held; but a drop of
 * the last moments of a run that crashed, before it could note it down, is a
 * drop like any other.
 */
void drop_found(struct engine *engine, const char *path, bool last_moment)
{
	struct place place;

	if (place_of(engine->setup.models, path, &place) < 0)
		return; /* met again at the next start */
	if (place.role == ROLE_BATCH) {
		found_batch(engine, path, &place, last_moment);
	} else if (!is_job_file(&place)) {
		/* nothing starts from it */
	} else if (last_moment) {
		if (!is_as_judged(engine, &place))
			drop_changed(engine, path);
	} else if (!engine_knows(engine, place.model->id, place.dir, place.stem)) {
		touch(engine, place.model, place.dir, place.stem, 0, true);
	}
	place_clear(&place);
}

void drop_resume(struct engine *engine, struct job *job)
{
	bool found = job->hold == HOLD_FOUND;

	if (job->model)
		touch(engine, job->model, job->dir, job->stem, engine->config->settle_ms, found);
}

void drops_free(struct engine *engine)
{
	moves_clear(&engine->moves);
	while (engine->drops)
		drop_forget(engine, *(struct drop **)engine->drops);
}

/*
 * The user's orders: "retry PATH", "cancel PATH", "release PATH" written to
 * .kinofs/ctl, and the removal of a record. A path is a file of the job, its
 * record, or "MODEL/NAME".
 */
#include "fs/engine/engine_core.h"

#include "fs/base/cleanup.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* Sets the answer; returns error. */
static int __attribute__((format(printf, 3, 4)))
reply(char **answer, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(answer, format, arguments) < 0)
		*answer = NULL;
	va_end(arguments);
	return error;
}

/* ------------------------------------------------------------------ the orders */

static bool has_files(struct engine *engine, const struct job *job)
{
	struct job_files files = {0};
	bool found = !job->model ||
	             files_find(&engine->tree, job->model, job->dir, job->stem, &files) < 0 ||
	             files.count > 0;

	files_clear(&files);
	return found;
}

/* The new take of a job whose files are gone: what was asked for stands in the journal. */
static void repeat(struct engine *engine, struct job *job, const struct job *old)
{
	cJSON *picture;

	job->request = journal_request(engine->journal, old->id);
	job->pictures = cJSON_Duplicate(old->pictures, true);
	cJSON_ArrayForEach (picture, job->pictures) {
		cJSON_DeleteItemFromObjectCaseSensitive(picture, "url");
	}
	job_set_text(&job->fingerprint, old->fingerprint);
	job->estimate = old->estimate;
	job->removed = true;
	job->released = false; /* a cap holds for it as for any other */
	job_set_state(engine, job, JOB_QUEUED, NULL, NULL);
}

static void take_again(struct engine *engine, struct job *old)
{
	struct job *job = job_new(old->model_id, old->dir, old->stem);

	if (!job)
		return;
	job->take = old->take + 1;
	job->created_ms = clock_wall_ms();
	job->released = true; /* the same bytes are asked for again */
	job->note = old->note;
	engine_keep(engine, job);
	old->note = old->shown_note = NOTE_NONE;
	old->settling = false; /* the new one settles */
	engine_touch(engine, old, engine_release);
	if (has_files(engine, job))
		drop_touch(engine, job->model_id, job->dir, job->stem, true);
	else
		repeat(engine, job, old);
}

static int retry(struct engine *engine, struct job *job, char **answer)
{
	switch (job->state) {
	case JOB_HELD:
		if (job->hold == HOLD_FOUND || job->hold == HOLD_CAP || job->hold == HOLD_JOB_CAP)
			return reply(answer, -EBUSY,
				"%s is held; to let it go: kinofs release PATH", job->stem);
		job->tries = 0;
		job_set_state(engine, job, JOB_QUEUED, NULL, NULL);
		return reply(answer, 0, "%s is tried again", job->stem);
	case JOB_WAITING:
	case JOB_REJECTED:
		drop_touch(engine, job->model_id, job->dir, job->stem, true);
		return reply(answer, 0, "%s is looked at again", job->stem);
	case JOB_DONE:
	case JOB_FAILED:
	case JOB_UNKNOWN:
	case JOB_CANCELLED:
		take_again(engine, job);
		return reply(answer, 0, "%s is submitted again, as a new take", job->stem);
	default:
		return reply(
			answer, -EBUSY, "%s is under way; there is nothing to retry", job->stem);
	}
}

static int cancel(struct engine *engine, struct job *job, char **answer)
{
	if (job_state_is_end(job->state))
		return reply(answer, -EINVAL, "%s has ended already", job->stem);
	if (!job_state_is_open(job->state))
		return reply(answer, -EBUSY,
			"%s was submitted; the providers have no cancel, so it goes on to its end",
			job->stem);
	job->settling = false;
	drop_end(engine, job);
	job_set_state(engine, job, JOB_CANCELLED, "Cancelled before it was submitted.", NULL);
	return reply(answer, 0, "%s is cancelled; no money was spent", job->stem);
}

static int release(struct engine *engine, struct job *job, char **answer)
{
	if (job->state != JOB_HELD)
		return reply(answer, -EINVAL, "%s is not held", job->stem);
	job->released = true;
	job_set_state(engine, job, JOB_QUEUED, NULL, NULL);
	return reply(answer, 0, "%s is released", job->stem);
}

static const struct {
	const char *verb;
	int (*run)(struct engine *engine, struct job *job, char **answer);
} orders[] = {{"retry", retry}, {"cancel", cancel}, {"release", release}};

/* ------------------------------------------------------------------ what they are about */

static const struct model *whose_name(struct engine *engine, const char *path, struct place *place)
{
	AUTO_FREE char *file = NULL;

	/* "MODEL/NAME": a job's name without a suffix */
	if (place->stem || asprintf(&file, "%s.json", path) < 0)
		return place->model;
	place_clear(place);
	return place_of(engine->setup.models, file, place) == 0 ? place->model : NULL;
}

static struct job *find_job(struct engine *engine, const char *path, int *error)
{
	struct place place = {0};
	const struct model *model = NULL;
	struct job *job = NULL;

	*error = 0;
	if (place_of(engine->setup.models, path, &place) == 0)
		model = whose_name(engine, path, &place);
	if (model && place.stem)
		job = engine_load(engine, model->id, place.dir, place.stem, error);
	place_clear(&place);
	return job;
}

int command_run(struct engine *engine, const char *line, char **answer)
{
	size_t length = strcspn(line, " ");
	const char *path = line + length + strspn(line + length, " ");
	struct job *job;
	int error = 0;

	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		if (strncmp(line, orders[i].verb, length) != 0 || orders[i].verb[length])
			continue;
		job = *path ? find_job(engine, path, &error) : NULL;
		if (error)
			return reply(answer, error, "the journal cannot be read");
		if (!job)
			return reply(answer, -ENOENT, "there is no job at %s", path);
		error = orders[i].run(engine, job, answer);
		engine_put_back(engine, job);
		return error;
	}
	return reply(
		answer, -EINVAL, "no such order: %s (retry, cancel, release, then a path)", line);
}

int command_forget(
	struct engine *engine, const char *model, const char *dir, const char *stem, char **answer)
{
	int error;
	struct job *job = engine_load(engine, model, dir, stem, &error);

	if (!job)
		return reply(answer, error ? error : -ENOENT, "there is no job %s", stem);
	if (job_state_is_open(job->state) && job->state != JOB_REJECTED)
		return cancel(engine, job, answer);
	for (struct job *take = job; take; take = take->older)
		if (!job_state_is_end(take->state))
			error = -EBUSY;
	if (error) {
		engine_put_back(engine, job);
		return reply(answer, error, "%s is under way", stem);
	}
	/* at once, not with the next commit: rows that are not in memory go along */
	error = journal_forget(engine->journal, model, dir, stem);
	if (error) {
		engine_put_back(engine, job);
		return reply(answer, error, "%s cannot be forgotten now", stem);
	}
	for (struct job *take = job; take; take = take->older)
		engine_delete(engine, take);
	return 0;
}

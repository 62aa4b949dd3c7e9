/* waiting.c - jobs that wait for a file of any name, or were rejected for one, and the one that
 * comes. */
#include "fs/engine/settle.h"

#include "fs/base/json.h"

#include <stdlib.h>
#include <string.h>

/* Whether a job may be the better for this path. */
static bool may_mend(const struct job *job, const struct place *place, const char *path)
{
	const cJSON *picture;
	size_t length;

	if (job->settling || !job->model)
		return false;
	if (place->role == ROLE_DEFAULTS && place->model == job->model) {
		length = strlen(place->dir);
		return !length || (!strncmp(job->dir, place->dir, length) &&
					  (!job->dir[length] || job->dir[length] == '/'));
	}
	cJSON_ArrayForEach (picture, job->pictures) {
		const char *wanted = json_text(picture, "path");

		if (wanted && !strcmp(wanted, path))
			return true;
	}
	return false;
}

struct mending {
	struct engine *engine;
	const struct place *place;
	const char *path;
};

static void mend(void *context, struct job *job)
{
	const struct mending *mending = context;

	engine_attach(mending->engine, job);
	if (may_mend(job, mending->place, mending->path))
		drop_touch(mending->engine, job->model_id, job->dir, job->stem, false);
	job_free(job);
}

/* What was wrong with a rejected job may have been in a file of another job, or of none. */
static void touch_rejected(struct engine *engine, const struct place *place, const char *path)
{
	struct mending mending = {.engine = engine, .place = place, .path = path};
	bool defaults = place->role == ROLE_DEFAULTS;

	if (place->role == ROLE_SPEC || place->role == ROLE_PROMPT || place->role == ROLE_BATCH)
		return; /* which nobody else can need */
	(void)journal_each_rejected(engine->journal, defaults ? place->model->id : NULL,
		defaults ? NULL : path, mend, &mending); /* logged; it can be saved again */
}

static void touch_waiting(struct engine *engine, const struct place *place, const char *path)
{
	struct job **list;
	size_t count = engine_list(engine, JOB_WAITING, &list);

	for (size_t i = 0; i < count; i++)
		if (may_mend(list[i], place, path))
			drop_touch(engine, list[i]->model_id, list[i]->dir, list[i]->stem, false);
	free(list);
}

void waiting_touch(struct engine *engine, const struct place *place, const char *path)
{
	bool waiting = engine_has(engine, JOB_WAITING);

	if (waiting)
		touch_waiting(engine, place, path);
	touch_rejected(engine, place, path);
	if (!waiting && !engine->drops && !journal_rejected_pictures(engine->journal))
		atomic_store(&engine->intake.awaiting, false);
}

#include "fs/engine/waiting.h"

#include "fs/base/path.h"
#include "fs/engine/core.h"
#include "fs/engine/intake.h"
#include "fs/engine/pictures.h"
#include "spec/place.h"

#include <stdlib.h>
#include <string.h>

/* Whether this path may change what a job is judged to be. */
static bool concerns(const struct job_row *row, const struct place *place, const char *path)
{
	if (row->settling)
		return false;
	if (place->role == ROLE_DEFAULTS && !strcmp(place->model->id, row->model_id))
		return path_within(row->dir, place->dir) || !*place->dir;
	return pictures_name(row, path);
}

struct coming {
	struct engine *engine;
	const struct place *place;
	const char *path;
};

static void judge_rejected(void *context, struct job_row *row)
{
	const struct coming *coming = context;
	const struct job_key key = job_key_of(row);

	if (concerns(row, coming->place, coming->path))
		settle_now(coming->engine, &key);
	job_row_free(row);
}

/* What was wrong with a rejected job may have been in a file of another job, or of none. */
static void came_for_rejected(struct engine *engine, const struct place *place, const char *path)
{
	struct coming coming = {.engine = engine, .place = place, .path = path};
	bool defaults = place->role == ROLE_DEFAULTS;

	(void)journal_each_rejected(engine->jobs.journal, defaults ? place->model->id : NULL,
		defaults ? NULL : path, judge_rejected, &coming); /* logged; save it again */
}

/* Jobs of which nothing was sent yet; whether there are any that wait for a file. */
static bool came_for_open(struct engine *engine, const struct place *place, const char *path)
{
	struct takes takes;
	bool waiting = false;

	jobs_list(&engine->jobs, JOB_STATES, &takes);
	for (size_t i = 0; i < takes.count; i++) {
		const struct job_row *row = &takes.item[i]->row;
		const struct job_key key = job_key_of(row);

		waiting = waiting || row->state == JOB_WAITING;
		if (job_state_is_open(row->state) && row->state != JOB_REJECTED &&
			concerns(row, place, path))
			settle_now(engine, &key);
	}
	takes_clear(&takes);
	return waiting;
}

void waiting_came(struct engine *engine, const struct place *place, const char *path)
{
	bool waiting;

	if (place->role == ROLE_SPEC || place->role == ROLE_PROMPT || place->role == ROLE_BATCH)
		return; /* which no other job can need */
	waiting = came_for_open(engine, place, path);
	came_for_rejected(engine, place, path);
	if (!waiting && settle_is_empty(&engine->settle) &&
		!journal_rejected_pictures(engine->jobs.journal))
		intake_await(engine->doors.intake, false);
}

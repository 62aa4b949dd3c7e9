#include "fs/engine/waiting.h"

#include "fs/base/cleanup.h"
#include "fs/base/path.h"
#include "fs/engine/core.h"
#include "fs/engine/intake.h"
#include "spec/place.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Whether these defaults are those of a job, or may hide them. */
static bool concerns(const struct job_row *row, const struct place *place)
{
	return !strcmp(place->model->id, row->model_id) &&
	       (path_within(row->dir, place->dir) || !*place->dir);
}

struct coming {
	struct engine *engine;
	const struct place *place;
	bool defaults; /* else a picture, which the job names */
};

static void judge_rejected(void *context, struct job_row *row)
{
	const struct coming *coming = context;
	const struct job_key key = job_key_of(row);

	if (!row->settling && (!coming->defaults || concerns(row, coming->place)))
		settle_now(coming->engine, &key);
	job_row_free(row);
}

/* What was wrong with a rejected job may have been in a file of another job, or of none. */
static void came_for_rejected(struct coming *coming, const char *path)
{
	const char *model = coming->defaults ? coming->place->model->id : NULL;

	(void)journal_each_rejected(coming->engine->jobs.journal, model,
		coming->defaults ? NULL : path, judge_rejected, coming); /* logged; save it again */
}

/* Jobs of which nothing was sent yet. */
static void came_for_open(const struct coming *coming, const char *path)
{
	struct engine *engine = coming->engine;
	struct takes takes;

	if (coming->defaults)
		jobs_list(&engine->jobs, JOB_STATES, &takes);
	else
		jobs_naming(&engine->jobs, path, &takes);
	for (size_t i = 0; i < takes.count; i++) {
		const struct job_row *row = &takes.item[i]->row;
		const struct job_key key = job_key_of(row);

		if (job_state_is_open(row->state) && row->state != JOB_REJECTED && !row->settling &&
			(!coming->defaults || concerns(row, coming->place)))
			settle_now(engine, &key);
	}
	takes_clear(&takes);
}

static bool names_below(const struct job_row *row, const char *folder)
{
	for (size_t i = 0; i < row->npictures; i++) {
		const struct picture *picture = &row->picture[i];

		if (path_within(picture->path, folder))
			return true;
		for (size_t j = 0; j < picture->nway; j++)
			if (path_within(picture->way[j], folder))
				return true;
	}
	return false;
}

/* A link in place of a folder, of which no job can know yet what is behind it. */
static void came_as_link(const struct coming *coming, const char *path)
{
	struct engine *engine = coming->engine;
	struct stat info;
	struct takes takes;

	if (!engine->jobs.waiting || tree_stat(&engine->tree, path, &info) < 0 ||
		!S_ISLNK(info.st_mode))
		return;
	jobs_list(&engine->jobs, JOB_WAITING, &takes);
	for (size_t i = 0; i < takes.count; i++) {
		const struct job_row *row = &takes.item[i]->row;
		const struct job_key key = job_key_of(row);

		if (!row->settling && names_below(row, path))
			settle_now(engine, &key);
	}
	takes_clear(&takes);
}

static void came(struct coming *coming, const char *path)
{
	came_for_open(coming, path);
	came_for_rejected(coming, path);
	came_as_link(coming, path);
}

/* A result is also what some link in out/ of the mount point leads to, of the same name as a rule.
 */
void waiting_came(struct engine *engine, const struct place *place, const char *path)
{
	AUTO_FREE char *shown = NULL;
	struct coming coming = {
		.engine = engine, .place = place, .defaults = place->role == ROLE_DEFAULTS};

	if (place->role == ROLE_SPEC || place->role == ROLE_PROMPT || place->role == ROLE_BATCH)
		return; /* which no other job can need */
	came(&coming, path);
	if (place->area == AREA_OUT && (shown = path_join("out", path_last(path))))
		came(&coming, shown);
	if (!engine->jobs.waiting && settle_is_empty(&engine->settle) &&
		!journal_rejected_pictures(engine->jobs.journal))
		intake_await(engine->doors.intake, false);
}

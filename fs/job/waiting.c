/* waiting.c - jobs that wait for a file of any name, and the one that comes. */
#include "fs/job/drop.h"

#include "fs/base/json.h"

#include <stdlib.h>
#include <string.h>

/* Whether a job that waits may wait for this path. */
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

void waiting_touch(struct engine *engine, const struct place *place, const char *path)
{
	struct job **list;
	size_t count;

	if (!engine_has(engine, JOB_WAITING)) {
		if (!engine->drops)
			atomic_store(&engine->intake.awaiting, false);
		return;
	}
	count = engine_list(engine, JOB_WAITING, &list);
	for (size_t i = 0; i < count; i++)
		if (may_mend(list[i], place, path))
			drop_touch(engine, list[i]->model_id, list[i]->dir, list[i]->stem, false);
	free(list);
}

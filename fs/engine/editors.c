#include "fs/engine/editors.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/engine/core.h"
#include "fs/input/batch.h"
#include "fs/input/editor.h"

#include <string.h>

static const char advice[] =
	"It goes on by itself when the editor closes it, which removes that lock. If no editor has "
	"it open any more, remove the lock, or let the job go as it is: kinofs release PATH.";

bool editors_wait(struct engine *engine, struct job *job, const struct job_files *files)
{
	const char *lock = files->locks.count ? files->locks.item[0] : NULL;
	AUTO_FREE char *editor = lock ? editor_of(&engine->tree, lock) : NULL;
	AUTO_FREE char *name = lock ? quote_name(path_last(lock)) : NULL;
	AUTO_FREE char *problem = NULL;

	if (!lock)
		return false;
	if (editor && name)
		problem = format(
			"an editor that has a file of it open: %s (its lock is %s)", editor, name);
	if (job->row.state == JOB_WAITING)
		job_say(job, problem, advice);
	else
		job_set_state(job, JOB_WAITING, problem, advice);
	return true;
}

static bool is_of(const struct job_row *row, const struct place *place, const struct named *locked,
	const char *stem)
{
	AUTO_FREE char *batch = NULL;
	int line;

	if (strcmp(row->model_id, place->model->id) != 0 || strcmp(row->dir, place->dir) != 0)
		return false;
	if (locked->role != ROLE_BATCH)
		return !strcmp(row->stem, stem);
	return batch_of(row->stem, &batch, &line) && !strcmp(batch, stem);
}

void editors_closed(struct engine *engine, const struct place *place, const char *path)
{
	const char *name = path_last(path);
	const struct named locked = place->area == AREA_INPUT
	                                    ? name_role_locked(place->model, name, !*place->dir)
	                                    : (struct named){0};
	AUTO_FREE char *stem = locked.stem ? strndup(name + locked.at, locked.stem) : NULL;
	struct takes waiting;

	if (!stem || !engine->jobs.waiting)
		return;
	jobs_list(&engine->jobs, JOB_WAITING, &waiting);
	for (size_t i = 0; i < waiting.count; i++) {
		const struct job_row *row = &waiting.item[i]->row;
		const struct job_key key = job_key_of(row);

		/* one that settles is looked at anyway, when it is quiet */
		if (!row->settling && is_of(row, place, &locked, stem))
			settle_now(engine, &key);
	}
	takes_clear(&waiting);
}

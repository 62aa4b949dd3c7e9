#include "fs/engine/owner.h"

#include "fs/base/cleanup.h"
#include "fs/base/path.h"
#include "fs/engine/core.h"
#include "fs/input/access.h"
#include "spec/place.h"

#include <errno.h>
#include <string.h>

void owner_set(struct job *job, const char *rights)
{
	if (!*rights || (job->row.rights && !strcmp(job->row.rights, rights)))
		return;
	job_set_text(&job->row.rights, rights);
	job->set.note_stale = true; /* it is for the same people */
	job_update(job);
}

/* What is found out; "" when it cannot be. */
static void look(struct engine *engine, const struct job *job, char rights[RIGHTS_BYTES])
{
	const struct job_row *row = &job->row;
	struct job_files files = {0};

	*rights = '\0';
	if (job->model && files_find(&engine->tree, job->model, row->dir, row->stem, &files) == 0 &&
		access_judge(&engine->tree, &files, row->picture, row->npictures, NULL, rights) < 0)
		*rights = '\0';
	files_clear(&files);
}

void owner_look(struct engine *engine, struct job *job)
{
	char rights[RIGHTS_BYTES];

	if (!engine->tree.shared || job->row.rights)
		return;
	look(engine, job, rights);
	owner_set(job, rights);
}

static void look_again(struct engine *engine, const struct job_key *key)
{
	struct takes takes = {0};
	char rights[RIGHTS_BYTES];

	/* without the journal they stay as they are until the files are saved */
	if (jobs_takes(&engine->jobs, key, &takes) == 0 && takes.count) {
		look(engine, takes.item[0], rights);
		for (size_t i = 0; i < takes.count; i++)
			owner_set(takes.item[i], rights);
	}
	takes_clear(&takes);
}

struct lines {
	struct engine *engine;
	const struct job_key *batch;
};

static void look_at_line(void *context, const char *stem)
{
	const struct lines *lines = context;
	const struct job_key key = {lines->batch->model, lines->batch->dir, stem};

	look_again(lines->engine, &key);
}

void owner_changed(struct engine *engine, const char *path)
{
	struct place place = {0};

	if (place_of(engine->setup.models, path, &place) == 0 && place.model && place.stem) {
		const struct job_key key = {place.model->id, place.dir, place.stem};
		struct lines lines = {engine, &key};

		if (place.role != ROLE_BATCH)
			look_again(engine, &key);
		else /* without the journal: as above */
			(void)journal_each_line(engine->jobs.journal, &key, look_at_line, &lines);
	}
	place_clear(&place);
}

int owner_may_read(struct engine *engine, const struct job *job, const struct job_files *files)
{
	char rights[RIGHTS_BYTES];

	if (!engine->tree.shared)
		return 1;
	return access_judge(
		&engine->tree, files, job->row.picture, job->row.npictures, NULL, rights);
}

/* Where its folder is gone, what the files allowed last is all there is. */
static bool can_reach(
	const struct engine *engine, const struct job_row *row, const struct person *person)
{
	AUTO_FREE char *folder = path_join(row->model_id, row->dir);
	int may = folder ? rights_reach(engine->tree.fd, folder, person, 1) : 0;

	return may == 1 || may == -ENOENT;
}

static bool allows(const struct engine *engine, const struct job_row *row,
	const struct person *person, mode_t want)
{
	struct rights rights;

	if (person->uid == 0 || person->uid == geteuid())
		return true;
	return rights_parse(row->rights, &rights) && rights_allow(&rights, person, want) &&
	       can_reach(engine, row, person);
}

bool owner_allows(
	const struct engine *engine, const struct job *job, const struct person *asker, mode_t want)
{
	return !asker || allows(engine, &job->row, asker, want);
}

bool owner_shares(
	const struct engine *engine, const struct job_row *with, const struct job_row *row)
{
	struct rights rights;
	struct person owner = {0};
	struct stat info = {0};
	bool shares = false;

	if (!engine->tree.shared)
		return true;
	if (!rights_parse(with->rights, &rights))
		return false;
	info.st_uid = rights.uid;
	info.st_gid = rights.gid;
	if (person_of_owner(&info, &owner) == 0)
		shares = allows(engine, row, &owner, 4);
	person_clear(&owner);
	return shares;
}

#include "fs/engine/made.h"

#include "fs/base/cleanup.h"
#include "fs/base/path.h"
#include "fs/engine/core.h"
#include "fs/engine/outname.h"
#include "fs/journal/view.h"
#include "spec/place.h"

#include <errno.h>
#include <string.h>

#define LOOKS_MAX 64 /* names that one may come from; each "~" doubles them */

/* What is looked for, and what was found. */
struct search {
	struct engine *engine;
	const struct model *model;
	const char *path;
	const char *note; /* ".error.txt"; NULL: it is no note's name */
	struct takes *takes;
	struct job **take;
	int looks;
};

static struct job *whose_result(const struct search *search)
{
	for (size_t i = 0; i < search->takes->count; i++) {
		const struct job_row *row = &search->takes->item[i]->row;

		for (size_t j = 0; j < row->noutputs; j++)
			if (row->output[j].file && !strcmp(row->output[j].file, search->path))
				return search->takes->item[i];
	}
	return NULL;
}

static struct job *whose_note(const struct search *search)
{
	struct job *job = search->takes->count ? search->takes->item[0] : NULL;
	AUTO_FREE char *path = job ? outname_path(search->engine, job, search->note) : NULL;

	return path && !strcmp(path, search->path) ? job : NULL;
}

/* Whether it is of this job. */
static int look(struct search *search, const char *dir, const char *stem)
{
	struct engine *engine = search->engine;
	AUTO_FREE char *whole = view_cut_stem(engine->setup.view, search->model->id, dir, stem);
	const struct job_key key = {search->model->id, dir, whole};
	int error = ++search->looks > LOOKS_MAX ? -ENOENT : whole ? 0 : -ENOMEM;

	if (!error)
		error = jobs_takes(&engine->jobs, &key, search->takes);
	if (!error)
		*search->take = search->note ? whose_note(search) : whose_result(search);
	if (!error && !*search->take)
		takes_clear(search->takes);
	return error;
}

/* The job of this name, or, of a result, with fewer numbers behind it. */
static int look_by_number(struct search *search, const char *dir, const char *name)
{
	AUTO_FREE char *stem = strdup(name);
	int error = stem ? 0 : -ENOMEM;

	do
		error = error ? error : look(search, dir, stem);
	while (!error && !*search->take && !search->note && outname_cut_number(stem));
	return error;
}

/* The same where a folder's name may have become a part of it: "summer~a". */
static int look_below(struct search *search, const char *dir, const char *name)
{
	int error = look_by_number(search, dir, name);

	for (const char *mark = strchr(name, '~'); mark && !error && !*search->take;
		mark = strchr(mark + 1, '~')) {
		AUTO_FREE char *folder = strndup(name, (size_t)(mark - name));
		AUTO_FREE char *below = folder ? path_join(dir, folder) : NULL;

		if (!below)
			return -ENOMEM;
		if (*folder && mark[1])
			error = look_below(search, below, mark + 1);
	}
	return error;
}

/* A job that got another name since: its results keep theirs. A rename is a change, so it is among
 * those that changed last. */
static int look_at_last(struct search *search)
{
	struct journal *journal = search->engine->jobs.journal;
	int64_t id = journal_maker(journal, search->path);
	int error = 0;
	struct job_row *row = id ? journal_row(journal, id, &error) : NULL;

	if (row) {
		const struct job_key key = job_key_of(row);

		error = jobs_takes(&search->engine->jobs, &key, search->takes);
		*search->take = error ? NULL : whose_result(search);
	}
	job_row_free(row);
	return error;
}

int made_find(struct engine *engine, const char *path, struct takes *takes, struct job **take)
{
	const char *name = path_last(path);
	const size_t note_bytes = name_note(name);
	const char *note = note_bytes ? name + strlen(name) - note_bytes : NULL;
	const char *end = note ? note : strrchr(name, '.');
	AUTO_FREE char *stem = end ? strndup(name, (size_t)(end - name)) : NULL;
	struct search search = {engine, NULL, path, note, takes, take, 0};
	struct place place;
	int error;

	*takes = (struct takes){0};
	*take = NULL;
	if (!end)
		return 0;
	error = stem ? place_of(engine->setup.models, path, &place) : -ENOMEM;
	if (error)
		return error;
	search.model = place.model;
	if (place.area == AREA_OUT && *stem)
		error = look_below(&search, place.dir, stem);
	if (error == -ENOENT) /* too many names */
		error = 0;
	if (!error && !*take && place.area == AREA_OUT && !note)
		error = look_at_last(&search);
	place_clear(&place);
	return error;
}

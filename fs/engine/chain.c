#include "fs/engine/chain.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/engine/core.h"
#include "fs/engine/outname.h"
#include "fs/engine/owner.h"
#include "fs/engine/table.h"
#include "spec/place.h"

#include <string.h>

static const char plain[] = "It goes on by itself when everything is there.";
static const char stopped[] =
	"Nothing was paid for this one, and it goes on by itself once the file is there: see to the "
	"job that is to make it (kinofs retry PATH).";

static const char *const is_stopped[JOB_STATES] = {[JOB_HELD] = "is held",
	[JOB_REJECTED] = "was rejected",
	[JOB_FAILED] = "failed",
	[JOB_UNKNOWN] = "may or may not have been accepted",
	[JOB_CANCELLED] = "was cancelled"};

/* A look up the chain, for a job. */
struct search {
	struct engine *engine;
	const struct job_row *asker;
	int left; /* so many jobs are looked at; there may be a circle */
};

static char *root_of(struct search *search, const struct picture *picture, bool is_first);

/* ------------------------------------------------------------------ what is the matter */

/* "hailuo/x/summer/a failed: the words of its note"; the caller frees. NULL: no memory. */
static char *say(const struct job_row *row)
{
	AUTO_FREE char *name = job_name(row), *path = name ? path_join(row->model_id, name) : NULL;
	AUTO_FREE char *shown = path ? quote_name(path) : NULL;
	const char *problem = row->problem ?: "";
	const int bytes = (int)strcspn(problem, "\n");

	return shown ? format("%s %s%s%.*s", shown, is_stopped[row->state], bytes ? ": " : "",
			       bytes, problem)
	             : NULL;
}

/* The same, or what stops it in turn. NULL: nothing does, or it is not for the asker to know. */
static char *why(struct search *search, const struct job_row *row, bool is_first)
{
	AUTO_FREE char *root = NULL, *name = NULL;

	if (!owner_shares(search->engine, search->asker, row))
		return NULL;
	if (is_stopped[row->state])
		return say(row);
	for (size_t i = 0; i < row->npictures && row->state == JOB_WAITING && !root; i++)
		if (!row->picture[i].sha256)
			root = root_of(search, &row->picture[i], false);
	if (!root || !is_first)
		return TAKE(root);
	name = quote_name(row->stem);
	return format("%s waits as well: %s", name ?: "", root);
}

/* Of the take that the files of this name stand for; *is_there: whether there is such a job. */
static char *why_not(
	struct search *search, const struct job_key *key, bool is_first, bool *is_there)
{
	struct takes takes = {0};
	char *words = NULL;

	*is_there = true;
	for (struct job *job = table_find(&search->engine->jobs, key); job; job = job->set.older)
		if (job->row.shown && !job->set.deleting)
			return why(search, &job->row, is_first);
	/* what cannot be read now is no reason to say anything */
	*is_there = jobs_takes(&search->engine->jobs, key, &takes) == 0 && takes.count;
	for (size_t i = 0; i < takes.count && !words; i++)
		if (takes.item[i]->row.shown)
			words = why(search, &takes.item[i]->row, is_first);
	takes_clear(&takes);
	return words;
}

/* What keeps the job from going on that makes a file in some out/. NULL: nothing is known. */
static char *root_of(struct search *search, const struct picture *picture, bool is_first)
{
	const char *path = picture->nway ? picture->way[picture->nway - 1] : picture->path;
	AUTO_FREE char *stem = strdup(path_last(path));
	struct place place = {0};
	char *words = NULL;
	bool is_there = false;

	if (!stem || search->left-- <= 0 ||
		place_of(search->engine->setup.models, path, &place) < 0)
		return NULL;
	if (place.area == AREA_OUT && strrchr(stem, '.')) {
		const struct job_key key = {place.model->id, place.dir, stem};

		*strrchr(stem, '.') = '\0';
		do
			words = why_not(search, &key, is_first, &is_there);
		while (!is_there && outname_cut_number(stem));
	}
	place_clear(&place);
	return words;
}

/* ------------------------------------------------------------------ waiting */

void chain_wait(struct engine *engine, struct job *job, struct problems *missing)
{
	struct search search = {engine, &job->row, LIMIT_BATCH_LINES};
	const struct job_key key = job_key_of(&job->row);
	/* also a new take, in place of one that had come to nothing */
	const bool had_stopped = is_stopped[job->row.state] || !job->row.problem ||
	                         (job->row.advice && !strcmp(job->row.advice, stopped));
	bool has_stopped = false, is_news;
	AUTO_FREE char *lines = NULL;

	for (size_t i = 0; i < job->row.npictures; i++) {
		AUTO_FREE char *words = job->row.picture[i].sha256
		                                ? NULL
		                                : root_of(&search, &job->row.picture[i], true);

		if (words)
			problems_add(missing, NULL, "%s", words);
		has_stopped = has_stopped || words;
	}
	lines = problems_text(missing);
	is_news = !lines || !job->row.problem || strcmp(lines, job->row.problem) != 0;
	job_set_state(job, JOB_WAITING, lines, has_stopped ? stopped : plain);
	if (is_news && (had_stopped || has_stopped))
		chain_tell(engine, &key, !has_stopped);
}

static void tell(struct engine *engine, const char *path, bool well)
{
	struct takes takes;

	jobs_naming(&engine->jobs, path, &takes);
	for (size_t i = 0; i < takes.count; i++) {
		const struct job_row *row = &takes.item[i]->row;
		const struct job_key key = job_key_of(row);

		if (row->state == JOB_WAITING && !row->settling &&
			(!well || (row->advice && !strcmp(row->advice, stopped))))
			settle_now(engine, &key);
	}
	takes_clear(&takes);
}

void chain_tell(struct engine *engine, const struct job_key *key, bool well)
{
	const struct model *model = models_find(engine->setup.models, key->model);
	const char *suffix;

	for (size_t i = 0; model && engine->jobs.waiting && (suffix = name_result_suffix(i)); i++) {
		AUTO_FREE char *path = place_path(model, AREA_OUT, key->dir, key->stem, suffix);

		if (path) /* without memory it is not told */
			tell(engine, path, well);
	}
}

void chain_tell_of(struct engine *engine, const struct job *job, bool well)
{
	const struct job_key key = job_key_of(&job->row);

	chain_tell(engine, &key, well);
}

#include "fs/engine/jobs.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/log.h"
#include "fs/engine/named.h"
#include "fs/engine/table.h"
#include "fs/journal/record.h"

#include <errno.h>
#include <search.h>
#include <string.h>

void jobs_init(struct jobs *jobs, struct engine *engine, struct journal *journal,
	const struct model_set *models, const struct jobs_hooks *hooks)
{
	*jobs = (struct jobs){
		.engine = engine, .journal = journal, .models = models, .hooks = hooks};
	TAILQ_INIT(&jobs->changed);
	TAILQ_INIT(&jobs->acting);
}

/* ------------------------------------------------------------------ into the set, and out */

static void job_free(struct job *job)
{
	cleanup_fd(&job->part_fd);
	free((char *)(uintptr_t)job->set.left.dir);
	free((char *)(uintptr_t)job->set.left.stem);
	job_row_clear(&job->row);
	free(job);
}

struct job *jobs_add(struct jobs *jobs, struct job_row *row)
{
	struct job *job = row ? calloc(1, sizeof(*job)) : NULL;

	if (!job) {
		job_row_free(row);
		return NULL;
	}
	job->row = *row;
	free(row); /* what it held is the job's now */
	job->engine = jobs->engine;
	job->jobs = jobs;
	job->model = models_find(jobs->models, job->row.model_id);
	job->provider = job->model ? provider_find(job->model->provider) : NULL;
	job->at = job->part_fd = -1;
	job->turn = -1;
	job->set.told = true;
	job->set.shown_note = job->row.note;
	job->set.logged = job->row.state;
	job->set.logged_hold = job->row.hold;
	if (table_add(jobs, job) < 0) {
		job_free(job);
		return NULL;
	}
	named_add(jobs, job);
	jobs->waiting += job->row.state == JOB_WAITING;
	return job;
}

struct job *jobs_add_take(struct jobs *jobs, const struct job_key *key, const struct takes *takes)
{
	struct job_row *row = job_row_new(key);
	struct job *job;

	if (row) {
		row->created_ms = row->changed_ms = clock_wall_ms();
		if (takes->count)
			row->take = takes->item[0]->row.take + 1;
	}
	job = jobs_add(jobs, row);
	if (!job)
		log_error("no memory for the job %s/%s", key->dir, key->stem);
	return job;
}

static void out(struct jobs *jobs, struct job *job)
{
	jobs->hooks->abort(jobs->engine, job, JOB_STATES);
	if (job->set.changed)
		TAILQ_REMOVE(&jobs->changed, job, set.changed_entry);
	if (job->set.acting)
		TAILQ_REMOVE(&jobs->acting, job, set.acting_entry);
	table_remove(jobs, job);
	named_remove(jobs, job);
	jobs->waiting -= job->row.state == JOB_WAITING;
	job_free(job);
}

void job_release(struct job *job)
{
	if (!job->set.pins && !job->row.settling && !job->set.changed && !job->set.acting &&
		(job_state_is_end(job->row.state) || job->set.deleting))
		out(job->jobs, job);
}

void jobs_clear(struct jobs *jobs)
{
	while (jobs->by_name)
		out(jobs, *(struct job **)jobs->by_name);
}

/* ------------------------------------------------------------------ finding */

int takes_add(struct takes *takes, struct job *job)
{
	if (ARRAY_ROOM(takes->item, takes->count, takes->room) < 0)
		return -ENOMEM;
	takes->item[takes->count++] = job;
	job->set.pins++;
	return 0;
}

static int add_forgotten(struct takes *takes, struct job_row *row)
{
	struct rows *rows = &takes->forgotten;

	if (ARRAY_ROOM(rows->item, rows->count, rows->room) < 0) {
		job_row_free(row);
		return -ENOMEM;
	}
	rows->item[rows->count++] = row;
	return 0;
}

/* Rows of the journal become jobs in memory, but for those that are there already: what memory says
 * of them is newer, and has been looked at. */
static int add_rows(struct jobs *jobs, struct takes *takes, struct rows *rows)
{
	int error = 0;

	for (size_t i = 0; i < rows->count && !error; i++) {
		struct job_row *row = TAKE(rows->item[i]);
		struct job *job;

		if (row->forgotten_ms) {
			error = add_forgotten(takes, row);
		} else if (jobs_find_id(jobs, row->id)) {
			job_row_free(row);
		} else {
			job = jobs_add(jobs, row);
			error = job ? takes_add(takes, job) : -ENOMEM;
		}
	}
	return error;
}

static int compare_takes(const void *left, const void *right)
{
	const struct job *a = *(struct job *const *)left, *b = *(struct job *const *)right;

	return (a->row.take < b->row.take) - (a->row.take > b->row.take);
}

int jobs_takes(struct jobs *jobs, const struct job_key *key, struct takes *takes)
{
	struct rows rows;
	int error = journal_takes(jobs->journal, key, &rows);

	*takes = (struct takes){0};
	for (struct job *job = table_find(jobs, key); job && !error; job = job->set.older)
		if (!job->set.deleting)
			error = takes_add(takes, job);
	if (!error)
		error = add_rows(jobs, takes, &rows);
	rows_free(&rows);
	if (takes->count)
		qsort(takes->item, takes->count, sizeof(struct job *), compare_takes);
	return error;
}

int jobs_same_order(struct jobs *jobs, const char *order, struct takes *takes)
{
	struct rows rows;
	int error = journal_same_order(jobs->journal, order, &rows);

	*takes = (struct takes){0};
	for (struct job *job = table_find_order(jobs, order); job && !error;
		job = job->set.same_order)
		if (!job->set.deleting)
			error = takes_add(takes, job);
	if (!error)
		error = add_rows(jobs, takes, &rows);
	rows_free(&rows);
	return error;
}

int jobs_same_files(struct jobs *jobs, const char *fingerprint, struct takes *takes)
{
	struct rows rows;
	int error = journal_same_files(jobs->journal, fingerprint, &rows);

	*takes = (struct takes){0};
	for (size_t i = 0; i < rows.count && !error; i++) {
		struct job *job = jobs_find_id(jobs, rows.item[i]->id);

		if (job && !job->set.deleting)
			error = takes_add(takes, job);
	}
	if (!error)
		error = add_rows(jobs, takes, &rows);
	rows_free(&rows);
	return error;
}

void takes_clear(struct takes *takes)
{
	for (size_t i = 0; i < takes->count; i++) {
		takes->item[i]->set.pins--;
		job_release(takes->item[i]);
	}
	free(takes->item);
	rows_free(&takes->forgotten);
	*takes = (struct takes){0};
}

bool jobs_knows(struct jobs *jobs, const struct job_key *key)
{
	struct takes takes;
	bool knows = jobs_takes(jobs, key, &takes) < 0 || takes.count > 0;

	takes_clear(&takes);
	return knows;
}

struct collection {
	enum job_state state;
	struct takes *takes;
};

static void collect(const void *node, VISIT visit, void *context)
{
	const struct collection *collection = context;

	if (visit != preorder && visit != leaf)
		return;
	for (struct job *job = *(struct job *const *)node; job; job = job->set.older)
		if ((collection->state == JOB_STATES || job->row.state == collection->state) &&
			!job->set.deleting)
			(void)takes_add(collection->takes, job); /* without memory it is left out */
}

void jobs_list(struct jobs *jobs, enum job_state state, struct takes *takes)
{
	struct collection collection = {state, takes};

	*takes = (struct takes){0};
	twalk_r(jobs->by_name, collect, &collection);
}

void jobs_naming(struct jobs *jobs, const char *path, struct takes *takes)
{
	*takes = (struct takes){0};
	for (const struct naming *at = named_find(jobs, path); at; at = LIST_NEXT(at, entry))
		if (!at->job->set.deleting)
			(void)takes_add(takes, at->job); /* without memory it is left out */
}

/* ------------------------------------------------------------------ changing */

void job_commit_then(struct job *job, job_action *next)
{
	struct jobs *jobs = job->jobs;

	if (next)
		job->set.next = next;
	if (job->set.changed)
		return;
	job->set.changed = true;
	TAILQ_INSERT_TAIL(&jobs->changed, job, set.changed_entry);
}

void job_update(struct job *job)
{
	job->set.told = false;
	job_commit_then(job, NULL);
}

void job_say(struct job *job, const char *problem, const char *advice)
{
	if (problem && job->row.problem && !strcmp(problem, job->row.problem))
		return;
	job_set_text(&job->row.problem, problem);
	job_set_text(&job->row.advice, advice);
	job->set.note_stale = true;
	job_update(job);
}

/* On its way to a task, perhaps not for the first time: the pauses grow until it has one. */
static bool is_attempt(enum job_state state)
{
	return state == JOB_HELD || state == JOB_QUEUED || state == JOB_UPLOADING ||
	       state == JOB_SUBMITTING;
}

/* Why it is held; or, of one that was sent, that what it settles for was found so (settle.h). */
static bool keeps_hold(const struct job_row *row, enum job_state to)
{
	return to == JOB_HELD || to == row->state ||
	       (row->settling && !job_state_is_open(row->state));
}

void job_set_state(struct job *job, enum job_state state, const char *problem, const char *advice)
{
	struct job_row *row = &job->row;
	bool goes_on = row->state == JOB_RUNNING && !row->problem && !problem;

	if (state != row->state && !job_may_become(row->state, state)) {
		log_error("BUG: job %lld: %s cannot become %s", (long long)row->id,
			job_state_name(row->state), job_state_name(state));
		return;
	}
	log_debug("job %lld %s/%s take %d: %s -> %s", (long long)row->id, row->dir, row->stem,
		row->take, job_state_name(row->state), job_state_name(state));
	job->jobs->hooks->abort(job->engine, job, state);
	if (state != row->state && !is_attempt(state))
		job->tries = 0;
	if (!keeps_hold(row, state))
		row->hold = HOLD_NONE;
	job->set.ended = state != row->state || strcmp(problem ?: "", row->problem ?: "") != 0;
	job->jobs->waiting += (state == JOB_WAITING) - (row->state == JOB_WAITING);
	row->state = state;
	row->changed_ms = clock_wall_ms();
	if (job_state_is_end(state))
		row->finished_ms = row->changed_ms;
	job_set_text(&row->problem, problem);
	job_set_text(&row->advice, advice);
	if (!goes_on) /* other words, perhaps */
		job->set.note_stale = true;
	job->set.told = false;
	job->set.next =
		job->jobs->hooks->enter[state]; /* or NULL: what another state asked for goes */
	job_commit_then(job, NULL);
}

void job_hold(struct job *job, enum job_hold hold, const char *problem, const char *advice)
{
	job->row.hold = hold;
	job_set_state(job, JOB_HELD, problem, advice);
}

int job_set_order(struct job *job, const char *order)
{
	struct jobs *jobs = job->jobs;
	char *copy = order ? strdup(order) : NULL;

	if (order && !copy)
		return -ENOMEM;
	table_remove_order(jobs, job);
	free(job->row.order);
	job->row.order = copy;
	table_add_order(jobs, job);
	job_commit_then(job, NULL);
	return 0;
}

/* One note at a time: the take that is shown has it. */
static void hand_note_over(struct job *from, struct job *to)
{
	if (from->set.shown_note != NOTE_NONE) {
		to->set.shown_note = from->set.shown_note;
		to->set.note_stale = true; /* its words are another's */
	}
	to->set.note_unsure = to->set.note_unsure || from->set.note_unsure;
	from->set.note_unsure = false;
	from->set.shown_note = from->row.note = NOTE_NONE;
	from->row.shown = false;
	job_commit_then(from, NULL);
}

void job_show(struct job *job)
{
	struct job_key key = job_key_of(&job->row);

	if (job->row.shown)
		return;
	for (struct job *other = table_find(job->jobs, &key); other; other = other->set.older)
		if (other != job && other->row.shown)
			hand_note_over(other, job);
	job->row.shown = job->set.becomes_shown = true;
	job_update(job);
}

int job_move(struct job *job, const struct job_key *key, int take)
{
	struct jobs *jobs = job->jobs;
	char *dir = strdup(key->dir), *stem = strdup(key->stem);
	struct job_key left = {job->row.model_id, job->row.dir, job->row.stem};

	if (!dir || !stem) {
		free(dir);
		free(stem);
		return -ENOMEM;
	}
	jobs->hooks->renaming(jobs->engine, job);
	table_remove(jobs, job);
	job->row.dir = dir;
	job->row.stem = stem;
	job->row.take = take;
	job->row.shown = false;
	if (table_add(jobs, job) < 0)
		log_error("no memory to keep job %lld in mind", (long long)job->row.id);
	if (job->set.left.model) { /* it has moved since the last commit already */
		free((char *)(uintptr_t)left.dir);
		free((char *)(uintptr_t)left.stem);
	} else {
		job->set.left = left;
		job->set.left_note = job->row.note != NOTE_NONE || job->set.note_unsure;
	}
	job_update(job);
	return 0;
}

void job_delete(struct job *job)
{
	job_abort(job);
	job->set.deleting = true;
	job->row.settling = false;
	job_commit_then(job, NULL);
}

void job_abort(struct job *job)
{
	job->jobs->hooks->abort(job->engine, job, job->row.state);
}

int jobs_forget(struct jobs *jobs, const struct job_key *key, int64_t at_ms)
{
	struct takes takes;
	struct job *next;
	int error = jobs_takes(jobs, key, &takes);

	if (!error)
		error = journal_forget(jobs->journal, key, at_ms);
	for (size_t i = 0; i < takes.count && !error; i++)
		jobs->hooks->renaming(jobs->engine, takes.item[i]); /* its note goes */
	takes_clear(&takes);
	for (struct job *job = error ? NULL : table_find(jobs, key); job; job = next) {
		next = job->set.older;
		out(jobs, job);
	}
	return error;
}

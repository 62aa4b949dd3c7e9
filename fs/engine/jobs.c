/*
 * The jobs in memory: those that have not ended, and those whose files are
 * about to be judged. A tree by name holds the newest take of each job with
 * its older ones behind it; another finds jobs by id.
 */
#include "fs/engine/engine_core.h"

#include "fs/base/cleanup.h"
#include "fs/base/log.h"

#include <errno.h>
#include <search.h>
#include <string.h>

static int compare_names(const void *left, const void *right)
{
	const struct job *a = left, *b = right;
	int order = strcmp(a->model_id, b->model_id);

	if (!order)
		order = strcmp(a->dir, b->dir);
	return order ? order : strcmp(a->stem, b->stem);
}

static int compare_ids(const void *left, const void *right)
{
	const struct job *a = left, *b = right;

	return (a->id > b->id) - (a->id < b->id);
}

void engine_attach(struct engine *engine, struct job *job)
{
	job->model = models_find(engine->setup.models, job->model_id);
	job->provider = job->model ? provider_find(job->model->provider) : NULL;
}

/* Into the chain of takes, newest first. */
static void chain_insert(struct job **head, struct job *job)
{
	while (*head && (*head)->take > job->take)
		head = &(*head)->older;
	job->older = *head;
	*head = job;
}

void engine_keep(struct engine *engine, struct job *job)
{
	struct job **node = tsearch(job, &engine->jobs, compare_names);

	job->engine = engine;
	engine_attach(engine, job);
	job->told = true;
	job->shown_note = job->note;
	if (!node)
		log_error("no memory to keep job %lld in mind", (long long)job->id);
	else if (*node != job)
		chain_insert(node, job); /* the tree's node now points to the newest */
	engine_keep_id(engine, job);
}

void engine_keep_id(struct engine *engine, struct job *job)
{
	if (job->id && !job->in_ids)
		job->in_ids = tsearch(job, &engine->ids, compare_ids);
}

static void forget(struct engine *engine, struct job *job)
{
	struct job **node = tfind(job, &engine->jobs, compare_names);
	struct job **link = node;

	while (link && *link && *link != job)
		link = &(*link)->older;
	if (link && *link == job) {
		if (node == link && !job->older)
			(void)tdelete(job, &engine->jobs, compare_names); /* returns the parent */
		else
			*link = job->older;
	}
	job->older = NULL;
	if (job->in_ids)
		(void)tdelete(job, &engine->ids, compare_ids); /* returns the parent */
	job->in_ids = false;
}

void engine_idle(struct engine *engine, struct job *job)
{
	timer_clear(&engine->timers, &job->timer);
	if (job->transfer)
		http_cancel(engine->http, job->transfer);
	job->transfer = NULL;
	cleanup_fd(&job->part_fd);
	job->part_fd = -1;
	gate_leave(job);
	lane_leave(engine, job);
}

void engine_release(struct engine *engine, struct job *job)
{
	if (job->settling) /* its files are about to be judged: drop.c lets it go after */
		return;
	engine_idle(engine, job);
	if (job->changed)
		TAILQ_REMOVE(&engine->changed, job, changed_entry);
	if (job->acting)
		TAILQ_REMOVE(&engine->acting, job, acting_entry);
	forget(engine, job);
	job_free(job);
}

void engine_delete(struct engine *engine, struct job *job)
{
	engine_idle(engine, job);
	job->doomed = true;
	job->settling = false;
	job->note = NOTE_NONE;
	engine_touch(engine, job, engine_release);
}

static void rename_in_memory(
	struct engine *engine, struct job *job, const char *dir, const char *stem)
{
	bool told = job->told;
	enum job_note shown;

	tell_no_note(engine, job); /* it has the old name */
	shown = job->shown_note;
	forget(engine, job);
	job_set_text(&job->dir, dir);
	job_set_text(&job->stem, stem);
	engine_keep(engine, job);
	job->told = told;
	job->shown_note = shown;
}

int engine_adopt(struct engine *engine, struct job *old, struct job *new)
{
	AUTO_FREE char *dir = strdup(new->dir);
	AUTO_FREE char *stem = strdup(new->stem);
	int error = dir && stem ? journal_begin(engine->journal) : -ENOMEM;

	if (error)
		return error;
	/* at once, not with the next commit: rows that are not in memory go along */
	if (new->id)
		error = journal_delete(engine->journal, new);
	if (!error)
		error = journal_rename(engine->journal, old, dir, stem);
	error = error ? (journal_rollback(engine->journal), error)
	              : journal_commit(engine->journal);
	if (error)
		return error;
	new->settling = false;
	engine_release(engine, new);
	for (struct job *older; old; old = older) {
		older = old->older;
		rename_in_memory(engine, old, dir, stem);
		old->settling = false;
		old->told = false;
		engine_touch(engine, old, job_state_is_end(old->state) ? engine_release : NULL);
	}
	return 0;
}

struct job *engine_find(struct engine *engine, const char *model, const char *dir, const char *stem)
{
	union { /* a look-up never writes to its key */
		const char *in;
		char *out;
	} model_id = {model}, dir_name = {dir}, stem_name = {stem};
	struct job key = {.model_id = model_id.out, .dir = dir_name.out, .stem = stem_name.out};
	struct job **node = tfind(&key, &engine->jobs, compare_names);

	return node ? *node : NULL;
}

struct job *engine_find_id(struct engine *engine, int64_t id)
{
	struct job key = {.id = id};
	struct job **node = tfind(&key, &engine->ids, compare_ids);

	return node ? *node : NULL;
}

struct job *engine_load(
	struct engine *engine, const char *model, const char *dir, const char *stem, int *error)
{
	struct job *job = engine_find(engine, model, dir, stem);
	struct job *copy;

	*error = 0;
	if (job && !job->id)
		return job; /* newer than all the journal has */
	/* a take that has ended may have left memory while an older one is still under way */
	copy = journal_newest(engine->journal, model, dir, stem, error);
	if (*error)
		return NULL;
	if (copy && (!job || copy->take > job->take)) {
		engine_keep(engine, copy);
		return copy;
	}
	job_free(copy);
	if (job && job->doomed) { /* wanted again before its row went */
		job->doomed = false;
		job->next = NULL;
	}
	return job;
}

void engine_put_back(struct engine *engine, struct job *job)
{
	if (job_state_is_end(job->state) && !job->changed && !job->acting)
		engine_release(engine, job);
}

bool engine_knows(struct engine *engine, const char *model, const char *dir, const char *stem)
{
	struct job *job = engine_find(engine, model, dir, stem);
	bool known = job && !job->doomed;
	int error;

	if (known)
		return true;
	job = journal_newest(engine->journal, model, dir, stem, &error);
	known = job || error; /* a journal that cannot be read must not make anything look new */
	job_free(job);
	return known;
}

struct listing {
	enum job_state state;
	struct job **list;
	size_t count, room;
};

static void list_add(struct listing *listing, struct job *job)
{
	if (listing->count == listing->room) {
		size_t room = listing->room ? 2 * listing->room : 256;
		struct job **list = realloc(listing->list, room * sizeof(struct job *));

		if (!list)
			return; /* the rest is met the next time */
		listing->list = list;
		listing->room = room;
	}
	listing->list[listing->count++] = job;
}

static void collect(const void *node, VISIT visit, void *context)
{
	struct listing *listing = context;
	struct job *job = *(struct job *const *)node;

	if (visit != preorder && visit != leaf)
		return;
	if (listing->state != JOB_STATES) {
		if (job->state == listing->state)
			list_add(listing, job);
		return;
	}
	for (; job; job = job->older)
		list_add(listing, job);
}

struct search {
	enum job_state state;
	bool found;
};

static void compare_state(const void *node, VISIT visit, void *context)
{
	const struct job *job = *(struct job *const *)node;
	struct search *search = context;

	(void)visit;
	search->found |= job->state == search->state;
}

bool engine_has(struct engine *engine, enum job_state state)
{
	struct search search = {.state = state};

	twalk_r(engine->jobs, compare_state, &search);
	return search.found;
}

size_t engine_list(struct engine *engine, enum job_state state, struct job ***list)
{
	struct listing listing = {.state = state};

	twalk_r(engine->jobs, collect, &listing);
	*list = listing.list;
	return listing.count;
}

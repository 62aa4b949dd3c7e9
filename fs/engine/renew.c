#include "fs/engine/renew.h"

#include "fs/base/cleanup.h"
#include "fs/engine/core.h"
#include "fs/engine/submit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct renewing {
	struct engine *engine;
	bool other_key[PROVIDERS];
};

static bool is_same_key(const char *key, const char *other)
{
	return key && other ? !strcmp(key, other) : key == other;
}

static bool has_other_key(const struct renewing *renewing, const struct job *job)
{
	for (size_t i = 0; i < PROVIDERS; i++)
		if (provider_at(i) == job->provider)
			return renewing->other_key[i];
	return false;
}

/* It goes, or says what is in its way now. */
static void ask_caps(struct engine *engine, struct job *job)
{
	AUTO_FREE char *problem = NULL;
	const char *advice = NULL;
	enum job_hold hold = budget_check(&engine->budget, engine->jobs.journal,
		&engine->setup.config->caps, &job->row, &problem, &advice);

	if (hold == HOLD_NONE)
		job_set_state(job, JOB_QUEUED, NULL, NULL);
	else if (hold != job->row.hold || !problem || !job->row.problem ||
		 strcmp(problem, job->row.problem) != 0)
		job_hold(job, hold, problem, advice);
}

static void look_again(const struct renewing *renewing, struct job *job)
{
	struct engine *engine = renewing->engine;

	switch (job->row.hold) {
	case HOLD_KEY:
		if (job->provider && config_account(engine->setup.config, job->provider)->key)
			job_set_state(job, JOB_QUEUED, NULL, NULL);
		break;
	case HOLD_PROVIDER:
		if (!has_other_key(renewing, job))
			break;
		job->tries = 0;
		job_set_state(job, JOB_QUEUED, NULL, NULL);
		break;
	case HOLD_CAP:
	case HOLD_JOB_CAP:
	case HOLD_PRICE: ask_caps(engine, job); break;
	default: break;
	}
}

static int compare_age(const void *left, const void *right)
{
	const struct job *a = *(struct job *const *)left, *b = *(struct job *const *)right;

	return (a->row.id > b->row.id) - (a->row.id < b->row.id);
}

/* The oldest first, as far as a cap lets them. */
static void look_at_held(const struct renewing *renewing)
{
	struct takes takes;

	jobs_list(&renewing->engine->jobs, JOB_HELD, &takes);
	if (takes.count)
		qsort(takes.item, takes.count, sizeof(struct job *), compare_age);
	for (size_t i = 0; i < takes.count; i++)
		look_again(renewing, takes.item[i]);
	takes_clear(&takes);
}

int renew(struct engine *engine, struct config *fresh)
{
	struct renewing renewing = {.engine = engine};
	struct config *config = engine->setup.config;
	const char *before[PROVIDERS];

	/* a cap may count for the first time, from the journal: it is to know all that is sent */
	if (engine_commit(engine) < 0)
		return -EIO;
	for (size_t i = 0; i < PROVIDERS; i++)
		before[i] = config->account[i].key;
	engine->budget.changes++;
	config_renew(config, fresh); /* which keeps those, if it takes others */
	for (size_t i = 0; i < PROVIDERS; i++)
		renewing.other_key[i] = !is_same_key(config->account[i].key, before[i]);
	look_at_held(&renewing);
	return 0;
}

#include "fs/engine/ratelimit.h"

#include "fs/base/clock.h"
#include "fs/base/log.h"
#include "fs/config/config.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define IN_USE          INT64_MAX
#define CREATES_AT_ONCE 32 /* whatever the rate: each costs a connection and memory */

struct ratelimit {
	struct ratelimits *limits;
	const struct account *account;
	const struct model *model; /* NULL: the limit is the account's */
	int turns;
	int64_t period_ms;
	int64_t *free_at_ms;   /* of each turn, steady; IN_USE */
	int64_t not_before_ms; /* the provider said wait */
	bool pumping;
	int in_flight;
	struct job_list waiting;
	struct timer timer;
	LIST_ENTRY(ratelimit) entry;
};

static void pump(struct ratelimit *limit);

static void turn_due(void *engine, struct timer *timer)
{
	(void)engine;
	pump((struct ratelimit *)((char *)timer - offsetof(struct ratelimit, timer)));
}

static struct ratelimit *limit_new(
	struct ratelimits *limits, const struct account *account, const struct model *model)
{
	struct ratelimit *limit = calloc(1, sizeof(*limit));
	size_t turns = account->creates > 0 ? (size_t)account->creates : CREATES_AT_ONCE;

	if (!limit)
		return NULL;
	limit->free_at_ms = calloc(turns, sizeof(*limit->free_at_ms));
	if (!limit->free_at_ms) {
		free(limit);
		return NULL;
	}
	limit->limits = limits;
	limit->account = account;
	limit->model = model;
	limit->turns = (int)turns;
	limit->period_ms = account->creates > 0 ? account->per_ms : 0;
	limit->timer.fire = turn_due;
	TAILQ_INIT(&limit->waiting);
	LIST_INSERT_HEAD(&limits->list, limit, entry);
	return limit;
}

/* The limit a job is under; made when first asked for. NULL: no memory. */
static struct ratelimit *limit_of(struct ratelimits *limits, const struct job *job)
{
	const struct account *account = config_account(limits->config, job->provider);
	const struct model *model = job->provider->creates_per_model ? job->model : NULL;
	struct ratelimit *limit;

	LIST_FOREACH(limit, &limits->list, entry)
	if (limit->account == account && limit->model == model)
		return limit;
	return limit_new(limits, account, model);
}

/* The turn that is free first. */
static int first_turn(const struct ratelimit *limit)
{
	int first = 0;

	for (int i = 1; i < limit->turns; i++)
		if (limit->free_at_ms[i] < limit->free_at_ms[first])
			first = i;
	return first;
}

static void take_turn(struct ratelimit *limit, struct job *job, int turn)
{
	TAILQ_REMOVE(&limit->waiting, job, queue_entry);
	job->turn = turn;
	limit->free_at_ms[turn] = IN_USE;
	limit->in_flight++;
	limit->limits->work(job->engine, job);
}

/* Lets through what may go. */
static void pump(struct ratelimit *limit)
{
	struct job *job;

	if (limit->pumping)
		return;
	limit->pumping = true;
	while ((job = TAILQ_FIRST(&limit->waiting)) && limit->in_flight < CREATES_AT_ONCE &&
		!limit->limits->is_stopping(job->engine)) {
		int turn = first_turn(limit);
		int64_t due_ms = limit->free_at_ms[turn];

		if (due_ms < limit->not_before_ms)
			due_ms = limit->not_before_ms;
		if (due_ms <= clock_steady_ms()) {
			take_turn(limit, job, turn);
			continue;
		}
		/* while every turn is in use, ratelimit_leave() comes back here */
		if (due_ms != IN_USE && timer_set(limit->limits->timers, &limit->timer, due_ms) < 0)
			log_error("no memory for a timer"); /* the next job to come sets it */
		break;
	}
	limit->pumping = false;
}

int ratelimit_enter(struct ratelimits *limits, struct job *job)
{
	struct ratelimit *limit = limit_of(limits, job);

	ratelimit_leave(job, false);
	if (!limit)
		return -ENOMEM;
	job->ratelimit = limit;
	job->turn = -1;
	TAILQ_INSERT_TAIL(&limit->waiting, job, queue_entry);
	pump(limit);
	return 0;
}

void ratelimit_leave(struct job *job, bool sent)
{
	struct ratelimit *limit = job->ratelimit;

	if (!limit)
		return;
	job->ratelimit = NULL;
	if (job->turn < 0) {
		TAILQ_REMOVE(&limit->waiting, job, queue_entry);
		return;
	}
	limit->in_flight--;
	limit->free_at_ms[job->turn] = clock_steady_ms() + (sent ? limit->period_ms : 0);
	job->turn = -1;
	pump(limit);
}

void ratelimit_pause(struct ratelimit *limit, int64_t pause_ms)
{
	int64_t until_ms = clock_steady_ms() + pause_ms;

	if (limit->not_before_ms < until_ms)
		limit->not_before_ms = until_ms;
}

void ratelimit_remember(struct ratelimits *limits, const struct job *job, int64_t sent_ms)
{
	struct ratelimit *limit = limit_of(limits, job);

	if (limit && sent_ms > clock_wall_ms() - limit->period_ms)
		limit->free_at_ms[first_turn(limit)] = clock_steady_ms() + limit->period_ms;
}

int ratelimits_in_flight(const struct ratelimits *limits)
{
	const struct ratelimit *limit;
	int count = 0;

	LIST_FOREACH(limit, &limits->list, entry)
	count += limit->in_flight;
	return count;
}

void ratelimits_free(struct ratelimits *limits)
{
	while (!LIST_EMPTY(&limits->list)) {
		struct ratelimit *limit = LIST_FIRST(&limits->list);

		LIST_REMOVE(limit, entry);
		timer_clear(limits->timers, &limit->timer);
		free(limit->free_at_ms);
		free(limit);
	}
}

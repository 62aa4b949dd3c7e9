/*
 * poll.c - a failed query says nothing about the task, and a state that is not
 * known means that it is still running (fs/net/API.md 1.2, 7.3).
 */
#include "fs/engine/poll.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/config/config.h"
#include "fs/engine/backoff.h"
#include "fs/engine/core.h"
#include "fs/engine/fetch.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define POLL_TIMEOUT_MS (60 * 1000)
#define ERROR_FIRST_MS  3000
#define ERROR_LIMIT_MS  (5 * 60 * 1000)
#define BLOCKED_MS      (5 * 60 * 1000)

/* How long after how much waiting: the provider's advice (fs/net/API.md 1.4), then slower, for
 * ever. */
static const struct {
	int64_t age_ms, pause_ms;
} schedule[] = {
	{30 * 1000LL, 2500},
	{2 * 60 * 1000LL, 7 * 1000},
	{15 * 60 * 1000LL, 20 * 1000},
	{60 * 60 * 1000LL, 60 * 1000},
	{INT64_MAX, 5 * 60 * 1000},
};

static int64_t scheduled_pause(const struct job *job)
{
	int64_t age = clock_wall_ms() - job->row.accepted_ms;
	size_t i = 0;

	while (age >= schedule[i].age_ms)
		i++;
	return schedule[i].pause_ms;
}

static void poll_due(void *context, struct timer *timer)
{
	struct engine *engine = context;
	struct job *job = job_of_timer(timer);

	slots_enter(&engine->slots.polls, job);
}

static void poll_after(struct engine *engine, struct job *job, int64_t pause)
{
	job->timer.fire = poll_due;
	engine_set_timer(engine, &job->timer, pause);
}

void enter_running(struct engine *engine, struct job *job)
{
	poll_after(engine, job, scheduled_pause(job));
}

/* Notes down what the provider says of its progress; commits only what is new. */
static void note_progress(struct job *job, const struct poll_answer *answer)
{
	bool same_state = answer->state && job->row.provider_state &&
	                  !strcmp(answer->state, job->row.provider_state);

	if (job->row.problem || (answer->state && !same_state) ||
		answer->progress != job->row.progress) {
		if (answer->state)
			job_set_text(&job->row.provider_state, answer->state);
		job->row.progress = answer->progress;
		job_set_text(&job->row.problem, NULL);
		job_set_text(&job->row.advice, NULL);
		job_update(job);
	}
}

/* The query failed, which says nothing about the task: shown, and asked again. */
static void ask_again(struct engine *engine, struct job *job, const struct poll_answer *answer)
{
	int64_t pause = answer->verdict == POLL_BLOCKED
	                        ? BLOCKED_MS
	                        : backoff_ms(++job->tries, ERROR_FIRST_MS, ERROR_LIMIT_MS);

	if (answer->retry_after_ms > pause)
		pause = answer->retry_after_ms;
	job_say(job, answer->words, answer->advice);
	poll_after(engine, job, pause);
}

static void succeeded(struct engine *engine, struct job *job, const struct poll_answer *answer)
{
	if (job->row.state == JOB_DOWNLOADING) {
		fetch_refreshed(job, answer);
		return;
	}
	if (fetch_plan(job, answer) < 0) {
		poll_after(engine, job, ERROR_LIMIT_MS);
		return;
	}
	job->row.progress = -1;
	job_set_state(job, JOB_DOWNLOADING, NULL, NULL);
}

static void polled(void *context, const struct http_reply *reply)
{
	struct job *job = context;
	struct engine *engine = job->engine;
	struct poll_answer answer = {.credits = NAN};

	job->transfer = NULL;
	slots_leave(job);
	job->provider->read_poll(reply, &answer);
	if (!isnan(answer.credits))
		job->row.spent = answer.credits;
	switch (answer.verdict) {
	case POLL_RUNNING:
		job->tries = 0;
		note_progress(job, &answer);
		poll_after(engine, job, scheduled_pause(job));
		break;
	case POLL_SUCCEEDED:
		job_set_text(&job->row.provider_state, answer.state);
		succeeded(engine, job, &answer);
		break;
	case POLL_FAILED:
		job_set_text(&job->row.provider_state, answer.state);
		job_set_state(job, JOB_FAILED, answer.words, answer.advice);
		break;
	case POLL_NOT_KNOWN:
		if (job->row.state == JOB_DOWNLOADING) /* forgotten, perhaps; its links may live */
			fetch_not_known(engine, job, answer.words);
		else
			ask_again(engine, job, &answer);
		break;
	case POLL_BLOCKED:
	case POLL_ERROR: ask_again(engine, job, &answer); break;
	}
	poll_answer_clear(&answer);
}

void poll_task(struct engine *engine, struct job *job)
{
	const struct account *account = config_account(engine->setup.config, job->provider);
	AUTO_FREE char *url = job->provider->poll_url(account, job->row.task);
	struct http_request request = {.url = url,
		.bearer = account->key,
		.form_fd = -1,
		.sink_fd = -1,
		.timeout_ms = POLL_TIMEOUT_MS};

	if (account->key && url &&
		http_start(engine->http, &request, polled, job, &job->transfer) == 0)
		return;
	job->transfer = NULL;
	slots_leave(job);
	job_say(job,
		account->key ? "The query could not be started."
			     : "There is no API key to ask with.",
		"The task is not lost: mount kinofs with the key and URL it was submitted with.");
	poll_after(engine, job, BLOCKED_MS);
}

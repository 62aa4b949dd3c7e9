/*
 * poll.c - a failed query says nothing about the task, and a state that is not
 * known means that it is still running (fs/net/API.md 1.2, 7.3).
 */
#include "fs/engine/poll.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/config/config.h"
#include "fs/engine/backoff.h"
#include "fs/engine/core.h"
#include "fs/engine/fetch.h"
#include "fs/engine/relink.h"
#include "fs/engine/uploads.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* An answer takes less than half a second (fs/net/API.md 8.3); who gives none is given longer */
#define TIMEOUT_MS       (15 * 1000)
#define TIMEOUT_LIMIT_MS (60 * 1000)
#define FRESH_MS         5000        /* it was accepted just now */
#define UNCLEAR_MS       (60 * 1000) /* a pause between two questions that says nothing */
#define ERROR_FIRST_MS   3000
#define ERROR_LIMIT_MS   (5 * 60 * 1000)
/* "recordInfo is null" passes right after a create (fs/net/API.md 1.3); not after so long. */
#define LOST_AFTER_MS  (10 * 60 * 1000)
#define LOST_MS        (60 * 60 * 1000)
#define STUCK_AFTER_MS (24 * 60 * 60 * 1000LL) /* no video took longer than 13 minutes (8.3) */
#define BLOCKED_MS     (5 * 60 * 1000)
#define NOTHING_TIMES  6 /* the links may follow the state: 90 s, with the pauses between */

/* ------------------------------------------------------------------ when */

/* How old the task is. The clock is asked once, and may be set to any time after that. */
static int64_t age_of(const struct job *job)
{
	return clock_steady_ms() - job->began_ms;
}

/* By the clock it may have been accepted in the future: then it is older than is known. */
static void begin_age(struct job *job)
{
	int64_t age = clock_wall_ms() - job->row.accepted_ms;

	job->began_ms = clock_steady_ms() - (age > 0 ? age : 0);
	job->ran_ms = age < 0 ? -1 : 0;
}

static int64_t scheduled_pause(struct engine *engine, const struct job *job)
{
	static const struct schedule nothing_known;
	const struct schedule *schedule = durations_of(engine, job->row.model_id);
	int64_t pause = schedule_pause(schedule ? schedule : &nothing_known, age_of(job));

	return backoff_ms(1, pause, pause); /* not all that began together at once */
}

/* It has ended. Between the question before and this one; the provider may say when. With a longer
 * time between them (kinofs did not run), nobody knows. */
static void learn(struct engine *engine, const struct job *job, const struct poll_answer *answer)
{
	int64_t age = age_of(job), took = answer->took_ms;

	if (took > 0 && took > job->ran_ms && took < age)
		durations_note(engine, job->row.model_id, took);
	else if (job->ran_ms > 0 && age > job->ran_ms && age - job->ran_ms <= UNCLEAR_MS)
		durations_note(engine, job->row.model_id, (job->ran_ms + age) / 2);
}

static void poll_due(void *context, struct timer *timer)
{
	struct engine *engine = context;
	struct job *job = job_of_timer(timer);

	slots_enter(&engine->slots.polls, job, job->tries > 0);
}

static void poll_after(struct engine *engine, struct job *job, int64_t pause)
{
	job->timer.fire = poll_due;
	engine_set_timer(engine, &job->timer, pause);
}

void enter_running(struct engine *engine, struct job *job)
{
	begin_age(job);
	/* found at a start, it may have ended long ago */
	poll_after(engine, job, age_of(job) > FRESH_MS ? 0 : scheduled_pause(engine, job));
}

/* ------------------------------------------------------------------ what came */

/* What stands in the row of a task that goes on; commits only what is new. */
static void note(struct job *job, const struct poll_answer *answer, int progress,
	const char *problem, const char *advice)
{
	bool same_state =
		!answer->state ||
		(job->row.provider_state && !strcmp(answer->state, job->row.provider_state));
	bool same_problem = problem ? job->row.problem && !strcmp(problem, job->row.problem)
	                            : !job->row.problem;

	if (same_state && same_problem && progress == job->row.progress)
		return;
	if (answer->state)
		job_set_text(&job->row.provider_state, answer->state);
	job->row.progress = progress;
	job_set_text(&job->row.problem, NULL);
	if (problem)
		job_say(job, problem, advice);
	else
		job_set_text(&job->row.advice, NULL);
	job_update(job);
}

/* Whether to tell the user that it may never end, and to let go of it if that is wanted. */
static bool is_stuck(const struct job *job, const struct poll_answer *answer)
{
	bool lost = answer->verdict == POLL_NOT_KNOWN &&
	            (job->row.progress == PROGRESS_STUCK ||
			    clock_steady_ms() - job->not_known_since_ms >= LOST_AFTER_MS);

	return job->row.state == JOB_RUNNING && (lost || age_of(job) >= STUCK_AFTER_MS);
}

static char *stuck_words(const struct job *job, const struct poll_answer *answer)
{
	switch (answer->verdict) {
	case POLL_NOT_KNOWN:
		return format("%s does not know the task %s: %s", job->provider->title,
			job->row.task, answer->words);
	case POLL_RUNNING:
		return format("%s still says \"%s\" of the task %s, more than a day after it was "
			      "accepted.",
			job->provider->title, answer->state, job->row.task);
	default:
		return format("What became of the task %s is not known, more than a day after it "
			      "was accepted: %s",
			job->row.task, answer->words);
	}
}

static void say_stuck(struct job *job, const struct poll_answer *answer)
{
	AUTO_FREE char *problem = stuck_words(job, answer);
	AUTO_FREE char *advice = format("%s%skinofs goes on asking. Look at the provider's own "
					"list of tasks. To order it again, which costs again: "
					"kinofs retry PATH. To forget it, remove its record in "
					"jobs/.",
		answer->advice ? answer->advice : "", answer->advice ? " " : "");

	note(job, answer, PROGRESS_STUCK, problem ? problem : answer->words, advice);
}

static void still_running(struct engine *engine, struct job *job, const struct poll_answer *answer)
{
	job->tries = 0;
	if (is_stuck(job, answer))
		say_stuck(job, answer);
	else
		note(job, answer, answer->progress, NULL, NULL);
	if (job->ran_ms >= 0)
		job->ran_ms = age_of(job);
	poll_after(engine, job, scheduled_pause(engine, job));
}

/* The query failed, which says nothing about the task, or the provider does not know the task,
 * which may pass: shown, and asked again. */
static void ask_again(struct engine *engine, struct job *job, const struct poll_answer *answer)
{
	bool stuck = is_stuck(job, answer);
	int64_t pause = answer->verdict == POLL_BLOCKED
	                        ? BLOCKED_MS
	                        : backoff_ms(++job->tries, ERROR_FIRST_MS, ERROR_LIMIT_MS);

	if (stuck && answer->verdict == POLL_NOT_KNOWN)
		pause = backoff_ms(1, LOST_MS, LOST_MS);
	if (answer->retry_after_ms > pause)
		pause = answer->retry_after_ms;
	if (stuck)
		say_stuck(job, answer);
	else
		job_say(job, answer->words, answer->advice);
	poll_after(engine, job, pause);
}

static void not_known(struct engine *engine, struct job *job, const struct poll_answer *answer)
{
	if (!job->not_known_since_ms)
		job->not_known_since_ms = clock_steady_ms();
	ask_again(engine, job, answer);
}

static void succeeded(struct engine *engine, struct job *job, const struct poll_answer *answer)
{
	learn(engine, job, answer);
	if (fetch_plan(job, answer) < 0) {
		poll_after(engine, job, ERROR_LIMIT_MS);
		return;
	}
	job->row.progress = -1;
	job_set_state(job, JOB_DOWNLOADING, NULL, NULL);
}

/* Done, and no result named: some time later that is the provider's final word, too. */
static void came_to_nothing(
	struct engine *engine, struct job *job, const struct poll_answer *answer)
{
	if (++job->nothing < NOTHING_TIMES || fetch_plan(job, answer) < 0) {
		ask_again(engine, job, answer);
		return;
	}
	job_set_state(job, JOB_FAILED, answer->words,
		"Look for the result at the provider's site. To order it again, and pay again: "
		"kinofs retry PATH");
}

static void polled(void *context, const struct http_reply *reply)
{
	struct job *job = context;
	struct engine *engine = job->engine;
	struct poll_answer answer = {.credits = NAN};

	job->transfer = NULL;
	slots_leave(job);
	job->provider->read_poll(reply, job->model->results, &answer);
	atomic_fetch_add(&engine->figures->polls[provider_index(job->provider)][answer.verdict], 1);
	if (!isnan(answer.credits))
		job->row.spent = answer.credits;
	if (job->row.state == JOB_DOWNLOADING) { /* it was done: its links are wanted again */
		relink_polled(job, &answer);
		poll_answer_clear(&answer);
		return;
	}
	if (answer.verdict != POLL_NOT_KNOWN && answer.verdict != POLL_ERROR)
		job->not_known_since_ms = 0;
	switch (answer.verdict) {
	case POLL_RUNNING: still_running(engine, job, &answer); break;
	case POLL_SUCCEEDED:
		job_set_text(&job->row.provider_state, answer.state);
		succeeded(engine, job, &answer);
		break;
	case POLL_NOTHING:
		job_set_text(&job->row.provider_state, answer.state);
		came_to_nothing(engine, job, &answer);
		break;
	case POLL_FAILED:
		if (answer.names_picture)
			upload_forget_links(engine, job);
		job_set_text(&job->row.provider_state, answer.state);
		job_set_state(job, JOB_FAILED, answer.words, answer.advice);
		break;
	case POLL_NOT_KNOWN: not_known(engine, job, &answer); break;
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
		.timeout_ms = job->tries < 2 ? TIMEOUT_MS << job->tries : TIMEOUT_LIMIT_MS};

	if (account->key && url &&
		http_start(engine->http, &request, polled, job, &job->transfer) == 0)
		return;
	job->transfer = NULL;
	slots_leave(job);
	if (job->row.state == JOB_DOWNLOADING) {
		relink_polled(job, NULL);
		return;
	}
	job_say(job,
		account->key ? "The query could not be started."
			     : "There is no API key to ask with.",
		"The task is not lost: mount kinofs with the key and URL it was submitted with.");
	poll_after(engine, job, BLOCKED_MS);
}

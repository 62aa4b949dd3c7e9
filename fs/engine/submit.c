#include "fs/engine/submit.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/base/quote.h"
#include "fs/config/config.h"
#include "fs/engine/backoff.h"
#include "fs/engine/body.h"
#include "fs/engine/core.h"
#include "fs/engine/frames.h"
#include "fs/engine/identity.h"
#include "fs/engine/lastlook.h"
#include "fs/engine/owner.h"
#include "fs/engine/repeat.h"
#include "fs/engine/uploads.h"

#include <errno.h>
#include <string.h>

#define CREATE_TIMEOUT_MS (120 * 1000)
#define LATER_FIRST_MS    5000
#define LATER_LIMIT_MS    (5 * 60 * 1000)
#define BLOCKED_FIRST_MS  (60 * 1000)
#define BLOCKED_LIMIT_MS  (30 * 60 * 1000)
#define CAP_CHECK_MS      (10 * 60 * 1000)

/* ------------------------------------------------------------------ held */

static enum job_hold over_budget(
	struct engine *engine, const struct job *job, char **problem, const char **advice)
{
	return budget_check(&engine->budget, engine->jobs.journal, &engine->setup.config->caps,
		&job->row, problem, advice);
}

/* A held job's time has come; one that is over a cap stays held while it still is. */
static void try_again(void *context, struct timer *timer)
{
	struct engine *engine = context;
	struct job *job = job_of_timer(timer);
	AUTO_FREE char *problem = NULL;
	const char *advice;

	if (job->row.hold == HOLD_CAP && over_budget(engine, job, &problem, &advice) != HOLD_NONE)
		enter_held(engine, job);
	else
		job_set_state(job, JOB_QUEUED, NULL, NULL);
}

/* A create that was not accepted is to be sent again, but while it was under way the job's files
 * changed, and a newer take was made of them. So it never was, and the files are judged anew. */
static bool was_overtaken(struct engine *engine, struct job *job)
{
	const struct job_key key = job_key_of(&job->row);
	struct takes takes;
	bool overtaken =
		jobs_takes(&engine->jobs, &key, &takes) == 0 && takes.count && takes.item[0] != job;

	if (overtaken) {
		settle_now(engine, &key);
		job_delete(job);
	}
	takes_clear(&takes);
	return overtaken;
}

void enter_held(struct engine *engine, struct job *job)
{
	if (was_overtaken(engine, job))
		return;
	job->timer.fire = try_again;
	if (job->row.hold == HOLD_PROVIDER)
		engine_set_timer(engine, &job->timer,
			backoff_ms(job->tries, BLOCKED_FIRST_MS, BLOCKED_LIMIT_MS));
	else if (job->row.hold == HOLD_CAP)
		engine_set_timer(engine, &job->timer, CAP_CHECK_MS);
}

static bool has_key(const struct engine *engine, const struct job *job)
{
	return config_account(engine->setup.config, job->provider)->key;
}

static void hold_without_key(struct job *job)
{
	AUTO_FREE char *problem = format("There is no API key for %s.", job->provider->title);
	AUTO_FREE char *advice =
		format("Run kinofs setup, or set %s, and mount kinofs again (for a key in a file "
		       "SIGHUP does); the job then goes on by itself.",
			job->provider->key_variables[0]);

	job_hold(job, HOLD_KEY, problem, advice);
}

/* ------------------------------------------------------------------ queued */

void enter_queued(struct engine *engine, struct job *job)
{
	if (was_overtaken(engine, job))
		return;
	if (job->row.settling) /* its files changed; who judges them lets it go on (judge.c) */
		return;
	if (!job->model) {
		job_hold(job, HOLD_UNTIL_RELEASED, "Its model file is gone.",
			"Put the model file back, mount again, and: kinofs release PATH");
		return;
	}
	if (engine->setup.read_only) {
		job_hold(job, HOLD_READ_ONLY,
			"It is mounted read-only: nothing could be put into out/.",
			"Mount it without -o ro; the job then goes on by itself.");
		return;
	}
	if (!has_key(engine, job)) {
		hold_without_key(job);
		return;
	}
	upload_drop_old_links(engine, job);
	if (upload_next(job))
		slots_enter(&engine->slots.uploads, job, job->tries > 0);
	else if (ratelimit_enter(&engine->ratelimits, job) < 0)
		log_error("no memory to queue job %lld", (long long)job->row.id);
}

/* ------------------------------------------------------------------ create */

/* Whether what was judged is still what there is, and kinofs has seen all that happened. */
static bool may_be_sent(struct engine *engine, struct job *job)
{
	const struct job_key key = job_key_of(&job->row);

	if (job->row.settling)
		return false; /* who judges its files lets it go on */
	if (engine_awake_ms(engine) >= engine->setup.config->settle_ms &&
		is_as_judged(engine, job) > 0)
		return true;
	settle_renamed(engine, &key, 0);
	return false;
}

/* Its turn has come. */
void submit_create(struct engine *engine, struct job *job)
{
	AUTO_FREE char *problem = NULL;
	const char *advice = NULL;
	enum job_hold hold = HOLD_NONE;

	/* with its turn, so that only so many frames are held at once as requests may be under way
	 */
	if (!job->row.settling && !frames_are_ready(engine, job))
		return;
	if (!may_be_sent(engine, job)) {
		job_abort(job);
		return;
	}
	if (!has_key(engine, job)) { /* any more: it had one when it was queued */
		hold_without_key(job);
		return;
	}
	if (!job->row.released)
		hold = over_budget(engine, job, &problem, &advice);
	if (hold != HOLD_NONE) {
		job_hold(job, hold, problem, advice);
		return;
	}
	job->row.submitted_ms = clock_wall_ms();
	budget_add(&engine->budget, &job->row);
	job_set_state(job, JOB_SUBMITTING, NULL, NULL); /* keeps its turn */
}

/* The request was surely not accepted. */
static void take_back(struct job *job)
{
	budget_take_back(&job->engine->budget, &job->row);
	job->row.submitted_ms = 0;
}

void submit_unsent(struct job *job)
{
	if (job->row.state != JOB_SUBMITTING || job->transfer)
		return;
	take_back(job);
	job_set_state(job, JOB_QUEUED, NULL, NULL);
}

static void send_later(struct job *job, const struct create_answer *answer)
{
	int64_t pause = backoff_ms(++job->tries, LATER_FIRST_MS, LATER_LIMIT_MS);

	if (answer->retry_after_ms > pause)
		pause = answer->retry_after_ms;
	if (job->ratelimit)
		ratelimit_pause(job->ratelimit, pause);
	take_back(job);
	job_set_state(job, JOB_QUEUED, answer->words, NULL);
}

static void block(struct job *job, const struct create_answer *answer)
{
	/* the others of this account would fare no better: one asks, then the rest */
	if (job->ratelimit)
		ratelimit_pause(
			job->ratelimit, backoff_ms(job->tries + 1, LATER_FIRST_MS, LATER_LIMIT_MS));
	take_back(job);
	job->tries++;
	job_hold(job, HOLD_PROVIDER, answer->words, answer->advice);
}

/* The next of several takes: the same request, by the same rules. 0 or -errno. */
static int add_next_take(struct engine *engine, const struct job *job, int more)
{
	const struct job_key key = job_key_of(&job->row);
	struct takes takes;
	struct job *next = NULL;
	int error = jobs_takes(&engine->jobs, &key, &takes);

	if (!error && !open_take(&takes)) /* else something else is wanted by now */
		next = jobs_add_take(&engine->jobs, &key, &takes);
	if (next)
		error = take_repeat(next, job, false);
	if (next && !error)
		next->row.more = more - 1;
	takes_clear(&takes);
	return error;
}

/* ------------------------------------------------------------------ whose task it is */

static bool has_task(const struct engine *engine, const struct job *job,
	const struct job_row *other, const char *task)
{
	const struct model *model = models_find(engine->setup.models, other->model_id);

	return other != &job->row && other->id != job->row.id && other->task &&
	       !strcmp(other->task, task) &&
	       (!model || !strcmp(model->provider, job->provider->name));
}

static char *name_of_take(const struct job *job, const struct job_row *row)
{
	AUTO_FREE char *plain = job_name(row), *name = plain ? quote_name(plain) : NULL;

	if (!owner_shares(job->engine, &job->row, row))
		return strdup("another user");
	return format("%s/%s (take %d)", row->model_id, name ? name : "a job", row->take);
}

/* The job that has this task id already, in words, or NULL. One whose answer came in this turn too
 * is not in the journal yet. */
static char *owner_of(struct engine *engine, const struct job *job, const char *task)
{
	const struct job *other;
	struct rows rows;
	char *name = NULL;

	TAILQ_FOREACH (other, &engine->jobs.changed, set.changed_entry)
		if (!name && has_task(engine, job, &other->row, task))
			name = name_of_take(job, &other->row);
	/* unreadable: the task is followed, as it is paid for */
	(void)journal_same_task(engine->jobs.journal, task, &rows);
	for (size_t i = 0; i < rows.count && !name; i++)
		if (has_task(engine, job, rows.item[i], task))
			name = name_of_take(job, rows.item[i]);
	rows_free(&rows);
	return name;
}

/* Two jobs cannot share a task: what it makes is the first one's. */
static bool is_of_another(struct engine *engine, struct job *job, const char *task)
{
	AUTO_FREE char *owner = owner_of(engine, job, task);
	AUTO_FREE char *problem = NULL;

	if (!owner)
		return false;
	problem = format("The answer names the task %s, which is already that of %s. So which task "
			 "this request made, if any, is not known.",
		task, owner);
	job_set_state(job, JOB_UNKNOWN, problem,
		"It may have been accepted and billed, so it is not sent again by itself. Look at "
		"the provider's own list of tasks; if there is none for this: kinofs retry PATH");
	return true;
}

static void accepted(struct engine *engine, struct job *job, struct create_answer *answer)
{
	int more = job->row.more;

	if (is_of_another(engine, job, answer->task))
		return;
	free(job->row.task);
	job->row.task = TAKE(answer->task); /* not a copy, which could fail */
	job->row.accepted_ms = clock_wall_ms();
	job->row.more = 0;
	job_set_state(job, JOB_RUNNING, NULL, NULL);
	if (more > 0 && add_next_take(engine, job, more) < 0)
		log_error("%s/%s: the next take could not be made", job->row.dir, job->row.stem);
}

/* "Validation Error (code 422)": the number is what a user can look up. */
static void add_code(struct create_answer *answer)
{
	char *words;

	if (!answer->words || !answer->code || answer->code == 200)
		return;
	words = format("%s (code %d)", answer->words, answer->code);
	if (!words)
		return;
	free(answer->words);
	answer->words = words;
}

/* Nothing was sent, after all, or not to its end. */
static void not_sent(struct engine *engine, struct job *job, bool judge_anew)
{
	take_back(job);
	if (judge_anew) { /* a picture changed in this moment, or no memory */
		job_set_state(job, JOB_QUEUED, NULL, NULL);
		upload_look_again(engine, job);
		return;
	}
	job->tries++;
	job_hold(job, HOLD_PROVIDER, "The request could not be started.",
		"Check the provider's URL in the configuration: it must be https.");
}

static void created(void *context, const struct http_reply *reply)
{
	struct job *job = context;
	struct engine *engine = job->engine;
	struct create_answer answer = {0};

	job->transfer = NULL;
	if (reply->unfinished && !reply->status) { /* the server cannot have had it whole */
		not_sent(engine, job, true);
		return;
	}
	job->provider->read_create(reply, &answer);
	atomic_fetch_add(
		&engine->figures->creates[provider_index(job->provider)][answer.verdict], 1);
	if (answer.names_picture)
		upload_forget_links(engine, job);
	add_code(&answer);
	switch (answer.verdict) {
	case CREATE_ACCEPTED: accepted(engine, job, &answer); break;
	case CREATE_LATER: send_later(job, &answer); break;
	case CREATE_BLOCKED: block(job, &answer); break;
	case CREATE_REFUSED:
		budget_take_back(&engine->budget, &job->row);
		job->row.spent = 0;
		job_set_state(job, JOB_FAILED, answer.words, answer.advice);
		break;
	case CREATE_UNKNOWN: job_set_state(job, JOB_UNKNOWN, answer.words, answer.advice); break;
	}
	create_answer_clear(&answer);
}

/* The intent is durable now: send it, once. */
void enter_submitting(struct engine *engine, struct job *job)
{
	const struct account *account = config_account(engine->setup.config, job->provider);
	AUTO_FREE char *url = job->provider->create_url(account, job->model);
	AUTO_FREE char *text = journal_request(engine->jobs.journal, job->row.id);
	struct http_request request = {.url = url,
		.bearer = account->key,
		.form_fd = -1,
		.sink_fd = -1,
		.once = true,
		.timeout_ms = CREATE_TIMEOUT_MS};

	if (!account->key) { /* any more: the intent could not be written at once */
		take_back(job);
		job_set_state(job, JOB_QUEUED, NULL, NULL);
		return;
	}
	if (!url || body_to_send(&engine->tree, &job->row, job->model, text, &request) < 0) {
		http_drop_body(&request);
		not_sent(engine, job, true);
		return;
	}
	if (http_start(engine->http, &request, created, job, &job->transfer) == 0)
		return;
	job->transfer = NULL;
	not_sent(engine, job, false);
}

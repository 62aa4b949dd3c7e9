/*
 * engine.c - the engine's loop and life.
 *
 * A turn takes what came in (changes, orders, the publisher's answers), then
 * what is due, then commits what changed and acts on it (jobs.h), and waits for
 * the network, a timer or the inbox. No handler waits for anything; what takes
 * long is a transfer (http.h) or another thread's. At the end nothing new is
 * begun, but the answers to creates under way are waited for: a lost answer may
 * be lost money.
 */
#include "fs/engine/engine.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/log.h"
#include "fs/base/memory.h"
#include "fs/engine/changes.h"
#include "fs/engine/control.h"
#include "fs/engine/copies.h"
#include "fs/engine/core.h"
#include "fs/engine/fetch.h"
#include "fs/engine/intake.h"
#include "fs/engine/judge.h"
#include "fs/engine/orders.h"
#include "fs/engine/poll.h"
#include "fs/engine/submit.h"
#include "spec/media.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#define COMMIT_RETRY_MS   5000
#define REST_AFTER_MS     500
#define STOP_WAIT_MS      10000 /* for the answers to creates under way */
#define PAUSE_MS          500   /* a wait that took so much longer was a pause of the process */
#define UPLOADS_AT_ONCE   4
#define POLLS_AT_ONCE     8
#define DOWNLOADS_AT_ONCE 4

/* ------------------------------------------------------------------ wiring */

static void enter_end(struct engine *engine, struct job *job)
{
	copies_tell(engine, job);
}

/* The job's place among uploads, or its turn, goes with it from queued to the answer. */
static void abort_work(struct engine *engine, struct job *job, enum job_state to)
{
	if (to == JOB_UPLOADING || to == JOB_SUBMITTING)
		return;
	timer_clear(&engine->timers, &job->timer);
	if (job->transfer)
		http_cancel(engine->http, job->transfer);
	job->transfer = NULL;
	cleanup_fd(&job->part_fd);
	ratelimit_leave(job, job->row.state == JOB_SUBMITTING);
	slots_leave(job);
}

static const struct jobs_hooks hooks = {
	.enter = {[JOB_HELD] = enter_held,
		[JOB_QUEUED] = enter_queued,
		[JOB_UPLOADING] = enter_uploading,
		[JOB_SUBMITTING] = enter_submitting,
		[JOB_RUNNING] = enter_running,
		[JOB_DOWNLOADING] = enter_downloading,
		[JOB_DONE] = enter_end,
		[JOB_REJECTED] = enter_end,
		[JOB_FAILED] = enter_end,
		[JOB_UNKNOWN] = enter_end,
		[JOB_CANCELLED] = enter_end},
	.abort = abort_work,
	.committed = announce,
	.renaming = announce_no_note,
};

static int64_t judge_settled(struct engine *engine, const struct settling *settling)
{
	return settling->batch ? changes_judge_batch(engine, settling) : judge(engine, settling);
}

struct job *job_of_timer(struct timer *timer)
{
	return (struct job *)((char *)timer - offsetof(struct job, timer));
}

void engine_set_timer(struct engine *engine, struct timer *timer, int64_t delay_ms)
{
	if (timer_set(&engine->timers, timer, clock_steady_ms() + delay_ms) < 0)
		log_error("no memory for a timer"); /* the next event of the job sets it again */
}

bool engine_is_stopping(const struct engine *engine)
{
	return engine->loop.stopping;
}

int64_t engine_awake_ms(const struct engine *engine)
{
	return clock_steady_ms() - engine->loop.awake_since_ms;
}

/* ------------------------------------------------------------------ the loop */

/* Commits everything that changed, then does what the new states ask for. 0 or -errno: nothing was
 * committed, and it is tried again later. */
static int commit(struct engine *engine)
{
	int error = jobs_commit(&engine->jobs);

	if (error) {
		log_error("the journal cannot be written; nothing goes on until it can");
		engine_set_timer(engine, &engine->loop.commit_retry, COMMIT_RETRY_MS);
	} else {
		timer_clear(&engine->timers, &engine->loop.commit_retry);
	}
	return error;
}

static int forget(struct engine *engine, const struct message *message, char **text)
{
	const struct job_key key = {message->first, message->second, message->third};

	return orders_forget(engine, &key, text);
}

static void handle(struct engine *engine, struct message *message)
{
	char *text = NULL;
	int error = 0;

	if (message->kind != MESSAGE_FOUND) /* those come by the thousand, at start */
		listing_clear(&engine->listing);
	switch (message->kind) {
	case MESSAGE_CHANGED: changes_saved(engine, message->first, message->number); break;
	case MESSAGE_REMOVED: changes_removed(engine, message->first); break;
	case MESSAGE_MOVED: changes_moved(engine, message->first, message->second); break;
	case MESSAGE_FOUND:
		changes_found(engine, message->first, (enum found)message->number);
		break;
	case MESSAGE_PUBLISHED: fetch_published(engine, message->number, message->error); break;
	case MESSAGE_COMMAND: error = orders_run(engine, message->first, &text); break;
	case MESSAGE_FORGET: error = forget(engine, message, &text); break;
	case MESSAGE_STOP: engine->loop.stopping = true; break;
	}
	/* an order that was carried out is durable before the user hears of it */
	if (message->answer && !error)
		error = commit(engine);
	message_end(message, error, text);
}

static void handle_inbox(struct engine *engine)
{
	struct message_list list;
	struct message *message;

	inbox_take(&engine->inbox, &list);
	while ((message = STAILQ_FIRST(&list))) {
		engine->loop.at_rest = false;
		STAILQ_REMOVE_HEAD(&list, entry);
		handle(engine, message);
	}
}

void engine_turn(struct engine *engine)
{
	struct timer *timer;

	handle_inbox(engine);
	while ((timer = timer_due(&engine->timers, clock_steady_ms())))
		timer->fire(engine, timer);
	listing_clear(&engine->listing);
	(void)commit(engine); /* logged, and tried again by its timer */
	listing_clear(&engine->listing);
}

int64_t engine_next_ms(const struct engine *engine)
{
	return timer_next(&engine->timers);
}

/* Nothing has happened for a moment; if nothing is to come either, the work's memory goes. */
static void keep_house(void *context, struct timer *timer)
{
	struct engine *engine = context;

	(void)timer;
	engine->loop.at_rest = timer_next(&engine->timers) == INT64_MAX;
	if (!engine->loop.at_rest)
		return;
	media_release();
	memory_release();
}

/* How long there is nothing to do: ms, or -1 for ever. */
static int64_t idle_time(struct engine *engine)
{
	int64_t next, now = clock_steady_ms();

	if (!engine->loop.at_rest && timer_next(&engine->timers) == INT64_MAX)
		engine_set_timer(engine, &engine->loop.housekeeping, REST_AFTER_MS);
	next = timer_next(&engine->timers);
	if (next == INT64_MAX)
		return -1;
	return next > now ? next - now : 0;
}

/* Waits for the network, the inbox, or what is due. A wait much longer than asked for means that
 * the machine was suspended or the process stopped. */
static void wait_for_work(struct engine *engine)
{
	int64_t wait_ms = idle_time(engine), begin = clock_steady_ms();

	http_run(engine->http, wait_ms);
	if (wait_ms >= 0 && clock_steady_ms() - begin > wait_ms + PAUSE_MS)
		engine->loop.awake_since_ms = clock_steady_ms();
}

/* What was ordered is answered within seconds, as a rule. */
static void await_answers(struct engine *engine)
{
	int64_t end = clock_steady_ms() + STOP_WAIT_MS, now;

	while (ratelimits_in_flight(&engine->ratelimits) && (now = clock_steady_ms()) < end) {
		http_run(engine->http, end - now);
		(void)commit(engine); /* logged; write_last() tries once more */
	}
}

static void write_last(struct engine *engine)
{
	struct job *job;

	TAILQ_FOREACH (job, &engine->jobs.changed, set.changed_entry)
		submit_unsent(job);
	if (jobs_commit_last(&engine->jobs) == 0)
		return;
	log_error("the last changes could not be written to the journal");
	TAILQ_FOREACH (job, &engine->jobs.changed, set.changed_entry)
		if (job->row.task)
			log_error("%s/%s/%s is task %s of %s", job->row.model_id, job->row.dir,
				job->row.stem, job->row.task,
				job->provider ? job->provider->title : "its provider");
}

void engine_finish(struct engine *engine)
{
	await_answers(engine);
	inbox_close(&engine->inbox);
	settle_end(engine);
	write_last(engine);
}

static void *engine_main(void *argument)
{
	struct engine *engine = argument;

	recover_scan(engine);
	while (!engine->loop.stopping) {
		engine_turn(engine);
		if (!engine->loop.stopping)
			wait_for_work(engine);
	}
	engine_finish(engine);
	return NULL;
}

/* ------------------------------------------------------------------ life */

static void wake(void *context)
{
	http_wake(((struct engine *)context)->http);
}

static void commit_again(void *engine, struct timer *timer)
{
	(void)engine; /* a turn commits what is on the list after every timer */
	(void)timer;
}

static int open_files(struct engine *engine)
{
	int store = engine->setup.store_fd;

	engine->announcer.events_fd =
		openat(store, "events.jsonl", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	engine->tree.fd = openat(store, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (engine->announcer.events_fd < 0 || engine->tree.fd < 0) {
		log_error("cannot write in the store: %s", strerror(errno));
		return -errno;
	}
	engine->doors.intake = intake_new(&engine->inbox, engine->setup.models, store);
	engine->doors.control = control_new(&engine->inbox);
	return engine->doors.intake && engine->doors.control ? 0 : -EIO;
}

struct engine *engine_new(const struct engine_setup *setup)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return NULL;
	engine->setup = *setup;
	engine->loop.commit_retry.fire = commit_again;
	engine->loop.housekeeping.fire = keep_house;
	engine->loop.awake_since_ms = clock_steady_ms();
	engine->settle.judge = judge_settled;
	jobs_init(&engine->jobs, engine, setup->journal, setup->models, &hooks);
	slots_init(&engine->slots.uploads, UPLOADS_AT_ONCE, submit_upload);
	slots_init(&engine->slots.polls, POLLS_AT_ONCE, poll_task);
	slots_init(&engine->slots.downloads, DOWNLOADS_AT_ONCE, fetch_download);
	engine->ratelimits = (struct ratelimits){.timers = &engine->timers,
		.config = setup->config,
		.work = submit_create,
		.is_stopping = engine_is_stopping};
	LIST_INIT(&engine->ratelimits.list);
	inbox_init(&engine->inbox, wake, engine);
	engine->announcer.events_fd = engine->tree.fd = -1;
	engine->tree.listing = &engine->listing;
	engine->http = http_new();
	if (!engine->http || open_files(engine) < 0) {
		engine_free(engine);
		return NULL;
	}
	return engine;
}

struct intake *engine_intake(struct engine *engine)
{
	return engine->doors.intake;
}

struct control *engine_control(struct engine *engine)
{
	return engine->doors.control;
}

int engine_load(struct engine *engine, const struct host *host)
{
	engine->host = *host;
	return recover_load(engine);
}

int engine_start(struct engine *engine, const struct host *host)
{
	sigset_t all, old;
	int error = engine_load(engine, host);

	if (error)
		return error;
	sigfillset(&all); /* signals are the main thread's */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&engine->loop.thread, NULL, engine_main, engine);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	engine->loop.running = !error;
	return -error;
}

void engine_stop(struct engine *engine)
{
	if (!engine->loop.running)
		return;
	while (inbox_post_text(&engine->inbox, MESSAGE_STOP, NULL, NULL, 0) == -ENOMEM)
		(void)usleep(10000);                   /* someone else will free some */
	(void)pthread_join(engine->loop.thread, NULL); /* fails only for a thread not there */
	engine->loop.running = false;
	recover_end(engine);
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	jobs_clear(&engine->jobs);
	settle_free(engine);
	ratelimits_free(&engine->ratelimits);
	timers_free(&engine->timers);
	http_free(engine->http);
	inbox_destroy(&engine->inbox);
	cleanup_fd(&engine->announcer.events_fd);
	cleanup_fd(&engine->tree.fd);
	intake_free(engine->doors.intake);
	control_free(engine->doors.control);
	listing_clear(&engine->listing);
	free(engine);
}

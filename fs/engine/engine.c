/*
 * engine.c - the engine's loop and life.
 *
 * A turn takes some of what came in (changes, orders, the publisher's answers),
 * then what is due, then some of the jobs that are quiet, then commits what changed and acts on it
 * (jobs.h), and waits for the network, a timer or the inbox. No handler waits for anything; what
 * takes long is a transfer (http.h) or another thread's. At the end nothing new is begun, but the
 * answers to creates under way are waited for: a lost answer may be lost money.
 */
#include "fs/engine/engine.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/log.h"
#include "fs/base/memory.h"
#include "fs/engine/changes.h"
#include "fs/engine/control.h"
#include "fs/engine/core.h"
#include "fs/engine/download.h"
#include "fs/engine/frames.h"
#include "fs/engine/intake.h"
#include "fs/engine/judge.h"
#include "fs/engine/marking.h"
#include "fs/engine/messages.h"
#include "fs/engine/orders.h"
#include "fs/engine/part.h"
#include "fs/engine/poll.h"
#include "fs/engine/states.h"
#include "fs/engine/submit.h"
#include "spec/media.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#define COMMIT_RETRY_MS 5000
#define REST_AFTER_MS   500
#define STOP_WAIT_MS    10000 /* for the answers to creates under way */
#define PAUSE_MS        500   /* a wait that took so much longer was a pause of the process */
#define TURN_MS         5000  /* a turn that took longer was a pause, too */
#define LISTINGS_MS     1000  /* for which what is listed is taken to be so, if nobody tells */
#define SLICE           128   /* some 15 ms, and as much for the commit that follows */
/* Of each provider, and half as many more for second tries (slots.h). All of them at once, with the
 * creates of ratelimit.c, are less than the connections there are (http.c). */
#define UPLOADS_AT_ONCE   4
#define POLLS_AT_ONCE     12
#define DOWNLOADS_AT_ONCE 4
/* 40 first polls a second of a provider and 10 others: with both, 100 in all */
#define POLL_PACE_MS 25

/* ------------------------------------------------------------------ wiring */

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

/* No turn takes so long, but one in which the machine was suspended. */
static int64_t notice_pause(struct engine *engine)
{
	int64_t now = clock_steady_ms();

	if (now - engine->loop.turn_began_ms > TURN_MS)
		engine->loop.awake_since_ms = engine->loop.turn_began_ms = now;
	return now;
}

int64_t engine_awake_ms(struct engine *engine)
{
	return notice_pause(engine) - engine->loop.awake_since_ms;
}

/* ------------------------------------------------------------------ the loop */

int engine_commit(struct engine *engine)
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

/* A quiet job is judged when all is known that happened until it was quiet. */
static void judge_quiet(struct engine *engine)
{
	int64_t known_ms = clock_steady_ms(), posted_ms;
	struct timer *timer;

	if (messages_are_left(engine, &posted_ms) && posted_ms <= known_ms)
		known_ms = posted_ms - 1;
	engine->tree.listings = &engine->judged;
	listings_clear(&engine->judged, clock_steady_ms() - LISTINGS_MS);
	for (unsigned int i = 0; i < engine->loop.slice; i++)
		if ((timer = timer_due(&engine->settle.timers, known_ms)))
			timer->fire(engine, timer);
	engine->tree.listings = &engine->listings;
	if (timer_next(&engine->settle.timers) > known_ms)
		listings_clear(&engine->judged, INT64_MAX);
}

/* In slices, so that a renamed folder of many files keeps nobody waiting; at the end all that was
 * told is taken in. */
void engine_turn(struct engine *engine)
{
	struct timer *timer;

	engine->loop.turn_began_ms = clock_steady_ms();
	messages_take_in(engine);
	for (unsigned int i = 0; i < engine->loop.slice || engine->loop.stopping; i++)
		if (!messages_handle_next(engine))
			break;
	while ((timer = timer_due(&engine->timers, clock_steady_ms())))
		timer->fire(engine, timer);
	judge_quiet(engine);
	listings_clear(&engine->listings, INT64_MAX);
	if (engine_commit(engine) == 0) /* logged, and tried again by its timer */
		warning_look(engine);
	announce_settle(engine);
	listings_clear(&engine->listings, INT64_MAX);
}

int64_t engine_next_ms(const struct engine *engine)
{
	int64_t next = timer_next(&engine->timers), quiet = timer_next(&engine->settle.timers), now;

	if (messages_are_left(engine, &now))
		return clock_steady_ms();
	return quiet < next ? quiet : next;
}

/* Nothing has happened for a moment; if nothing is to come either, the work's memory goes. */
static void keep_house(void *context, struct timer *timer)
{
	struct engine *engine = context;

	(void)timer;
	engine->loop.at_rest = engine_next_ms(engine) == INT64_MAX;
	if (!engine->loop.at_rest)
		return;
	hashing_clear(engine->hashing);
	media_release();
	memory_release();
}

/* How long there is nothing to do: ms, or -1 for ever. */
static int64_t idle_time(struct engine *engine)
{
	int64_t next, now = clock_steady_ms();

	if (!engine->loop.at_rest && engine_next_ms(engine) == INT64_MAX)
		engine_set_timer(engine, &engine->loop.housekeeping, REST_AFTER_MS);
	next = engine_next_ms(engine);
	if (announce_next_ms(engine) < next)
		next = announce_next_ms(engine);
	next = warning_ends_ms(engine, next);
	if (next == INT64_MAX)
		return -1;
	return next > now ? next - now : 0;
}

/* Waits for the network, the inbox, or what is due. A wait much longer than asked for means that
 * the machine was suspended or the process stopped. */
static void wait_for_work(struct engine *engine)
{
	int64_t begin = notice_pause(engine), wait_ms = idle_time(engine);

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
		(void)engine_commit(engine); /* logged; write_last() tries once more */
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
	frames_give_up(engine);
	await_answers(engine);
	inbox_close(&engine->inbox);
	settle_end(engine);
	part_keep_all(engine);
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
	const struct engine_setup *setup = &engine->setup;
	int store = setup->store_fd;
	int error = announce_open(&engine->announcer, setup->journal_fd, setup->journal);

	engine->tree.fd = openat(store, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	engine->tree.shared = setup->shared;
	engine->tree.seen_at = setup->mountpoint;
	engine->tree.typed = setup->typed;
	if (!error && engine->tree.fd < 0)
		error = -errno;
	if (error) {
		log_error("cannot write in the store: %s", strerror(-error));
		return error;
	}
	engine->doors.intake = intake_new(&engine->inbox, setup);
	engine->doors.control = control_new(&engine->inbox);
	return engine->doors.intake && engine->doors.control ? 0 : -EIO;
}

struct engine *engine_new(const struct engine_setup *setup)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return NULL;
	engine->setup = *setup;
	engine->figures = figures_new(setup->models);
	if (!engine->figures) {
		free(engine);
		return NULL;
	}
	engine->loop.commit_retry.fire = commit_again;
	engine->loop.housekeeping.fire = keep_house;
	engine->loop.awake_since_ms = engine->loop.turn_began_ms = clock_steady_ms();
	engine->loop.slice = SLICE;
	STAILQ_INIT(&engine->loop.pending);
	engine->settle.judge = judge_settled;
	jobs_init(&engine->jobs, engine, setup->journal, setup->models, &state_hooks);
	slots_init(&engine->slots.uploads, UPLOADS_AT_ONCE, 0, &engine->timers, submit_upload);
	slots_init(&engine->slots.polls, POLLS_AT_ONCE, POLL_PACE_MS, &engine->timers, poll_task);
	slots_init(&engine->slots.downloads, DOWNLOADS_AT_ONCE, 0, &engine->timers, download);
	engine->slots.uploads.queue = &engine->figures->queue[QUEUE_UPLOADS];
	engine->slots.polls.queue = &engine->figures->queue[QUEUE_POLLS];
	engine->slots.downloads.queue = &engine->figures->queue[QUEUE_DOWNLOADS];
	engine->ratelimits = (struct ratelimits){.timers = &engine->timers,
		.config = setup->config,
		.work = submit_create,
		.is_stopping = engine_is_stopping};
	LIST_INIT(&engine->ratelimits.list);
	LIST_INIT(&engine->durations.list);
	inbox_init(&engine->inbox, wake, engine);
	engine->announcer.events_fd = engine->tree.fd = -1;
	engine->tree.listings = &engine->listings;
	engine->http = http_new();
	if (!engine->http || open_files(engine) < 0 ||
		!(engine->hashing = hashing_new(&engine->inbox, &engine->tree)) ||
		!(engine->frames = frames_new(&engine->inbox)) ||
		!(engine->markings = markings_new(&engine->inbox))) {
		engine_free(engine);
		return NULL;
	}
	engine->tree.digest = hashing_digest;
	engine->tree.digest_context = engine->hashing;
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

struct figures *engine_figures(struct engine *engine)
{
	return engine->figures;
}

int engine_load(struct engine *engine, const struct host *host)
{
	engine->host = *host;
	engine->tree.shown = host->shown;
	engine->tree.shown_context = host->context;
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
	if (hashing_start(engine->hashing) < 0)
		log_warn("no thread for hashing pictures: the engine's does it");
	frames_start(engine->frames);
	markings_start(engine->markings);
	error = pthread_create(&engine->loop.thread, NULL, engine_main, engine);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	engine->loop.running = !error;
	return -error;
}

void engine_stop(struct engine *engine)
{
	if (engine->loop.running) {
		while (inbox_post_text(&engine->inbox, MESSAGE_STOP, NULL, NULL, 0) == -ENOMEM)
			(void)usleep(10000);                   /* someone else will free some */
		(void)pthread_join(engine->loop.thread, NULL); /* fails only for none */
		engine->loop.running = false;
		recover_end(engine);
	}
	hashing_stop(engine->hashing);
	frames_stop(engine->frames);
	markings_stop(engine->markings);
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	jobs_clear(&engine->jobs);
	messages_drop(engine);
	settle_free(engine);
	ratelimits_free(&engine->ratelimits);
	durations_free(&engine->durations);
	timers_free(&engine->timers);
	http_free(engine->http);
	hashing_free(engine->hashing);
	frames_free(engine->frames);
	markings_free(engine->markings);
	inbox_destroy(&engine->inbox);
	cleanup_fd(&engine->announcer.events_fd);
	cleanup_fd(&engine->tree.fd);
	intake_free(engine->doors.intake);
	control_free(engine->doors.control);
	free(engine->figures);
	listings_clear(&engine->listings, INT64_MAX);
	listings_clear(&engine->judged, INT64_MAX);
	free(engine);
}

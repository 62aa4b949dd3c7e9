#include "fs/engine/engine_core.h"

#include "fs/base/cleanup.h"
#include "fs/base/log.h"
#include "fs/base/memory.h"
#include "fs/journal/record.h"
#include "spec/media.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#define COMMIT_RETRY_MS   5000
#define REST_AFTER_MS     500
#define STOP_WAIT_MS      10000 /* for the answers to creates under way */
#define UPLOADS_AT_ONCE   4
#define POLLS_AT_ONCE     8
#define DOWNLOADS_AT_ONCE 4

/* ------------------------------------------------------------------ states */

static void enter_end(struct engine *engine, struct job *job)
{
	engine_release(engine, job);
}

static job_action *const enter[JOB_STATES] = {
	[JOB_HELD] = enter_held,
	[JOB_QUEUED] = enter_queued,
	[JOB_UPLOADING] = enter_uploading,
	[JOB_SUBMITTING] = enter_submitting,
	[JOB_RUNNING] = enter_running,
	[JOB_DOWNLOADING] = enter_downloading,
	[JOB_DONE] = enter_end,
	[JOB_REJECTED] = enter_end,
	[JOB_FAILED] = enter_end,
	[JOB_UNKNOWN] = enter_end,
	[JOB_CANCELLED] = enter_end,
};

void engine_touch(struct engine *engine, struct job *job, job_action *next)
{
	if (next)
		job->next = next;
	if (job->changed)
		return;
	job->changed = true;
	TAILQ_INSERT_TAIL(&engine->changed, job, changed_entry);
}

/* On its way to a task, perhaps not for the first time: the pauses grow until it has one. */
static bool is_attempt(enum job_state state)
{
	return state == JOB_HELD || state == JOB_QUEUED || state == JOB_UPLOADING ||
	       state == JOB_SUBMITTING;
}

void job_set_state(struct engine *engine, struct job *job, enum job_state state,
	const char *problem, const char *advice)
{
	if (state != job->state && !job_may_become(job->state, state)) {
		log_error("BUG: job %lld: %s cannot become %s", (long long)job->id,
			job_state_name(job->state), job_state_name(state));
		return;
	}
	log_debug("job %lld %s/%s take %d: %s -> %s", (long long)job->id, job->dir, job->stem,
		job->take, job_state_name(job->state), job_state_name(state));
	/* its place in the lane, or its slot of the gate, goes with it until the answer */
	if (state != JOB_UPLOADING && state != JOB_SUBMITTING)
		engine_idle(engine, job);
	if (state != job->state && !is_attempt(state))
		job->tries = 0;
	job->told = false;
	job->state = state;
	job->changed_ms = clock_wall_ms();
	if (job_state_is_end(state))
		job->finished_ms = job->changed_ms;
	if (state != JOB_HELD)
		job->hold = HOLD_NONE;
	job_set_text(&job->problem, problem);
	job_set_text(&job->advice, advice);
	job->note = record_note(job);
	job->note_stale = true; /* other words, perhaps */
	engine_touch(engine, job, enter[state]);
}

void job_hold(struct engine *engine, struct job *job, enum job_hold hold, const char *problem,
	const char *advice)
{
	job->hold = hold;
	job_set_state(engine, job, JOB_HELD, problem, advice);
}

int64_t pause_ms(unsigned int tries, int64_t first_ms, int64_t limit_ms)
{
	unsigned int doublings = tries > 1 ? tries - 1 : 0;
	int64_t pause = doublings > 20 ? limit_ms : first_ms << doublings;

	if (pause > limit_ms)
		pause = limit_ms;
	/* so that jobs that failed together do not come back together */
	return pause - pause / 10 + random() % (pause / 5 + 1);
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

/* ------------------------------------------------------------------ after a commit */

static int put_or_delete(struct engine *engine, struct job *job)
{
	if (!job->doomed)
		return journal_put(engine->journal, job);
	return job->id ? journal_delete(engine->journal, job) : 0;
}

/* A second row of the same take must not keep all others from being committed. Nothing was done for
 * it; its files are judged again when they change. */
static void give_up(struct engine *engine, struct job *job)
{
	log_error(
		"BUG: job %s/%s take %d is in the journal already", job->dir, job->stem, job->take);
	job->settling = false;
	engine_release(engine, job);
}

static int commit(struct engine *engine)
{
	struct job *job;
	int error = journal_begin(engine->journal);

	if (error)
		return error;
	TAILQ_FOREACH (job, &engine->changed, changed_entry) {
		error = put_or_delete(engine, job);
		if (error) {
			journal_rollback(engine->journal);
			if (error == -EEXIST)
				give_up(engine, job);
			return error;
		}
	}
	return journal_commit(engine->journal);
}

/* A row given its id by a transaction that was rolled back has none. */
static void forget_new_ids(struct engine *engine)
{
	struct job *job;

	TAILQ_FOREACH (job, &engine->changed, changed_entry)
		if (!job->in_ids)
			job->id = 0;
}

static void act(struct engine *engine, struct job *job)
{
	job_action *action = job->next;

	if (job->changed) /* another job's action changed it: it acts after its own commit */
		return;
	job->next = NULL;
	tell_note(engine, job);
	if (!job->doomed)
		tell_event(engine, job);
	if (action)
		action(engine, job);
}

/* Commits everything that changed, then does what the new states ask for. 0 or -errno: nothing was
 * committed, and it is tried again later. */
static int commit_and_act(struct engine *engine)
{
	struct job *job;
	int error;

	while (!TAILQ_EMPTY(&engine->changed)) {
		error = commit(engine);
		if (error) {
			log_error("the journal cannot be written; nothing goes on until it can");
			forget_new_ids(engine);
			engine_set_timer(engine, &engine->commit_retry, COMMIT_RETRY_MS);
			return error;
		}
		timer_clear(&engine->timers, &engine->commit_retry);
		while ((job = TAILQ_FIRST(&engine->changed))) {
			TAILQ_REMOVE(&engine->changed, job, changed_entry);
			TAILQ_INSERT_TAIL(&engine->acting, job, acting_entry);
			job->changed = false;
			job->acting = true;
			free(TAKE(job->request));
			engine_keep_id(engine, job);
		}
		while ((job = TAILQ_FIRST(&engine->acting))) {
			TAILQ_REMOVE(&engine->acting, job, acting_entry);
			job->acting = false;
			act(engine, job);
		}
	}
	return 0;
}

/* ------------------------------------------------------------------ the loop */

static void handle(struct engine *engine, struct message *message)
{
	char *text = NULL;
	int error = 0;

	if (message->kind != MESSAGE_FOUND) /* those come by the thousand, at start */
		names_clear(&engine->names);
	switch (message->kind) {
	case MESSAGE_CHANGED: drop_changed(engine, message->first); break;
	case MESSAGE_REMOVED: drop_removed(engine, message->first); break;
	case MESSAGE_MOVED: drop_moved(engine, message->first, message->second); break;
	case MESSAGE_FOUND: drop_found(engine, message->first, message->number); break;
	case MESSAGE_PUBLISHED: fetch_published(engine, message->number, message->error); break;
	case MESSAGE_COMMAND: error = command_run(engine, message->first, &text); break;
	case MESSAGE_FORGET:
		error = command_forget(
			engine, message->first, message->second, message->third, &text);
		break;
	case MESSAGE_STOP: engine->stopping = true; break;
	}
	/* an order that was carried out is durable before the user hears of it */
	if (message->answer && !error)
		error = commit_and_act(engine);
	message_end(message, error, text);
}

static void handle_inbox(struct engine *engine)
{
	struct message_list list;
	struct message *message;

	inbox_take(&engine->inbox, &list);
	while ((message = STAILQ_FIRST(&list))) {
		engine->rested = false;
		STAILQ_REMOVE_HEAD(&list, entry);
		handle(engine, message);
	}
}

/* Nothing has happened for a moment; if nothing is to come either, the work's memory goes. */
static void rest(void *context, struct timer *timer)
{
	struct engine *engine = context;

	(void)timer;
	engine->rested = timer_next(&engine->timers) == INT64_MAX;
	if (!engine->rested)
		return;
	media_release();
	memory_release();
}

/* How long there is nothing to do: ms, or -1 for ever. */
static int64_t idle_time(struct engine *engine)
{
	int64_t next, now = clock_steady_ms();

	if (!engine->rested && timer_next(&engine->timers) == INT64_MAX)
		engine_set_timer(engine, &engine->rest, REST_AFTER_MS);
	next = timer_next(&engine->timers);
	if (next == INT64_MAX)
		return -1;
	return next > now ? next - now : 0;
}

/* What was ordered is answered within seconds, as a rule, and a lost answer may be lost money. */
static void await_answers(struct engine *engine)
{
	int64_t end = clock_steady_ms() + STOP_WAIT_MS, now;

	while (gates_in_flight(engine) && (now = clock_steady_ms()) < end) {
		http_run(engine->http, end - now);
		(void)commit_and_act(engine); /* logged; write_last() tries once more */
	}
}

static void write_last(struct engine *engine)
{
	struct job *job;

	TAILQ_FOREACH (job, &engine->changed, changed_entry)
		submit_unsent(engine, job);
	if (TAILQ_EMPTY(&engine->changed) || commit(engine) == 0)
		return;
	log_error("the last changes could not be written to the journal");
	TAILQ_FOREACH (job, &engine->changed, changed_entry)
		if (job->task)
			log_error("%s/%s/%s is task %s of %s", job->model_id, job->dir, job->stem,
				job->task, job->provider ? job->provider->title : "its provider");
}

static void *engine_main(void *argument)
{
	struct engine *engine = argument;
	struct timer *timer;

	recover_scan(engine);
	while (!engine->stopping) {
		handle_inbox(engine);
		while ((timer = timer_due(&engine->timers, clock_steady_ms())))
			timer->fire(engine, timer);
		names_clear(&engine->names);
		(void)commit_and_act(engine); /* logged, and tried again by its timer */
		if (!engine->stopping)
			http_run(engine->http, idle_time(engine));
	}
	await_answers(engine);
	inbox_close(&engine->inbox);
	write_last(engine);
	return NULL;
}

/* ------------------------------------------------------------------ life */

static void wake(void *context)
{
	http_wake(((struct engine *)context)->http);
}

static void commit_again(void *engine, struct timer *timer)
{
	(void)engine; /* the loop commits what is on the list after every timer */
	(void)timer;
}

static int open_files(struct engine *engine)
{
	engine->events_fd = openat(engine->setup.store_fd, "events.jsonl",
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	engine->intake.heartbeat_fd =
		openat(engine->setup.store_fd, "heartbeat", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	engine->tree.fd =
		openat(engine->setup.store_fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (engine->events_fd < 0 || engine->intake.heartbeat_fd < 0 || engine->tree.fd < 0) {
		log_error("cannot write in the store: %s", strerror(errno));
		return -errno;
	}
	engine->intake.writing = writing_open(engine->setup.store_fd);
	return engine->intake.writing ? 0 : -EIO;
}

struct engine *engine_new(const struct engine_setup *setup)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return NULL;
	engine->setup = *setup;
	engine->config = setup->config;
	engine->journal = setup->journal;
	engine->commit_retry.fire = commit_again;
	engine->rest.fire = rest;
	TAILQ_INIT(&engine->changed);
	TAILQ_INIT(&engine->acting);
	lane_init(&engine->uploads, UPLOADS_AT_ONCE, work_upload);
	lane_init(&engine->polls, POLLS_AT_ONCE, work_poll);
	lane_init(&engine->downloads, DOWNLOADS_AT_ONCE, work_download);
	inbox_init(&engine->inbox, wake, engine);
	engine->intake = (struct intake){.inbox = &engine->inbox,
		.models = setup->models,
		.store_fd = setup->store_fd,
		.awaiting = true};
	engine->control.inbox = &engine->inbox;
	engine->events_fd = engine->tree.fd = engine->intake.heartbeat_fd = -1;
	engine->tree.names = &engine->names;
	engine->http = http_new();
	if (!engine->http || open_files(engine) < 0) {
		engine_free(engine);
		return NULL;
	}
	return engine;
}

struct intake *engine_intake(struct engine *engine)
{
	return &engine->intake;
}

struct control *engine_control(struct engine *engine)
{
	return &engine->control;
}

int engine_start(struct engine *engine, struct mount *mount, struct publisher *publisher)
{
	sigset_t all, old;
	int error;

	engine->mount = mount;
	engine->publisher = publisher;
	error = recover_load(engine);
	if (error)
		return error;
	sigfillset(&all); /* signals are the main thread's */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&engine->thread, NULL, engine_main, engine);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	engine->running = !error;
	return -error;
}

void engine_stop(struct engine *engine)
{
	const struct message stop = {.kind = MESSAGE_STOP};

	if (!engine->running)
		return;
	while (inbox_post(&engine->inbox, &stop) == -ENOMEM)
		(void)usleep(10000);              /* someone else will free some */
	(void)pthread_join(engine->thread, NULL); /* fails only for a thread that is not there */
	engine->running = false;
	recover_end(engine);
}

static void release_jobs(struct engine *engine)
{
	struct job **list;
	size_t count = engine_list(engine, JOB_STATES, &list);

	for (size_t i = 0; i < count; i++) {
		list[i]->settling = false;
		engine_release(engine, list[i]);
	}
	free(list);
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	release_jobs(engine);
	drops_free(engine);
	gates_free(engine);
	timers_free(&engine->timers);
	http_free(engine->http);
	inbox_destroy(&engine->inbox);
	cleanup_fd(&engine->events_fd);
	cleanup_fd(&engine->intake.heartbeat_fd);
	writing_close(engine->intake.writing);
	cleanup_fd(&engine->tree.fd);
	names_clear(&engine->names);
	free(engine);
}

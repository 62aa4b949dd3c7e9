#include "fs/engine/announce.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/base/quote.h"
#include "fs/engine/core.h"
#include "fs/engine/logbook.h"
#include "fs/engine/outname.h"
#include "fs/journal/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENTS_MAX_BYTES (8 * 1024 * 1024)
#define ON_DISK_MS                                                                                 \
	(60 * 1000) /* the kernel writes within 35 s what nobody syncs (proc_sys_vm(5)) */
#define EVENT_BEGIN      "{\"seq\":"
#define EVENTS_END_BYTES (256 * 1024) /* in which the last line is */
#define EVENTS_FLAGS     (O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC)

/* The highest number at the end of the log, 0: none. */
static int64_t last_in_log(int folder_fd)
{
	AUTO_FD int fd = openat(folder_fd, "events.jsonl", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_FREE char *end = malloc(EVENTS_END_BYTES + 1);
	int64_t last = 0;
	struct stat info;
	ssize_t got = -1;

	if (fd >= 0 && end && fstat(fd, &info) == 0)
		got = pread(fd, end, EVENTS_END_BYTES,
			info.st_size > EVENTS_END_BYTES ? info.st_size - EVENTS_END_BYTES : 0);
	if (got < 0)
		return 0;
	end[got] = '\0';
	for (char *line = end; line; line = memchr(line, '\n', (size_t)(end + got - line))) {
		int64_t number = 0;

		line += *line == '\n';
		if (!strncmp(line, EVENT_BEGIN, strlen(EVENT_BEGIN)))
			number = strtoll(line + strlen(EVENT_BEGIN), NULL, 10);
		if (number > last)
			last = number;
	}
	return last;
}

int announce_open(struct announcer *announcer, int folder_fd, struct journal *journal)
{
	const int64_t in_log = last_in_log(folder_fd);

	announcer->folder_fd = folder_fd;
	announcer->settle_ms = INT64_MAX;
	announcer->events_fd = openat(folder_fd, "events.jsonl", EVENTS_FLAGS, 0600);
	if (announcer->events_fd < 0)
		return -errno;
	announcer->last_event = journal_last_event(journal);
	if (announcer->last_event < 0)
		return -EIO;
	if (announcer->last_event < in_log)
		announcer->last_event = in_log;
	return 0;
}

/* As another file, so that who is reading the old log reads it to its end (fs/mount/events.c).
 * Until that succeeds the old one grows. */
static void begin_anew(struct announcer *announcer)
{
	int folder = announcer->folder_fd;
	AUTO_FD int fd = openat(folder, "events.jsonl.new", EVENTS_FLAGS | O_TRUNC, 0600);

	if (fd < 0 || renameat(folder, "events.jsonl.new", folder, "events.jsonl") < 0) {
		log_warn("events.jsonl: %s", strerror(errno));
		return;
	}
	(void)close(announcer->events_fd); /* the journal has it all */
	announcer->events_fd = TAKE_FD(fd);
}

static void write_event(struct engine *engine, struct job *job)
{
	AUTO_JSON cJSON *event = record_summary(&job->row, job->model);
	AUTO_FREE char *line = quote_json_print(event, false);
	AUTO_FREE char *text = /* behind the bracket */
		line ? format(EVENT_BEGIN "%" PRId64 ",%s\n", job->set.event, line + 1) : NULL;
	struct announcer *announcer = &engine->announcer;
	struct stat info;

	if (!text)
		return;
	if (fstat(announcer->events_fd, &info) == 0 && info.st_size > EVENTS_MAX_BYTES)
		begin_anew(announcer);
	if (write(announcer->events_fd, text, strlen(text)) < 0) /* the journal has it all */
		log_warn("events.jsonl: %s", strerror(errno));
	engine->host.events_grew(engine->host.context);
}

static void note_arrived(void *context, int64_t number, int error)
{
	struct announcer *announcer = context;

	(void)number;
	if (error < 0)
		atomic_store(&announcer->has_failed, true);
	atomic_fetch_sub(&announcer->under_way, 1);
}

static void note_is_lost(struct announcer *announcer, struct publish_order *order)
{
	note_arrived(announcer, 0, -ECANCELED);
	free(order->target);
	free(order->text);
	free(order->rights);
}

static char *text_of(struct engine *engine, const struct job *job, enum job_note note)
{
	AUTO_FREE char *usual =
		note == NOTE_RUNNING ? durations_usual(engine, job->row.model_id) : NULL;

	return note == NOTE_RUNNING ? record_running_text(&job->row, usual)
	                            : record_note_text(&job->row);
}

static void post_note(
	struct engine *engine, const struct job *job, enum publish_kind kind, enum job_note note)
{
	struct announcer *announcer = &engine->announcer;
	AUTO_FREE char *tail = format(".%s.txt", record_note_suffix(note));
	struct publish_order order = {.kind = kind, .done = note_arrived, .context = announcer};

	atomic_fetch_add(&announcer->under_way, 1);
	announcer->posted_ms = clock_steady_ms();
	if (announcer->settle_ms == INT64_MAX)
		announcer->settle_ms = announcer->posted_ms + ON_DISK_MS;
	if (!tail) {
		note_is_lost(announcer, &order);
		return;
	}
	order.target = outname_path(engine, job, tail);
	if (kind == PUBLISH_NOTE)
		order.text = text_of(engine, job, note);
	order.rights = job->row.rights ? strdup(job->row.rights) : NULL;
	if (!order.target || (job->row.rights && !order.rights) ||
		(kind == PUBLISH_NOTE && !order.text) ||
		engine->host.publish(engine->host.context, &order) < 0)
		note_is_lost(announcer, &order);
}

static void remove_notes_but(struct engine *engine, const struct job *job, enum job_note note)
{
	for (enum job_note other = NOTE_NONE + 1; other < NOTES; other++)
		if (other != note)
			post_note(engine, job, PUBLISH_REMOVE, other);
}

static void show_note(struct engine *engine, struct job *job)
{
	enum job_note note = job->set.deleting ? NOTE_NONE : job->row.note;
	enum job_note shown = job->set.shown_note;

	if (!job->model || (note == shown && !job->set.note_stale && !job->set.note_unsure))
		return;
	if (job->set.note_unsure)
		remove_notes_but(engine, job, note);
	else if (shown != NOTE_NONE && shown != note)
		post_note(engine, job, PUBLISH_REMOVE, shown);
	if (note != NOTE_NONE)
		post_note(engine, job, PUBLISH_NOTE, note);
	job->set.shown_note = note;
	job->set.note_stale = job->set.note_unsure = false;
}

void announce(struct engine *engine, struct job *job)
{
	show_note(engine, job);
	if (job->set.told || job->set.deleting)
		return;
	job->set.told = true;
	write_event(engine, job);
	logbook_write(job);
}

void announce_no_note(struct engine *engine, struct job *job)
{
	if (job->model && job->set.note_unsure)
		remove_notes_but(engine, job, NOTE_NONE);
	else if (job->model && job->set.shown_note != NOTE_NONE)
		post_note(engine, job, PUBLISH_REMOVE, job->set.shown_note);
	job->set.shown_note = NOTE_NONE;
}

/* ------------------------------------------------------------------ what is owed */

/* What stands in out/ is of no job any more. */
static void remove_notes_of(struct engine *engine, const struct job_key *key)
{
	const struct job none = {.model = models_find(engine->setup.models, key->model),
		.row = {.dir = (char *)(uintptr_t)key->dir, .stem = (char *)(uintptr_t)key->stem}};

	if (none.model)
		remove_notes_but(engine, &none, NOTE_NONE);
}

static void pay(void *context, const struct job_key *key)
{
	struct engine *engine = context;
	struct takes takes;
	struct job *shown = NULL;
	int error = jobs_takes(&engine->jobs, key, &takes);

	for (size_t i = 0; i < takes.count && !error; i++)
		if (takes.item[i]->row.shown)
			shown = takes.item[i];
	if (error) {
		atomic_store(&engine->announcer.has_failed, true); /* logged; the next start's */
	} else if (shown) {
		shown->set.note_unsure = true;
		job_commit_then(shown, NULL);
	} else {
		remove_notes_of(engine, key);
	}
	takes_clear(&takes);
}

int announce_owed(struct engine *engine)
{
	return journal_each_owed(engine->jobs.journal, pay, engine);
}

int64_t announce_next_ms(const struct engine *engine)
{
	return engine->announcer.settle_ms;
}

void announce_settle(struct engine *engine)
{
	struct announcer *announcer = &engine->announcer;
	int64_t now = clock_steady_ms(), then = clock_wall_ms() - ON_DISK_MS;

	if (now < announcer->settle_ms)
		return;
	announcer->settle_ms = INT64_MAX;
	if (atomic_load(&announcer->has_failed))
		return; /* the next start tries again */
	if (atomic_load(&announcer->under_way) ||
		journal_settle_owed(engine->jobs.journal, then) < 0)
		announcer->settle_ms = now + ON_DISK_MS;
	else if (announcer->posted_ms > now - ON_DISK_MS)
		announcer->settle_ms = announcer->posted_ms + ON_DISK_MS;
}

/*
 * What the user sees of a change once it is committed: a line in events.jsonl
 * and the note beside the results.
 */
#include "fs/engine/engine_core.h"

#include "fs/base/cleanup.h"
#include "fs/base/log.h"
#include "fs/journal/record.h"
#include "fs/mount/mount.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENTS_MAX_BYTES (8 * 1024 * 1024)

void tell_event(struct engine *engine, struct job *job)
{
	AUTO_JSON cJSON *event = NULL;
	AUTO_FREE char *line = NULL, *text = NULL;
	struct stat info;

	if (job->told)
		return;
	job->told = true;
	event = record_summary(job);
	line = cJSON_PrintUnformatted(event);
	if (!line || asprintf(&text, "%s\n", line) < 0)
		return;
	if (fstat(engine->events_fd, &info) == 0 && info.st_size > EVENTS_MAX_BYTES &&
		ftruncate(engine->events_fd, 0) < 0)
		log_warn("events.jsonl: %s", strerror(errno));
	if (write(engine->events_fd, text, strlen(text)) < 0) /* the journal has it all the same */
		log_warn("events.jsonl: %s", strerror(errno));
	mount_events_grew(engine->mount);
}

static void post_note(
	struct engine *engine, struct job *job, enum publish_kind kind, enum job_note note)
{
	AUTO_FREE char *suffix = NULL;
	struct publish_order order = {.kind = kind};

	if (asprintf(&suffix, "%s.txt", record_note_suffix(note)) < 0)
		return;
	order.target = place_path(job->model, AREA_OUT, job->dir, job->stem, suffix);
	if (kind == PUBLISH_NOTE)
		order.text = record_note_text(job);
	if (!order.target || (kind == PUBLISH_NOTE && !order.text) ||
		publisher_post(engine->publisher, &order) < 0) {
		free(order.target);
		free(order.text);
	}
}

void tell_note(struct engine *engine, struct job *job)
{
	if (!job->model || (job->note == job->shown_note && !job->note_stale))
		return;
	if (job->shown_note != NOTE_NONE && job->shown_note != job->note)
		post_note(engine, job, PUBLISH_REMOVE, job->shown_note);
	if (job->note != NOTE_NONE)
		post_note(engine, job, PUBLISH_NOTE, job->note);
	job->shown_note = job->note;
	job->note_stale = false;
}

void tell_no_note(struct engine *engine, struct job *job)
{
	if (job->model && job->shown_note != NOTE_NONE)
		post_note(engine, job, PUBLISH_REMOVE, job->shown_note);
	job->shown_note = NOTE_NONE;
}

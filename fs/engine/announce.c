#include "fs/engine/announce.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/engine/core.h"
#include "fs/journal/record.h"
#include "spec/place.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENTS_MAX_BYTES (8 * 1024 * 1024)

static void write_event(struct engine *engine, struct job *job)
{
	AUTO_JSON cJSON *event = record_summary(&job->row, job->model);
	AUTO_FREE char *line = cJSON_PrintUnformatted(event);
	AUTO_FREE char *text = line ? format("%s\n", line) : NULL;
	int fd = engine->announcer.events_fd;
	struct stat info;

	if (!text)
		return;
	if (fstat(fd, &info) == 0 && info.st_size > EVENTS_MAX_BYTES && ftruncate(fd, 0) < 0)
		log_warn("events.jsonl: %s", strerror(errno));
	if (write(fd, text, strlen(text)) < 0) /* the journal has it all the same */
		log_warn("events.jsonl: %s", strerror(errno));
	engine->host.events_grew(engine->host.context);
}

static void post_note(
	struct engine *engine, const struct job *job, enum publish_kind kind, enum job_note note)
{
	AUTO_FREE char *suffix = format("%s.txt", record_note_suffix(note));
	struct publish_order order = {.kind = kind};

	if (!suffix)
		return;
	order.target = place_path(job->model, AREA_OUT, job->row.dir, job->row.stem, suffix);
	if (kind == PUBLISH_NOTE)
		order.text = record_note_text(&job->row);
	if (!order.target || (kind == PUBLISH_NOTE && !order.text) ||
		engine->host.publish(engine->host.context, &order) < 0) {
		free(order.target);
		free(order.text);
	}
}

static void show_note(struct engine *engine, struct job *job)
{
	enum job_note note = job->set.deleting ? NOTE_NONE : job->row.note;
	enum job_note shown = job->set.shown_note;

	if (!job->model || (note == shown && !job->set.note_stale))
		return;
	if (shown != NOTE_NONE && shown != note)
		post_note(engine, job, PUBLISH_REMOVE, shown);
	if (note != NOTE_NONE)
		post_note(engine, job, PUBLISH_NOTE, note);
	job->set.shown_note = note;
	job->set.note_stale = false;
}

void announce(struct engine *engine, struct job *job)
{
	show_note(engine, job);
	if (job->set.told || job->set.deleting)
		return;
	job->set.told = true;
	write_event(engine, job);
}

void announce_no_note(struct engine *engine, struct job *job)
{
	if (job->model && job->set.shown_note != NOTE_NONE)
		post_note(engine, job, PUBLISH_REMOVE, job->set.shown_note);
	job->set.shown_note = NOTE_NONE;
}

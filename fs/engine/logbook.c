#include "fs/engine/logbook.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/engine/jobs.h"
#include "fs/journal/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CREDITS_BYTES 64

/* What the provider took, else about what it will. */
static const char *credits(const struct job_row *row, char text[CREDITS_BYTES])
{
	const bool is_said = !isnan(row->spent);
	const double amount = is_said ? row->spent : row->estimate;

	if (isnan(amount))
		return "how many credits is not known";
	(void)snprintf(text, CREDITS_BYTES, "%s%.10g credits", is_said ? "" : "about ",
		round(amount * 100) / 100);
	return text;
}

/* "out/cat.mp4, out/cat.jpg": as the folder of the model calls them. The caller frees. */
static char *files_of(const struct job_row *row)
{
	char *list = NULL;

	for (size_t i = 0; i < row->noutputs; i++) {
		const struct output *output = &row->output[i];
		const char *name = output->file ? path_below(output->file, row->model_id) : NULL;
		AUTO_FREE char *shown = quote_name(name ? name : "a file");
		AUTO_FREE char *before = TAKE(list);

		list = format("%s%s%s", before ? before : "", before ? ", " : "",
			output->state == OUTPUT_PUBLISHED && shown ? shown
								   : "nothing of one result");
	}
	return list;
}

static char *delivered(const struct job_row *row)
{
	AUTO_FREE char *files = files_of(row);
	char text[CREDITS_BYTES];

	return format("delivered %s, %s, %lld s", files ? files : "nothing", credits(row, text),
		(long long)(row->finished_ms - row->submitted_ms) / 1000);
}

/* In kinofs's own words only. */
static char *held(const struct job *job)
{
	const char *problem = job->row.problem ? job->row.problem : "";

	if (job->row.hold == HOLD_PROVIDER)
		return format("held, as %s refuses it for now; its words are in the job's note",
			job->provider ? job->provider->title : "its provider");
	return format("held: %.*s", (int)strcspn(problem, "\n"), problem);
}

/* The number that an answer was known by (submit.c), if there was one: " (code 422)". */
static char *code_of(const struct job_row *row)
{
	const char *at = row->problem ? strrchr(row->problem, '(') : NULL;
	int code;

	return at && sscanf(at, "(code %d)", &code) == 1 ? format(" (code %d)", code) : strdup("");
}

static char *ended_badly(const struct job_row *row, const char *how)
{
	AUTO_FREE char *money = record_money(row), *code = code_of(row);

	return money && code ? format("%s%s: %s", how, code, money) : NULL;
}

/* What happened; the caller frees. NULL: nothing that is told, or no memory. */
static char *event_of(const struct job *job)
{
	const struct job_row *row = &job->row;
	char text[CREDITS_BYTES];

	switch (row->state) {
	case JOB_RUNNING: return format("ordered, %s", credits(row, text));
	case JOB_DONE: return delivered(row);
	case JOB_HELD: return held(job);
	case JOB_REJECTED: return ended_badly(row, "rejected, as it cannot be ordered so");
	case JOB_CANCELLED: return ended_badly(row, "withdrawn");
	case JOB_FAILED: return ended_badly(row, row->task ? "failed" : "refused");
	case JOB_UNKNOWN: return ended_badly(row, "unknown");
	default: return NULL;
	}
}

void logbook_write(struct job *job)
{
	const struct job_row *row = &job->row;
	const bool is_bad = row->state == JOB_FAILED || row->state == JOB_UNKNOWN;
	AUTO_FREE char *event = NULL, *plain = NULL, *name = NULL;

	if (row->state == job->set.logged &&
		(row->state != JOB_HELD || row->hold == job->set.logged_hold))
		return;
	job->set.logged = row->state;
	job->set.logged_hold = row->hold;
	event = event_of(job);
	plain = event ? job_name(row) : NULL;
	name = plain ? quote_name(plain) : NULL;
	if (name)
		log_line(is_bad ? LOG_WARNING : LOG_INFO, "%s %s take %d: %s", row->model_id, name,
			row->take, event);
}

#include "fs/engine/fetch.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/engine/backoff.h"
#include "fs/engine/core.h"
#include "fs/engine/deliver.h"
#include "fs/engine/part.h"
#include "fs/engine/relink.h"
#include "fs/engine/space.h"

#include <errno.h>
#include <string.h>

#define HOUR_MS        (3600 * 1000LL)
#define RETRY_FIRST_MS 2000
#define SOON_MS        (2 * 60 * 1000)
#define LATE_MS        HOUR_MS
#define LOOK_MS        (10 * 1000) /* for room on the disk */
#define LOOK_LIMIT_MS  (10 * 60 * 1000)
/* fs/net/API.md 1.4: results live 24 hours or 14 days, the documents disagree. A link that is dead
 * after the longer of the two stays dead. A clock may be set ahead by any time, though: the link
 * must have been seen dead, and asked for anew, for a day that no clock can skip. */
#define LINKS_LIVE_AT_MOST_MS (15 * 24 * HOUR_MS)
#define SEEN_DEAD_AT_LEAST_MS (24 * HOUR_MS)
#define LINES_MAX             20

/* ------------------------------------------------------------------ the plan */

static bool plan_left(struct output *output, size_t left)
{
	output->state = OUTPUT_LOST;
	output->url = strdup("");
	output->problem = format("%zu more were named, beyond the %d that kinofs takes or without "
				 "a link that can be fetched.",
		left, LIMIT_RESULT_URLS);
	return output->url && output->problem;
}

int fetch_plan(struct job *job, const struct poll_answer *answer)
{
	size_t count = answer->nurl + (answer->nurl && answer->left);
	struct output *output = calloc(count + 1, sizeof(*output));
	bool made = output;

	for (size_t i = 0; made && i < answer->nurl; i++) {
		output[i].is_still = i >= answer->nurl - answer->stills;
		made = (output[i].url = strdup(answer->url[i]));
	}
	if (made && count > answer->nurl)
		made = plan_left(&output[answer->nurl], answer->left);
	if (!made) {
		if (output)
			outputs_free(output, count);
		return -ENOMEM;
	}
	outputs_free(job->row.output, job->row.noutputs);
	job->row.output = output;
	job->row.noutputs = count;
	relink_set_lifetime(job, answer);
	return 0;
}

/* ------------------------------------------------------------------ in words */

static bool is_at_end(const struct output *output)
{
	return output->state == OUTPUT_PUBLISHED || output->state == OUTPUT_LOST;
}

unsigned int fetch_promised(const struct job *job, size_t number)
{
	return job->row.output[number].is_still ? RESULT_IMAGE : job->model->results;
}

static char *line_of(const struct job *job, size_t number)
{
	const struct job_row *row = &job->row;
	const struct output *output = &row->output[number];
	AUTO_FREE char *which = NULL;

	which = row->noutputs == 1 || !*output->url
	                ? strdup("")
	                : format("Result %zu of %zu: ", number + 1, row->noutputs);
	if (!which)
		return NULL;
	if (output->problem)
		return format("%s%s\n", which, output->problem);
	return format("%sIt is %s, not the %s that the model promises.\n", which, output->other,
		makes_noun(fetch_promised(job, number)));
}

/* What is wrong with any of the results, a line each; NULL: nothing, or no memory. */
static char *problems_of(const struct job *job)
{
	const struct job_row *row = &job->row;
	AUTO_FREE char *lines = NULL;
	size_t count = 0;

	for (size_t i = 0; i < row->noutputs; i++) {
		AUTO_FREE char *line = NULL, *before = NULL;

		if (!(row->output[i].problem || row->output[i].other) || count++ >= LINES_MAX)
			continue;
		line = line_of(job, i);
		before = TAKE(lines);
		lines = line ? format("%s%s", before ?: "", line) : NULL;
		if (!lines)
			return NULL;
	}
	if (count > LINES_MAX) {
		AUTO_FREE char *before = TAKE(lines);

		lines = format("%sAnd %zu more.\n", before, count - LINES_MAX);
	}
	if (count == 1)
		lines[strlen(lines) - 1] = '\0';
	return TAKE(lines);
}

static void say(struct job *job)
{
	AUTO_FREE char *problems = problems_of(job);

	if (!problems && !job->row.problem)
		return;
	job_say(job, problems,
		problems ? "It is paid for, and fetched again until it works or its link is dead "
			   "for good."
			 : NULL);
}

/* Nothing is left to be fetched. */
static void end(struct job *job)
{
	AUTO_FREE char *problems = problems_of(job), *advice = NULL;
	size_t published = 0, lost = 0;

	for (size_t i = 0; i < job->row.noutputs; i++) {
		published += job->row.output[i].state == OUTPUT_PUBLISHED;
		lost += job->row.output[i].state == OUTPUT_LOST;
	}
	if (lost)
		advice = format("What did not arrive was made and paid for: look for it at the "
				"provider's site, task %s. Another take costs again: kinofs retry "
				"PATH",
			job->row.task);
	else if (problems)
		advice = strdup("It is kept as it came. Another take costs again: kinofs retry "
				"PATH");
	job_set_state(job, published ? JOB_DONE : JOB_FAILED, problems, advice);
}

/* ------------------------------------------------------------------ which is next */

static int next_output(const struct job *job)
{
	int next = -1;

	for (int i = 0; i < (int)job->row.noutputs; i++) {
		const struct output *output = &job->row.output[i];

		if (!is_at_end(output) &&
			(next < 0 || output->now.due_ms < job->row.output[next].now.due_ms))
			next = i;
	}
	return next;
}

static bool waits_for_room(struct engine *engine, struct job *job, struct output *output)
{
	int64_t there;

	if (!output->now.need)
		return false;
	if (!space_is_there(engine->setup.store_fd, output->now.need, &there)) {
		fetch_when_room(engine, job, output->now.need, there);
		return true;
	}
	output->now.need = 0;
	return false;
}

static void work(struct engine *engine, struct job *job)
{
	struct output *output = &job->row.output[job->at];

	if (output->state == OUTPUT_NAMED)
		deliver_named(engine, job);
	else if (output->bytes || output->now.whole)
		deliver_whole(engine, job);
	else if (waits_for_room(engine, job, output))
		return;
	else if (output->now.stale)
		relink(engine, job);
	else
		slots_enter(&engine->slots.downloads, job, output->tries > 0);
}

static void is_due(void *context, struct timer *timer)
{
	enter_downloading(context, job_of_timer(timer));
}

void enter_downloading(struct engine *engine, struct job *job)
{
	int next = next_output(job);
	int64_t wait_ms;

	if (job->at >= 0)
		return;
	if (next < 0) {
		end(job);
		return;
	}
	wait_ms = job->row.output[next].now.due_ms - clock_steady_ms();
	if (wait_ms > 0) {
		job->timer.fire = is_due;
		engine_set_timer(engine, &job->timer, wait_ms);
		return;
	}
	job->at = next;
	work(engine, job);
}

void fetch_next(struct job *job)
{
	job->at = -1;
	say(job);
	job_commit_then(job, enter_downloading);
}

/* ------------------------------------------------------------------ pauses, and the end of one */

/* Of the time since it was last found so, only what a pause may have been: a suspended machine has
 * not asked. */
static void note_dead(struct output *output)
{
	int64_t now = clock_steady_ms();
	int64_t since = output->now.asked_ms ? now - output->now.asked_ms : 0;

	output->dead_ms += since < 2 * LATE_MS ? since : 2 * LATE_MS;
	output->now.asked_ms = now;
}

static bool is_given_up(const struct job *job, const struct output *output)
{
	int64_t age = clock_wall_ms() - job->row.accepted_ms;

	return output->dead_ms > LINKS_LIVE_AT_MOST_MS ||
	       (output->dead_ms >= SEEN_DEAD_AT_LEAST_MS && age > LINKS_LIVE_AT_MOST_MS);
}

/* Whether it tells of the link, or the host it leads to. */
static bool is_told_of_link(const struct output *output, enum trouble trouble)
{
	return trouble >= TROUBLE_SERVER || (trouble == TROUBLE_SILENT && output->now.answered);
}

/* A host may move, and asking for its task tells a host that is gone from a line that is. */
static bool wants_fresh_link(const struct output *output, enum trouble trouble)
{
	return trouble == TROUBLE_DEAD || (trouble == TROUBLE_SILENT && output->tries > 1);
}

void fetch_later(struct engine *engine, struct job *job, enum trouble trouble, const char *words)
{
	struct output *output = &job->row.output[job->at];
	bool is_of_link = is_told_of_link(output, trouble);
	bool is_late = trouble == TROUBLE_DEAD || trouble == TROUBLE_WASTED ||
	               (trouble == TROUBLE_SILENT && output->dead_ms > HOUR_MS);

	slots_leave(job);
	cleanup_fd(&job->part_fd);
	job_set_text(&output->problem, words ?: "There is no memory.");
	if (is_of_link)
		note_dead(output);
	else if (trouble == TROUBLE_SILENT)
		output->now.asked_ms = 0; /* nobody knows since when it is the host's */
	output->now.due_ms =
		clock_steady_ms() +
		backoff_ms((unsigned)++output->tries, RETRY_FIRST_MS, is_late ? LATE_MS : SOON_MS);
	output->now.answered = false;
	output->now.stale = wants_fresh_link(output, trouble);
	if (output->now.stale)
		free(TAKE(output->now.link));
	if (is_of_link && is_given_up(job, output)) {
		output->state = OUTPUT_LOST;
		part_remove(engine, job, job->at);
	}
	fetch_next(job);
}

void fetch_when_room(struct engine *engine, struct job *job, int64_t bytes, int64_t there)
{
	struct output *output = &job->row.output[job->at];
	AUTO_FREE char *words = format("It needs %.1f MB on the disk of the store, and %.1f MB are "
				       "there for it.",
		(double)bytes / 1e6, (double)there / 1e6);
	bool is_look = output->now.need,
	     is_news = !words || !output->problem || strcmp(words, output->problem) != 0;

	slots_leave(job);
	output->now.need = bytes;
	output->now.due_ms = clock_steady_ms() + LOOK_MS;
	if (!is_look) /* a quota is not seen beforehand */
		output->now.due_ms = clock_steady_ms() +
		                     backoff_ms((unsigned)++output->tries, LOOK_MS, LOOK_LIMIT_MS);
	if (is_news || !is_look) {
		job_set_text(&output->problem, words);
		fetch_next(job);
		return;
	}
	job->at = -1;
	enter_downloading(engine, job);
}

void fetch_gains(struct output *output)
{
	output->tries = 0;
	output->dead_ms = output->now.asked_ms = 0;
}

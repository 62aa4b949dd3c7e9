/* steps.c - what happens in a history. */
#include "fs/base/clock.h"
#include "tests/sim/sim.h"

#include "spec/model.h"

#include <errno.h>
#include <string.h>

static const char *const verbs[] = {"retry", "retry -n 2", "cancel", "release", "forget"};
static const int counts[] = {1, 2, 0, 1, 0};
#define RECOVERY_MS 300 /* without an end of its own it is killed then */

static const int waits_ms[] = {10, 300, 2500, 2500, 20000, 30000, 60000, 400000};

/* ------------------------------------------------------------------ drawing */

/* A history stays among few names and few words, so that they meet. */
static struct {
	int model, other_model, dirs, stems, prompts;
	bool defaults, takes, crashes, orders, late;
} range;

static int one_of(int count)
{
	return (int)chance(STREAM_STEPS, (unsigned)count);
}

static bool maybe(int one_in)
{
	return one_of(one_in) == 0;
}

static int a_job(void)
{
	int model = maybe(4) ? range.other_model : range.model;

	return (model * DIRS + one_of(range.dirs)) * STEMS + one_of(range.stems);
}

static int model_of(int place)
{
	return place >= PLACES ? (place - PLACES) / DIRS : place / KINDS / STEMS / DIRS;
}

static int a_place(void)
{
	int job = a_job(), model = job / STEMS / DIRS, kind = one_of(model == 0 ? 2 : 3);

	if (range.defaults && maybe(8))
		return PLACES + job / STEMS;
	return job * KINDS + (model != 0 && maybe(3) ? KIND_PICTURE : kind);
}

static struct content a_content(int place)
{
	struct content content = {-1, -1, -1, -1, false};

	if (place >= PLACES) {
		content.flag = one_of(2);
	} else if (place % KINDS == KIND_PICTURE) {
		content.picture = one_of(2);
	} else if (place % KINDS == KIND_PROMPT) {
		content.prompt = one_of(range.prompts);
	} else {
		content.prompt = maybe(6) ? -1 : one_of(range.prompts);
		content.flag = maybe(6) ? one_of(2) : -1;
		content.takes = range.takes && maybe(3) ? 2 + one_of(2) : -1;
		if (maybe(16))
			content.takes = TAKES_MAX + 1;
	}
	return content;
}

/* Out of 100. */
static const struct {
	enum step_kind kind;
	int share;
} shares[] = {{STEP_WRITE, 20}, {STEP_OPEN, 3}, {STEP_CLOSE, 4}, {STEP_SCRATCH, 4},
	{STEP_UNSCRATCH, 4}, {STEP_RENAME, 6}, {STEP_RENAME_JOB, 7}, {STEP_EXCHANGE, 3},
	{STEP_EXCHANGE_JOBS, 3}, {STEP_REMOVE, 4}, {STEP_REMOVE_JOB, 4}, {STEP_FOLDER, 2},
	{STEP_ORDER, 8}, {STEP_WAIT, 17}, {STEP_CRASH, 1}, {STEP_CRASH_AFTER, 4}, {STEP_RECOVER, 2},
	{STEP_STOP, 2}, {STEP_START, 2}};

static enum step_kind a_kind(void)
{
	int at = one_of(100);

	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++) {
		at -= shares[i].share;
		if (at < 0)
			return shares[i].kind;
	}
	return STEP_WAIT;
}

static struct step draw(void)
{
	struct step step = {.kind = a_kind()};

	if (!range.crashes && step.kind >= STEP_CRASH && step.kind <= STEP_START)
		step.kind = STEP_WAIT;
	if (!range.orders && step.kind == STEP_ORDER)
		step.kind = STEP_WRITE;
	if (range.late && step.kind == STEP_START)
		step.kind = STEP_LATE;
	step.a = a_place();
	step.b = a_place();
	if (step.a < PLACES && step.b < PLACES) /* names that fit */
		step.b = step.b / KINDS * KINDS + step.a % KINDS;
	switch (step.kind) {
	case STEP_WRITE:
	case STEP_OPEN:
	case STEP_SCRATCH: step.content = a_content(step.a); break;
	case STEP_RENAME_JOB:
	case STEP_EXCHANGE_JOBS:
	case STEP_REMOVE_JOB:
		step.a = a_job();
		step.b = a_job();
		break;
	case STEP_ORDER:
		step.a = a_job();
		step.number = one_of(sizeof(verbs) / sizeof(*verbs));
		break;
	case STEP_WAIT: step.number = waits_ms[one_of(sizeof(waits_ms) / sizeof(*waits_ms))]; break;
	case STEP_CRASH_AFTER: step.number = 1 + one_of(maybe(2) ? 8 : 40); break;
	case STEP_RECOVER:
		step.b = 1 + one_of(3);
		step.number = 1 + one_of(maybe(2) ? 4 : 16);
		break;
	case STEP_LATE: step.number = one_of(2) * (10 + one_of(3000)); break;
	case STEP_FOLDER:
		step.a = model_of(step.a);
		step.b = one_of(2);
		break;
	default: break;
	}
	return step;
}

/* Drawn behind all others, so that these stay what they were. */
static size_t add_edits(struct step step[STEPS], size_t count)
{
	for (int edits = 2 + one_of(6); edits > 0; edits--) {
		size_t at = (size_t)one_of((int)count + 1);

		memmove(step + at + 1, step + at, (count - at) * sizeof(*step));
		step[at] = (struct step){.kind = STEP_EDIT, .a = a_job(), .number = !maybe(3)};
		count++;
	}
	return count;
}

size_t steps_draw(struct step step[STEPS])
{
	size_t count = 6 + (size_t)one_of(16);

	range.model = maybe(2) ? 0 : one_of(MODELS);
	range.other_model = maybe(2) ? range.model : one_of(MODELS);
	range.dirs = maybe(2) ? 1 : 2 + one_of(2);
	range.stems = 1 + one_of(STEMS);
	range.prompts = 1 + one_of(3);
	range.defaults = maybe(3);
	range.takes = maybe(3);
	range.crashes = maybe(2);
	range.orders = maybe(2);
	range.late = maybe(4);
	for (size_t i = 0; i < count; i++)
		step[i] = draw();
	return maybe(3) ? add_edits(step, count) : count;
}

/* ------------------------------------------------------------------ doing */

static bool may_fit(int one, int other)
{
	return one / STEMS / DIRS == other / STEMS / DIRS || one / STEMS / DIRS != 0;
}

static void rename_job(int from, int to)
{
	for (int kind = 0; kind < KINDS && from != to && may_fit(from, to); kind++)
		if (kind != KIND_PICTURE || to / STEMS / DIRS != 0)
			user_rename(from * KINDS + kind, false, to * KINDS + kind);
}

static void order(int verb, int job)
{
	int count = !strcmp(verbs[verb], "release") ? 3 : counts[verb]; /* a copy may ask for 3 */
	int error;

	if (!engine)
		return;
	allowed_more(job, count); /* it may be sent before we are answered */
	error = life_order(verbs[verb], job);
	if (error && engine) { /* else a crash may have come after the commit */
		allowed_more(job, -count);
		return;
	}
	if (!strcmp(verbs[verb], "cancel") || !strcmp(verbs[verb], "forget"))
		allowed_cancelled(job, !error && engine);
	if (!strcmp(verbs[verb], "forget"))
		allowed_forgotten(job);
}

static void close_one(int number)
{
	for (int i = 0; i < sim.files; i++)
		if (sim.file[i].place >= 0 && sim.file[i].fd >= 0 && number-- == 0)
			user_close(&sim.file[i]);
}

static bool fits(int from, int to)
{
	return from < PLACES && to < PLACES &&
	       !(from % KINDS == KIND_PICTURE && model_of(to) == 0) && from % KINDS == to % KINDS;
}

/* A crash, and more of them while it recovers: each gets further, if it can. */
static void recover(int times, int effects)
{
	life_crash();
	for (int i = 0; i < times && !*sim.failure; i++) {
		life_start();
		life_crash_after(effects + i);
		life_run(RECOVERY_MS);
		life_crash();
	}
	life_start();
}

void step_do(const struct step *step)
{
	switch (step->kind) {
	case STEP_WRITE: user_write(step->a, &step->content, false); break;
	case STEP_OPEN: user_open(step->a, &step->content); break;
	case STEP_CLOSE: close_one(0); break;
	case STEP_SCRATCH: user_write(step->a, &step->content, true); break;
	case STEP_UNSCRATCH:
		for (int i = 0; i < sim.files; i++)
			if (sim.file[i].place >= 0 && sim.file[i].scratch) {
				user_rename(sim.file[i].place, true, sim.file[i].place);
				break;
			}
		break;
	case STEP_RENAME:
		if (fits(step->a, step->b))
			user_rename(step->a, false, step->b);
		break;
	case STEP_RENAME_JOB: rename_job(step->a, step->b); break;
	case STEP_EXCHANGE:
		if (fits(step->a, step->b) && fits(step->b, step->a))
			user_exchange(step->a, step->b);
		break;
	case STEP_EXCHANGE_JOBS:
		for (int kind = 0; kind < KINDS; kind++)
			user_exchange(step->a * KINDS + kind, step->b * KINDS + kind);
		break;
	case STEP_REMOVE: user_remove(step->a); break;
	case STEP_REMOVE_JOB:
		for (int kind = 0; kind < KINDS; kind++)
			user_remove(step->a * KINDS + kind);
		break;
	case STEP_FOLDER: user_move_folder(step->a, 1 + step->b, 2 - step->b); break;
	case STEP_ORDER: order(step->number, step->a); break;
	case STEP_WAIT: life_run(step->number); break;
	case STEP_CRASH: life_crash(); break;
	case STEP_CRASH_AFTER: life_crash_after(step->number); break;
	case STEP_RECOVER: recover(step->b, step->number); break;
	case STEP_STOP: life_stop(); break;
	case STEP_START: life_start(); break;
	case STEP_LATE: host_be_late(step->number); break;
	case STEP_EDIT: user_edit(step->a, step->number); break;
	case STEP_KINDS: break;
	}
}

/* ------------------------------------------------------------------ printing */

static void print_content(const struct step *step, FILE *file)
{
	const struct content *content = &step->content;

	if (content->prompt >= 0)
		(void)fprintf(file, " prompt \"%s\"", prompt_text(content->prompt));
	if (content->flag >= 0)
		(void)fprintf(file, " flag %d", content->flag);
	if (content->takes > 0)
		(void)fprintf(file, " takes %d", content->takes);
	if (content->picture >= 0)
		(void)fprintf(file, " picture %d", content->picture);
}

void step_print(const struct step *step, FILE *file)
{
	static const char *const names[STEP_KINDS] = {"write", "open", "close",
		"write scratch copy of", "rename the scratch copy into place", "rename",
		"rename job", "exchange", "exchange jobs", "remove", "remove job", "rename folder",
		"", "wait", "crash", "crash at effect", "crash, and as it recovers", "stop",
		"start", "reports are late by", "an editor"};

	(void)fprintf(file, "%s", names[step->kind]);
	switch (step->kind) {
	case STEP_WRITE:
	case STEP_OPEN:
	case STEP_SCRATCH:
		(void)fprintf(file, " %s", place_name(step->a, false));
		print_content(step, file);
		break;
	case STEP_RENAME:
	case STEP_EXCHANGE:
		(void)fprintf(
			file, " %s %s", place_name(step->a, false), place_name(step->b, false));
		break;
	case STEP_REMOVE: (void)fprintf(file, " %s", place_name(step->a, false)); break;
	case STEP_RENAME_JOB:
	case STEP_EXCHANGE_JOBS:
		(void)fprintf(
			file, " %s %s", job_name_at(step->a, false), job_name_at(step->b, false));
		break;
	case STEP_REMOVE_JOB: (void)fprintf(file, " %s", job_name_at(step->a, false)); break;
	case STEP_ORDER:
		(void)fprintf(file, "%s %s", verbs[step->number], job_name_at(step->a, false));
		break;
	case STEP_FOLDER:
		(void)fprintf(
			file, " %s of %s", step->b ? "t to s" : "s to t", sim.model[step->a]->id);
		break;
	case STEP_WAIT:
	case STEP_LATE: (void)fprintf(file, " %d ms", step->number); break;
	case STEP_CRASH_AFTER: (void)fprintf(file, " %d", step->number); break;
	case STEP_EDIT:
		(void)fprintf(file, " %s the prompt of %s", step->number ? "opens" : "closes",
			job_name_at(step->a, false));
		break;
	case STEP_RECOVER:
		(void)fprintf(file, " %d times, from effect %d", step->b, step->number);
		break;
	default: break;
	}
	(void)fputc('\n', file);
}

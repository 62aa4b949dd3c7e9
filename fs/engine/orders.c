#include "fs/engine/orders.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/config/config.h"
#include "fs/engine/chain.h"
#include "fs/engine/core.h"
#include "fs/engine/made.h"
#include "fs/engine/owner.h"
#include "fs/engine/repeat.h"
#include "fs/input/assemble.h"
#include "fs/journal/view.h"
#include "spec/place.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* An order and the job it is about. */
struct order {
	struct engine *engine;
	const struct person *asker;
	int count; /* retry: how many takes are wanted */
	struct takes takes;
	struct job *job; /* the take its files stand for; else the newest */
	bool made;       /* the path is of a result or a note */
	char **answer;
};

/* Sets the answer; returns error. */
static int __attribute__((format(printf, 3, 4)))
reply(char **answer, int error, const char *text, ...)
{
	AUTO_FREE char *plain = NULL;
	va_list arguments;

	va_start(arguments, text);
	if (vasprintf(&plain, text, arguments) < 0)
		plain = NULL;
	va_end(arguments);
	*answer = plain ? quote_line(plain) : NULL; /* names are in it */
	return error;
}

/* ------------------------------------------------------------------ the orders */

/* 1, 0, or -errno: that cannot be seen. */
static int has_files(struct engine *engine, const struct job *job)
{
	struct job_files files = {0};
	int result = job->model ? files_find(&engine->tree, job->model, job->row.dir, job->row.stem,
					  &files)
	                        : 0;

	if (!result)
		result = !job->model || files.count > 0;
	files_clear(&files);
	return result;
}

static int take_again(struct order *order)
{
	struct engine *engine = order->engine;
	const struct job_key key = job_key_of(&order->job->row);
	int files = has_files(engine, order->job);
	struct job *job = files < 0 ? NULL : jobs_add_take(&engine->jobs, &key, &order->takes);

	if (!job)
		return reply(order->answer, files < 0 ? files : -ENOMEM,
			"%s cannot be submitted again now: %s", order->job->row.stem,
			strerror(files < 0 ? -files : ENOMEM));
	if (!files) {
		if (take_repeat(job, order->job, true) < 0)
			return reply(order->answer, -ENOMEM, "no memory");
	} else {
		job->row.asked = true; /* the same order counts as new */
		job->row.saved_ms = order->job->row.saved_ms;
		job_show(job);
		settle_now(engine, &key);
	}
	job->row.more = order->count - 1;
	for (size_t i = 0; i < order->takes.count; i++)
		order->takes.item[i]->row.settling = false; /* the new one settles */
	return reply(order->answer, 0,
		order->count > 1 ? "%s is submitted again, %d times"
				 : "%s is submitted again, as a new take",
		order->job->row.stem, order->count);
}

/* Whether there is a key for the job; without one no order lets it go. */
static int check_key(const struct order *order)
{
	const struct provider *provider = order->job->model ? order->job->provider : NULL;

	if (!provider || config_account(order->engine->setup.config, provider)->key)
		return 0;
	return reply(order->answer, -EBUSY,
		"%s stays held: there is no API key for %s. Run kinofs setup, or set %s, and mount "
		"kinofs again%s",
		order->job->row.stem, provider->title, provider->key_variables[0],
		order->job->row.hold == HOLD_KEY ? "; it then goes by itself"
						 : ", then order this again");
}

/* What waits is judged once more: it may be a copy by now, of what was ordered meanwhile. */
static int let_go(struct order *order)
{
	const struct job_key key = job_key_of(&order->job->row);
	int error = check_key(order);

	if (error)
		return error;
	order->job->row.released = true;
	if (order->job->row.state != JOB_WAITING) {
		job_set_state(order->job, JOB_QUEUED, NULL, NULL);
	} else {
		order->job->row.hold = HOLD_NONE; /* that it was found is no reason any more */
		job_update(order->job);
		settle_now(order->engine, &key);
	}
	return reply(order->answer, 0, "%s is released", order->job->row.stem);
}

static int retry_held(struct order *order)
{
	struct job *job = order->job;

	switch (job->row.hold) {
	case HOLD_COPY: job->row.more = order->count - 1; break; /* under the caps */
	case HOLD_UNTIL_RELEASED:
	case HOLD_CAP:
	case HOLD_JOB_CAP:
	case HOLD_PRICE:
		return reply(order->answer, -EBUSY, "%s is held; to let it go: kinofs release PATH",
			job->row.stem);
	default: break;
	}
	if (check_key(order) < 0)
		return -EBUSY;
	job->tries = 0;
	job->by_name = true;
	job_set_state(job, JOB_QUEUED, NULL, NULL);
	return reply(order->answer, 0, "%s is tried again", job->row.stem);
}

static int retry(struct order *order)
{
	const struct job_key key = job_key_of(&order->job->row);

	switch (order->job->row.state) {
	case JOB_HELD: return retry_held(order);
	case JOB_WAITING:
	case JOB_REJECTED:
		settle_now(order->engine, &key);
		return reply(order->answer, 0, "%s is looked at again", order->job->row.stem);
	case JOB_DONE:
	case JOB_FAILED:
	case JOB_UNKNOWN:
	case JOB_CANCELLED: return take_again(order);
	case JOB_RUNNING:
		if (job_is_stuck(&order->job->row))
			return take_again(order);
		__attribute__((fallthrough));
	default:
		return reply(order->answer, -EBUSY, "%s is under way; there is nothing to retry",
			order->job->row.stem);
	}
}

/* A job that is cancelled before its files were judged, or judged again, is to be known by them all
 * the same. */
static void note_files(struct order *order)
{
	struct job *job = order->job;
	struct assembly assembly = {0};

	if ((!job->row.fingerprint || job->row.settling) && job->model &&
		assemble(&order->engine->tree, job->model, job->row.dir, job->row.stem,
			&assembly) == 0 &&
		assembly.files.count > 0) {
		job_set_text(&job->row.fingerprint, assembly.fingerprint);
		(void)job_set_order(job, *assembly.order ? assembly.order : NULL);
	}
	assembly_clear(&assembly);
}

/* Whether its files changed since it was ordered, which is no take yet. */
static bool is_changing(const struct order *order)
{
	for (size_t i = 0; i < order->takes.count; i++)
		if (order->takes.item[i]->row.settling)
			return !job_state_is_open(order->job->row.state);
	return false;
}

static int cancel(struct order *order)
{
	struct job *job = order->job;
	const struct job_key key = job_key_of(&job->row);

	if (is_changing(order))
		return reply(order->answer, -EBUSY,
			"%s was ordered, and its files were changed since: to order nothing for "
			"that, put them back as they were, or remove its files",
			job->row.stem);
	if (job_state_is_end(job->row.state))
		return reply(order->answer, -EINVAL, "%s has ended already", job->row.stem);
	if (!job_state_is_open(job->row.state))
		return reply(order->answer, -EBUSY,
			"%s was submitted; the providers have no cancel, so it goes on to its end",
			job->row.stem);
	note_files(order);
	settle_stop(order->engine, &key);
	for (size_t i = 0; i < order->takes.count; i++)
		if (order->takes.item[i]->row.settling) {
			order->takes.item[i]->row.settling = false;
			job_update(order->takes.item[i]);
		}
	job_set_state(job, JOB_CANCELLED, "Cancelled before it was submitted.", NULL);
	return reply(order->answer, 0, "%s is cancelled; no money was spent", job->row.stem);
}

static int release(struct order *order)
{
	const struct job_row *row = &order->job->row;
	bool is_whole =
		row->state == JOB_WAITING && row->order; /* it waits for more, or an editor */

	if (row->state != JOB_HELD && !is_whole)
		return reply(order->answer, -EINVAL, "%s is not held", order->job->row.stem);
	return let_go(order);
}

/* Which job a path means, by its record. */
static int find(struct order *order)
{
	const struct job_row *row = &order->job->row;
	AUTO_FREE char *record =
		place_path(order->job->model, AREA_JOBS, row->dir, row->stem, ".json");

	*order->answer = record ? quote_name(record) : NULL;
	return *order->answer ? 0 : -ENOMEM;
}

static const struct {
	const char *verb;
	int (*run)(struct order *order);
	mode_t wants; /* what the asker must be allowed (owner_allows()) */
	bool counts;  /* it takes -n N */
} verbs[] = {{"retry", retry, 2, true}, {"cancel", cancel, 2, false},
	{"release", release, 2, false}, {"find", find, 4, false}};

/* ------------------------------------------------------------------ what they are about */

static const struct model *whose_name(struct engine *engine, const char *path, struct place *place)
{
	AUTO_FREE char *file = NULL;

	/* "MODEL/NAME": a job's name without a suffix */
	if (place->stem)
		return place->model;
	file = format("%s.json", path);
	if (!file)
		return NULL;
	place_clear(place);
	return place_of(engine->setup.models, file, place) == 0 ? place->model : NULL;
}

/* Which of a job's takes an order means: the one not sent yet, else the one that is shown. */
static struct job *meant(const struct takes *takes)
{
	if (takes->count && !job_state_is_open(takes->item[0]->row.state))
		for (size_t i = 0; i < takes->count; i++)
			if (takes->item[i]->row.shown)
				return takes->item[i];
	return takes->count ? takes->item[0] : NULL;
}

/* By a file of the job, or its name. */
static int find_named(
	struct order *order, const struct model *model, enum area area, const struct place *place)
{
	AUTO_FREE char *whole = NULL;
	struct job_key key = {model->id, place->dir, place->stem};

	if (area == AREA_JOBS) { /* by its record's name */
		whole = view_whole_stem(
			order->engine->setup.view, model->id, place->dir, place->stem);
		if (!whole)
			return -ENOMEM;
		key.stem = whole;
	}
	return jobs_takes(&order->engine->jobs, &key, &order->takes);
}

/* 0 or -errno; the job is NULL when there is none. */
static int find_job(struct order *order, const char *path)
{
	const struct host *host = &order->engine->host;
	const char *name = path_below(path, "out");
	AUTO_FREE char *shown = NULL;
	const struct model *model;
	struct place place = {0};
	struct job *take = NULL;
	int error = name && host->shown ? host->shown(host->context, name, &shown) : 0;

	if (!error || error == -ENOENT)
		error = place_of(order->engine->setup.models, shown ? shown : path, &place);
	if (error)
		return error;
	order->made = name || place.area == AREA_OUT;
	if (place.area == AREA_OUT) {
		error = made_find(order->engine, shown ? shown : path, &order->takes, &take);
	} else {
		const enum area area = place.area;

		model = whose_name(order->engine, path, &place);
		if (model && place.stem)
			error = find_named(order, model, area, &place);
	}
	order->job = error ? NULL : meant(&order->takes);
	place_clear(&place);
	return error;
}

/* Takes "-n N " off; -1: it is no number of takes. */
static int take_count(const char **words)
{
	char *end;
	long count;

	if (strncmp(*words, "-n", 2) != 0)
		return 1;
	count = strtol(*words + 2, &end, 10);
	if (*end != ' ' || count < 1 || count > LIMIT_TAKES)
		return -1;
	*words = end + strspn(end, " ");
	return (int)count;
}

/* "PATH" with escapes: for names that no line can hold, or no terminal show. The caller frees.
 * NULL: it is no such path, or no memory. */
static char *unquote(const char *path)
{
	size_t length = strlen(path);
	AUTO_FREE char *inside = NULL;

	if (length < 2 || *path != '"' || path[length - 1] != '"')
		return NULL;
	inside = strndup(path + 1, length - 2);
	return inside ? unquote_name(inside) : NULL;
}

static int run(struct order *order, size_t verb, const char *path)
{
	const struct engine *engine = order->engine;
	AUTO_FREE char *bytes = unquote(path);
	int error = *path ? find_job(order, bytes ? bytes : path) : 0;

	if (order->job && !owner_allows(engine, order->job, order->asker, 4))
		order->job = NULL; /* which he is not to know of */
	if (error)
		error = reply(order->answer, error, "the journal cannot be read");
	else if (order->job && !owner_allows(engine, order->job, order->asker, verbs[verb].wants))
		error = reply(order->answer, -EACCES, "%s is another user's", path);
	else if (!order->job && order->made)
		error = reply(order->answer, -ENOENT,
			"%s is no result that is known by this name; name the prompt, picture or record "
			"of its job instead",
			path);
	else if (!order->job)
		error = reply(order->answer, -ENOENT, "there is no job at %s", path);
	else
		error = verbs[verb].run(order);
	takes_clear(&order->takes);
	return error;
}

int orders_run(struct engine *engine, const char *line, const struct person *asker, char **answer)
{
	size_t length = strcspn(line, " ");
	const char *words = line + length + strspn(line + length, " ");
	struct order order = {.engine = engine, .asker = asker, .answer = answer, .count = 1};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strncmp(line, verbs[i].verb, length) != 0 || verbs[i].verb[length])
			continue;
		if (verbs[i].counts)
			order.count = take_count(&words);
		if (order.count < 0)
			return reply(answer, -EINVAL, "-n takes a number of takes, 1 to %d",
				LIMIT_TAKES);
		return run(&order, i, words);
	}
	return reply(answer, -EINVAL,
		"no such order: %s (retry, cancel, release or find, then a path)", line);
}

int orders_forget(
	struct engine *engine, const struct job_key *key, const struct person *asker, char **answer)
{
	struct order order = {.engine = engine, .asker = asker, .answer = answer, .count = 1};
	bool open, busy = false;
	int error = jobs_takes(&engine->jobs, key, &order.takes);

	order.job = error ? NULL : meant(&order.takes);
	if (!order.job) {
		takes_clear(&order.takes);
		return reply(answer, error ? error : -ENOENT, "there is no job %s", key->stem);
	}
	if (!owner_allows(engine, order.job, asker, 2)) {
		takes_clear(&order.takes);
		return reply(answer, -EACCES, "%s is another user's", key->stem);
	}
	open = job_state_is_open(order.job->row.state) && order.job->row.state != JOB_REJECTED;
	for (size_t i = 0; i < order.takes.count; i++)
		busy = busy || (!job_state_is_end(order.takes.item[i]->row.state) &&
				       !job_is_stuck(&order.takes.item[i]->row));
	if (open)
		error = cancel(&order);
	else if (busy)
		error = reply(answer, -EBUSY, "%s is under way", key->stem);
	takes_clear(&order.takes);
	if (open || busy)
		return error;
	error = jobs_forget(&engine->jobs, key, clock_wall_ms());
	if (error)
		return reply(answer, error, "%s cannot be forgotten now", key->stem);
	chain_tell(engine, key, true);
	return 0; /* what of it still settles finds no take to judge (judge.c) */
}

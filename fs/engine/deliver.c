#include "fs/engine/deliver.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/base/log.h"
#include "fs/engine/changes.h"
#include "fs/engine/core.h"
#include "fs/engine/fetch.h"
#include "fs/engine/marking.h"
#include "fs/engine/outname.h"
#include "fs/engine/part.h"

#include <errno.h>
#include <string.h>

/* ------------------------------------------------------------------ orders to the publisher */

/* A result of a job as one number: of both there are fewer than what it holds. */
#define NUMBER_BITS 16
_Static_assert(LIMIT_RESULT_URLS < 1 << NUMBER_BITS, "a result's number fits");

static int64_t which(const struct job *job, int number)
{
	return job->row.id << NUMBER_BITS | number;
}

/* NULL: it is not to be fetched any more. */
static struct job *find(struct engine *engine, int64_t of, int *number)
{
	struct job *job = jobs_find_id(&engine->jobs, of >> NUMBER_BITS);

	*number = (int)(of & ((1 << NUMBER_BITS) - 1));
	return job && job->row.state == JOB_DOWNLOADING && *number < (int)job->row.noutputs ? job
	                                                                                    : NULL;
}

/* Not taken once the engine has ended: the next start finds out. */
static void tell(struct engine *engine, enum message_kind kind, int64_t of, int error)
{
	(void)inbox_post(
		&engine->inbox, &(struct message){.kind = kind, .number = of, .error = error});
}

static void published(void *engine, int64_t of, int error)
{
	tell(engine, MESSAGE_PUBLISHED, of, error);
}

static void synced(void *engine, int64_t of, int error)
{
	tell(engine, MESSAGE_SYNCED, of, error);
}

static bool post(struct engine *engine, struct job *job, int number, enum publish_kind kind)
{
	const struct output *output = &job->row.output[number];
	struct publish_order order = {.kind = kind,
		.source = part_name(job, number),
		.target = kind == PUBLISH_FILE ? strdup(output->file) : NULL,
		.rights = job->row.rights ? strdup(job->row.rights) : NULL,
		.done = kind == PUBLISH_FILE ? published : synced,
		.context = engine,
		.number = which(job, number)};

	if (order.source && (order.target || kind == PUBLISH_SYNC) &&
		!job->row.rights == !order.rights &&
		engine->host.publish(engine->host.context, &order) == 0)
		return true;
	free(order.source);
	free(order.target);
	free(order.rights);
	return false;
}

/* ------------------------------------------------------------------ durable */

static bool make_durable(struct engine *engine, struct job *job, int number, int64_t bytes)
{
	struct output *output = &job->row.output[number];

	if (output->now.syncing) /* what that makes durable is seen when it is done */
		return true;
	output->now.syncing = post(engine, job, number, PUBLISH_SYNC);
	output->now.sync_at = bytes;
	return output->now.syncing;
}

void deliver_keep(struct engine *engine, struct job *job, int64_t bytes)
{
	(void)make_durable(engine, job, job->at, bytes); /* else another time */
}

/* linked, or named when that name was taken → named: renamed once the name is durable. */
static void name(struct engine *engine, struct job *job, int number)
{
	struct output *output = &job->row.output[number];
	char *path = outname_free(engine, job, number, output->type);
	/* taken in the mount all the same: as the kernel remembers it, perhaps */
	bool looks_free = path && output->file && !strcmp(path, output->file);

	free(TAKE(output->file));
	if (!path || looks_free) {
		free(path);
		output->state = OUTPUT_LINKED;
		fetch_later(engine, job, TROUBLE_HERE,
			"It has no place in out/: no name is free, or out/ is no folder.");
		return;
	}
	output->file = path;
	output->state = OUTPUT_NAMED;
	fetch_next(job);
}

/* It is not there, or not what it was: it is fetched again, which costs nothing. */
static void begin_anew(struct job *job)
{
	part_forget(&job->row.output[job->at]);
	fetch_next(job);
}

static void cannot_mark(struct engine *engine, struct job *job, int error)
{
	AUTO_FREE char *words =
		format("It cannot be marked, or left as it came: %s.", strerror(-error));

	if (error == -ENOENT)
		begin_anew(job);
	else
		fetch_later(engine, job, TROUBLE_HERE, words);
}

/* Its length is durable, so that what a crash leaves of the marks can be taken back. */
static void mark(struct engine *engine, struct job *job)
{
	struct output *output = &job->row.output[job->at];
	int error;

	if (output->now.marking) /* what comes of that is heard of */
		return;
	output->now.marking = true;
	error = marking_ask(engine, job, which(job, job->at));
	if (!error)
		return;
	output->now.marking = false;
	cannot_mark(engine, job, error);
}

void deliver_marked(struct engine *engine, int64_t of, const struct marked *marked)
{
	int number;
	struct job *job = find(engine, of, &number);
	struct output *output = job ? &job->row.output[number] : NULL;
	int64_t bytes;

	if (!output || output->state != OUTPUT_LINKED || !output->now.marking)
		return;
	output->now.marking = false;
	if (job->at != number)
		return; /* its turn comes again */
	bytes = marked->error ? marked->error : part_bytes(engine, job, number);
	if (bytes < 0) {
		cannot_mark(engine, job, (int)bytes);
		return;
	}
	output->bytes = bytes;
	output->moov = 0;
	job_set_text(&output->came, marked->came && *marked->came ? marked->came : NULL);
	job_set_text(&output->is, marked->is && *marked->is ? marked->is : NULL);
	job_set_text(&output->unmarked, marked->left);
	name(engine, job, number);
}

void deliver_whole(struct engine *engine, struct job *job)
{
	struct output *output = &job->row.output[job->at];

	if (!output->bytes) {
		if (!make_durable(engine, job, job->at, output->now.have))
			fetch_later(engine, job, TROUBLE_HERE,
				"It could not be handed to the publisher.");
		return;
	}
	if (output->type && output->moov)
		mark(engine, job);
	else if (output->type && part_bytes(engine, job, job->at) == output->bytes)
		name(engine, job, job->at);
	else
		begin_anew(job);
}

/* The whole of it, or what it was so far. */
static void is_durable(struct engine *engine, struct job *job, int number, int64_t bytes)
{
	struct output *output = &job->row.output[number];

	if (!output->now.whole) {
		output->kept = bytes;
		job_commit_then(job, NULL);
	} else if (bytes < output->now.have) {
		deliver_whole(engine, job); /* it was still coming when this began */
	} else {
		output->bytes = bytes;
		if (output->moov)
			fetch_next(job);
		else
			name(engine, job, number);
	}
}

static void cannot_sync(struct engine *engine, struct job *job, int error)
{
	AUTO_FREE char *words =
		format("It cannot be made durable on the disk: %s.", strerror(-error));

	log_warn("a part cannot be synced: %s", strerror(-error));
	if (error == -ENOENT) /* somebody has tidied up underneath the mount: it is fetched again */
		part_forget(&job->row.output[job->at]);
	fetch_later(engine, job, TROUBLE_HERE, words);
}

void deliver_synced(struct engine *engine, int64_t of, int error)
{
	int number;
	struct job *job = find(engine, of, &number);
	struct output *output = job ? &job->row.output[number] : NULL;
	bool is_awaited;

	if (!output || output->state != OUTPUT_LINKED || !output->now.syncing)
		return;
	output->now.syncing = false;
	is_awaited = output->now.whole && job->at == number;
	if (output->now.whole && !is_awaited)
		return; /* its turn comes again */
	if (error && is_awaited) {
		cannot_sync(engine, job, error);
	} else if (!error && output->now.sync_at) {
		is_durable(engine, job, number, output->now.sync_at);
	} else if (is_awaited) {
		deliver_whole(engine, job); /* what that was of had been forgotten */
	}
}

/* ------------------------------------------------------------------ published */

/* named → published */
static void is_there(struct job *job, struct output *output)
{
	output->state = OUTPUT_PUBLISHED;
	job_set_text(&output->problem, NULL);
	fetch_gains(output);
	changes_saved(job->engine, output->file, clock_wall_ms()); /* a job may wait for it */
	fetch_next(job);
}

/* named → linked: neither where it was made nor where it was to be, it is fetched again, which
 * costs nothing. The name goes first, durably, as it would make a part of a result look whole. */
static void is_nowhere(struct job *job, struct output *output)
{
	free(TAKE(output->file));
	output->state = OUTPUT_LINKED;
	part_forget(output);
	fetch_next(job);
}

/* It may have been renamed before: then it is made durable there. */
void deliver_named(struct engine *engine, struct job *job)
{
	if (!post(engine, job, job->at, PUBLISH_FILE))
		fetch_later(engine, job, TROUBLE_HERE, "It could not be handed to the publisher.");
}

/* It is in out/, but would not survive a loss of power. */
static void is_not_durable(struct engine *engine, struct job *job, int error)
{
	struct output *output = &job->row.output[job->at];
	AUTO_FREE char *words =
		format("It is in out/, but cannot be made durable there: %s.", strerror(-error));

	if (!output->now.shown)
		log_warn("%s: the folder cannot be synced: %s", output->file, strerror(-error));
	output->now.shown = true;
	fetch_later(engine, job, TROUBLE_HERE, words);
}

void deliver_published(struct engine *engine, int64_t of, int error)
{
	int number;
	struct job *job = find(engine, of, &number);
	struct output *output = job ? &job->row.output[number] : NULL;
	bool has_left;

	if (!output || output->state != OUTPUT_NAMED || job->at != number)
		return;
	/* the part leaves only by the rename to its name */
	has_left = error && part_bytes(engine, job, number) == -ENOENT;
	if (!error || (error == -ENOENT && output->now.shown)) { /* or the user has moved it */
		is_there(job, output);
	} else if (error == -EEXIST) {
		name(engine, job, number);
	} else if (has_left && error == -ENOENT) {
		is_nowhere(job, output);
	} else if (has_left) {
		is_not_durable(engine, job, error);
	} else {
		log_warn("%s: cannot publish: %s", output->file, strerror(-error));
		free(TAKE(output->file));
		output->state = OUTPUT_LINKED;
		fetch_later(engine, job, TROUBLE_HERE, "It could not be put into out/.");
	}
}

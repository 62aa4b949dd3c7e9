#include "fs/engine/identity.h"

#include "fs/engine/core.h"
#include "fs/engine/lastlook.h"

#include <errno.h>
#include <string.h>

#define FILE_TICK_MS 20 /* of the kernel's clock for files, which is 10 at most */

struct job *open_take(const struct takes *takes)
{
	return takes->count && job_state_is_open(takes->item[0]->row.state) ? takes->item[0] : NULL;
}

int64_t takes_saved_ms(const struct takes *takes)
{
	int64_t saved_ms = 0;

	for (size_t i = 0; i < takes->count; i++)
		if (takes->item[i]->row.saved_ms > saved_ms)
			saved_ms = takes->item[i]->row.saved_ms;
	return saved_ms;
}

static bool is_equal(const char *a, const char *b)
{
	return a && b && *a && !strcmp(a, b);
}

/* When what the files say now was saved: not when the job was, of which a rename may have replaced
 * the files by older ones since. Their times are a tick behind, and by the clock of a server where
 * they are on one. */
static int64_t content_saved_ms(
	const struct engine *engine, const struct takes *own, const struct assembly *assembly)
{
	const char *path[FILES_MAX];
	size_t count = files_list(&assembly->files, path);
	int64_t told_ms = takes_saved_ms(own), newest_ms = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t saved_ms = path[i] == assembly->files.defaults
		                           ? 0
		                           : tree_saved_ms(&engine->tree, path[i]);

		if (newest_ms < saved_ms)
			newest_ms = saved_ms;
	}
	newest_ms += FILE_TICK_MS + engine->recovery.files_behind_ms;
	return newest_ms < told_ms ? newest_ms : told_ms;
}

/* Whether the row is on its way with these very files and values. A job that was held until
 * released, and then saved, has lost its hold and is not; a copy is looked at anew. */
static bool is_under_way(const struct job_row *row, const struct assembly *assembly)
{
	if (!is_equal(row->fingerprint, assembly->fingerprint) ||
		!is_equal(row->order, assembly->order))
		return false;
	return row->state == JOB_QUEUED || row->state == JOB_UPLOADING ||
	       (row->state == JOB_HELD && row->hold != HOLD_NONE && row->hold != HOLD_COPY);
}

/* Nothing was paid for it, and only what the user does after that may order it again. */
static bool is_over(const struct job_row *row, int64_t saved_ms)
{
	return (row->state == JOB_FAILED ||
		       (row->state == JOB_CANCELLED && row->hold == HOLD_NONE)) &&
	       row->finished_ms >= saved_ms;
}

/* Cancelled before it was judged: nothing is known of it but when. */
static bool is_unjudged(const struct job_row *row)
{
	return row->state == JOB_CANCELLED && !row->fingerprint;
}

static bool was_held(const struct job_row *row, int64_t saved_ms)
{
	return row->state == JOB_CANCELLED && row->hold == HOLD_UNTIL_RELEASED &&
	       row->finished_ms > saved_ms;
}

static bool is_held_copy(const struct job_row *row)
{
	return row->state == JOB_HELD && row->hold == HOLD_COPY;
}

/* A held copy that nobody has saved since. NULL: the job is none. */
static struct job *resting_copy(const struct takes *own, const struct assembly *assembly)
{
	struct job *open = open_take(own);

	if (open && is_held_copy(&open->row) &&
		is_equal(open->row.fingerprint, assembly->fingerprint) &&
		takes_saved_ms(own) <= open->row.changed_ms)
		return open;
	return NULL;
}

/* ------------------------------------------------------------------ the job's own takes */

static void look_at_own(const struct takes *own, const struct assembly *assembly, int64_t saved_ms,
	struct identification *id)
{
	for (size_t i = 0; i < own->count; i++) {
		struct job *job = own->item[i];
		const struct job_row *row = &job->row;

		if (!row_is_of(row, assembly) && !is_unjudged(row))
			continue;
		if (job_state_is_paid(row->state)) {
			id->sent += 1 + row->more;
			if (id->is != IDENTITY_SENT)
				id->take = job;
			id->is = IDENTITY_SENT;
		} else if (is_over(row, saved_ms)) {
			id->over = true;
			if (id->is == IDENTITY_NEW) {
				id->is = IDENTITY_ENDED;
				id->take = job;
			}
		} else if (was_held(row, saved_ms)) {
			id->held = true;
		}
	}
}

/* Whether it came to an end that the user knew of; not that its files were gone for a while. */
static bool is_ended(const struct job_row *row)
{
	return job_state_is_paid(row->state) || row->state == JOB_FAILED ||
	       (row->state == JOB_CANCELLED && row->hold == HOLD_NONE);
}

static bool was_forgotten(
	const struct takes *takes, const struct assembly *assembly, int64_t saved_ms)
{
	for (size_t i = 0; i < takes->forgotten.count; i++) {
		const struct job_row *row = takes->forgotten.item[i];

		if (row_is_of(row, assembly) && row->forgotten_ms >= saved_ms && is_ended(row))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ takes of other jobs */

/* What a take of another job with this order makes of the files here. at_place: its own files still
 * say the same. What is itself held as a copy is no reason to hold another: each would be one of
 * the other. */
static enum identity identity_of(const struct job_row *row, bool at_place, int64_t saved_ms)
{
	if (is_held_copy(row) && at_place)
		return IDENTITY_NEW;
	if (job_state_is_paid(row->state) || row->state == JOB_HELD || row->state == JOB_QUEUED ||
		row->state == JOB_UPLOADING)
		return at_place ? IDENTITY_COPY : IDENTITY_MOVED;
	if (!is_over(row, saved_ms))
		return IDENTITY_NEW;
	if (at_place) /* a copy made before it failed orders nothing by itself either */
		return row->state == JOB_FAILED ? IDENTITY_COPY : IDENTITY_NEW;
	return IDENTITY_ENDED;
}

/* What counts more: that the files came from somewhere, best from what was paid for; then that they
 * are a copy. */
static int weight(enum identity identity, const struct job_row *row)
{
	switch (identity) {
	case IDENTITY_MOVED: return job_state_is_paid(row->state) ? 4 : 3;
	case IDENTITY_COPY: return 2;
	case IDENTITY_ENDED: return 1;
	default: return 0;
	}
}

static bool is_own(const struct takes *own, const struct job *job)
{
	for (size_t i = 0; i < own->count; i++)
		if (own->item[i] == job)
			return true;
	return false;
}

/* Whether there is more of an order than what was withdrawn for want of its files, or had failed
 * before these were saved. */
static bool is_known_elsewhere(const struct takes *own, const struct takes *same, const char *order)
{
	for (size_t i = 0; i < same->count; i++) {
		const struct job_row *row = &same->item[i]->row;
		bool has_ended = row->state == JOB_FAILED || row->state == JOB_CANCELLED;

		if (!is_own(own, same->item[i]) && is_equal(row->order, order) &&
			!is_held_copy(row) && (!has_ended || is_over(row, takes_saved_ms(own))))
			return true;
	}
	return same->forgotten.count > 0 && is_equal(same->forgotten.item[0]->order, order);
}

static bool is_on_its_way(const struct job_row *row)
{
	return job_state_is_paid(row->state) || row->state == JOB_QUEUED ||
	       row->state == JOB_UPLOADING || (row->state == JOB_HELD && !is_held_copy(row));
}

struct job *ordered_elsewhere(const struct takes *own, const struct takes *same, const char *order)
{
	for (size_t i = 0; i < own->count; i++)
		if (job_state_is_paid(own->item[i]->row.state) &&
			is_equal(own->item[i]->row.order, order))
			return NULL;
	for (size_t i = 0; i < same->count; i++)
		if (!is_own(own, same->item[i]) && is_equal(same->item[i]->row.order, order) &&
			is_on_its_way(&same->item[i]->row))
			return same->item[i];
	return NULL;
}

static int look_at_others(struct engine *engine, const struct takes *own, const struct takes *same,
	int64_t saved_ms, struct identification *id)
{
	int best = 0;

	for (size_t i = 0; i < same->count; i++) {
		struct job *job = same->item[i];
		enum identity is;
		int at_place;

		if (is_own(own, job))
			continue;
		at_place = is_at_place(engine, job);
		if (at_place < 0)
			return at_place;
		is = identity_of(&job->row, at_place, saved_ms);
		id->held = id->held || (!at_place && was_held(&job->row, saved_ms));
		if (is == IDENTITY_NEW && !at_place && job->row.state == JOB_CANCELLED && !id->take)
			id->take = job; /* withdrawn for want of its files, which are here */
		if (weight(is, &job->row) > best) {
			best = weight(is, &job->row);
			id->is = is;
			id->take = job;
		}
	}
	if (id->is == IDENTITY_ENDED) /* it goes with its files like any other */
		id->is = IDENTITY_MOVED;
	return 0;
}

/* Adds what was made of files that say the same and are gone: they are here now, and by other
 * defaults it is no other order. A rename may be told of late, or never, and by then defaults.json
 * may have changed. What cannot be looked at may be gone; look_at_others() says that it cannot. */
static int add_departed(struct engine *engine, const struct assembly *assembly, struct takes *same)
{
	struct takes takes;
	int error = jobs_same_files(&engine->jobs, assembly->fingerprint, &takes);

	for (size_t i = 0; i < takes.count && !error; i++) {
		struct job *job = takes.item[i];

		if (job_state_is_open(job->row.state) ||
			is_equal(job->row.order, assembly->order)) /* is among them */
			continue;
		if (is_at_place(engine, job) <= 0)
			error = takes_add(same, job);
	}
	takes_clear(&takes);
	return error;
}

int find_same_order(struct engine *engine, const struct takes *own, const struct assembly *assembly,
	struct takes *same)
{
	const struct job *copy = resting_copy(own, assembly);
	int error = 0;

	if (copy && copy->row.order) {
		error = jobs_same_order(&engine->jobs, copy->row.order, same);
		if (error || is_known_elsewhere(own, same, copy->row.order) ||
			is_equal(copy->row.order, assembly->order))
			return error;
		takes_clear(same); /* with other defaults it is another order */
	}
	if (*assembly->order)
		error = jobs_same_order(&engine->jobs, assembly->order, same);
	if (!error && *assembly->order)
		error = add_departed(engine, assembly, same);
	return error;
}

int identify(struct engine *engine, const struct takes *own, const struct takes *same,
	const struct assembly *assembly, struct identification *id)
{
	struct job *open = open_take(own);
	int64_t saved_ms;
	int error;

	*id = (struct identification){.is = IDENTITY_NEW};
	look_at_own(own, assembly, takes_saved_ms(own), id);
	if (open && is_under_way(&open->row, assembly)) {
		id->is = IDENTITY_UNDER_WAY;
		id->take = open;
		return 0;
	}
	if (open && open->row.asked) { /* the same order, once more */
		id->is = IDENTITY_NEW;
		id->take = NULL;
		return 0;
	}
	if (id->is != IDENTITY_NEW)
		return 0;
	saved_ms = content_saved_ms(engine, own, assembly);
	error = look_at_others(engine, own, same, saved_ms, id);
	if (error || id->is == IDENTITY_MOVED)
		return error;
	if (id->is == IDENTITY_NEW && (was_forgotten(own, assembly, saved_ms) ||
					      was_forgotten(same, assembly, saved_ms))) {
		id->is = IDENTITY_FORGOTTEN; /* of a copy: what it was held for is gone */
		return 0;
	}
	/* nothing but the user lets it go, unless what it is a copy of was never sent */
	if (resting_copy(own, assembly) && is_known_elsewhere(own, same, open->row.order)) {
		id->copied = id->is == IDENTITY_COPY ? id->take : NULL;
		id->is = IDENTITY_UNDER_WAY;
		id->take = open;
	}
	return 0;
}

#include "fs/engine/follow.h"

#include "fs/base/cleanup.h"
#include "fs/engine/core.h"
#include "fs/engine/identity.h"
#include "fs/engine/owner.h"
#include "fs/engine/pictures.h"

#include <errno.h>
#include <string.h>

/* A name as a copy: the takes that bear it are given another. */
struct name {
	char *dir, *stem;
};

static bool name_copy(struct name *name, const struct job_key *key)
{
	name->dir = strdup(key->dir);
	name->stem = strdup(key->stem);
	return name->dir && name->stem;
}

static void name_clear(struct name *name)
{
	free(name->dir);
	free(name->stem);
}
#define AUTO_NAME __attribute__((cleanup(name_clear)))

bool must_stay(const struct job_row *open, const char *order)
{
	/* HOLD_NONE: a save has lifted the hold, but of what was saved */
	return open->state == JOB_HELD && open->order && strcmp(open->order, order) != 0 &&
	       (open->hold == HOLD_UNTIL_RELEASED || open->hold == HOLD_NONE);
}

void give_way(struct job *open, const char *order)
{
	if (!must_stay(&open->row, order)) {
		job_delete(open);
		return;
	}
	open->row.settling = false;
	job_set_state(open, JOB_CANCELLED, "Its files say something else now.", NULL);
	open->row.hold = HOLD_UNTIL_RELEASED;
}

/* Whether there is no file of this name any more: 1, 0, or -errno. */
static int is_empty(struct engine *engine, const struct job *job)
{
	struct job_files files = {0};
	int result = files_find(&engine->tree, job->model, job->row.dir, job->row.stem, &files);

	if (!result)
		result = files.count == 0;
	files_clear(&files);
	return result;
}

/* What goes along of the takes of a name: all that was sent, or only what is of this order. */
static bool goes_along(const struct job *take, const struct job *job, bool all)
{
	if (take == job)
		return true;
	if (!job_state_is_open(take->row.state) && all)
		return true;
	return take->row.order && job->row.order && !strcmp(take->row.order, job->row.order);
}

/* The number the first take that comes will have: behind those that are there to stay. */
static int first_number(const struct takes *own)
{
	int number = 1;

	for (size_t i = 0; i < own->count; i++)
		if (!own->item[i]->set.deleting && own->item[i]->row.take >= number)
			number = own->item[i]->row.take + 1;
	return number;
}

/* Of one that was sent, `hold` is a part of the mark (settle.h). */
static void stop_settling(struct job *job)
{
	if (job->row.settling)
		job_update(job);
	job->row.settling = false;
	if (!job_state_is_open(job->row.state) && job->row.state != JOB_CANCELLED)
		job->row.hold = HOLD_NONE;
}

static void go_on(struct job *job)
{
	if (job->row.state == JOB_QUEUED || job->row.state == JOB_UPLOADING)
		job_set_state(job, JOB_QUEUED, job->row.problem, NULL);
}

/* Moves the takes, oldest first. there: of the name they leave, newest first; own: of the other,
 * whose files they are now, saved when those were. */
static int move_takes(const struct takes *there, const struct job *job, bool all,
	const struct job_key *to, const struct takes *own)
{
	int64_t saved_ms = takes_saved_ms(own);
	int number = first_number(own);
	int error = 0;

	for (size_t i = there->count; i > 0 && !error; i--) {
		struct job *take = there->item[i - 1];

		if (!goes_along(take, job, all))
			continue;
		stop_settling(take);
		take->row.saved_ms = saved_ms;
		error = job_move(take, to, number++);
		go_on(take); /* it may have waited for who judges the files it had */
	}
	return error;
}

/* It goes on from where its files are now. */
static void arrive(struct job *job, struct assembly *assembly)
{
	struct job_row *row = &job->row;
	/* by the defaults that are here it may be another, though its own files say the same */
	const bool is_same = !strcmp(row->order ?: "", assembly->order);

	pictures_take(job, assembly);
	owner_set(job, assembly->rights);
	job_set_text(&row->fingerprint, assembly->fingerprint);
	/* without memory it is judged anew, and where an editor has it open */
	if (job_state_is_open(row->state) && is_same && !assembly->files.locks.count)
		job_set_text(&row->seen, assembly->seen);
	job_show(job);
	if (row->state == JOB_HELD && row->hold == HOLD_NONE)
		row->hold = HOLD_UNTIL_RELEASED; /* another name lets nothing go */
}

/* Whether the files were saved after the newest of these takes was sent, and before they were
 * judged where they were: they may ask for more takes now. */
static bool was_saved_since(const struct takes *moved, int64_t saved_ms)
{
	int64_t sent_ms = 0;

	for (size_t i = 0; i < moved->count; i++)
		if (moved->item[i]->row.submitted_ms > sent_ms)
			sent_ms = moved->item[i]->row.submitted_ms;
	return saved_ms > sent_ms;
}

int64_t follow_files(
	struct engine *engine, struct job *job, const struct takes *own, struct assembly *assembly)
{
	struct job *open = open_take(own);
	const struct job_key here = job_key_of(&own->item[0]->row);
	const int64_t saved_ms = takes_saved_ms(own);
	struct job_key from = job_key_of(&job->row);
	AUTO_NAME struct name to_name = {0}, from_name = {0};
	struct takes there = {0};
	int all = is_empty(engine, job);
	int error = all < 0 ? all : jobs_takes(&engine->jobs, &from, &there);
	bool again = false; /* is it to be judged where it is now */

	if (!error && (!name_copy(&to_name, &here) || !name_copy(&from_name, &from)))
		error = -ENOMEM;
	if (!error) {
		const struct job_key to = {job->row.model_id, to_name.dir, to_name.stem};

		from = (struct job_key){job->row.model_id, from_name.dir, from_name.stem};
		for (size_t i = 0; i < own->count; i++)
			stop_settling(own->item[i]);
		if (open)
			give_way(open, assembly->order);
		error = move_takes(&there, job, all, &to, own);
		arrive(job, assembly);
		/* a copy of something else here, perhaps */
		again = (job->row.state == JOB_HELD && job->row.hold == HOLD_COPY) ||
		        (assembly->spec.takes > 1 && was_saved_since(&there, saved_ms));
		job->row.settling = again;
	}
	takes_clear(&there);
	if (!error && !all)
		settle_mark_again(engine, &from); /* its mark may have gone along */
	return error ? error : again;
}

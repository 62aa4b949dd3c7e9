#include "fs/engine/judge.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/config/config.h"
#include "fs/engine/apply.h"
#include "fs/engine/copies.h"
#include "fs/engine/core.h"
#include "fs/engine/follow.h"
#include "fs/engine/identity.h"
#include "fs/engine/lastlook.h"
#include "fs/engine/pictures.h"

#include <errno.h>
#include <string.h>

#define LATER_MS 100 /* beside the settle time */

/* A job that was sent, and whose files changed while nothing was mounted (settle.h): what they are
 * now is held. */
static bool is_marked_as_found(const struct job *job)
{
	return job->row.settling && job->row.hold == HOLD_UNTIL_RELEASED &&
	       !job_state_is_open(job->row.state) && job->row.state != JOB_CANCELLED;
}

/* No longer settling, with what it was judged to be. */
static void quiet(struct job *job)
{
	if (is_marked_as_found(job))
		job->row.hold = HOLD_NONE;
	job->row.settling = false;
	job_update(job);
}

static void all_quiet(const struct takes *takes)
{
	for (size_t i = 0; i < takes->count; i++)
		if (takes->item[i]->row.settling && !takes->item[i]->set.deleting)
			quiet(takes->item[i]);
}

/* ------------------------------------------------------------------ files that are gone */

/* What was to be sent while it settled was set aside. */
static void go_on(struct job *job)
{
	if ((job->row.state == JOB_QUEUED || job->row.state == JOB_UPLOADING) && !job->slots &&
		!job->ratelimit)
		job_set_state(job, JOB_QUEUED, job->row.problem, NULL);
}

/* Copies are held for the sake of the job whose files say the same; whichever take shows that
 * (after a retry it is the new one). */
static void judge_copies_of_all(const struct judging *judging)
{
	for (size_t i = 0; i < judging->own.count; i++)
		copies_judge(judging->engine, judging->own.item[i]);
}

/* A job that was ordered goes on without its files; one that was not is withdrawn. */
static void withdraw(const struct judging *judging)
{
	struct job *open = open_take(&judging->own);
	enum job_hold why;

	judge_copies_of_all(judging);
	all_quiet(&judging->own);
	if (!open)
		return;
	if (open->row.seen && !*open->row.seen) { /* it was made without them */
		go_on(open);
		return;
	}
	if (!open->row.fingerprint || open->row.state == JOB_WAITING ||
		open->row.state == JOB_REJECTED) {
		job_delete(open);
		return;
	}
	/* should they come back under another name, it matters why it was not sent */
	why = open->row.hold == HOLD_UNTIL_RELEASED ? HOLD_UNTIL_RELEASED : HOLD_GONE;
	job_set_state(open, JOB_CANCELLED, "Its files were removed before it was submitted.", NULL);
	open->row.hold = why;
}

/* ------------------------------------------------------------------ pictures by themselves */

/* Whether a spec of another name uses this picture, which is then no job of its own. */
static bool is_named_elsewhere(const struct judging *judging, const char *path)
{
	struct takes all;
	bool named = false;

	jobs_list(&judging->engine->jobs, JOB_STATES, &all);
	for (size_t i = 0; i < all.count && !named; i++) {
		const struct job_key key = job_key_of(&all.item[i]->row);

		named = all.item[i]->row.shown && job_key_compare(&key, &judging->key) != 0 &&
		        pictures_name(&all.item[i]->row, path);
	}
	takes_clear(&all);
	return named || journal_names_picture(judging->engine->jobs.journal, &judging->key, path);
}

static bool is_only_a_picture(const struct judging *judging)
{
	const struct job_files *files = &judging->assembly.files;

	if (files->spec || files->line || files->prompt)
		return false;
	return (!files->first_frame || is_named_elsewhere(judging, files->first_frame)) &&
	       (!files->last_frame || is_named_elsewhere(judging, files->last_frame));
}

/* ------------------------------------------------------------------ what follows */

/* The row the files go into: the one not sent yet, or a new take. NULL: no memory. */
static struct job *row_for(const struct judging *judging)
{
	const char *order = judging->assembly.order;
	struct job *open = open_take(&judging->own), *job;

	if (open && !must_stay(&open->row, order))
		return open;
	job = jobs_add_take(&judging->engine->jobs, &judging->key, &judging->own);
	if (!job)
		return NULL;
	job->row.saved_ms = takes_saved_ms(&judging->own);
	if (open) {
		job->row.hold = open->row.hold; /* found, perhaps, and not saved since */
		give_way(open, order);
	}
	job_show(job);
	return job;
}

/* The row that was not sent yet goes on as it is. A held copy keeps what it was seen as, too: let
 * go, it is judged by the defaults of then. */
static int64_t keep(struct judging *judging, const struct identification *id)
{
	struct job *job = id->take;
	int more = judging->assembly.spec.takes - id->sent - 1;
	/* nothing of it was sent, so the spec alone says how many, unless the user did */
	bool is_first = !id->sent && !id->over && !job->row.released;

	if (more > job->row.more || is_first)
		job->row.more = more;
	if (job->row.state != JOB_HELD || job->row.hold != HOLD_COPY) {
		job_set_text(&job->row.seen, judging->assembly.seen);
		pictures_take(&job->row, &judging->assembly);
		if (!job->row.seen)
			return -ENOMEM;
	}
	all_quiet(&judging->own);
	go_on(job);
	return 0;
}

/* The job goes back to a take of its own. */
static int64_t go_back(struct judging *judging, const struct identification *id)
{
	struct job *open = open_take(&judging->own), *job;
	int more = judging->assembly.spec.takes - id->sent - 1;

	if (!id->take->row.shown) /* the files say something else than they did */
		judge_copies_of_all(judging);
	job_show(id->take);
	all_quiet(&judging->own);
	if (open && open != id->take)
		give_way(open, judging->assembly.order);
	if (id->is != IDENTITY_SENT || id->over || more < 0) {
		/* they may have other names now */
		pictures_take(&id->take->row, &judging->assembly);
		return 0;
	}
	job = jobs_add_take(&judging->engine->jobs, &judging->key, &judging->own);
	if (!job)
		return LATER_MS;
	job_show(job);
	return apply(judging, job, id);
}

static int64_t hold_as_copy(struct judging *judging, const struct identification *id)
{
	struct job *job;

	judge_copies_of_all(judging);
	job = row_for(judging);
	all_quiet(&judging->own);
	return job ? apply(judging, job, id) : -ENOMEM;
}

/* Other files of its name may be about to be judged, by its mark. */
static void delete_elsewhere(struct engine *engine, struct job *job)
{
	const struct job_key key = job_key_of(&job->row);

	job_delete(job);
	settle_mark_again(engine, &key);
}

static int64_t order_new(struct judging *judging, const struct identification *id)
{
	struct job *job;

	if (id->take) /* its files left for here before it was sent */
		delete_elsewhere(judging->engine, id->take);
	judge_copies_of_all(judging);
	job = row_for(judging);
	if (!job)
		return -ENOMEM;
	all_quiet(&judging->own);
	return apply(judging, job, id);
}

static int64_t decide(struct judging *judging, const struct identification *id)
{
	switch (id->is) {
	case IDENTITY_UNDER_WAY: return keep(judging, id);
	case IDENTITY_SENT:
	case IDENTITY_ENDED: return go_back(judging, id);
	case IDENTITY_MOVED:
		judge_copies_of_all(judging);
		return follow_files(judging->engine, id->take, &judging->own, &judging->assembly);
	case IDENTITY_COPY: return hold_as_copy(judging, id);
	case IDENTITY_FORGOTTEN:
	case IDENTITY_NEW: break;
	}
	return order_new(judging, id);
}

static int64_t compare(struct judging *judging)
{
	struct identification id;
	int error =
		find_same_order(judging->engine, &judging->own, &judging->assembly, &judging->same);

	if (!error)
		error = identify(
			judging->engine, &judging->own, &judging->same, &judging->assembly, &id);
	for (size_t i = 0; i < judging->own.count && !error; i++)
		id.held = id.held || is_marked_as_found(judging->own.item[i]);
	return error ? error : decide(judging, &id);
}

/* 0, in how many ms to look again, or -errno. */
static int64_t look(struct judging *judging)
{
	struct engine *engine = judging->engine;
	int error = jobs_takes(&engine->jobs, &judging->key, &judging->own);

	if (error || !judging->own.count)
		return error; /* none: it went away with its files */
	error = assemble(&engine->tree, judging->settling->model, judging->key.dir,
		judging->key.stem, &judging->assembly);
	if (error)
		return error;
	if (files_are_busy(engine, &judging->assembly.files) ||
		pictures_are_busy(engine, judging->assembly.picture, judging->assembly.npictures))
		return -EBUSY;
	if (judging->assembly.files.count == 0 || is_only_a_picture(judging)) {
		withdraw(judging);
		return 0;
	}
	return compare(judging);
}

/* What cannot be looked at is said where nothing was sent yet; a file that is just being written,
 * or has gone this moment, is nothing to speak of. */
static void say_cannot_look(const struct judging *judging, int error)
{
	struct job *open = open_take(&judging->own);
	AUTO_FREE char *problem = NULL;

	if (error == -EBUSY || error == -ENOENT)
		return;
	log_warn("%s/%s: cannot be looked at now: %s", judging->key.dir, judging->key.stem,
		strerror(-error));
	problem = format("Its files cannot be looked at now: %s.", strerror(-error));
	if (open)
		job_say(open, problem, "It is looked at again, by itself, until it can be.");
}

int64_t judge(struct engine *engine, const struct settling *settling)
{
	struct judging judging = {.engine = engine,
		.settling = settling,
		.key = {settling->model->id, settling->dir, settling->stem}};
	int64_t again_ms = look(&judging);

	if (again_ms < 0) {
		say_cannot_look(&judging, (int)again_ms);
		settle_mark_again(engine, &judging.key); /* whatever was done of it before */
		again_ms = engine->setup.config->settle_ms + LATER_MS;
	}
	assembly_clear(&judging.assembly);
	takes_clear(&judging.same);
	takes_clear(&judging.own);
	return again_ms;
}

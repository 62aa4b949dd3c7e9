#include "fs/engine/judge.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/config/config.h"
#include "fs/engine/apply.h"
#include "fs/engine/chain.h"
#include "fs/engine/copies.h"
#include "fs/engine/core.h"
#include "fs/engine/editors.h"
#include "fs/engine/follow.h"
#include "fs/engine/identity.h"
#include "fs/engine/lastlook.h"
#include "fs/engine/owner.h"
#include "fs/engine/pictures.h"

#include <errno.h>
#include <string.h>

#define ORDERED_FACTOR 5     /* times the settle time, for a change to what was ordered */
#define LATER_MS       100   /* beside the settle time */
#define HASHED_MS      60000 /* when a picture is hashed, a message comes long before */

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

static bool is_on_its_way(const struct job *job)
{
	return job->row.state == JOB_QUEUED || job->row.state == JOB_UPLOADING;
}

/* What was to be sent while it settled was set aside. */
static void go_on(struct job *job)
{
	if (is_on_its_way(job) && !job->places && !job->ratelimit)
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
		chain_tell(judging->engine, &judging->key, true);
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
	struct takes naming;
	bool named = false;

	jobs_naming(&judging->engine->jobs, path, &naming);
	for (size_t i = 0; i < naming.count && !named; i++) {
		const struct job_key key = job_key_of(&naming.item[i]->row);

		named = naming.item[i]->row.shown && job_key_compare(&key, &judging->key) != 0;
	}
	takes_clear(&naming);
	return named || journal_names_picture(judging->engine->jobs.journal, &judging->key, path);
}

static bool is_only_a_picture(const struct judging *judging)
{
	const struct job_files *files = &judging->assembly.files;

	if (files->spec || files->line || files->prompt || files->astray)
		return false;
	for (size_t i = 0; i < files->nbeside; i++)
		if (!is_named_elsewhere(judging, files->beside[i].path))
			return false;
	return true;
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

/* Whether what is to be sent must wait for an editor; what was sent before is no half-written
 * prompt. */
static bool waits_for_editor(const struct judging *judging, const struct identification *id)
{
	return judging->assembly.files.locks.count && !id->take->row.released &&
	       !id->take->by_name && !id->sent && !id->over;
}

/* The row that was not sent yet goes on as it is. A held copy keeps what it was seen as, too: let
 * go, it is judged by the defaults of then; and so does what an editor has opened since: before it
 * is sent it is judged again. */
static int64_t keep(struct judging *judging, const struct identification *id)
{
	struct job *job = id->take;
	int more = judging->assembly.spec.takes - id->sent - 1;
	/* nothing of it was sent, so the spec alone says how many, unless the user did */
	bool is_first = !id->sent && !job->row.released, waits = waits_for_editor(judging, id);

	/* of what failed, only what the user does since makes another */
	if (!id->over && (more > job->row.more || is_first))
		job->row.more = more;
	if (!waits && (job->row.state != JOB_HELD || job->row.hold != HOLD_COPY)) {
		job_set_text(&job->row.seen, judging->assembly.seen);
		pictures_take(job, &judging->assembly);
		if (!job->row.seen)
			return -ENOMEM;
	}
	if (id->copied)
		copies_name(job, id->copied);
	all_quiet(&judging->own);
	if (waits && is_on_its_way(job))
		(void)editors_wait(judging->engine, job, &judging->assembly.files);
	else
		go_on(job);
	return 0;
}

/* The job goes back to a take of its own. */
static int64_t go_back(struct judging *judging, const struct identification *id)
{
	struct job *open = open_take(&judging->own), *job;
	int more = judging->assembly.spec.takes - id->sent - 1;
	struct identification next = *id;

	if (!id->take->row.shown) /* the files say something else than they did */
		judge_copies_of_all(judging);
	job_show(id->take);
	all_quiet(&judging->own);
	if (open && open != id->take)
		give_way(open, judging->assembly.order);
	if (id->is != IDENTITY_SENT || id->over || more < 0) {
		/* they may have other names now */
		pictures_take(id->take, &judging->assembly);
		return 0;
	}
	next.take = ordered_elsewhere(&judging->own, &judging->same, judging->assembly.order);
	if (next.take)
		next.is = IDENTITY_COPY;
	job = jobs_add_take(&judging->engine->jobs, &judging->key, &judging->own);
	if (!job)
		return LATER_MS;
	job_show(job);
	return apply(judging, job, &next);
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

static bool is_ordered(const struct takes *own)
{
	bool is = false;

	for (size_t i = 0; i < own->count; i++)
		is = is || job_state_is_paid(own->item[i]->row.state);
	return is;
}

/* Whether it would be an order that the user did not ask for by name, and of which he has not heard
 * yet that it waits. */
static bool makes_order(const struct judging *judging, const struct identification *id)
{
	const struct assembly *assembly = &judging->assembly;
	const struct job *open = open_take(&judging->own);
	bool more = id->is == IDENTITY_SENT && !id->over && assembly->spec.takes > id->sent;

	if ((id->is != IDENTITY_NEW && !more) || !*assembly->order || id->held)
		return false;
	return !open ||
	       (!open->row.asked && (open->row.state != JOB_WAITING || !open->row.order ||
					    strcmp(open->row.order, assembly->order) != 0));
}

/* A change to what was ordered is paid for as another take, and may be followed by the next one. In
 * how many ms it has been left alone for long enough; 0: it has, or it orders nothing. */
static int64_t think_over(const struct judging *judging, const struct identification *id)
{
	const struct engine *engine = judging->engine;
	int64_t quiet_ms = clock_steady_ms() - judging->settling->changed_ms;
	int64_t left_ms = ORDERED_FACTOR * engine->setup.config->settle_ms - quiet_ms;

	return left_ms > 0 && is_ordered(&judging->own) && makes_order(judging, id) ? left_ms : 0;
}

static int64_t decide(struct judging *judging, const struct identification *id)
{
	int64_t left_ms = think_over(judging, id);

	if (left_ms > 0)
		return left_ms; /* it settles until then */
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

static void set_owner(const struct judging *judging)
{
	for (size_t i = 0; i < judging->own.count; i++)
		if (!judging->own.item[i]->set.deleting)
			owner_set(judging->own.item[i], judging->assembly.rights);
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
	set_owner(judging);
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
	int64_t again_ms;

	hashing_for(engine->hashing, &judging.key);
	again_ms = look(&judging);
	hashing_for(engine->hashing, NULL);
	if (again_ms == -EINPROGRESS) {
		again_ms = HASHED_MS;
	} else if (again_ms < 0) {
		say_cannot_look(&judging, (int)again_ms);
		settle_mark_again(engine, &judging.key); /* whatever was done of it before */
		again_ms = engine->setup.config->settle_ms + LATER_MS;
	}
	assembly_clear(&judging.assembly);
	takes_clear(&judging.same);
	takes_clear(&judging.own);
	return again_ms;
}

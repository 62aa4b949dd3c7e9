/* commit.c - jobs_commit(): what changed becomes durable, then has its effects. */
#include "fs/engine/jobs.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/engine/core.h"
#include "fs/engine/table.h"
#include "fs/journal/record.h"

/* Notes are written once the row is durable, and may be lost with the process: until they are
 * there too, the journal owes them (announce_owed()). */
static int owe_note(struct journal *journal, const struct job *job)
{
	const struct job_key key = job_key_of(&job->row);
	const enum job_note note = job->set.deleting ? NOTE_NONE : job->row.note;
	const int64_t now = clock_wall_ms();
	int error = 0;

	if (job->set.left_note)
		error = journal_owe(journal, &job->set.left, now);
	if (!error && (note != job->set.shown_note || job->set.note_unsure ||
			      (note != NOTE_NONE && job->set.note_stale)))
		error = journal_owe(journal, &key, now);
	return error;
}

static int put_or_delete(struct journal *journal, struct job *job)
{
	int error;

	if (!job->set.deleting)
		job->row.note = job->row.shown ? record_note(&job->row) : NOTE_NONE;
	error = owe_note(journal, job);
	if (error)
		return error;
	if (job->set.deleting)
		return job->row.id ? journal_delete(journal, job->row.id) : 0;
	return journal_put(journal, &job->row);
}

static struct job *bring_in(struct jobs *jobs, int64_t id, int *error)
{
	struct job *job = jobs_find_id(jobs, id);
	struct job_row *row = job ? NULL : journal_row(jobs->journal, id, error);

	return row ? jobs_add(jobs, row) : job;
}

/* A name that lost the take it showed shows its newest, whose note is written after that. */
static int show_another(struct jobs *jobs, const struct job_key *key)
{
	int64_t id = 0;
	int error = journal_show_newest(jobs->journal, key, &id);
	struct job *job = error || !id ? NULL : bring_in(jobs, id, &error);

	if (!job)
		return error;
	job->row.shown = job->set.shown_again = true;
	job_commit_then(job, NULL);
	return journal_owe(jobs->journal, key, clock_wall_ms());
}

/* A name that a row has left, or is deleted from, shows another take. */
static int show_where_left(struct jobs *jobs, const struct job *job)
{
	const struct job_key key = job_key_of(&job->row);
	int error = job->set.left.model ? show_another(jobs, &job->set.left) : 0;

	return error || !job->set.deleting ? error : show_another(jobs, &key);
}

static int write_all(struct jobs *jobs)
{
	struct job *job;
	int error;

	TAILQ_FOREACH (job, &jobs->changed, set.changed_entry)
		if ((error = put_or_delete(jobs->journal, job)))
			return error;
	/* once every row has its name: the one shown may have come with others */
	TAILQ_FOREACH (job, &jobs->changed, set.changed_entry)
		if (job->set.becomes_shown && !job->set.deleting &&
			(error = journal_show(jobs->journal, &job->row)))
			return error;
	TAILQ_FOREACH (job, &jobs->changed, set.changed_entry)
		if ((error = show_where_left(jobs, job)))
			return error;
	return 0;
}

/* An event gets its number with the change that it tells of, so that no other ever gets it,
 * whatever crashes. */
static int number_events(struct jobs *jobs)
{
	int64_t *last = &jobs->engine->announcer.last_event, before = *last;
	struct job *job;

	TAILQ_FOREACH (job, &jobs->changed, set.changed_entry)
		if (!job->set.told && !job->set.deleting)
			job->set.event = ++*last;
	return *last == before ? 0 : journal_set_last_event(jobs->journal, *last);
}

/* A row given its id by a transaction that was rolled back has none. */
static void take_ids_back(struct jobs *jobs)
{
	struct job *job;

	TAILQ_FOREACH (job, &jobs->changed, set.changed_entry)
		if (!job->set.in_ids)
			job->row.id = 0;
}

static int write_changed(struct jobs *jobs)
{
	int error = journal_begin(jobs->journal);

	if (error)
		return error;
	error = write_all(jobs);
	if (!error)
		error = number_events(jobs);
	if (error)
		journal_rollback(jobs->journal);
	else
		error = journal_commit(jobs->journal);
	if (error)
		take_ids_back(jobs);
	return error;
}

static void committed(struct jobs *jobs, struct job *job)
{
	job->set.changed = job->set.becomes_shown = job->set.left_note = false;
	free((char *)(uintptr_t)job->set.left.dir);
	free((char *)(uintptr_t)job->set.left.stem);
	job->set.left = (struct job_key){0};
	free(TAKE(job->row.request));
	table_add_id(jobs, job);
}

static void act(struct jobs *jobs, struct job *job)
{
	job_action *action = job->set.next;

	if (job->set.shown_again) { /* with its note this time */
		job->set.shown_again = false;
		job_commit_then(job, NULL);
	}
	if (job->set.changed) /* another job's action changed it: it acts after its own commit */
		return;
	job->set.next = NULL;
	job->set.pins++; /* an action may look at other jobs, and let those that ended go */
	jobs->hooks->committed(jobs->engine, job);
	if (action && !job->set.deleting)
		action(jobs->engine, job);
	job->set.pins--;
	job_release(job);
}

int jobs_commit_last(struct jobs *jobs)
{
	return TAILQ_EMPTY(&jobs->changed) ? 0 : write_changed(jobs);
}

int jobs_commit(struct jobs *jobs)
{
	struct job *job;
	int error;

	while (!TAILQ_EMPTY(&jobs->changed)) {
		error = write_changed(jobs);
		if (error)
			return error;
		while ((job = TAILQ_FIRST(&jobs->changed))) {
			TAILQ_REMOVE(&jobs->changed, job, set.changed_entry);
			if (job->set.deleting) /* its note goes before that of who comes there */
				TAILQ_INSERT_HEAD(&jobs->acting, job, set.acting_entry);
			else
				TAILQ_INSERT_TAIL(&jobs->acting, job, set.acting_entry);
			job->set.acting = true;
			committed(jobs, job);
		}
		while ((job = TAILQ_FIRST(&jobs->acting))) {
			TAILQ_REMOVE(&jobs->acting, job, set.acting_entry);
			job->set.acting = false;
			act(jobs, job);
		}
	}
	return 0;
}

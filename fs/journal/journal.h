/*
 * journal.h - what must survive: every take and what was spent, in SQLite
 * (WAL, synchronous=FULL). The engine thread alone uses a struct journal; other
 * threads read the same file through view.h.
 *
 * The journal is never discarded. What can be read of a damaged one goes into a
 * new one, and it is kept beside that (salvage.h); one of which nothing can be
 * read, or that a newer kinofs has written, stops the start with a message that
 * says what to do.
 *
 * Functions return 0 or -errno (-ENOSPC, -EIO …), and log what SQLite said.
 */
#ifndef KINOFS_JOURNAL_JOURNAL_H
#define KINOFS_JOURNAL_JOURNAL_H

#include "fs/journal/job.h"
#include "spec/model.h"

#include <sqlite3.h>

#define JOURNAL_FILE "journal.db" /* in the store */
struct journal;

/* directory: the store's absolute path. models: for an upgrade (schema.h). NULL: the reason is
 * logged. *fresh: it was made now. */
struct journal *journal_open(const char *directory, const struct model_set *models, bool *fresh);
void journal_close(struct journal *journal);
/* Whether it was damaged, and may have lost what was paid for. */
bool journal_was_damaged(const struct journal *journal);

/* A transaction around everything put since. After an error nothing of it was kept. */
int journal_begin(struct journal *journal);
int journal_commit(struct journal *journal);
void journal_rollback(struct journal *journal);

/* Writes the whole row (a new one when id is 0: then id is set; or when its row was deleted); the
 * request only when it is not NULL; `shown` not at all. */
int journal_put(struct journal *journal, struct job_row *row);
/* The row becomes the one shown of its job. */
int journal_show(struct journal *journal, const struct job_row *row);
/* The newest row of a job becomes the one shown if none is; *id: of that row, else 0. */
int journal_show_newest(struct journal *journal, const struct job_key *key, int64_t *id);
int journal_delete(struct journal *journal, int64_t id);
/* Of every take of a job only what it was ordered for, what it cost and when it was forgotten is
 * kept, in a transaction of its own. One that has not ended is unknown then; that its note goes is
 * owed (journal_owe()). */
int journal_forget(struct journal *journal, const struct job_key *key, int64_t at_ms);

/* Rows, which the caller frees. */
struct rows {
	struct job_row **item;
	size_t count, room;
};
void rows_free(struct rows *rows);

/* Every take of a job, newest first, also those that were forgotten; -ENOMEM and -EIO leave *rows
 * empty. */
int journal_takes(struct journal *journal, const struct job_key *key, struct rows *rows);
/* Every row of this order, whatever became of it. */
int journal_same_order(struct journal *journal, const char *order, struct rows *rows);
/* Every row of files that say this, whatever the defaults were. */
int journal_same_files(struct journal *journal, const char *fingerprint, struct rows *rows);
/* Of the jobs that changed last, by how they are shown: the row that has a result of this path; 0:
 * none of them, or it cannot be read now. */
int64_t journal_maker(struct journal *journal, const char *path);
/* Every row with this task id, of whatever provider, also those that were forgotten. */
int journal_same_task(struct journal *journal, const char *task, struct rows *rows);
/* The row with this id; NULL: there is none (*error 0), or *error says why not. */
struct job_row *journal_row(struct journal *journal, int64_t id, int *error);
/* The request as text; the caller frees. NULL: none, or no memory. */
char *journal_request(struct journal *journal, int64_t id);

/* Calls back with each row, which the callback takes over; it may use the journal. */
typedef void journal_each(void *context, struct job_row *row);
/* Every row that is not at its end, or settling, in order of id. */
int journal_each_unfinished(struct journal *journal, journal_each *each, void *context);
/* Every take submitted since, whatever became of it. */
int journal_each_since(
	struct journal *journal, int64_t since_ms, journal_each *each, void *context);
/* The newest 1,000 rejected jobs that name this picture; path NULL: those of this model among the
 * newest 1,000 of any. */
int journal_each_rejected(struct journal *journal, const char *model, const char *path,
	journal_each *each, void *context);
/* Whether a rejected job has pictures; true also when the journal cannot be read. */
bool journal_rejected_pictures(struct journal *journal);
/* Whether another job of the same model names this picture; true also when the journal cannot be
 * read. */
bool journal_names_picture(struct journal *journal, const struct job_key *key, const char *path);
/* The stem of every job shown that may be a line of a batch: those that begin with "STEM-". The
 * callback may not use the journal. */
int journal_each_line(struct journal *journal, const struct job_key *batch,
	void (*each)(void *context, const char *stem), void *context);

/* A number that goes up with every start and every clean end; -1: cannot be read. */
int64_t journal_generation(struct journal *journal);
int journal_set_generation(struct journal *journal, int64_t generation);
/* The identity of the store; the caller frees. NULL: it has none yet, or cannot be read. */
char *journal_store(struct journal *journal);
int journal_set_store(struct journal *journal, const char *store);

/* The number of the last event (fs/engine/announce.h), 0 before the first; -1: cannot be read. */
int64_t journal_last_event(struct journal *journal);
/* Within the transaction of the changes that the events tell of. */
int journal_set_last_event(struct journal *journal, int64_t number);

/* What was submitted since: how many, and credits (really spent where known, else estimated). */
int journal_spending(struct journal *journal, int64_t since_ms, int64_t *jobs, double *credits);

/* An upload of the same bytes to the same host, not older than since_ms: its URL (the caller
 * frees) or NULL. */
char *journal_upload(
	struct journal *journal, const char *host, const char *sha256, int64_t since_ms);
int journal_put_upload(struct journal *journal, const char *host, const char *sha256,
	const char *url, int64_t at_ms);
/* This link of theirs is not to be used again. */
int journal_forget_upload(
	struct journal *journal, const char *host, const char *sha256, const char *url);

/* How long the last tasks of a model took, oldest first; how many. 0 also when it cannot be read.
 */
size_t journal_took(struct journal *journal, const char *model, int64_t *took_ms, size_t room);
/* Another one; of those of its model only the newest are kept. */
int journal_put_took(
	struct journal *journal, const char *model, int64_t took_ms, int64_t at_ms, int keep);

/* The note of this name in out/ is owed: from before its row changes until what was written there
 * is durable. Within the row's transaction. */
int journal_owe(struct journal *journal, const struct job_key *key, int64_t at_ms);
/* What was owed until then is there. */
int journal_settle_owed(struct journal *journal, int64_t until_ms);
/* Every name whose note is owed. each may read the journal; the key is its only while it is called.
 * 0 or -errno: perhaps not all of them. */
typedef void journal_each_key(void *context, const struct job_key *key);
int journal_each_owed(struct journal *journal, journal_each_key *each, void *context);

/* For view.c: the same rows over its own connection. The row of a statement that SELECTs the
 * JOURNAL_COLUMNS of statements.h first. One that can be read in part only is `damaged`, says so,
 * and is what orders nothing: running when it has a task and no end, waiting to be held when it was
 * never sent, else unknown. NULL: no memory. */
struct job_row *journal_read_row(sqlite3_stmt *statement);

#endif

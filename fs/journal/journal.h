/*
 * journal.h - what must survive: every take and what was spent, in SQLite
 * (WAL, synchronous=FULL). The engine thread alone uses a struct journal; other
 * threads read the same file through view.h.
 *
 * The journal is never discarded: one that is damaged, or written by a newer
 * kinofs, stops the start with a message that says what to do.
 */
#ifndef KINOFS_JOURNAL_JOURNAL_H
#define KINOFS_JOURNAL_JOURNAL_H

#include "fs/journal/job.h"

#include <sqlite3.h>

#define JOURNAL_FILE "journal.db" /* in the store */

struct journal;

/* directory: the store's absolute path. NULL: the reason is logged. *fresh: it was made now. */
struct journal *journal_open(const char *directory, bool *fresh);
void journal_close(struct journal *journal);

/* A transaction around everything put since. 0 or -ENOSPC, -EIO …: nothing of it was kept. */
int journal_begin(struct journal *journal);
int journal_commit(struct journal *journal);
void journal_rollback(struct journal *journal);

/* Writes the whole row (a new one when id is 0: then id is set; or when its row was deleted); the
 * request only when it is not NULL. 0 or -errno. */
int journal_put(struct journal *journal, struct job *job);
/* Removes one row. */
int journal_delete(struct journal *journal, const struct job *job);
/* Removes every take of a job. */
int journal_forget(struct journal *journal, const char *model, const char *dir, const char *stem);
/* Gives every take of a job another folder and stem. -EEXIST when that job has rows. */
int journal_rename(
	struct journal *journal, const struct job *job, const char *dir, const char *stem);

/* The newest take of a job, or its newest submitted one. NULL: none, *error 0; or *error -errno.
 * The caller frees. */
struct job *journal_newest(
	struct journal *journal, const char *model, const char *dir, const char *stem, int *error);
struct job *journal_newest_submitted(
	struct journal *journal, const char *model, const char *dir, const char *stem, int *error);
/* The request as text; the caller frees. NULL: none, or no memory. */
char *journal_request(struct journal *journal, int64_t id);

/* Every row that is not at its end, or settling, in order of id; each takes the job over. 0 or
 * -errno. */
int journal_each_live(
	struct journal *journal, void (*each)(void *context, struct job *job), void *context);
/* Whether the newest take of another job of the same model names this picture; true also when the
 * journal cannot be read. */
bool journal_names_picture(struct journal *journal, const struct job *job, const char *path);

/* The newest 1,000 rejected jobs that are of this model, or that name this picture (either may be
 * NULL); each takes the job over. 0 or -errno. */
int journal_each_rejected(struct journal *journal, const char *model, const char *path,
	void (*each)(void *context, struct job *job), void *context);
/* Whether a rejected job has pictures; true also when the journal cannot be read. */
bool journal_rejected_pictures(struct journal *journal);

/* How many takes of the jobs "STEM-…" of a folder were made from these bytes and did not fail; or
 * -errno. */
int journal_count_twins(struct journal *journal, const char *model, const char *dir,
	const char *stem, const char *fingerprint);

/* Every take submitted since, whatever became of it. */
int journal_each_since(struct journal *journal, int64_t since_ms,
	void (*each)(void *context, struct job *job), void *context);

/* A number that goes up with every start and every clean end; -1: cannot be read. */
int64_t journal_generation(struct journal *journal);
int journal_set_generation(struct journal *journal, int64_t generation);

/* What was submitted since: how many, and credits (really spent where known, else estimated). */
int journal_spending(struct journal *journal, int64_t since_ms, int64_t *jobs, double *credits);

/* An upload of the same bytes to the same host, not older than since_ms: its URL (the caller
 * frees) or NULL. */
char *journal_upload(
	struct journal *journal, const char *host, const char *sha256, int64_t since_ms);
int journal_put_upload(struct journal *journal, const char *host, const char *sha256,
	const char *url, int64_t at_ms);

/* For view.c: the same rows over its own connection. */
int journal_check_version(sqlite3 *db);
/* The columns journal_read_row() takes, for SELECT … FROM job. */
extern const char journal_columns[];
/* A job from the current row of a statement over journal_columns. NULL: no memory. */
struct job *journal_read_row(sqlite3_stmt *statement);

#endif

/*
 * journal.h - what must survive: every take and what was spent, in SQLite
 * (WAL, synchronous=FULL). The engine thread alone uses a struct journal; other
 * threads read the same file through view.h.
 *
 * The journal is never discarded: one that is damaged, or written by a newer
 * kinofs, stops the start with a message that says what to do.
 *
 * Functions return 0 or -errno (-ENOSPC, -EIO …), and log what SQLite said.
 */
#ifndef KINOFS_JOURNAL_JOURNAL_H
#define KINOFS_JOURNAL_JOURNAL_H

#include "fs/journal/job.h"
#include "spec/model.h"

#include <sqlite3.h>

#define JOURNAL_FILE "journal.db" /* in the store */
#define JOURNAL_DAMAGED_ADVICE                                                                     \
	"Nothing was changed. Restore it from a backup, or move it away: then every spec in the "  \
	"tree is held, and nothing is submitted by itself."

struct journal;

/* directory: the store's absolute path. models: for an upgrade (schema.h). NULL: the reason is
 * logged. *fresh: it was made now. */
struct journal *journal_open(const char *directory, const struct model_set *models, bool *fresh);
void journal_close(struct journal *journal);

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
 * kept. */
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
/* The newest 1,000 rejected jobs that are of this model, or that name this picture (either may be
 * NULL). */
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

/* What was submitted since: how many, and credits (really spent where known, else estimated). */
int journal_spending(struct journal *journal, int64_t since_ms, int64_t *jobs, double *credits);

/* An upload of the same bytes to the same host, not older than since_ms: its URL (the caller
 * frees) or NULL. */
char *journal_upload(
	struct journal *journal, const char *host, const char *sha256, int64_t since_ms);
int journal_put_upload(struct journal *journal, const char *host, const char *sha256,
	const char *url, int64_t at_ms);

/* For view.c: the same rows over its own connection. The row of a statement that SELECTs the
 * JOURNAL_COLUMNS of statements.h first. NULL: no memory, or no such row was ever written. */
struct job_row *journal_read_row(sqlite3_stmt *statement);

#endif

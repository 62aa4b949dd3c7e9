/* journal_sql.h - what journal.c and journal_read.c share: statements, made when first used. */
#ifndef KINOFS_JOURNAL_STATEMENTS_H
#define KINOFS_JOURNAL_STATEMENTS_H

#include "fs/journal/journal.h"

/* The columns of a job but for the request, in the order journal_read_row() takes them. */
#define JOURNAL_COLUMNS                                                                            \
	"id, model, dir, stem, take, state, hold, note, settling, removed, released, fingerprint," \
	" pictures, outputs, estimate, spent, task, provider_state, progress, problem, advice,"    \
	" created, submitted, accepted, finished, changed, links_until, came_from"

#define JOURNAL_KEY "model = ?1 AND dir = ?2 AND stem = ?3"

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	INSERT,
	UPDATE,
	PUT_REQUEST,
	UNMARK_OLDER,
	DELETE_ROW,
	MARK_NEWEST,
	FORGET,
	RENAME,
	NEWEST,
	NEWEST_SUBMITTED,
	REQUEST,
	SPENDING,
	SINCE, /* only its text is used */
	TWINS,
	NAMES_PICTURE,
	REJECTED, /* only its text is used */
	REJECTED_PICTURES,
	GENERATION,
	PUT_GENERATION,
	UPLOAD,
	PUT_UPLOAD,
	STATEMENTS,
};

struct journal {
	sqlite3 *db;
	sqlite3_stmt *prepared[STATEMENTS];
};

#define JOURNAL_VERSION 2 /* PRAGMA user_version; a higher one was written by a newer kinofs */

extern const char journal_schema[];
/* What makes a journal of version i one of version i + 1. */
extern const char *const journal_upgrades[JOURNAL_VERSION];
extern const char *const journal_sql[STATEMENTS];

/* SQLite's result as -errno; logs it. */
int journal_failure(struct journal *journal, int result, const char *what);
/* The statement, ready to be bound. NULL: logged. */
sqlite3_stmt *journal_use(struct journal *journal, enum statement which);
/* Runs a statement that returns no rows, and makes it ready for its next use. 0 or -errno. */
int journal_run(struct journal *journal, enum statement which);

/* Texts and names are not copied, so that binding cannot fail for want of memory and leave a NULL
 * where a task id was: they must outlive the step. */
void journal_bind_text(sqlite3_stmt *statement, int index, const char *text);
/* Folder and file names are bytes, not text: any encoding a user's tools produce. */
void journal_bind_name(sqlite3_stmt *statement, int index, const char *name);
void journal_bind_key(
	sqlite3_stmt *statement, const char *model, const char *dir, const char *stem);
/* A column as a copy the caller frees; NULL: no value, or no memory. */
char *journal_column_text(sqlite3_stmt *statement, int column);

#endif

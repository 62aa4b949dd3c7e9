/*
 * statements.h - what is said to SQLite, for the files of this room: the
 * columns of a row in one table, and statements that are prepared when first
 * used. The thread of the struct journal only.
 */
#ifndef KINOFS_JOURNAL_STATEMENTS_H
#define KINOFS_JOURNAL_STATEMENTS_H

#include "fs/journal/journal.h"

/*
 * The columns of a row but for the request and `shown`, which have statements of their own:
 * COLUMN(name in SQL, kind, member of struct job_row, needed). A row whose needed text cannot be
 * read for want of memory is not read at all: without it, something could be paid for once more.
 */
#define JOURNAL_ROW(COLUMN)                                                                        \
	COLUMN(model, TEXT, model_id, true)                                                        \
	COLUMN(dir, NAME, dir, true)                                                               \
	COLUMN(stem, NAME, stem, true)                                                             \
	COLUMN(take, INT, take, false)                                                             \
	COLUMN(state, STATE, state, true)                                                          \
	COLUMN(hold, INT, hold, false)                                                             \
	COLUMN(note, INT, note, false)                                                             \
	COLUMN(settling, BOOL, settling, false)                                                    \
	COLUMN(asked, BOOL, asked, false)                                                          \
	COLUMN(released, BOOL, released, false)                                                    \
	COLUMN(more, INT, more, false)                                                             \
	COLUMN(fingerprint, TEXT, fingerprint, true)                                               \
	COLUMN(order_key, TEXT, order, true)                                                       \
	COLUMN(seen, TEXT, seen, true)                                                             \
	COLUMN(pictures, PICTURES, picture, true)                                                  \
	COLUMN(outputs, OUTPUTS, output, true)                                                     \
	COLUMN(estimate, NUMBER, estimate, false)                                                  \
	COLUMN(spent, NUMBER, spent, false)                                                        \
	COLUMN(task, TEXT, task, true)                                                             \
	COLUMN(provider_state, TEXT, provider_state, false)                                        \
	COLUMN(progress, INT, progress, false)                                                     \
	COLUMN(problem, TEXT, problem, false)                                                      \
	COLUMN(advice, TEXT, advice, false)                                                        \
	COLUMN(created, INT64, created_ms, false)                                                  \
	COLUMN(submitted, INT64, submitted_ms, false)                                              \
	COLUMN(accepted, INT64, accepted_ms, false)                                                \
	COLUMN(finished, INT64, finished_ms, false)                                                \
	COLUMN(changed, INT64, changed_ms, false)                                                  \
	COLUMN(links_until, INT64, links_until_ms, false)                                          \
	COLUMN(saved, INT64, saved_ms, false)                                                      \
	COLUMN(forgotten, INT64, forgotten_ms, false)                                              \
	COLUMN(rights, TEXT, rights, false)

enum column_kind {
	COLUMN_TEXT,
	COLUMN_NAME, /* bytes of a file's name: any encoding a user's tools produce */
	COLUMN_INT,  /* also an enum */
	COLUMN_BOOL,
	COLUMN_INT64,
	COLUMN_NUMBER, /* a double; NULL is NAN */
	COLUMN_STATE,
	COLUMN_PICTURES, /* JSON; the count stands beside the array */
	COLUMN_OUTPUTS,
};

struct column {
	const char *name;
	enum column_kind kind;
	size_t offset; /* in struct job_row */
	bool needed;
};

extern const struct column journal_column[];
extern const int journal_column_count;

/* For SELECT: what journal_read_row() takes, from the first column on. */
#define COLUMN_NAME_(name, kind, member, needed) ", " #name
#define JOURNAL_COLUMNS                          "id, shown" JOURNAL_ROW(COLUMN_NAME_)

#define JOURNAL_KEY "model = ?1 AND dir = ?2 AND stem = ?3"
/* Word for word the condition of the index job_unfinished, so that it is used. */
#define JOURNAL_ENDED      "('done', 'rejected', 'failed', 'unknown', 'cancelled')"
#define JOURNAL_UNFINISHED "(settling = 1 OR state NOT IN " JOURNAL_ENDED ")"

/* The state of a take whose row was lost (salvage.h): none, so that it is set aside. */
#define JOURNAL_UNREAD "damaged"

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	PUT,
	PUT_REQUEST,
	SHOW,
	HIDE_OTHERS,
	SHOW_NEWEST,
	DELETE_ROW,
	FORGET,
	ONE,
	TAKES,
	SAME_ORDER,
	REQUEST,
	SPENDING,
	SINCE,
	OWE,
	OWED,
	SETTLE_OWED,
	UNFINISHED,
	LINES,
	NAMES_PICTURE,
	REJECTED_OF_MODEL,
	REJECTED_WITH_PICTURE,
	REJECTED_PICTURES,
	GENERATION,
	PUT_GENERATION,
	STORE,
	PUT_STORE,
	LAST_EVENT,
	PUT_LAST_EVENT,
	UPLOAD,
	PUT_UPLOAD,
	FORGET_UPLOAD,
	SAME_TASK,
	SAME_FILES,
	MAKER,
	TOOK,
	PUT_TOOK,
	DROP_TOOK,
	/* of view.c */
	RECORD,
	RECORD_OF_TAKE,
	OTHER_TAKES,
	KNOWS,
	RIGHTS,
	STEMS_FROM,
	RECORDS,
	HAS_FOLDER,
	NEXT_FOLDER,
	SHOWN_ENDED,
	USUALLY_TOOK,
	FIRST_SUBMITTED,
	SPENT,
	ORDERED_BY_MODEL,
	UNFINISHED_BY_STATE,
	/* of gallery.c: a page of rows, their request and what they are in order of */
	GALLERY_LIVE,
	GALLERY_RECENT,
	GALLERY_ORDERED,
	GALLERY_UNSENT,
	DATA_VERSION,
	STATEMENTS,
};

/* One connection: the engine's, or a view's. */
struct journal {
	sqlite3 *db;
	sqlite3_stmt *prepared[STATEMENTS];
	bool was_damaged;
};

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
void journal_bind_name(sqlite3_stmt *statement, int index, const char *name);
void journal_bind_key(sqlite3_stmt *statement, const struct job_key *key); /* ?1 to ?3 */
/* A column as a copy the caller frees; NULL: no value, or no memory. */
char *journal_column_text(sqlite3_stmt *statement, int column);

#endif

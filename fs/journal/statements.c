#include "fs/journal/statements.h"

#include "fs/base/array.h"
#include "fs/base/log.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define COLUMN_ENTRY(name, kind, member, needed)                                                   \
	{#name, COLUMN_##kind, offsetof(struct job_row, member), needed},

const struct column journal_column[] = {JOURNAL_ROW(COLUMN_ENTRY)};
const int journal_column_count = COUNT(journal_column);

#define COLUMN_PLACE(name, kind, member, needed) ", ?"
#define COLUMN_SET(name, kind, member, needed)   ", " #name " = excluded." #name

const char *const journal_sql[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	/* a row that was deleted meanwhile comes back: what goes on must be in the journal */
	[PUT] = "INSERT INTO job (" JOURNAL_COLUMNS ") VALUES (?, 0" JOURNAL_ROW(
		COLUMN_PLACE) ") ON CONFLICT (id) DO UPDATE SET id = id" JOURNAL_ROW(COLUMN_SET),
	[PUT_REQUEST] = "UPDATE job SET request = ?2 WHERE id = ?1",
	[SHOW] = "UPDATE job SET shown = 1 WHERE id = ?1 AND shown = 0",
	[HIDE_OTHERS] = "UPDATE job SET shown = 0 WHERE " JOURNAL_KEY " AND id <> ?4 AND shown = 1",
	[SHOW_NEWEST] = "UPDATE job SET shown = 1 WHERE id = (SELECT id FROM job WHERE " JOURNAL_KEY
			" AND forgotten = 0 ORDER BY take DESC LIMIT 1) AND NOT EXISTS"
			" (SELECT 1 FROM job WHERE " JOURNAL_KEY " AND shown = 1) RETURNING id",
	[DELETE_ROW] = "DELETE FROM job WHERE id = ?1",
	/* what was sent stays, for its order and for the caps; only that */
	[FORGET] =
		"UPDATE job SET forgotten = ?4, shown = 0, settling = 0, note = 0, request = NULL,"
		" pictures = NULL, outputs = NULL, problem = NULL, advice = NULL WHERE " JOURNAL_KEY
		" AND forgotten = 0",
	[ONE] = "SELECT " JOURNAL_COLUMNS " FROM job WHERE id = ?1",
	[TAKES] = "SELECT " JOURNAL_COLUMNS " FROM job WHERE " JOURNAL_KEY " ORDER BY take DESC",
	[SAME_ORDER] = "SELECT " JOURNAL_COLUMNS " FROM job WHERE order_key = ?1 ORDER BY id",
	[REQUEST] = "SELECT request FROM job WHERE id = ?1",
	[SPENDING] = /* a refused create has neither task nor cost */
	"SELECT total(task IS NOT NULL OR state IN ('submitting', 'unknown')),"
	" total(coalesce(spent, estimate, 0)) FROM job"
	" WHERE submitted > 0 AND submitted >= ?1",
	[SINCE] = "SELECT " JOURNAL_COLUMNS " FROM job WHERE submitted > 0 AND submitted >= ?1",
	[UNFINISHED] =
		"SELECT " JOURNAL_COLUMNS " FROM job WHERE " JOURNAL_UNFINISHED " ORDER BY id",
	[LINES] = "SELECT stem FROM job WHERE model = ?1 AND dir = ?2 AND stem >= ?3 AND stem < ?4"
		  " AND shown = 1",
	/* ?4 as it stands in the JSON; path names of other encodings are never named by a spec */
	[NAMES_PICTURE] = "SELECT 1 FROM job WHERE model = ?1 AND shown = 1 AND (dir <> ?2 OR"
			  " stem <> ?3) AND instr(pictures, ?4) LIMIT 1",
	[REJECTED] = "SELECT " JOURNAL_COLUMNS " FROM (SELECT * FROM job WHERE shown = 1 AND"
		     " state = 'rejected' ORDER BY id DESC LIMIT 1000)"
		     " WHERE model = ?1 OR instr(pictures, ?2)",
	[REJECTED_PICTURES] = "SELECT 1 FROM job WHERE shown = 1 AND state = 'rejected' AND"
			      " pictures IS NOT NULL LIMIT 1",
	[GENERATION] = "SELECT generation FROM run",
	[PUT_GENERATION] = "UPDATE run SET generation = ?1",
	[STORE] = "SELECT store FROM run",
	[PUT_STORE] = "UPDATE run SET store = ?1",
	[UPLOAD] = "SELECT url FROM upload WHERE host = ?1 AND sha256 = ?2 AND at >= ?3",
	[PUT_UPLOAD] = "INSERT OR REPLACE INTO upload VALUES (?1, ?2, ?3, ?4)",
};

int journal_failure(struct journal *journal, int result, const char *what)
{
	static const struct {
		int result, error;
	} map[] = {{SQLITE_FULL, ENOSPC}, {SQLITE_NOMEM, ENOMEM}, {SQLITE_READONLY, EROFS},
		{SQLITE_BUSY, EBUSY}};

	log_error("journal: %s: %s", what, sqlite3_errmsg(journal->db));
	if ((result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB)
		log_error("the journal is damaged. " JOURNAL_DAMAGED_ADVICE);
	for (size_t i = 0; i < COUNT(map); i++)
		if (map[i].result == (result & 0xff))
			return -map[i].error;
	return -EIO;
}

sqlite3_stmt *journal_use(struct journal *journal, enum statement which)
{
	sqlite3_stmt **statement = &journal->prepared[which];

	if (!*statement && sqlite3_prepare_v3(journal->db, journal_sql[which], -1,
				   SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK)
		(void)journal_failure(
			journal, SQLITE_ERROR, journal_sql[which]); /* NULL: the step fails */
	return *statement;
}

int journal_run(struct journal *journal, enum statement which)
{
	sqlite3_stmt *statement = journal_use(journal, which);
	int result = statement ? sqlite3_step(statement) : SQLITE_ERROR;
	int error = 0;

	if (result != SQLITE_DONE && result != SQLITE_ROW)
		error = journal_failure(journal, result, journal_sql[which]);
	if (statement) {
		(void)sqlite3_reset(statement); /* repeats the step's result, seen above */
		(void)sqlite3_clear_bindings(statement);
	}
	return error;
}

void journal_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	(void)sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC); /* statements.h */
}

void journal_bind_name(sqlite3_stmt *statement, int index, const char *name)
{
	(void)sqlite3_bind_blob(statement, index, name, (int)strlen(name), SQLITE_STATIC);
}

void journal_bind_key(sqlite3_stmt *statement, const struct job_key *key)
{
	journal_bind_text(statement, 1, key->model);
	journal_bind_name(statement, 2, key->dir);
	journal_bind_name(statement, 3, key->stem);
}

char *journal_column_text(sqlite3_stmt *statement, int column)
{
	const void *bytes = sqlite3_column_blob(statement, column);

	if (!bytes)
		return sqlite3_column_type(statement, column) == SQLITE_NULL ? NULL : strdup("");
	return strndup(bytes, (size_t)sqlite3_column_bytes(statement, column));
}

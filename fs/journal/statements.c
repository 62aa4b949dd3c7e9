#include "fs/journal/statements.h"

#include "fs/base/array.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/journal/sound.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* In this order: SQLite begins the search at the first lower bound it reads, and the second one is
 * only there for the index job_submitted to be used. */
#define SUBMITTED_SINCE " WHERE submitted >= ?1 AND submitted > 0"

/* A refused create has neither task nor cost; what is no state may be any. */
#define ORDERED                                                                                    \
	"(task IS NOT NULL OR state NOT IN ('waiting', 'held', 'queued', 'uploading',"             \
	" 'running', 'downloading', 'done', 'rejected', 'failed', 'cancelled'))"

#define REJECTED_LOOKED_AT "1000" /* when a file comes that may mend them */
#define MAKERS_LOOKED_AT   "1000" /* for the one that made a file of which its name says nothing */
#define ENDED_SHOWN        "1000" /* in jobs.json; jobs/ has them all */

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
		"UPDATE job SET forgotten = ?4, state = CASE WHEN state IN " JOURNAL_ENDED
		" THEN state ELSE 'unknown' END, shown = 0, settling = 0, note = 0, request = NULL,"
		" pictures = NULL, outputs = NULL, problem = NULL, advice = NULL WHERE " JOURNAL_KEY
		" AND forgotten = 0",
	[ONE] = "SELECT " JOURNAL_COLUMNS " FROM job WHERE id = ?1",
	[TAKES] = "SELECT " JOURNAL_COLUMNS " FROM job WHERE " JOURNAL_KEY " ORDER BY take DESC",
	[SAME_ORDER] = "SELECT " JOURNAL_COLUMNS " FROM job WHERE order_key = ?1 ORDER BY id",
	[REQUEST] = "SELECT request FROM job WHERE id = ?1",
	[SPENDING] = "SELECT total(" ORDERED
		     "), total(coalesce(spent, estimate, 0)) FROM job" SUBMITTED_SINCE,
	[SINCE] = "SELECT " JOURNAL_COLUMNS " FROM job" SUBMITTED_SINCE,
	[OWE] = "INSERT OR REPLACE INTO owed VALUES (?1, ?2, ?3, ?4)",
	[OWED] = "SELECT model, dir, stem FROM owed",
	[SETTLE_OWED] = "DELETE FROM owed WHERE at <= ?1",
	[UNFINISHED] =
		"SELECT " JOURNAL_COLUMNS " FROM job WHERE " JOURNAL_UNFINISHED " ORDER BY id",
	[LINES] = "SELECT stem FROM job WHERE model = ?1 AND dir = ?2 AND stem >= ?3 AND stem < ?4"
		  " AND shown = 1",
	[NAMES_PICTURE] = "SELECT 1 FROM picture CROSS JOIN job ON job.id = picture.job WHERE"
			  " picture.rejected IN (0, 1) AND picture.path = ?4 AND model = ?1 AND"
			  " (dir <> ?2 OR stem <> ?3) LIMIT 1",
	[REJECTED_OF_MODEL] = "SELECT " JOURNAL_COLUMNS " FROM (SELECT * FROM job WHERE shown = 1"
			      " AND state = 'rejected' ORDER BY id DESC LIMIT " REJECTED_LOOKED_AT
			      ") WHERE model = ?1",
	[REJECTED_WITH_PICTURE] =
		"SELECT " JOURNAL_COLUMNS " FROM job WHERE id IN (SELECT job FROM picture WHERE"
		" rejected = 1 AND path = ?1) ORDER BY id DESC LIMIT " REJECTED_LOOKED_AT,
	[REJECTED_PICTURES] = "SELECT 1 FROM picture WHERE rejected = 1 LIMIT 1",
	[GENERATION] = "SELECT generation FROM run",
	[PUT_GENERATION] = "UPDATE run SET generation = ?1",
	[STORE] = "SELECT store FROM run",
	[PUT_STORE] = "UPDATE run SET store = ?1",
	[LAST_EVENT] = "SELECT last FROM event WHERE one = 1",
	[PUT_LAST_EVENT] = "INSERT OR REPLACE INTO event VALUES (1, ?1)",
	[UPLOAD] = "SELECT url FROM upload WHERE host = ?1 AND sha256 = ?2 AND at >= ?3",
	[PUT_UPLOAD] = "INSERT OR REPLACE INTO upload VALUES (?1, ?2, ?3, ?4)",
	[FORGET_UPLOAD] = "DELETE FROM upload WHERE host = ?1 AND sha256 = ?2 AND url = ?3",
	/* those of a model are few */
	[TOOK] = "SELECT ms FROM took WHERE model = ?1 ORDER BY rowid",
	[PUT_TOOK] = "INSERT INTO took VALUES (?1, ?2, ?3)",
	[DROP_TOOK] = "DELETE FROM took WHERE model = ?1 AND rowid <= (SELECT rowid FROM took WHERE"
		      " model = ?1 ORDER BY rowid DESC LIMIT 1 OFFSET ?2)",
	[SAME_TASK] = "SELECT " JOURNAL_COLUMNS " FROM job WHERE task = ?1 ORDER BY id",
	[MAKER] = "SELECT take.id FROM (SELECT model, dir, stem FROM job WHERE shown = 1 ORDER BY"
		  " changed DESC LIMIT " MAKERS_LOOKED_AT ") CROSS JOIN job AS take USING (model,"
		  " dir, stem) WHERE instr(take.outputs, '\"' || ?1 || '\"') > 0 LIMIT 1",
	[SAME_FILES] = "SELECT " JOURNAL_COLUMNS " FROM job WHERE fingerprint = ?1 ORDER BY id",

	[RECORD] = "SELECT " JOURNAL_COLUMNS ", request FROM job WHERE " JOURNAL_KEY
		   " AND shown = 1 ORDER BY take DESC LIMIT 1",
	[RECORD_OF_TAKE] = "SELECT " JOURNAL_COLUMNS ", request FROM job WHERE id = ?1",
	[OTHER_TAKES] = "SELECT " JOURNAL_COLUMNS " FROM job WHERE " JOURNAL_KEY
			" AND shown = 0 AND forgotten = 0 ORDER BY take DESC LIMIT 100",
	[KNOWS] = "SELECT 1 FROM job WHERE " JOURNAL_KEY " AND shown = 1 LIMIT 1",
	[RIGHTS] = "SELECT rights FROM job WHERE " JOURNAL_KEY " AND shown = 1 LIMIT 1",
	[STEMS_FROM] = "SELECT stem FROM job WHERE model = ?1 AND dir = ?2 AND stem >= ?3"
		       " AND shown = 1 ORDER BY stem",
	[RECORDS] = "SELECT id, stem FROM job WHERE model = ?1 AND dir = ?2 AND shown = 1"
		    " AND id > ?3 ORDER BY id",
	[HAS_FOLDER] = "SELECT 1 FROM job WHERE model = ?1 AND shown = 1 AND dir = ?2 LIMIT 1",
	[NEXT_FOLDER] = "SELECT dir FROM job WHERE model = ?1 AND shown = 1 AND dir > ?2"
			" ORDER BY dir LIMIT 1",
	/* the middle one, of some: what is known of fewer is luck */
	[USUALLY_TOOK] = "SELECT ms FROM took WHERE model = ?1 AND (SELECT count(*) FROM took WHERE"
			 " model = ?1) >= 3 ORDER BY ms LIMIT 1 OFFSET"
			 " (SELECT count(*) / 2 FROM took WHERE model = ?1)",
	[FIRST_SUBMITTED] = "SELECT min(submitted) FROM job WHERE submitted > 0",
	/* rights are UID:GID:MODE, of which a cast reads what is a number */
	[SPENT] = "SELECT date(submitted / 1000, 'unixepoch', 'localtime') AS day, model, dir,"
		  " CAST(rights AS INTEGER) AS uid, count(*), total(estimate),"
		  " total(coalesce(spent, estimate)), total(spent IS NULL),"
		  " total(CASE WHEN spent IS NULL THEN estimate END) FROM job" SUBMITTED_SINCE
		  " AND submitted < ?2 AND " ORDERED " GROUP BY day, model, dir, uid",
	[ORDERED_BY_MODEL] =
		"SELECT model, count(*), total(coalesce(spent, estimate)) FROM job" SUBMITTED_SINCE
		" AND submitted < ?2 AND " ORDERED " GROUP BY model",
	[UNFINISHED_BY_STATE] = "SELECT model, state, count(*) FROM job INDEXED BY job_unfinished"
				" WHERE " JOURNAL_UNFINISHED " AND state NOT IN " JOURNAL_ENDED
				" GROUP BY model, state",
	[GALLERY_LIVE] =
		"SELECT " JOURNAL_COLUMNS ", request, id FROM job WHERE " JOURNAL_UNFINISHED
		" AND id > ?2 ORDER BY id LIMIT ?4",
	[GALLERY_RECENT] = "SELECT " JOURNAL_COLUMNS ", request, changed FROM job WHERE shown = 1"
			   " AND settling = 0 AND state IN " JOURNAL_ENDED " AND (changed, id) <"
			   " (?1, ?2) ORDER BY changed DESC, id DESC LIMIT ?4",
	[GALLERY_ORDERED] = "SELECT " JOURNAL_COLUMNS ", request, submitted FROM job WHERE"
			    " (submitted, id) > (?1, ?2) AND submitted > 0 AND submitted < ?3 AND"
			    " forgotten = 0 ORDER BY submitted, id LIMIT ?4",
	[GALLERY_UNSENT] = "SELECT " JOURNAL_COLUMNS ", request, changed FROM job WHERE shown = 1"
			   " AND (changed, id) > (?1, ?2) AND changed < ?3 AND state IN"
			   " " JOURNAL_ENDED " AND NOT coalesce(submitted, 0) > 0 ORDER BY changed,"
			   " id LIMIT ?4",
	/* another one whenever another connection has committed something */
	[DATA_VERSION] = "PRAGMA data_version",
	[SHOWN_ENDED] = "SELECT " JOURNAL_COLUMNS " FROM job WHERE shown = 1 AND settling = 0 AND"
			" state IN " JOURNAL_ENDED " ORDER BY changed DESC LIMIT " ENDED_SHOWN,
};

int journal_failure(struct journal *journal, int result, const char *what)
{
	static const struct {
		int result, error;
	} map[] = {{SQLITE_FULL, ENOSPC}, {SQLITE_NOMEM, ENOMEM}, {SQLITE_READONLY, EROFS},
		{SQLITE_BUSY, EBUSY}};

	log_error("journal: %s: %s", what, sqlite3_errmsg(journal->db));
	if ((result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB) {
		log_error("the journal is damaged; what can be read of it is saved when it is "
			  "mounted again");
		sound_suspect(sqlite3_db_filename(journal->db, "main"));
	}
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
	return copy_bytes(bytes, (size_t)sqlite3_column_bytes(statement, column));
}

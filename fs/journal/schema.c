/* journal_sql.c - what is said to SQLite. */
#include "fs/journal/statements.h"

#define INDEX_REJECTED                                                                             \
	"CREATE INDEX job_rejected ON job (id) WHERE latest = 1 AND state = 'rejected';"

/* `latest` marks the newest take of a job, so that listings and look-ups touch one row a job. */
const char journal_schema[] =
	"BEGIN IMMEDIATE;" /* all or nothing: a crash in between leaves an empty file */
	"CREATE TABLE job ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" model TEXT NOT NULL, dir BLOB NOT NULL, stem BLOB NOT NULL, take INTEGER NOT NULL,"
	" latest INTEGER NOT NULL DEFAULT 1, state TEXT NOT NULL, hold INTEGER NOT NULL,"
	" note INTEGER NOT NULL, settling INTEGER NOT NULL, removed INTEGER NOT NULL,"
	" released INTEGER NOT NULL, fingerprint TEXT, request TEXT, pictures TEXT, outputs TEXT,"
	" estimate REAL, spent REAL, task TEXT, provider_state TEXT, progress INTEGER,"
	" problem TEXT, advice TEXT, created INTEGER, submitted INTEGER, accepted INTEGER,"
	" finished INTEGER, changed INTEGER, links_until INTEGER, came_from BLOB);"
	"CREATE UNIQUE INDEX job_key ON job (model, dir, stem, take);"
	"CREATE INDEX job_latest ON job (model, dir, id) WHERE latest = 1;"
	"CREATE INDEX job_changed ON job (changed) WHERE latest = 1;"
	"CREATE INDEX job_submitted ON job (submitted) WHERE submitted > 0;"
	"CREATE INDEX job_live ON job (id) WHERE settling = 1 OR state NOT IN"
	" ('done', 'rejected', 'failed', 'unknown', 'cancelled');" INDEX_REJECTED
	"CREATE TABLE run (generation INTEGER NOT NULL);"
	"INSERT INTO run VALUES (0);"
	"CREATE TABLE upload (host TEXT NOT NULL, sha256 TEXT NOT NULL, url TEXT NOT NULL,"
	" at INTEGER NOT NULL, PRIMARY KEY (host, sha256)) WITHOUT ROWID;"
	"PRAGMA user_version = 2;"
	"COMMIT;";

const char *const journal_upgrades[JOURNAL_VERSION] = {
	NULL, /* an empty file gets the schema */
	"BEGIN IMMEDIATE;"
	"ALTER TABLE job ADD COLUMN came_from BLOB;" INDEX_REJECTED "PRAGMA user_version = 2;"
	"COMMIT;",
};

const char journal_columns[] = JOURNAL_COLUMNS;

const char *const journal_sql[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	/* ?1 is the id in both, so that one function binds either */
	[INSERT] = "INSERT INTO job (" JOURNAL_COLUMNS
		   ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
		   " ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25,"
		   " ?26, ?27, ?28)",
	[UPDATE] = "UPDATE job SET model = ?2, dir = ?3, stem = ?4, take = ?5, state = ?6,"
		   " hold = ?7, note = ?8, settling = ?9, removed = ?10, released = ?11,"
		   " fingerprint = ?12, pictures = ?13, outputs = ?14, estimate = ?15, spent = ?16,"
		   " task = ?17, provider_state = ?18, progress = ?19, problem = ?20,"
		   " advice = ?21, created = ?22, submitted = ?23, accepted = ?24, finished = ?25,"
		   " changed = ?26, links_until = ?27, came_from = ?28 WHERE id = ?1",
	[PUT_REQUEST] = "UPDATE job SET request = ?2 WHERE id = ?1",
	[UNMARK_OLDER] =
		"UPDATE job SET latest = 0 WHERE " JOURNAL_KEY " AND id <> ?4 AND latest = 1",
	[DELETE_ROW] = "DELETE FROM job WHERE id = ?1",
	[MARK_NEWEST] =
		"UPDATE job SET latest = 1 WHERE id = (SELECT id FROM job WHERE " JOURNAL_KEY
		" ORDER BY take DESC LIMIT 1)",
	[FORGET] = "DELETE FROM job WHERE " JOURNAL_KEY,
	[RENAME] = "UPDATE job SET dir = ?4, stem = ?5 WHERE " JOURNAL_KEY,
	[NEWEST] = "SELECT " JOURNAL_COLUMNS " FROM job WHERE " JOURNAL_KEY
		   " ORDER BY take DESC LIMIT 1",
	[NEWEST_SUBMITTED] = "SELECT " JOURNAL_COLUMNS " FROM job WHERE " JOURNAL_KEY
			     " AND submitted > 0 ORDER BY take DESC LIMIT 1",
	[REQUEST] = "SELECT request FROM job WHERE id = ?1",
	[SPENDING] = /* a refused create has neither task nor cost */
	"SELECT total(task IS NOT NULL OR state IN ('submitting', 'unknown')),"
	" total(coalesce(spent, estimate, 0)) FROM job"
	" WHERE submitted > 0 AND submitted >= ?1",
	[SINCE] = "SELECT " JOURNAL_COLUMNS " FROM job WHERE submitted > 0 AND submitted >= ?1",
	[TWINS] = "SELECT count(*) FROM job WHERE model = ?1 AND dir = ?2 AND stem >= ?3"
		  " AND stem < ?4 AND fingerprint = ?5 AND submitted > 0 AND removed = 0"
		  " AND state <> 'failed'",
	/* ?4 as it stands in the JSON; path names of other encodings are never named by a spec */
	[NAMES_PICTURE] = "SELECT 1 FROM job WHERE model = ?1 AND latest = 1 AND (dir <> ?2 OR"
			  " stem <> ?3) AND instr(pictures, ?4) LIMIT 1",
	[REJECTED] = "SELECT " JOURNAL_COLUMNS " FROM (SELECT * FROM job WHERE latest = 1 AND"
		     " state = 'rejected' ORDER BY id DESC LIMIT 1000)"
		     " WHERE model = ?1 OR instr(pictures, ?2)",
	[REJECTED_PICTURES] = "SELECT 1 FROM job WHERE latest = 1 AND state = 'rejected' AND"
			      " pictures IS NOT NULL LIMIT 1",
	[GENERATION] = "SELECT generation FROM run",
	[PUT_GENERATION] = "UPDATE run SET generation = ?1",
	[UPLOAD] = "SELECT url FROM upload WHERE host = ?1 AND sha256 = ?2 AND at >= ?3",
	[PUT_UPLOAD] = "INSERT OR REPLACE INTO upload VALUES (?1, ?2, ?3, ?4)",
};

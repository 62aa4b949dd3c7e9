#include "fs/journal/schema.h"

#include "fs/base/cleanup.h"
#include "fs/base/digest.h"
#include "fs/base/json.h"
#include "fs/base/log.h"
#include "fs/journal/statements.h"
#include "spec/order.h"

#include <string.h>

/*
 * `shown` marks the take that a job's files stand for, so that listings touch one row a job.
 * (model, dir, stem, take) is no UNIQUE index: takes change places when files do.
 */
#define INDEXES                                                                                    \
	"CREATE INDEX job_key ON job (model, dir, stem, take);"                                    \
	"CREATE INDEX job_shown ON job (model, dir, id) WHERE shown = 1;"                          \
	"CREATE INDEX job_changed ON job (changed) WHERE shown = 1;"                               \
	"CREATE INDEX job_submitted ON job (submitted) WHERE submitted > 0;"                       \
	"CREATE INDEX job_unfinished ON job (id) WHERE " JOURNAL_UNFINISHED ";"                    \
	"CREATE INDEX job_rejected ON job (id) WHERE shown = 1 AND state = 'rejected';"            \
	"CREATE INDEX job_order ON job (order_key) WHERE order_key IS NOT NULL;"

/*
 * The pictures that the take shown of each job names, by their paths. SQLite itself keeps them in
 * step with the rows, so that a kinofs that does not know of them does too: they came after format
 * 3 did. json_valid(): a text that is no JSON must not keep a row from being written. DISTINCT, for
 * one picture may be named twice: "OR IGNORE" does not count within an upsert, whose own way with
 * conflicts goes before it (https://www.sqlite.org/lang_createtrigger.html).
 */
#define PICTURES_OF(row)                                                                           \
	"SELECT DISTINCT json_extract(" row ".pictures, each.fullkey || '.path') AS path"          \
	" FROM json_each(CASE WHEN json_valid(" row ".pictures) THEN " row                         \
	".pictures ELSE '[]' END) AS each"
#define ADD_PICTURES(row)                                                                          \
	"INSERT OR IGNORE INTO picture SELECT " row ".state = 'rejected', path, " row              \
	".id FROM (" PICTURES_OF(row) ") WHERE path IS NOT NULL AND " row ".shown = 1;"
#define REMOVE_PICTURES(row)                                                                       \
	"DELETE FROM picture WHERE rejected = (" row ".state = 'rejected') AND job = " row         \
	".id AND path IN (" PICTURES_OF(row) ");"

static const char picture_table[] =
	"DROP TRIGGER IF EXISTS picture_new; DROP TRIGGER IF EXISTS picture_gone;"
	"DROP TRIGGER IF EXISTS picture_changed; DROP TABLE IF EXISTS picture;"
	"CREATE TABLE picture (rejected INTEGER NOT NULL, path TEXT NOT NULL,"
	" job INTEGER NOT NULL, PRIMARY KEY (rejected, path, job)) WITHOUT ROWID;"
	"INSERT OR IGNORE INTO picture SELECT rejected, path, id FROM"
	" (SELECT job.state = 'rejected' AS rejected, job.id AS id,"
	" json_extract(job.pictures, each.fullkey || '.path') AS path FROM job,"
	" json_each(CASE WHEN json_valid(job.pictures) THEN job.pictures ELSE '[]' END) AS each"
	" WHERE shown = 1) WHERE path IS NOT NULL;"
	"CREATE TRIGGER picture_new AFTER INSERT ON job WHEN NEW.pictures IS NOT NULL"
	" BEGIN " ADD_PICTURES(
		"NEW") " END;"
		       "CREATE TRIGGER picture_gone AFTER DELETE ON job WHEN OLD.pictures IS NOT NULL"
		       " BEGIN " REMOVE_PICTURES(
			       "OLD") " END;"
				      "CREATE TRIGGER picture_changed AFTER UPDATE OF pictures, shown, state ON job"
				      " WHEN coalesce(OLD.pictures, NEW.pictures) IS NOT NULL AND"
				      " (OLD.pictures IS NOT NEW.pictures OR OLD.shown <> NEW.shown OR OLD.state <> NEW.state)"
				      " BEGIN " REMOVE_PICTURES("OLD") ADD_PICTURES("NEW") " END;";

static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE job ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" model TEXT NOT NULL, dir BLOB NOT NULL, stem BLOB NOT NULL, take INTEGER NOT NULL,"
	" shown INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL, hold INTEGER NOT NULL,"
	" note INTEGER NOT NULL, settling INTEGER NOT NULL, released INTEGER NOT NULL,"
	" fingerprint TEXT, request TEXT, pictures TEXT, outputs TEXT,"
	" estimate REAL, spent REAL, task TEXT, provider_state TEXT, progress INTEGER,"
	" problem TEXT, advice TEXT, created INTEGER, submitted INTEGER, accepted INTEGER,"
	" finished INTEGER, changed INTEGER, links_until INTEGER,"
	" order_key TEXT, seen TEXT, asked INTEGER NOT NULL DEFAULT 0,"
	" more INTEGER NOT NULL DEFAULT 0, saved INTEGER NOT NULL DEFAULT 0,"
	" forgotten INTEGER NOT NULL DEFAULT 0, rights TEXT);" INDEXES
	"CREATE TABLE run (generation INTEGER NOT NULL, store TEXT);"
	"INSERT INTO run VALUES (0, NULL);"
	"CREATE TABLE upload (host TEXT NOT NULL, sha256 TEXT NOT NULL, url TEXT NOT NULL,"
	" at INTEGER NOT NULL, PRIMARY KEY (host, sha256)) WITHOUT ROWID;"
	"PRAGMA user_version = 3;"
	"COMMIT;";

/* Came after format 3 did; a kinofs that does not know of them keeps the indexes up to date all the
 * same, and can do without the tables. */
static const char added[] =
	"CREATE INDEX IF NOT EXISTS job_task ON job (task) WHERE task IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS job_files ON job (fingerprint) WHERE fingerprint IS NOT NULL;"
	"CREATE TABLE IF NOT EXISTS took (model TEXT NOT NULL, ms INTEGER NOT NULL,"
	" at INTEGER NOT NULL);"
	"CREATE INDEX IF NOT EXISTS took_model ON took (model, ms);"
	"CREATE TABLE IF NOT EXISTS owed (model TEXT NOT NULL, dir BLOB NOT NULL,"
	" stem BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (model, dir, stem)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS event (one INTEGER PRIMARY KEY, last INTEGER NOT NULL);";

/* Format 1 knew neither came_from nor the index of rejected jobs; format 2 had both, and dropped
 * the former again. So both become format 3 by the same steps. */
static const char to_format_3[] =
	"DROP INDEX IF EXISTS job_key; DROP INDEX IF EXISTS job_latest;"
	"DROP INDEX IF EXISTS job_changed; DROP INDEX IF EXISTS job_submitted;"
	"DROP INDEX IF EXISTS job_live; DROP INDEX IF EXISTS job_rejected;"
	"ALTER TABLE job RENAME COLUMN latest TO shown;"
	"ALTER TABLE job DROP COLUMN removed;"
	"ALTER TABLE job ADD COLUMN order_key TEXT;"
	"ALTER TABLE job ADD COLUMN seen TEXT;"
	"ALTER TABLE job ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE job ADD COLUMN more INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE job ADD COLUMN saved INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE job ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE run ADD COLUMN store TEXT;";

/* The order that a sent request was, by the journal's pictures. NULL: not known, or no memory. */
static char *order_of(const struct model *model, const char *request, const char *pictures)
{
	AUTO_JSON cJSON *body = request ? cJSON_Parse(request) : NULL;
	AUTO_JSON cJSON *list = pictures ? cJSON_Parse(pictures) : NULL;
	AUTO_FREE struct spec_digest *digest = NULL;
	AUTO_FREE char *text = NULL;
	const cJSON *item;
	size_t count = 0;
	char hex[DIGEST_HEX_BYTES];

	digest = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*digest));
	if (!body || !digest)
		return NULL;
	cJSON_ArrayForEach (item, list) {
		if (json_text(item, "field") && json_text(item, "sha256"))
			digest[count++] = (struct spec_digest){
				json_text(item, "field"), json_text(item, "sha256")};
	}
	if (spec_order_text(model, body, digest, count, &text) < 0)
		return NULL;
	return digest_bytes(text, strlen(text), hex) == 0 ? strdup(hex) : NULL;
}

static int note_order(sqlite3_stmt *put, sqlite3_stmt *row, const struct model_set *models)
{
	const struct model *model = models_find(models, (const char *)sqlite3_column_text(row, 1));
	AUTO_FREE char *order = NULL;
	int result;

	if (!model)
		return SQLITE_OK;
	order = order_of(model, (const char *)sqlite3_column_text(row, 2),
		(const char *)sqlite3_column_text(row, 3));
	if (!order)
		return SQLITE_OK;
	(void)sqlite3_bind_int64(put, 1, sqlite3_column_int64(row, 0)); /* a number always fits */
	journal_bind_text(put, 2, order);
	result = sqlite3_step(put);
	(void)sqlite3_reset(put); /* repeats the step's result */
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

static int note_orders(sqlite3 *db, const struct model_set *models)
{
	sqlite3_stmt *row = NULL, *put = NULL;
	int result = sqlite3_prepare_v2(db,
		"SELECT id, model, request, pictures FROM job WHERE submitted > 0", -1, &row, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_prepare_v2(
			db, "UPDATE job SET order_key = ?2 WHERE id = ?1", -1, &put, NULL);
	while (result == SQLITE_OK && (result = sqlite3_step(row)) == SQLITE_ROW)
		result = note_order(put, row, models);
	(void)sqlite3_finalize(row); /* repeats the step's result */
	(void)sqlite3_finalize(put);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

static int from_older(sqlite3 *db, int version, const struct model_set *models)
{
	int result = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	log_info("the journal becomes one of format %d; with many jobs this takes a while",
		JOURNAL_VERSION);
	if (result == SQLITE_OK)
		result = sqlite3_exec(db, to_format_3, NULL, NULL, NULL);
	if (result == SQLITE_OK && version == 2)
		result = sqlite3_exec(
			db, "ALTER TABLE job DROP COLUMN came_from;", NULL, NULL, NULL);
	if (result == SQLITE_OK)
		result = note_orders(db, models);
	if (result == SQLITE_OK)
		result = sqlite3_exec(
			db, INDEXES "PRAGMA user_version = 3; COMMIT", NULL, NULL, NULL);
	if (result != SQLITE_OK)
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* the result says it */
	return result;
}

/* Also whether its triggers are the ones of today. */
static bool has_pictures(sqlite3 *db)
{
	static const char wanted[] =
		"SELECT 1 FROM sqlite_schema WHERE type = 'trigger'"
		" AND name = 'picture_changed' AND instr(sql, 'DISTINCT')"
		" AND EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'picture')";
	sqlite3_stmt *statement = NULL;
	bool has = sqlite3_prepare_v2(db, wanted, -1, &statement, NULL) == SQLITE_OK &&
	           sqlite3_step(statement) == SQLITE_ROW;

	(void)sqlite3_finalize(statement); /* what went wrong is met again by what follows */
	return has;
}

static int add_pictures(sqlite3 *db)
{
	int result = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_exec(db, picture_table, NULL, NULL, NULL);
	if (result == SQLITE_OK)
		result = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (result != SQLITE_OK)
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* the result says it */
	return result;
}

/* Came after format 3 did; a kinofs that does not know of it leaves it alone. */
static int add_rights(sqlite3 *db)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(db, "SELECT rights FROM job", -1, &statement, NULL);

	(void)sqlite3_finalize(statement); /* it was not run */
	return result == SQLITE_OK ? SQLITE_OK
	                           : sqlite3_exec(db, "ALTER TABLE job ADD COLUMN rights TEXT",
					     NULL, NULL, NULL);
}

int schema_upgrade(sqlite3 *db, int version, const struct model_set *models)
{
	int result = SQLITE_OK;

	if (version == 0)
		result = sqlite3_exec(db, schema, NULL, NULL, NULL);
	else if (version != JOURNAL_VERSION)
		result = from_older(db, version, models);
	if (result == SQLITE_OK && !has_pictures(db))
		result = add_pictures(db);
	if (result == SQLITE_OK)
		result = add_rights(db);
	return result == SQLITE_OK ? sqlite3_exec(db, added, NULL, NULL, NULL) : result;
}

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
	" forgotten INTEGER NOT NULL DEFAULT 0);" INDEXES
	"CREATE TABLE run (generation INTEGER NOT NULL, store TEXT);"
	"INSERT INTO run VALUES (0, NULL);"
	"CREATE TABLE upload (host TEXT NOT NULL, sha256 TEXT NOT NULL, url TEXT NOT NULL,"
	" at INTEGER NOT NULL, PRIMARY KEY (host, sha256)) WITHOUT ROWID;"
	"PRAGMA user_version = 3;"
	"COMMIT;";

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
	digest_bytes(text, strlen(text), hex);
	return strdup(hex);
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

int schema_upgrade(sqlite3 *db, int version, const struct model_set *models)
{
	if (version == JOURNAL_VERSION)
		return SQLITE_OK;
	return version == 0 ? sqlite3_exec(db, schema, NULL, NULL, NULL)
	                    : from_older(db, version, models);
}

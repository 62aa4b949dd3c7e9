#include "fs/job/journal.h"

#include "fs/base/log.h"
#include "spec/cleanup.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define VERSION 1 /* PRAGMA user_version; a higher one was written by a newer kinofs */

/* `latest` marks the newest take of a job, so that listings and look-ups touch one row a job. */
static const char schema[] =
	"CREATE TABLE job ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" model TEXT NOT NULL, dir BLOB NOT NULL, stem BLOB NOT NULL, take INTEGER NOT NULL,"
	" latest INTEGER NOT NULL DEFAULT 1, state TEXT NOT NULL, hold INTEGER NOT NULL,"
	" note INTEGER NOT NULL, settling INTEGER NOT NULL, removed INTEGER NOT NULL,"
	" released INTEGER NOT NULL, fingerprint TEXT, request TEXT, pictures TEXT, outputs TEXT,"
	" estimate REAL, spent REAL, task TEXT, provider_state TEXT, progress INTEGER,"
	" problem TEXT, advice TEXT, created INTEGER, submitted INTEGER, accepted INTEGER,"
	" finished INTEGER, changed INTEGER, links_until INTEGER);"
	"CREATE UNIQUE INDEX job_key ON job (model, dir, stem, take);"
	"CREATE INDEX job_latest ON job (model, dir, id) WHERE latest = 1;"
	"CREATE INDEX job_changed ON job (changed) WHERE latest = 1;"
	"CREATE INDEX job_submitted ON job (submitted) WHERE submitted > 0;"
	"CREATE INDEX job_live ON job (id) WHERE settling = 1 OR state NOT IN"
	" ('done', 'rejected', 'failed', 'unknown', 'cancelled');"
	"CREATE TABLE upload (host TEXT NOT NULL, sha256 TEXT NOT NULL, url TEXT NOT NULL,"
	" at INTEGER NOT NULL, PRIMARY KEY (host, sha256)) WITHOUT ROWID;"
	"PRAGMA user_version = 1;";

#define COLUMNS                                                                                    \
	"id, model, dir, stem, take, state, hold, note, settling, removed, released, fingerprint," \
	" pictures, outputs, estimate, spent, task, provider_state, progress, problem, advice,"    \
	" created, submitted, accepted, finished, changed, links_until"

const char journal_columns[] = COLUMNS;

#define KEY "model = ?1 AND dir = ?2 AND stem = ?3"

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
	UPLOAD,
	PUT_UPLOAD,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	/* ?1 is the id in both, so that one function binds either */
	[INSERT] = "INSERT INTO job (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
		   " ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25,"
		   " ?26, ?27)",
	[UPDATE] = "UPDATE job SET model = ?2, dir = ?3, stem = ?4, take = ?5, state = ?6,"
		   " hold = ?7, note = ?8, settling = ?9, removed = ?10, released = ?11,"
		   " fingerprint = ?12, pictures = ?13, outputs = ?14, estimate = ?15, spent = ?16,"
		   " task = ?17, provider_state = ?18, progress = ?19, problem = ?20,"
		   " advice = ?21, created = ?22, submitted = ?23, accepted = ?24, finished = ?25,"
		   " changed = ?26, links_until = ?27 WHERE id = ?1",
	[PUT_REQUEST] = "UPDATE job SET request = ?2 WHERE id = ?1",
	[UNMARK_OLDER] = "UPDATE job SET latest = 0 WHERE " KEY " AND id <> ?4 AND latest = 1",
	[DELETE_ROW] = "DELETE FROM job WHERE id = ?1",
	[MARK_NEWEST] = "UPDATE job SET latest = 1 WHERE id = (SELECT id FROM job WHERE " KEY
			" ORDER BY take DESC LIMIT 1)",
	[FORGET] = "DELETE FROM job WHERE " KEY,
	[RENAME] = "UPDATE job SET dir = ?4, stem = ?5 WHERE " KEY,
	[NEWEST] = "SELECT " COLUMNS " FROM job WHERE " KEY " ORDER BY take DESC LIMIT 1",
	[NEWEST_SUBMITTED] = "SELECT " COLUMNS " FROM job WHERE " KEY
			     " AND submitted > 0 ORDER BY take DESC LIMIT 1",
	[REQUEST] = "SELECT request FROM job WHERE id = ?1",
	[SPENDING] = /* a refused create has neither task nor cost */
		     "SELECT total(task IS NOT NULL OR state IN ('submitting', 'unknown')),"
		     " total(coalesce(spent, estimate, 0)) FROM job"
		     " WHERE submitted > 0 AND submitted >= ?1",
	[UPLOAD] = "SELECT url FROM upload WHERE host = ?1 AND sha256 = ?2 AND at >= ?3",
	[PUT_UPLOAD] = "INSERT OR REPLACE INTO upload VALUES (?1, ?2, ?3, ?4)",
};

struct journal {
	sqlite3 *db;
	sqlite3_stmt *prepared[STATEMENTS];
};

/* SQLite's result as an errno; logs what is neither success nor an ordinary end. */
static int failure(struct journal *journal, int result, const char *what)
{
	static const struct {
		int result, error;
	} map[] = {{SQLITE_FULL, ENOSPC}, {SQLITE_NOMEM, ENOMEM}, {SQLITE_READONLY, EROFS},
		{SQLITE_BUSY, EBUSY}, {SQLITE_CONSTRAINT, EEXIST}};

	log_error("journal: %s: %s", what, sqlite3_errmsg(journal->db));
	for (size_t i = 0; i < sizeof(map) / sizeof(*map); i++)
		if (map[i].result == (result & 0xff))
			return -map[i].error;
	return -EIO;
}

static sqlite3_stmt *use(struct journal *journal, enum statement which)
{
	sqlite3_stmt **statement = &journal->prepared[which];

	if (!*statement && sqlite3_prepare_v3(journal->db, sql[which], -1,
				   SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK)
		(void)failure(journal, SQLITE_ERROR, sql[which]); /* NULL: the step fails */
	return *statement;
}

/* Runs a statement that returns no rows, and makes it ready for its next use. */
static int run(struct journal *journal, enum statement which)
{
	sqlite3_stmt *statement = use(journal, which);
	int result = statement ? sqlite3_step(statement) : SQLITE_ERROR;
	int error = 0;

	if (result != SQLITE_DONE && result != SQLITE_ROW)
		error = failure(journal, result, sql[which]);
	if (statement) {
		(void)sqlite3_reset(statement); /* repeats the step's result, seen above */
		(void)sqlite3_clear_bindings(statement);
	}
	return error;
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	(void)sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT); /* see bind_row() */
}

/* Folder and file names are bytes, not text: any encoding a user's tools produce. */
static void bind_name(sqlite3_stmt *statement, int index, const char *name)
{
	(void)sqlite3_bind_blob(statement, index, name, (int)strlen(name), SQLITE_TRANSIENT);
}

static void bind_key(
	sqlite3_stmt *statement, const char *model, const char *dir, const char *stem)
{
	bind_text(statement, 1, model);
	bind_name(statement, 2, dir);
	bind_name(statement, 3, stem);
}

static void bind_number(sqlite3_stmt *statement, int index, double number)
{
	if (isnan(number))
		(void)sqlite3_bind_null(statement, index);
	else
		(void)sqlite3_bind_double(statement, index, number);
}

static int bind_json(sqlite3_stmt *statement, int index, const cJSON *json)
{
	AUTO_FREE char *text = NULL;

	if (!json)
		return sqlite3_bind_null(statement, index);
	text = cJSON_PrintUnformatted(json);
	if (!text)
		return SQLITE_NOMEM;
	return sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

/* ------------------------------------------------------------------ opening */

int journal_check_version(sqlite3 *db)
{
	sqlite3_stmt *statement = NULL;
	int version = -1;

	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		version = sqlite3_column_int(statement, 0);
	(void)sqlite3_finalize(statement); /* repeats the step's result */
	return version;
}

static bool is_sound(struct journal *journal)
{
	sqlite3_stmt *statement = NULL;
	bool sound = false;

	/* the schema and every page's header; a full integrity_check reads all of a large journal */
	if (sqlite3_prepare_v2(journal->db, "SELECT count(*) FROM sqlite_schema", -1, &statement,
		    NULL) == SQLITE_OK)
		sound = sqlite3_step(statement) == SQLITE_ROW;
	(void)sqlite3_finalize(statement); /* repeats the step's result */
	return sound;
}

static int set_up(struct journal *journal, const char *path, bool *fresh)
{
	int version;

	sqlite3_extended_result_codes(journal->db, 1);
	(void)sqlite3_busy_timeout(journal->db, 5000); /* a backup being taken; 0 means success */
	if (!is_sound(journal)) {
		log_error("the journal %s is damaged: %s. Nothing was changed. Restore it from a "
			  "backup, or move it away: then every spec in the tree is held, and nothing "
			  "is submitted by itself.",
			path, sqlite3_errmsg(journal->db));
		return -EIO;
	}
	version = journal_check_version(journal->db);
	if (version > VERSION) {
		log_error("the journal %s was written by a newer kinofs (format %d, this one knows "
			  "%d): install that version again",
			path, version, VERSION);
		return -EPROTONOSUPPORT;
	}
	*fresh = version == 0;
	if (sqlite3_exec(journal->db,
		    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		    "PRAGMA wal_autocheckpoint = 1000; PRAGMA cache_size = -1024;",
		    NULL, NULL, NULL) != SQLITE_OK ||
		(*fresh && sqlite3_exec(journal->db, schema, NULL, NULL, NULL) != SQLITE_OK)) {
		log_error("the journal %s cannot be written: %s", path, sqlite3_errmsg(journal->db));
		return -EIO;
	}
	return 0;
}

struct journal *journal_open(const char *directory, bool *fresh)
{
	AUTO_FREE char *path = NULL;
	struct journal *journal = calloc(1, sizeof(*journal));

	if (!journal || asprintf(&path, "%s/" JOURNAL_FILE, directory) < 0) {
		log_error("no memory for the journal");
		free(journal);
		return NULL;
	}
	if (sqlite3_open_v2(path, &journal->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
		SQLITE_OK) {
		log_error("cannot open the journal %s: %s", path, sqlite3_errmsg(journal->db));
		journal_close(journal);
		return NULL;
	}
	if (set_up(journal, path, fresh) < 0) {
		journal_close(journal);
		return NULL;
	}
	return journal;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize(journal->prepared[i]); /* repeats old results */
	if (sqlite3_close(journal->db) != SQLITE_OK)
		log_warn("journal: close: %s", sqlite3_errmsg(journal->db));
	free(journal);
}

int journal_begin(struct journal *journal)
{
	return run(journal, BEGIN);
}

int journal_commit(struct journal *journal)
{
	int error = run(journal, COMMIT);

	if (error)
		journal_rollback(journal);
	return error;
}

void journal_rollback(struct journal *journal)
{
	if (!sqlite3_get_autocommit(journal->db)) /* a failed COMMIT may have rolled back itself */
		(void)run(journal, ROLLBACK);     /* logged; the caller already has an error */
}

/* ------------------------------------------------------------------ writing */

static void bind_times(sqlite3_stmt *statement, int index, const struct job *job)
{
	const int64_t times[] = {job->created_ms, job->submitted_ms, job->accepted_ms,
		job->finished_ms, job->changed_ms, job->links_until_ms};

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		(void)sqlite3_bind_int64(statement, index + (int)i, times[i]); /* numbers always fit */
}

/* In the order of journal_columns. Numbers cannot fail to bind; texts only for want of memory,
 * which the NOT NULL columns or the step then report. */
static int bind_row(sqlite3_stmt *statement, const struct job *job)
{
	const int numbers[] = {job->hold, job->note, job->settling, job->removed, job->released};

	if (job->id)
		(void)sqlite3_bind_int64(statement, 1, job->id);
	bind_text(statement, 2, job->model_id);
	bind_name(statement, 3, job->dir);
	bind_name(statement, 4, job->stem);
	(void)sqlite3_bind_int(statement, 5, job->take);
	bind_text(statement, 6, job_state_name(job->state));
	for (int i = 0; i < 5; i++)
		(void)sqlite3_bind_int(statement, 7 + i, numbers[i]);
	bind_text(statement, 12, job->fingerprint);
	if (bind_json(statement, 13, job->pictures) || bind_json(statement, 14, job->outputs))
		return -ENOMEM;
	bind_number(statement, 15, job->estimate);
	bind_number(statement, 16, job->spent);
	bind_text(statement, 17, job->task);
	bind_text(statement, 18, job->provider_state);
	(void)sqlite3_bind_int(statement, 19, job->progress);
	bind_text(statement, 20, job->problem);
	bind_text(statement, 21, job->advice);
	bind_times(statement, 22, job);
	return 0;
}

static int put_request(struct journal *journal, const struct job *job)
{
	sqlite3_stmt *statement = use(journal, PUT_REQUEST);

	if (!statement)
		return -EIO;
	(void)sqlite3_bind_int64(statement, 1, job->id);
	bind_text(statement, 2, job->request);
	return run(journal, PUT_REQUEST);
}

int journal_put(struct journal *journal, struct job *job)
{
	enum statement which = job->id ? UPDATE : INSERT;
	sqlite3_stmt *statement = use(journal, which);
	int error;

	if (!statement)
		return -EIO;
	error = bind_row(statement, job);
	if (!error)
		error = run(journal, which);
	if (!error && !job->id) {
		job->id = sqlite3_last_insert_rowid(journal->db);
		statement = use(journal, UNMARK_OLDER);
		if (!statement)
			return -EIO;
		bind_key(statement, job->model_id, job->dir, job->stem);
		(void)sqlite3_bind_int64(statement, 4, job->id);
		error = run(journal, UNMARK_OLDER);
	}
	if (!error && job->request)
		error = put_request(journal, job);
	return error;
}

/* Runs a statement whose only parameters are a job's key. */
static int run_key(struct journal *journal, enum statement which, const char *model,
	const char *dir, const char *stem)
{
	sqlite3_stmt *statement = use(journal, which);

	if (!statement)
		return -EIO;
	bind_key(statement, model, dir, stem);
	return run(journal, which);
}

int journal_delete(struct journal *journal, const struct job *job)
{
	sqlite3_stmt *statement = use(journal, DELETE_ROW);
	int error;

	if (!statement)
		return -EIO;
	(void)sqlite3_bind_int64(statement, 1, job->id);
	error = run(journal, DELETE_ROW);
	if (!error)
		error = run_key(journal, MARK_NEWEST, job->model_id, job->dir, job->stem);
	return error;
}

int journal_forget(struct journal *journal, const char *model, const char *dir, const char *stem)
{
	return run_key(journal, FORGET, model, dir, stem);
}

int journal_rename(
	struct journal *journal, const struct job *job, const char *dir, const char *stem)
{
	sqlite3_stmt *statement = use(journal, RENAME);

	if (!statement)
		return -EIO;
	bind_key(statement, job->model_id, job->dir, job->stem);
	bind_name(statement, 4, dir);
	bind_name(statement, 5, stem);
	return run(journal, RENAME);
}

/* ------------------------------------------------------------------ reading */

static char *column_text(sqlite3_stmt *statement, int column)
{
	const void *bytes = sqlite3_column_blob(statement, column);

	if (!bytes)
		return sqlite3_column_type(statement, column) == SQLITE_NULL ? NULL : strdup("");
	return strndup(bytes, (size_t)sqlite3_column_bytes(statement, column));
}

static double column_number(sqlite3_stmt *statement, int column)
{
	if (sqlite3_column_type(statement, column) == SQLITE_NULL)
		return NAN;
	return sqlite3_column_double(statement, column);
}

static cJSON *column_json(sqlite3_stmt *statement, int column)
{
	AUTO_FREE char *text = column_text(statement, column);

	return text ? cJSON_Parse(text) : NULL;
}

static void read_texts(struct job *job, sqlite3_stmt *row)
{
	job->fingerprint = column_text(row, 11);
	job->pictures = column_json(row, 12);
	job->outputs = column_json(row, 13);
	job->task = column_text(row, 16);
	job->provider_state = column_text(row, 17);
	job->problem = column_text(row, 19);
	job->advice = column_text(row, 20);
}

static void read_numbers(struct job *job, sqlite3_stmt *row)
{
	job->id = sqlite3_column_int64(row, 0);
	job->take = sqlite3_column_int(row, 4);
	job->hold = (enum job_hold)sqlite3_column_int(row, 6);
	job->note = (enum job_note)sqlite3_column_int(row, 7);
	job->settling = sqlite3_column_int(row, 8);
	job->removed = sqlite3_column_int(row, 9);
	job->released = sqlite3_column_int(row, 10);
	job->estimate = column_number(row, 14);
	job->spent = column_number(row, 15);
	job->progress = sqlite3_column_int(row, 18);
	job->created_ms = sqlite3_column_int64(row, 21);
	job->submitted_ms = sqlite3_column_int64(row, 22);
	job->accepted_ms = sqlite3_column_int64(row, 23);
	job->finished_ms = sqlite3_column_int64(row, 24);
	job->changed_ms = sqlite3_column_int64(row, 25);
	job->links_until_ms = sqlite3_column_int64(row, 26);
}

struct job *journal_read_row(sqlite3_stmt *row)
{
	AUTO_FREE char *model = column_text(row, 1);
	AUTO_FREE char *dir = column_text(row, 2);
	AUTO_FREE char *stem = column_text(row, 3);
	AUTO_FREE char *name = column_text(row, 5);
	int state = name ? job_state_parse(name) : -1;
	struct job *job = model && dir && stem && state >= 0 ? job_new(model, dir, stem) : NULL;

	if (!job)
		return NULL;
	job->state = (enum job_state)state;
	read_numbers(job, row);
	read_texts(job, row);
	return job;
}

/* The job of a statement that gives one row or none; makes it ready for its next use. */
static struct job *read_one(struct journal *journal, enum statement which, int *error)
{
	sqlite3_stmt *statement = journal->prepared[which];
	int result = sqlite3_step(statement);
	struct job *job = NULL;

	*error = 0;
	if (result == SQLITE_ROW) {
		job = journal_read_row(statement);
		if (!job)
			*error = -EIO;
	} else if (result != SQLITE_DONE) {
		*error = failure(journal, result, sql[which]);
	}
	(void)sqlite3_reset(statement); /* repeats the step's result, seen above */
	return job;
}

static struct job *read_newest(struct journal *journal, enum statement which, const char *model,
	const char *dir, const char *stem, int *error)
{
	sqlite3_stmt *statement = use(journal, which);

	*error = -EIO;
	if (!statement)
		return NULL;
	bind_key(statement, model, dir, stem);
	return read_one(journal, which, error);
}

struct job *journal_newest(struct journal *journal, const char *model, const char *dir,
	const char *stem, int *error)
{
	return read_newest(journal, NEWEST, model, dir, stem, error);
}

struct job *journal_newest_submitted(struct journal *journal, const char *model,
	const char *dir, const char *stem, int *error)
{
	return read_newest(journal, NEWEST_SUBMITTED, model, dir, stem, error);
}

char *journal_request(struct journal *journal, int64_t id)
{
	sqlite3_stmt *statement = use(journal, REQUEST);
	char *request = NULL;

	if (!statement)
		return NULL;
	(void)sqlite3_bind_int64(statement, 1, id);
	if (sqlite3_step(statement) == SQLITE_ROW)
		request = column_text(statement, 0);
	(void)sqlite3_reset(statement); /* nothing more to learn */
	return request;
}

/* Collects first and calls back after, so that the callback may use the journal. */
static int each_row(sqlite3_stmt *statement, void (*each)(void *context, struct job *job),
	void *context)
{
	struct job_list list = TAILQ_HEAD_INITIALIZER(list);
	struct job *job;
	int result;

	while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
		job = journal_read_row(statement);
		if (job)
			TAILQ_INSERT_TAIL(&list, job, changed_entry);
		else
			log_error("journal: row %lld cannot be read; it is left alone",
				(long long)sqlite3_column_int64(statement, 0));
	}
	(void)sqlite3_finalize(statement); /* repeats the step's result */
	while ((job = TAILQ_FIRST(&list))) {
		TAILQ_REMOVE(&list, job, changed_entry);
		each(context, job);
	}
	return result == SQLITE_DONE ? 0 : -EIO;
}

int journal_each_live(struct journal *journal, void (*each)(void *context, struct job *job),
	void *context)
{
	sqlite3_stmt *statement = NULL;

	/* the WHERE of the index job_live, word for word, so that it is used */
	if (sqlite3_prepare_v2(journal->db,
		    "SELECT " COLUMNS " FROM job WHERE settling = 1 OR state NOT IN"
		    " ('done', 'rejected', 'failed', 'unknown', 'cancelled') ORDER BY id",
		    -1, &statement, NULL) != SQLITE_OK)
		return failure(journal, SQLITE_ERROR, "live jobs");
	return each_row(statement, each, context);
}

int journal_each_below(struct journal *journal, const char *model, const char *dir,
	void (*each)(void *context, struct job *job), void *context)
{
	sqlite3_stmt *statement = NULL;
	AUTO_FREE char *from = NULL, *to = NULL;

	/* below "summer": from "summer/" up to, not including, "summer0", '0' following '/' */
	if (asprintf(&from, "%s/", dir) < 0 || asprintf(&to, "%s0", dir) < 0)
		return -ENOMEM;
	if (sqlite3_prepare_v2(journal->db,
		    "SELECT " COLUMNS " FROM job WHERE model = ?1 AND latest = 1 AND"
		    " (?2 = x'' OR dir = ?2 OR (dir >= ?3 AND dir < ?4)) ORDER BY id",
		    -1, &statement, NULL) != SQLITE_OK)
		return failure(journal, SQLITE_ERROR, "jobs of a folder");
	bind_text(statement, 1, model);
	bind_name(statement, 2, dir);
	bind_name(statement, 3, from);
	bind_name(statement, 4, to);
	return each_row(statement, each, context);
}

int journal_spending(struct journal *journal, int64_t since_ms, int64_t *jobs, double *credits)
{
	sqlite3_stmt *statement = use(journal, SPENDING);
	int result;

	if (!statement)
		return -EIO;
	(void)sqlite3_bind_int64(statement, 1, since_ms);
	result = sqlite3_step(statement);
	if (result == SQLITE_ROW) {
		*jobs = sqlite3_column_int64(statement, 0);
		*credits = sqlite3_column_double(statement, 1);
	}
	(void)sqlite3_reset(statement); /* repeats the step's result */
	return result == SQLITE_ROW ? 0 : failure(journal, result, "spending");
}

/* ------------------------------------------------------------------ uploads */

char *journal_upload(
	struct journal *journal, const char *host, const char *sha256, int64_t since_ms)
{
	sqlite3_stmt *statement = use(journal, UPLOAD);
	char *url = NULL;

	if (!statement)
		return NULL;
	bind_text(statement, 1, host);
	bind_text(statement, 2, sha256);
	(void)sqlite3_bind_int64(statement, 3, since_ms);
	if (sqlite3_step(statement) == SQLITE_ROW)
		url = column_text(statement, 0);
	(void)sqlite3_reset(statement); /* a failure only means another upload, which is free */
	return url;
}

int journal_put_upload(struct journal *journal, const char *host, const char *sha256,
	const char *url, int64_t at_ms)
{
	sqlite3_stmt *statement = use(journal, PUT_UPLOAD);

	if (!statement)
		return -EIO;
	bind_text(statement, 1, host);
	bind_text(statement, 2, sha256);
	bind_text(statement, 3, url);
	(void)sqlite3_bind_int64(statement, 4, at_ms);
	return run(journal, PUT_UPLOAD);
}

#include "fs/journal/statements.h"

#include "fs/base/cleanup.h"
#include "fs/base/log.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define CHECKED_PAGES 4096 /* 16 MiB */
#define DAMAGED_ADVICE                                                                             \
	"Nothing was changed. Restore it from a backup, or move it away: then every spec in the "  \
	"tree is held, and nothing is submitted by itself."

int journal_failure(struct journal *journal, int result, const char *what)
{
	static const struct {
		int result, error;
	} map[] = {{SQLITE_FULL, ENOSPC}, {SQLITE_NOMEM, ENOMEM}, {SQLITE_READONLY, EROFS},
		{SQLITE_BUSY, EBUSY}, {SQLITE_CONSTRAINT, EEXIST}};

	log_error("journal: %s: %s", what, sqlite3_errmsg(journal->db));
	if ((result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB)
		log_error("the journal is damaged. " DAMAGED_ADVICE);
	for (size_t i = 0; i < sizeof(map) / sizeof(*map); i++)
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
	(void)sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC); /* see journal_sql.h */
}

void journal_bind_name(sqlite3_stmt *statement, int index, const char *name)
{
	(void)sqlite3_bind_blob(statement, index, name, (int)strlen(name), SQLITE_STATIC);
}

void journal_bind_key(sqlite3_stmt *statement, const char *model, const char *dir, const char *stem)
{
	journal_bind_text(statement, 1, model);
	journal_bind_name(statement, 2, dir);
	journal_bind_name(statement, 3, stem);
}

static void bind_number(sqlite3_stmt *statement, int index, double number)
{
	if (isnan(number))
		(void)sqlite3_bind_null(statement, index);
	else
		(void)sqlite3_bind_double(statement, index, number);
}

/* 0 or an SQLite error; SQLite frees the text. */
static int bind_json(sqlite3_stmt *statement, int index, const cJSON *json)
{
	char *text = json ? cJSON_PrintUnformatted(json) : NULL;

	if (json && !text)
		return SQLITE_NOMEM;
	return sqlite3_bind_text(statement, index, text, -1, free);
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

/* The first line of a pragma or SELECT; false: an error. */
static bool first_line(sqlite3 *db, const char *text, char line[100])
{
	sqlite3_stmt *statement = NULL;
	bool read = sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK &&
	            sqlite3_step(statement) == SQLITE_ROW;

	if (read)
		(void)snprintf(line, 100, "%s", (const char *)sqlite3_column_text(statement, 0));
	(void)sqlite3_finalize(statement); /* repeats the step's result */
	return read;
}

/* Before anything is written. A large journal is not read whole: that takes longer than a start
 * may; damage met later is said then. */
static bool is_sound(struct journal *journal)
{
	char line[100];

	if (!first_line(journal->db, "PRAGMA page_count", line))
		return false;
	if (strtol(line, NULL, 10) > CHECKED_PAGES)
		return first_line(journal->db, "SELECT max(id) FROM job WHERE submitted > 0", line);
	return first_line(journal->db, "PRAGMA quick_check(1)", line) && !strcmp(line, "ok");
}

/* Gives an empty file its tables, and those of an older kinofs what they lack. */
static int upgrade(sqlite3 *db, int version)
{
	int result = SQLITE_OK;

	if (version == 0)
		return sqlite3_exec(db, journal_schema, NULL, NULL, NULL);
	for (; version < JOURNAL_VERSION && result == SQLITE_OK; version++)
		result = sqlite3_exec(db, journal_upgrades[version], NULL, NULL, NULL);
	return result;
}

static int set_up(struct journal *journal, const char *path, bool *fresh)
{
	int version;

	sqlite3_extended_result_codes(journal->db, 1);
	(void)sqlite3_busy_timeout(journal->db, 5000); /* a backup being taken; 0 means success */
	if (!is_sound(journal)) {
		log_error("the journal %s is damaged. " DAMAGED_ADVICE, path);
		return -EIO;
	}
	version = journal_check_version(journal->db);
	if (version > JOURNAL_VERSION) {
		log_error("the journal %s was written by a newer kinofs (format %d, this one knows "
			  "%d): install that version again",
			path, version, JOURNAL_VERSION);
		return -EPROTONOSUPPORT;
	}
	*fresh = version == 0;
	if (sqlite3_exec(journal->db,
		    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		    "PRAGMA wal_autocheckpoint = 1000; PRAGMA cache_size = -1024;",
		    NULL, NULL, NULL) != SQLITE_OK ||
		upgrade(journal->db, version) != SQLITE_OK) {
		log_error(
			"the journal %s cannot be written: %s", path, sqlite3_errmsg(journal->db));
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
	return journal_run(journal, BEGIN);
}

int journal_commit(struct journal *journal)
{
	int error = journal_run(journal, COMMIT);

	if (error)
		journal_rollback(journal);
	return error;
}

void journal_rollback(struct journal *journal)
{
	if (!sqlite3_get_autocommit(journal->db)) /* a failed COMMIT may have rolled back itself */
		(void)journal_run(journal, ROLLBACK); /* logged; the caller already has an error */
}

/* ------------------------------------------------------------------ writing */

static void bind_times(sqlite3_stmt *statement, int index, const struct job *job)
{
	const int64_t times[] = {job->created_ms, job->submitted_ms, job->accepted_ms,
		job->finished_ms, job->changed_ms, job->links_until_ms};

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		(void)sqlite3_bind_int64(
			statement, index + (int)i, times[i]); /* numbers always fit */
}

/* In the order of journal_columns. */
static int bind_row(sqlite3_stmt *statement, const struct job *job)
{
	const int numbers[] = {job->hold, job->note, job->settling, job->removed, job->released};

	if (job->id)
		(void)sqlite3_bind_int64(statement, 1, job->id);
	journal_bind_text(statement, 2, job->model_id);
	journal_bind_name(statement, 3, job->dir);
	journal_bind_name(statement, 4, job->stem);
	(void)sqlite3_bind_int(statement, 5, job->take);
	journal_bind_text(statement, 6, job_state_name(job->state));
	for (int i = 0; i < 5; i++)
		(void)sqlite3_bind_int(statement, 7 + i, numbers[i]);
	journal_bind_text(statement, 12, job->fingerprint);
	if (bind_json(statement, 13, job->pictures) || bind_json(statement, 14, job->outputs))
		return -ENOMEM;
	bind_number(statement, 15, job->estimate);
	bind_number(statement, 16, job->spent);
	journal_bind_text(statement, 17, job->task);
	journal_bind_text(statement, 18, job->provider_state);
	(void)sqlite3_bind_int(statement, 19, job->progress);
	journal_bind_text(statement, 20, job->problem);
	journal_bind_text(statement, 21, job->advice);
	bind_times(statement, 22, job);
	if (job->came_from)
		journal_bind_name(statement, 28, job->came_from);
	return 0;
}

static int put_request(struct journal *journal, const struct job *job)
{
	sqlite3_stmt *statement = journal_use(journal, PUT_REQUEST);

	if (!statement)
		return -EIO;
	(void)sqlite3_bind_int64(statement, 1, job->id);
	journal_bind_text(statement, 2, job->request);
	return journal_run(journal, PUT_REQUEST);
}

static int put_row(struct journal *journal, enum statement which, const struct job *job)
{
	sqlite3_stmt *statement = journal_use(journal, which);
	int error = statement ? bind_row(statement, job) : -EIO;

	return error ? error : journal_run(journal, which);
}

static int unmark_older(struct journal *journal, const struct job *job)
{
	sqlite3_stmt *statement = journal_use(journal, UNMARK_OLDER);

	if (!statement)
		return -EIO;
	journal_bind_key(statement, job->model_id, job->dir, job->stem);
	(void)sqlite3_bind_int64(statement, 4, job->id);
	return journal_run(journal, UNMARK_OLDER);
}

int journal_put(struct journal *journal, struct job *job)
{
	bool made = !job->id;
	int error = put_row(journal, made ? INSERT : UPDATE, job);

	if (!error && !made && sqlite3_changes(journal->db) == 0) {
		made = true; /* its row was deleted: what goes on must be in the journal */
		error = put_row(journal, INSERT, job);
	}
	if (!error && made) {
		job->id = sqlite3_last_insert_rowid(journal->db);
		error = unmark_older(journal, job);
	}
	if (!error && job->request)
		error = put_request(journal, job);
	return error;
}

/* Runs a statement whose only parameters are a job's key. */
static int run_key(struct journal *journal, enum statement which, const char *model,
	const char *dir, const char *stem)
{
	sqlite3_stmt *statement = journal_use(journal, which);

	if (!statement)
		return -EIO;
	journal_bind_key(statement, model, dir, stem);
	return journal_run(journal, which);
}

int journal_delete(struct journal *journal, const struct job *job)
{
	sqlite3_stmt *statement = journal_use(journal, DELETE_ROW);
	int error;

	if (!statement)
		return -EIO;
	(void)sqlite3_bind_int64(statement, 1, job->id);
	error = journal_run(journal, DELETE_ROW);
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
	sqlite3_stmt *statement = journal_use(journal, RENAME);

	if (!statement)
		return -EIO;
	journal_bind_key(statement, job->model_id, job->dir, job->stem);
	journal_bind_name(statement, 4, dir);
	journal_bind_name(statement, 5, stem);
	return journal_run(journal, RENAME);
}

/* ------------------------------------------------------------------ uploads */

char *journal_upload(
	struct journal *journal, const char *host, const char *sha256, int64_t since_ms)
{
	sqlite3_stmt *statement = journal_use(journal, UPLOAD);
	char *url = NULL;

	if (!statement)
		return NULL;
	journal_bind_text(statement, 1, host);
	journal_bind_text(statement, 2, sha256);
	(void)sqlite3_bind_int64(statement, 3, since_ms);
	if (sqlite3_step(statement) == SQLITE_ROW)
		url = journal_column_text(statement, 0);
	(void)sqlite3_reset(statement); /* a failure only means another upload, which is free */
	return url;
}

int journal_put_upload(struct journal *journal, const char *host, const char *sha256,
	const char *url, int64_t at_ms)
{
	sqlite3_stmt *statement = journal_use(journal, PUT_UPLOAD);

	if (!statement)
		return -EIO;
	journal_bind_text(statement, 1, host);
	journal_bind_text(statement, 2, sha256);
	journal_bind_text(statement, 3, url);
	(void)sqlite3_bind_int64(statement, 4, at_ms);
	return journal_run(journal, PUT_UPLOAD);
}

int64_t journal_generation(struct journal *journal)
{
	sqlite3_stmt *statement = journal_use(journal, GENERATION);
	int result = statement ? sqlite3_step(statement) : SQLITE_ERROR;
	int64_t generation = -1;

	if (result == SQLITE_ROW)
		generation = sqlite3_column_int64(statement, 0);
	else
		(void)journal_failure(journal, result, journal_sql[GENERATION]); /* -1 says it */
	if (statement)
		(void)sqlite3_reset(statement); /* repeats the step's result */
	return generation;
}

int journal_set_generation(struct journal *journal, int64_t generation)
{
	sqlite3_stmt *statement = journal_use(journal, PUT_GENERATION);

	if (!statement)
		return -EIO;
	(void)sqlite3_bind_int64(statement, 1, generation); /* a number always fits */
	return journal_run(journal, PUT_GENERATION);
}

int journal_count_twins(struct journal *journal, const char *model, const char *dir,
	const char *stem, const char *fingerprint)
{
	AUTO_FREE char *from = NULL, *to = NULL;
	sqlite3_stmt *statement = journal_use(journal, TWINS);
	int count, result;

	/* from "list-" up to, not including, "list.", '.' following '-' */
	if (!statement)
		return -EIO;
	if (asprintf(&from, "%s-", stem) < 0 || asprintf(&to, "%s.", stem) < 0)
		return -ENOMEM;
	journal_bind_key(statement, model, dir, from);
	journal_bind_name(statement, 4, to);
	journal_bind_text(statement, 5, fingerprint);
	result = sqlite3_step(statement);
	count = result == SQLITE_ROW ? sqlite3_column_int(statement, 0)
	                             : journal_failure(journal, result, journal_sql[TWINS]);
	(void)sqlite3_reset(statement); /* repeats the step's result */
	return count;
}

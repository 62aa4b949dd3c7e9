/* write.c - opening the journal, and what is put into it. */
#include "fs/journal/journal.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/journal/rowjson.h"
#include "fs/journal/salvage.h"
#include "fs/journal/schema.h"
#include "fs/journal/sound.h"
#include "fs/journal/statements.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------ opening */

static int version_of(sqlite3 *db)
{
	sqlite3_stmt *statement = NULL;
	int version = -1;

	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		version = sqlite3_column_int(statement, 0);
	(void)sqlite3_finalize(statement); /* repeats the step's result */
	return version;
}

static int set_up(
	struct journal *journal, const char *path, const struct model_set *models, bool *fresh)
{
	int version, result;

	sqlite3_extended_result_codes(journal->db, 1);
	(void)sqlite3_busy_timeout(journal->db, 5000); /* a backup being taken; 0 means success */
	version = version_of(journal->db);
	if (version > JOURNAL_VERSION) {
		log_error("the journal %s was written by a newer kinofs (format %d, this one knows "
			  "%d): install that version again",
			path, version, JOURNAL_VERSION);
		return -EPROTONOSUPPORT;
	}
	*fresh = version == 0;
	result = sqlite3_exec(journal->db,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		"PRAGMA wal_autocheckpoint = 1000; PRAGMA cache_size = -1024;",
		NULL, NULL, NULL);
	if (result == SQLITE_OK)
		result = schema_upgrade(journal->db, version, models);
	if (result != SQLITE_OK) { /* (the connection's last error may be that of a rollback) */
		log_error("the journal %s cannot be written: %s", path, sqlite3_errstr(result));
		return -EIO;
	}
	return 0;
}

/* What can be read of a damaged journal becomes the journal. *damaged: it was. */
static int mend(const char *path, const struct model_set *models, bool *damaged)
{
	AUTO_FREE char *kept = NULL;
	struct salvage salvaged = {0};
	int error = salvage_finish(path);

	*damaged = !error && !sound_check(path);
	if (!*damaged)
		return error;
	error = salvage(path, models, &salvaged);
	kept = salvaged.kept;
	if (error)
		log_error(
			"the journal %s is damaged, and %s. It was not changed. Restore it from a "
			"backup, or move it away: then every spec in the tree is held, and "
			"nothing is submitted by itself",
			path,
			error == -EBADMSG ? "nothing can be read of it"
					  : "what can be read could not be saved");
	else
		log_error(
			"the journal was damaged and is kept as %s. %lld takes were read, %lld in "
			"part: these are set aside with a note. %lld are lost, and count as paid "
			"today. kinofs status shows what is held",
			kept, (long long)salvaged.read, (long long)salvaged.aside,
			(long long)salvaged.gone);
	return error;
}

struct journal *journal_open(const char *directory, const struct model_set *models, bool *fresh)
{
	AUTO_FREE char *path = format("%s/" JOURNAL_FILE, directory);
	struct journal *journal = calloc(1, sizeof(*journal));

	if (!journal || !path) {
		log_error("no memory for the journal");
		free(journal);
		return NULL;
	}
	if (mend(path, models, &journal->was_damaged) < 0) {
		journal_close(journal);
		return NULL;
	}
	if (sqlite3_open_v2(path, &journal->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
		SQLITE_OK) {
		log_error("cannot open the journal %s: %s", path, sqlite3_errmsg(journal->db));
		journal_close(journal);
		return NULL;
	}
	if (set_up(journal, path, models, fresh) < 0) {
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

bool journal_was_damaged(const struct journal *journal)
{
	return journal->was_damaged;
}

/* ------------------------------------------------------------------ transactions */

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
	/* SQLite has rolled back by itself after some errors, a full disk among them */
	if (!sqlite3_get_autocommit(journal->db))
		(void)journal_run(journal, ROLLBACK); /* logged; nothing is kept either way */
}

/* ------------------------------------------------------------------ rows */

static void bind_number(sqlite3_stmt *statement, int index, double number)
{
	if (isnan(number))
		(void)sqlite3_bind_null(statement, index);
	else
		(void)sqlite3_bind_double(statement, index, number);
}

/* Binds a text that SQLite frees. */
static int bind_owned(sqlite3_stmt *statement, int index, char *text, bool wanted)
{
	if (!text)
		return wanted ? -ENOMEM : 0;
	(void)sqlite3_bind_text(statement, index, text, -1, free); /* freed also on failure */
	return 0;
}

static int bind_column(
	sqlite3_stmt *statement, int index, const struct column *column, const struct job_row *row)
{
	const void *member = (const char *)row + column->offset;

	switch (column->kind) {
	case COLUMN_TEXT: journal_bind_text(statement, index, *(char *const *)member); break;
	case COLUMN_NAME: journal_bind_name(statement, index, *(char *const *)member); break;
	case COLUMN_INT: (void)sqlite3_bind_int(statement, index, *(const int *)member); break;
	case COLUMN_BOOL: (void)sqlite3_bind_int(statement, index, *(const bool *)member); break;
	case COLUMN_INT64:
		(void)sqlite3_bind_int64(statement, index, *(const int64_t *)member);
		break;
	case COLUMN_NUMBER: bind_number(statement, index, *(const double *)member); break;
	case COLUMN_STATE: journal_bind_text(statement, index, job_state_name(row->state)); break;
	case COLUMN_PICTURES:
		return bind_owned(statement, index, pictures_text(row->picture, row->npictures),
			row->picture);
	case COLUMN_OUTPUTS:
		return bind_owned(
			statement, index, outputs_text(row->output, row->noutputs), row->output);
	}
	return 0;
}

static int put_row(struct journal *journal, const struct job_row *row)
{
	sqlite3_stmt *statement = journal_use(journal, PUT);
	int error = statement ? 0 : -EIO;

	if (!error && row->id)
		(void)sqlite3_bind_int64(statement, 1, row->id); /* else NULL: a new one */
	for (int i = 0; i < journal_column_count && !error; i++)
		error = bind_column(statement, i + 2, &journal_column[i], row);
	if (error && statement)
		(void)sqlite3_clear_bindings(statement);
	return error ? error : journal_run(journal, PUT);
}

static int put_request(struct journal *journal, const struct job_row *row)
{
	sqlite3_stmt *statement = journal_use(journal, PUT_REQUEST);

	if (!statement)
		return -EIO;
	(void)sqlite3_bind_int64(statement, 1, row->id); /* a number always fits */
	journal_bind_text(statement, 2, row->request);
	return journal_run(journal, PUT_REQUEST);
}

int journal_put(struct journal *journal, struct job_row *row)
{
	int error = put_row(journal, row);

	if (!error && !row->id)
		row->id = sqlite3_last_insert_rowid(journal->db);
	if (!error && row->request)
		error = put_request(journal, row);
	return error;
}

/* Runs a statement whose first parameter is an id, and no other is. */
static int run_id(struct journal *journal, enum statement which, int64_t id)
{
	sqlite3_stmt *statement = journal_use(journal, which);

	if (!statement)
		return -EIO;
	(void)sqlite3_bind_int64(statement, 1, id); /* a number always fits */
	return journal_run(journal, which);
}

/* Runs a statement about a job with a number as its fourth parameter. */
static int run_key(
	struct journal *journal, enum statement which, const struct job_key *key, int64_t number)
{
	sqlite3_stmt *statement = journal_use(journal, which);

	if (!statement)
		return -EIO;
	journal_bind_key(statement, key);
	if (sqlite3_bind_parameter_count(statement) > 3)
		(void)sqlite3_bind_int64(statement, 4, number); /* as above */
	return journal_run(journal, which);
}

int journal_show(struct journal *journal, const struct job_row *row)
{
	const struct job_key key = job_key_of(row);
	int error = run_key(journal, HIDE_OTHERS, &key, row->id);

	return error ? error : run_id(journal, SHOW, row->id);
}

int journal_show_newest(struct journal *journal, const struct job_key *key, int64_t *id)
{
	sqlite3_stmt *statement = journal_use(journal, SHOW_NEWEST);
	int result;

	*id = 0;
	if (!statement)
		return -EIO;
	journal_bind_key(statement, key);
	while ((result = sqlite3_step(statement)) == SQLITE_ROW)
		*id = sqlite3_column_int64(statement, 0);
	(void)sqlite3_reset(statement); /* repeats the step's result */
	return result == SQLITE_DONE ? 0
	                             : journal_failure(journal, result, journal_sql[SHOW_NEWEST]);
}

int journal_delete(struct journal *journal, int64_t id)
{
	return run_id(journal, DELETE_ROW, id);
}

int journal_forget(struct journal *journal, const struct job_key *key, int64_t at_ms)
{
	int error = journal_begin(journal);

	if (error)
		return error;
	error = run_key(journal, FORGET, key, at_ms);
	if (!error)
		error = journal_owe(journal, key, at_ms);
	if (!error)
		return journal_commit(journal);
	journal_rollback(journal);
	return error;
}

/* ------------------------------------------------------------------ the store */

int journal_set_store(struct journal *journal, const char *store)
{
	sqlite3_stmt *statement = journal_use(journal, PUT_STORE);

	if (!statement)
		return -EIO;
	journal_bind_text(statement, 1, store);
	return journal_run(journal, PUT_STORE);
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
	(void)sqlite3_bind_int64(statement, 4, at_ms); /* a number always fits */
	return journal_run(journal, PUT_UPLOAD);
}

int journal_forget_upload(
	struct journal *journal, const char *host, const char *sha256, const char *url)
{
	sqlite3_stmt *statement = journal_use(journal, FORGET_UPLOAD);

	if (!statement)
		return -EIO;
	journal_bind_text(statement, 1, host);
	journal_bind_text(statement, 2, sha256);
	journal_bind_text(statement, 3, url);
	return journal_run(journal, FORGET_UPLOAD);
}

static int put_took(struct journal *journal, const char *model, int64_t took_ms, int64_t at_ms)
{
	sqlite3_stmt *statement = journal_use(journal, PUT_TOOK);

	if (!statement)
		return -EIO;
	journal_bind_text(statement, 1, model);
	(void)sqlite3_bind_int64(statement, 2, took_ms); /* numbers always fit */
	(void)sqlite3_bind_int64(statement, 3, at_ms);
	return journal_run(journal, PUT_TOOK);
}

int journal_put_took(
	struct journal *journal, const char *model, int64_t took_ms, int64_t at_ms, int keep)
{
	sqlite3_stmt *statement = journal_use(journal, DROP_TOOK);

	if (!statement)
		return -EIO;
	journal_bind_text(statement, 1, model);
	(void)sqlite3_bind_int(statement, 2, keep - 1); /* and the one to come */
	return journal_run(journal, DROP_TOOK) ?: put_took(journal, model, took_ms, at_ms);
}

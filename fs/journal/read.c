#include "fs/journal/statements.h"

#include "fs/base/cleanup.h"
#include "fs/base/log.h"

#include <errno.h>
#include <math.h>
#include <string.h>

char *journal_column_text(sqlite3_stmt *statement, int column)
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
	AUTO_FREE char *text = journal_column_text(statement, column);

	return text ? cJSON_Parse(text) : NULL;
}

/* Whether what was read of a column is what stands there: NULL for want of memory is not. */
static bool is_whole(sqlite3_stmt *row, int column, const void *value)
{
	return value || sqlite3_column_type(row, column) == SQLITE_NULL;
}

/* A task or a fingerprint that got lost on the way would be paid for once more. */
static bool read_texts(struct job *job, sqlite3_stmt *row)
{
	job->fingerprint = journal_column_text(row, 11);
	job->pictures = column_json(row, 12);
	job->outputs = column_json(row, 13);
	job->task = journal_column_text(row, 16);
	job->provider_state = journal_column_text(row, 17);
	job->problem = journal_column_text(row, 19);
	job->advice = journal_column_text(row, 20);
	job->came_from = journal_column_text(row, 27);
	return is_whole(row, 11, job->fingerprint) && is_whole(row, 12, job->pictures) &&
	       is_whole(row, 13, job->outputs) && is_whole(row, 16, job->task) &&
	       is_whole(row, 27, job->came_from);
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
	AUTO_FREE char *model = journal_column_text(row, 1);
	AUTO_FREE char *dir = journal_column_text(row, 2);
	AUTO_FREE char *stem = journal_column_text(row, 3);
	AUTO_FREE char *name = journal_column_text(row, 5);
	int state = name ? job_state_parse(name) : -1;
	struct job *job = model && dir && stem && state >= 0 ? job_new(model, dir, stem) : NULL;

	if (!job)
		return NULL;
	job->state = (enum job_state)state;
	read_numbers(job, row);
	if (read_texts(job, row))
		return job;
	job_free(job);
	return NULL;
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
		*error = journal_failure(journal, result, journal_sql[which]);
	}
	(void)sqlite3_reset(statement); /* repeats the step's result, seen above */
	return job;
}

static struct job *read_newest(struct journal *journal, enum statement which, const char *model,
	const char *dir, const char *stem, int *error)
{
	sqlite3_stmt *statement = journal_use(journal, which);

	*error = -EIO;
	if (!statement)
		return NULL;
	journal_bind_key(statement, model, dir, stem);
	return read_one(journal, which, error);
}

struct job *journal_newest(
	struct journal *journal, const char *model, const char *dir, const char *stem, int *error)
{
	return read_newest(journal, NEWEST, model, dir, stem, error);
}

struct job *journal_newest_submitted(
	struct journal *journal, const char *model, const char *dir, const char *stem, int *error)
{
	return read_newest(journal, NEWEST_SUBMITTED, model, dir, stem, error);
}

char *journal_request(struct journal *journal, int64_t id)
{
	sqlite3_stmt *statement = journal_use(journal, REQUEST);
	char *request = NULL;

	if (!statement)
		return NULL;
	(void)sqlite3_bind_int64(statement, 1, id);
	if (sqlite3_step(statement) == SQLITE_ROW)
		request = journal_column_text(statement, 0);
	(void)sqlite3_reset(statement); /* nothing more to learn */
	return request;
}

/* Collects first and calls back after, so that the callback may use the journal. */
static int each_row(struct journal *journal, sqlite3_stmt *statement,
	void (*each)(void *context, struct job *job), void *context)
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
	if (result != SQLITE_DONE)
		(void)journal_failure(journal, result, "reading jobs"); /* -EIO below */
	(void)sqlite3_finalize(statement); /* repeats the step's result */
	while ((job = TAILQ_FIRST(&list))) {
		TAILQ_REMOVE(&list, job, changed_entry);
		each(context, job);
	}
	return result == SQLITE_DONE ? 0 : -EIO;
}

int journal_each_since(struct journal *journal, int64_t since_ms,
	void (*each)(void *context, struct job *job), void *context)
{
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(journal->db, journal_sql[SINCE], -1, &statement, NULL) != SQLITE_OK)
		return journal_failure(journal, SQLITE_ERROR, journal_sql[SINCE]);
	(void)sqlite3_bind_int64(statement, 1, since_ms); /* a number always fits */
	return each_row(journal, statement, each, context);
}

int journal_each_live(
	struct journal *journal, void (*each)(void *context, struct job *job), void *context)
{
	sqlite3_stmt *statement = NULL;

	/* the WHERE of the index job_live, word for word, so that it is used */
	if (sqlite3_prepare_v2(journal->db,
		    "SELECT " JOURNAL_COLUMNS " FROM job WHERE settling = 1 OR state NOT IN"
		    " ('done', 'rejected', 'failed', 'unknown', 'cancelled') ORDER BY id",
		    -1, &statement, NULL) != SQLITE_OK)
		return journal_failure(journal, SQLITE_ERROR, "live jobs");
	return each_row(journal, statement, each, context);
}

/* path as it stands in the JSON of a row's pictures; the caller frees. */
static char *quoted(const char *path)
{
	AUTO_JSON cJSON *name = cJSON_CreateString(path);

	return cJSON_PrintUnformatted(name);
}

int journal_each_rejected(struct journal *journal, const char *model, const char *path,
	void (*each)(void *context, struct job *job), void *context)
{
	AUTO_FREE char *name = path ? quoted(path) : NULL;
	sqlite3_stmt *statement = NULL;

	if (path && !name)
		return -ENOMEM;
	if (sqlite3_prepare_v2(journal->db, journal_sql[REJECTED], -1, &statement, NULL) !=
		SQLITE_OK)
		return journal_failure(journal, SQLITE_ERROR, journal_sql[REJECTED]);
	journal_bind_text(statement, 1, model);
	journal_bind_text(statement, 2, name);
	return each_row(journal, statement, each, context);
}

/* Whether a bound statement gives a row; true also for an error. */
static bool has_row(sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement);

	(void)sqlite3_reset(statement); /* repeats the step's result */
	return result != SQLITE_DONE;
}

bool journal_names_picture(struct journal *journal, const struct job *job, const char *path)
{
	sqlite3_stmt *statement = journal_use(journal, NAMES_PICTURE);
	AUTO_FREE char *name = quoted(path);

	if (!statement || !name)
		return true;
	journal_bind_key(statement, job->model_id, job->dir, job->stem);
	journal_bind_text(statement, 4, name);
	return has_row(statement);
}

bool journal_rejected_pictures(struct journal *journal)
{
	sqlite3_stmt *statement = journal_use(journal, REJECTED_PICTURES);

	return !statement || has_row(statement);
}

int journal_spending(struct journal *journal, int64_t since_ms, int64_t *jobs, double *credits)
{
	sqlite3_stmt *statement = journal_use(journal, SPENDING);
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
	return result == SQLITE_ROW ? 0 : journal_failure(journal, result, "spending");
}

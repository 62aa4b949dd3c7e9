/* read.c - what the journal is asked. */
#include "fs/journal/journal.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/journal/rowjson.h"
#include "fs/journal/statements.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define FIRST_COLUMN 2 /* behind id and shown */

/* ------------------------------------------------------------------ one row */

static double column_number(sqlite3_stmt *statement, int column)
{
	if (sqlite3_column_type(statement, column) == SQLITE_NULL)
		return NAN;
	return sqlite3_column_double(statement, column);
}

static bool read_text(sqlite3_stmt *statement, int index, char **text)
{
	*text = journal_column_text(statement, index);
	return *text || sqlite3_column_type(statement, index) == SQLITE_NULL;
}

static bool read_column(
	sqlite3_stmt *statement, int index, const struct column *column, struct job_row *row)
{
	void *member = (char *)row + column->offset;
	AUTO_FREE char *text = NULL;
	int state;

	switch (column->kind) {
	case COLUMN_TEXT:
	case COLUMN_NAME: return read_text(statement, index, member);
	case COLUMN_INT: *(int *)member = sqlite3_column_int(statement, index); break;
	case COLUMN_BOOL: *(bool *)member = sqlite3_column_int(statement, index); break;
	case COLUMN_INT64: *(int64_t *)member = sqlite3_column_int64(statement, index); break;
	case COLUMN_NUMBER: *(double *)member = column_number(statement, index); break;
	case COLUMN_STATE:
		if (!read_text(statement, index, &text) || !text)
			return false;
		state = job_state_parse(text);
		if (state >= 0)
			row->state = (enum job_state)state;
		return state >= 0;
	case COLUMN_PICTURES:
		return read_text(statement, index, &text) &&
		       pictures_parse(text, &row->picture, &row->npictures);
	case COLUMN_OUTPUTS:
		return read_text(statement, index, &text) &&
		       outputs_parse(text, &row->output, &row->noutputs);
	}
	return true;
}

struct job_row *journal_read_row(sqlite3_stmt *statement)
{
	struct job_row *row = calloc(1, sizeof(*row));
	bool whole = row;

	if (!row)
		return NULL;
	row->id = sqlite3_column_int64(statement, 0);
	row->shown = sqlite3_column_int(statement, 1);
	for (int i = 0; i < journal_column_count; i++)
		if (!read_column(statement, FIRST_COLUMN + i, &journal_column[i], row) &&
			(journal_column[i].needed || journal_column[i].kind == COLUMN_STATE))
			whole = false;
	if (whole && row->model_id && row->dir && row->stem)
		return row;
	job_row_free(row);
	return NULL;
}

/* ------------------------------------------------------------------ several */

void rows_free(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		job_row_free(rows->item[i]);
	free(rows->item);
	*rows = (struct rows){0};
}

static int add_row(struct rows *rows, struct job_row *row)
{
	if (!row || ARRAY_ROOM(rows->item, rows->count, rows->room) < 0) {
		job_row_free(row);
		return -ENOMEM;
	}
	rows->item[rows->count++] = row;
	return 0;
}

/* Every row of a bound statement. strict: one that cannot be read is an error, for what is not
 * known might be paid for again; else it is left alone. */
static int collect(struct journal *journal, enum statement which, bool strict, struct rows *rows)
{
	sqlite3_stmt *statement = journal->prepared[which];
	int result, error = 0;

	while (!error && (result = sqlite3_step(statement)) == SQLITE_ROW) {
		struct job_row *row = journal_read_row(statement);

		if (!row)
			log_error("journal: row %lld cannot be read; it is left alone",
				(long long)sqlite3_column_int64(statement, 0));
		if (row)
			error = add_row(rows, row);
		else if (strict)
			error = -EIO;
	}
	if (!error && result != SQLITE_DONE)
		error = journal_failure(journal, result, journal_sql[which]);
	(void)sqlite3_reset(statement); /* repeats the step's result, seen above */
	(void)sqlite3_clear_bindings(statement);
	if (error)
		rows_free(rows);
	return error;
}

int journal_takes(struct journal *journal, const struct job_key *key, struct rows *rows)
{
	sqlite3_stmt *statement = journal_use(journal, TAKES);

	*rows = (struct rows){0};
	if (!statement)
		return -EIO;
	journal_bind_key(statement, key);
	return collect(journal, TAKES, true, rows);
}

int journal_same_order(struct journal *journal, const char *order, struct rows *rows)
{
	sqlite3_stmt *statement = journal_use(journal, SAME_ORDER);

	*rows = (struct rows){0};
	if (!statement)
		return -EIO;
	journal_bind_text(statement, 1, order);
	return collect(journal, SAME_ORDER, true, rows);
}

struct job_row *journal_row(struct journal *journal, int64_t id, int *error)
{
	sqlite3_stmt *statement = journal_use(journal, ONE);
	struct rows rows = {0};
	struct job_row *row = NULL;

	*error = -EIO;
	if (!statement)
		return NULL;
	(void)sqlite3_bind_int64(statement, 1, id); /* a number always fits */
	*error = collect(journal, ONE, true, &rows);
	if (rows.count)
		row = TAKE(rows.item[0]);
	rows_free(&rows);
	return row;
}

/* Collects first and calls back after, so that the callback may use the journal. */
static int each_row(
	struct journal *journal, enum statement which, journal_each *each, void *context)
{
	struct rows rows = {0};
	int error = collect(journal, which, false, &rows);

	for (size_t i = 0; i < rows.count; i++)
		each(context, TAKE(rows.item[i]));
	rows_free(&rows);
	return error;
}

int journal_each_unfinished(struct journal *journal, journal_each *each, void *context)
{
	return journal_use(journal, UNFINISHED) ? each_row(journal, UNFINISHED, each, context)
	                                        : -EIO;
}

int journal_each_since(struct journal *journal, int64_t since_ms, journal_each *each, void *context)
{
	sqlite3_stmt *statement = journal_use(journal, SINCE);

	if (!statement)
		return -EIO;
	(void)sqlite3_bind_int64(statement, 1, since_ms); /* a number always fits */
	return each_row(journal, SINCE, each, context);
}

/* path as it stands in the JSON of a row's pictures; the caller frees. */
static char *quoted(const char *path)
{
	AUTO_JSON cJSON *name = cJSON_CreateString(path);

	return cJSON_PrintUnformatted(name);
}

int journal_each_rejected(struct journal *journal, const char *model, const char *path,
	journal_each *each, void *context)
{
	AUTO_FREE char *name = path ? quoted(path) : NULL;
	sqlite3_stmt *statement = journal_use(journal, REJECTED);

	if (!statement || (path && !name))
		return statement ? -ENOMEM : -EIO;
	journal_bind_text(statement, 1, model);
	journal_bind_text(statement, 2, name);
	return each_row(journal, REJECTED, each, context);
}

/* ------------------------------------------------------------------ single values */

/* Whether a bound statement gives a row; true also for an error. */
static bool has_row(sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement);

	(void)sqlite3_reset(statement); /* repeats the step's result */
	return result != SQLITE_DONE;
}

bool journal_names_picture(struct journal *journal, const struct job_key *key, const char *path)
{
	sqlite3_stmt *statement = journal_use(journal, NAMES_PICTURE);
	AUTO_FREE char *name = quoted(path);

	if (!statement || !name)
		return true;
	journal_bind_key(statement, key);
	journal_bind_text(statement, 4, name);
	return has_row(statement);
}

bool journal_rejected_pictures(struct journal *journal)
{
	sqlite3_stmt *statement = journal_use(journal, REJECTED_PICTURES);

	return !statement || has_row(statement);
}

/* The text in the first column of the one row there is. */
static char *only_text(struct journal *journal, enum statement which)
{
	sqlite3_stmt *statement = journal->prepared[which];
	int result = sqlite3_step(statement);
	char *text = NULL;

	if (result == SQLITE_ROW)
		text = journal_column_text(statement, 0);
	else if (result != SQLITE_DONE)
		(void)journal_failure(journal, result, journal_sql[which]); /* NULL says it */
	(void)sqlite3_reset(statement); /* repeats the step's result */
	(void)sqlite3_clear_bindings(statement);
	return text;
}

char *journal_request(struct journal *journal, int64_t id)
{
	sqlite3_stmt *statement = journal_use(journal, REQUEST);

	if (!statement)
		return NULL;
	(void)sqlite3_bind_int64(statement, 1, id); /* a number always fits */
	return only_text(journal, REQUEST);
}

int journal_each_line(struct journal *journal, const struct job_key *batch,
	void (*each)(void *context, const char *stem), void *context)
{
	/* from "list-" up to, not including, "list.", '.' following '-' */
	AUTO_FREE char *from = format("%s-", batch->stem), *to = format("%s.", batch->stem);
	const struct job_key key = {batch->model, batch->dir, from};
	sqlite3_stmt *statement = journal_use(journal, LINES);
	int result;

	if (!statement || !from || !to)
		return statement ? -ENOMEM : -EIO;
	journal_bind_key(statement, &key);
	journal_bind_name(statement, 4, to);
	while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
		AUTO_FREE char *stem = journal_column_text(statement, 0);

		if (stem)
			each(context, stem);
	}
	(void)sqlite3_reset(statement); /* repeats the step's result */
	(void)sqlite3_clear_bindings(statement);
	return result == SQLITE_DONE ? 0 : journal_failure(journal, result, journal_sql[LINES]);
}

char *journal_upload(
	struct journal *journal, const char *host, const char *sha256, int64_t since_ms)
{
	sqlite3_stmt *statement = journal_use(journal, UPLOAD);

	if (!statement)
		return NULL;
	journal_bind_text(statement, 1, host);
	journal_bind_text(statement, 2, sha256);
	(void)sqlite3_bind_int64(statement, 3, since_ms); /* a number always fits */
	return only_text(journal, UPLOAD);
}

char *journal_store(struct journal *journal)
{
	return journal_use(journal, STORE) ? only_text(journal, STORE) : NULL;
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

int journal_spending(struct journal *journal, int64_t since_ms, int64_t *jobs, double *credits)
{
	sqlite3_stmt *statement = journal_use(journal, SPENDING);
	int result;

	if (!statement)
		return -EIO;
	(void)sqlite3_bind_int64(statement, 1, since_ms); /* a number always fits */
	result = sqlite3_step(statement);
	if (result == SQLITE_ROW) {
		*jobs = sqlite3_column_int64(statement, 0);
		*credits = sqlite3_column_double(statement, 1);
	}
	(void)sqlite3_reset(statement); /* repeats the step's result */
	return result == SQLITE_ROW ? 0 : journal_failure(journal, result, "spending");
}

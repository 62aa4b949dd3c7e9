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

enum reading { READ, READ_DAMAGED, READ_NO_MEMORY };

static enum reading read_text(sqlite3_stmt *statement, int index, char **text)
{
	*text = journal_column_text(statement, index);
	return *text || sqlite3_column_type(statement, index) == SQLITE_NULL ? READ
	                                                                     : READ_NO_MEMORY;
}

/* Why a text could not be parsed: want of memory must not look like damage. */
static enum reading unparsed(const char *text, const char *what)
{
	AUTO_FREE char *room = calloc(64, strlen(text) + 1); /* more than cJSON makes of it */

	if (!room)
		return READ_NO_MEMORY;
	log_error("journal: damaged %s: %.2000s", what, text);
	return READ_DAMAGED;
}

static enum reading read_pictures(const char *text, struct job_row *row)
{
	if (pictures_parse(text, &row->picture, &row->npictures))
		return READ;
	pictures_free(TAKE(row->picture), row->npictures);
	row->npictures = 0;
	return unparsed(text, "pictures");
}

static enum reading read_outputs(const char *text, struct job_row *row)
{
	if (outputs_parse(text, &row->output, &row->noutputs))
		return READ;
	outputs_free(TAKE(row->output), row->noutputs);
	row->noutputs = 0;
	return unparsed(text, "outputs");
}

static enum reading read_state(const char *text, struct job_row *row)
{
	int state = text ? job_state_parse(text) : -1;

	row->state = state < 0 ? JOB_UNKNOWN : (enum job_state)state;
	return state < 0 ? READ_DAMAGED : READ;
}

static enum reading read_column(
	sqlite3_stmt *statement, int index, const struct column *column, struct job_row *row)
{
	void *member = (char *)row + column->offset;
	AUTO_FREE char *text = NULL;
	enum reading reading = READ;

	switch (column->kind) {
	case COLUMN_TEXT:
	case COLUMN_NAME: return read_text(statement, index, member);
	case COLUMN_INT: *(int *)member = sqlite3_column_int(statement, index); break;
	case COLUMN_BOOL: *(bool *)member = sqlite3_column_int(statement, index); break;
	case COLUMN_INT64: *(int64_t *)member = sqlite3_column_int64(statement, index); break;
	case COLUMN_NUMBER: *(double *)member = column_number(statement, index); break;
	case COLUMN_STATE:
	case COLUMN_PICTURES:
	case COLUMN_OUTPUTS: reading = read_text(statement, index, &text);
	}
	if (reading != READ)
		return reading;
	switch (column->kind) {
	case COLUMN_STATE: return read_state(text, row);
	case COLUMN_PICTURES: return read_pictures(text, row);
	case COLUMN_OUTPUTS: return read_outputs(text, row);
	default: return READ;
	}
}

/* What a take that can be read in part only may still be. */
static int make_safe(struct job_row *row)
{
	bool sent = row->submitted_ms || row->task || !job_state_is_open(row->state);
	bool is_state = strcmp(row->damaged, "state") == 0;

	free(row->problem);
	free(row->advice);
	row->problem = format("Its row in the journal is damaged: its %s cannot be read.%s%s",
		row->damaged, row->task ? " Its task is " : "", row->task ? row->task : "");
	row->advice = strdup("Look at the provider's own list of tasks. If there is none for this, "
			     "order it again: kinofs retry PATH");
	if (is_state && !row->submitted_ms && !row->task)
		sent = false;
	if (!sent) {
		row->state = JOB_WAITING;
		row->hold = HOLD_UNTIL_RELEASED;
		row->settling = true;
	} else if (row->task && !row->finished_ms) {
		row->state = JOB_RUNNING;
	} else if (is_state || !job_state_is_end(row->state)) {
		row->state = JOB_UNKNOWN;
	}
	return row->problem && row->advice ? 0 : -ENOMEM;
}

struct job_row *journal_read_row(sqlite3_stmt *statement)
{
	struct job_row *row = calloc(1, sizeof(*row));
	bool whole = row;

	if (!row)
		return NULL;
	row->id = sqlite3_column_int64(statement, 0);
	row->shown = sqlite3_column_int(statement, 1);
	for (int i = 0; i < journal_column_count; i++) {
		const struct column *column = &journal_column[i];
		enum reading reading = read_column(statement, FIRST_COLUMN + i, column, row);

		if (reading == READ_DAMAGED)
			row->damaged = column->name;
		else if (reading == READ_NO_MEMORY && column->needed)
			whole = false;
	}
	if (row->damaged && make_safe(row) < 0)
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

/* Rows by one text. */
static int rows_with(
	struct journal *journal, enum statement which, const char *text, struct rows *rows)
{
	sqlite3_stmt *statement = journal_use(journal, which);

	*rows = (struct rows){0};
	if (!statement)
		return -EIO;
	journal_bind_text(statement, 1, text);
	return collect(journal, which, true, rows);
}

int journal_same_order(struct journal *journal, const char *order, struct rows *rows)
{
	return rows_with(journal, SAME_ORDER, order, rows);
}

int journal_same_task(struct journal *journal, const char *task, struct rows *rows)
{
	return rows_with(journal, SAME_TASK, task, rows);
}

int journal_same_files(struct journal *journal, const char *fingerprint, struct rows *rows)
{
	return rows_with(journal, SAME_FILES, fingerprint, rows);
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

int journal_each_rejected(struct journal *journal, const char *model, const char *path,
	journal_each *each, void *context)
{
	enum statement which = path ? REJECTED_WITH_PICTURE : REJECTED_OF_MODEL;
	sqlite3_stmt *statement = journal_use(journal, which);

	if (!statement)
		return -EIO;
	journal_bind_text(statement, 1, path ? path : model);
	return each_row(journal, which, each, context);
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

	if (!statement)
		return true;
	journal_bind_key(statement, key);
	journal_bind_text(statement, 4, path);
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

size_t journal_took(struct journal *journal, const char *model, int64_t *took_ms, size_t room)
{
	sqlite3_stmt *statement = journal_use(journal, TOOK);
	size_t count = 0;
	int result = SQLITE_DONE;

	if (!statement)
		return 0;
	journal_bind_text(statement, 1, model);
	while (count < room && (result = sqlite3_step(statement)) == SQLITE_ROW)
		took_ms[count++] = sqlite3_column_int64(statement, 0);
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		(void)journal_failure(
			journal, result, journal_sql[TOOK]); /* what was read counts */
	(void)sqlite3_reset(statement);                      /* repeats the step's result */
	return count;
}

char *journal_store(struct journal *journal)
{
	return journal_use(journal, STORE) ? only_text(journal, STORE) : NULL;
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

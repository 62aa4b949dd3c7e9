#include "fs/journal/view.h"

#include "fs/base/cleanup.h"
#include "fs/base/log.h"
#include "fs/journal/journal.h"
#include "fs/journal/record.h"
#include "fs/journal/statements.h"
#include "fs/journal/view_open.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define ENDED_SHOWN "1000" /* ended jobs in jobs.json; jobs/ has them all */

struct view {
	pthread_mutex_t lock; /* held over one query; the innermost lock of any thread */
	sqlite3 *db;
	const struct model_set *models;
};

struct view *view_open(const char *directory, const struct model_set *models)
{
	AUTO_FREE char *path = NULL;
	struct view *view = calloc(1, sizeof(*view));

	if (!view || asprintf(&path, "%s/" JOURNAL_FILE, directory) < 0) {
		free(view);
		return NULL;
	}
	if (sqlite3_open_v2(path, &view->db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
		log_error("journal: %s", sqlite3_errmsg(view->db));
		(void)sqlite3_close(view->db); /* nothing was prepared */
		free(view);
		return NULL;
	}
	(void)sqlite3_busy_timeout(view->db, 1000); /* WAL recovery by the writer */
	(void)sqlite3_exec(
		view->db, "PRAGMA cache_size = -512", NULL, NULL, NULL); /* only memory */
	view->models = models;
	pthread_mutex_init(&view->lock, NULL);
	return view;
}

void view_close(struct view *view)
{
	if (!view)
		return;
	if (sqlite3_close(view->db) != SQLITE_OK)
		log_warn("journal view: %s", sqlite3_errmsg(view->db));
	pthread_mutex_destroy(&view->lock);
	free(view);
}

/* Prepares with up to three keys: text, name, name. NULL: logged. Finalize ends it. */
static sqlite3_stmt *query(
	struct view *view, const char *sql, const char *model, const char *dir, const char *stem)
{
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(view->db, sql, -1, &statement, NULL) != SQLITE_OK) {
		log_error("journal view: %s", sqlite3_errmsg(view->db));
		return NULL;
	}
	/* a text that cannot be bound for want of memory finds nothing, which is the safe answer */
	if (model)
		(void)sqlite3_bind_text(statement, 1, model, -1, SQLITE_STATIC);
	if (dir)
		(void)sqlite3_bind_blob(statement, 2, dir, (int)strlen(dir), SQLITE_STATIC);
	if (stem)
		(void)sqlite3_bind_blob(statement, 3, stem, (int)strlen(stem), SQLITE_STATIC);
	return statement;
}

static const struct model *model_of(const struct view *view, const struct job_row *row)
{
	return models_find(view->models, row->model_id);
}

/* Adds the other takes, newest first. */
static void add_other_takes(struct view *view, const struct job_row *row, cJSON *object)
{
	sqlite3_stmt *statement = query(view,
		"SELECT " JOURNAL_COLUMNS " FROM job WHERE " JOURNAL_KEY
		" AND shown = 0 AND forgotten = 0 ORDER BY take DESC LIMIT 100",
		row->model_id, row->dir, row->stem);
	cJSON *takes = NULL;

	while (statement && sqlite3_step(statement) == SQLITE_ROW) {
		struct job_row *other = journal_read_row(statement);

		if (other && !takes)
			takes = cJSON_AddArrayToObject(object, "earlier_takes");
		if (other && takes)
			cJSON_AddItemToArray(takes, record_summary(other, model_of(view, other)));
		job_row_free(other);
	}
	(void)sqlite3_finalize(statement); /* a short list is all there is to lose */
}

static int render_record(struct view *view, sqlite3_stmt *statement, struct record *record)
{
	struct job_row *row = journal_read_row(statement);
	const char *request =
		(const char *)sqlite3_column_text(statement, sqlite3_column_count(statement) - 1);
	AUTO_JSON cJSON *object = NULL;

	if (!row)
		return -EIO;
	object = record_full(row, model_of(view, row), request);
	add_other_takes(view, row, object);
	record->id = row->id;
	record->changed_ms = row->changed_ms;
	job_row_free(row);
	record->text = cJSON_Print(object);
	if (!record->text)
		return -ENOMEM;
	record->bytes = strlen(record->text);
	record->text[record->bytes++] = '\n'; /* in place of the NUL: bytes counts, not NUL */
	return 0;
}

int view_record(struct view *view, const char *model, const char *dir, const char *stem,
	struct record *record)
{
	sqlite3_stmt *statement;
	int error = -EIO;
	int result;

	pthread_mutex_lock(&view->lock);
	statement = query(view,
		"SELECT " JOURNAL_COLUMNS ", request FROM job WHERE " JOURNAL_KEY
		" AND shown = 1 ORDER BY take DESC LIMIT 1",
		model, dir, stem);
	if (statement) {
		result = sqlite3_step(statement);
		if (result == SQLITE_ROW)
			error = render_record(view, statement, record);
		else if (result == SQLITE_DONE)
			error = -ENOENT;
		(void)sqlite3_finalize(statement); /* repeats the step's result */
	}
	pthread_mutex_unlock(&view->lock);
	return error;
}

int view_list(struct view *view, const char *model, const char *dir, int64_t after, view_each *each,
	void *context)
{
	sqlite3_stmt *statement;
	int result = SQLITE_ERROR;

	pthread_mutex_lock(&view->lock);
	statement = query(view,
		"SELECT id, stem FROM job WHERE model = ?1 AND dir = ?2 AND shown = 1"
		" AND id > ?4 ORDER BY id",
		model, dir, NULL);
	if (statement) {
		(void)sqlite3_bind_int64(statement, 4, after);
		while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
			const char *stem = (const char *)sqlite3_column_text(statement, 1);

			if (stem && each(context, sqlite3_column_int64(statement, 0), stem)) {
				result = SQLITE_DONE;
				break;
			}
		}
		(void)sqlite3_finalize(statement); /* repeats the step's result */
	}
	pthread_mutex_unlock(&view->lock);
	return result == SQLITE_DONE ? 0 : -EIO;
}

static bool has_dir(struct view *view, const char *model, const char *dir)
{
	sqlite3_stmt *statement =
		query(view, "SELECT 1 FROM job WHERE model = ?1 AND shown = 1 AND dir = ?2 LIMIT 1",
			model, dir, NULL);
	bool found = statement && sqlite3_step(statement) == SQLITE_ROW;

	(void)sqlite3_finalize(statement); /* repeats the step's result */
	return found;
}

/* The first folder with records whose path sorts behind `after`; the caller frees. */
static char *next_dir(struct view *view, const char *model, const char *after)
{
	sqlite3_stmt *statement = query(view,
		"SELECT dir FROM job WHERE model = ?1 AND shown = 1 AND dir > ?2"
		" ORDER BY dir LIMIT 1",
		model, after, NULL);
	char *dir = NULL;

	if (statement && sqlite3_step(statement) == SQLITE_ROW)
		dir = strndup((const char *)sqlite3_column_text(statement, 0),
			(size_t)sqlite3_column_bytes(statement, 0));
	(void)sqlite3_finalize(statement); /* repeats the step's result */
	return dir;
}

/*
 * Skips through the index, a few look-ups a sub-folder however many jobs it holds. "a-b" sorts
 * between "a" and "a/b", so "a" is met twice when it has jobs itself and below.
 */
int view_list_folders(
	struct view *view, const char *model, const char *dir, view_each *each, void *context)
{
	size_t prefix = *dir ? strlen(dir) + 1 : 0;
	AUTO_FREE char *after = NULL;
	bool stop = false;

	if (asprintf(&after, "%s%s", dir, prefix ? "/" : "") < 0)
		return -ENOMEM;
	pthread_mutex_lock(&view->lock);
	while (!stop) {
		char *found = next_dir(view, model, after);
		char *slash = found && strlen(found) > prefix ? strchr(found + prefix, '/') : NULL;
		bool met = false;

		if (!found || strncmp(found, dir, prefix ? prefix - 1 : 0) ||
			(prefix && found[prefix - 1] != '/')) {
			free(found);
			break;
		}
		if (slash) {
			*slash = '\0';
			met = has_dir(view, model, found);
		}
		stop = !met && each(context, 0, found + prefix);
		if (slash)
			(void)memcpy(slash, "0", 2); /* '0' follows '/': behind all below it */
		free(after);
		after = found;
	}
	pthread_mutex_unlock(&view->lock);
	return 0;
}

int view_folder(struct view *view, const char *model, const char *dir)
{
	AUTO_FREE char *below = NULL, *past = NULL;
	sqlite3_stmt *statement;
	int error = -EIO;

	if (!*dir)
		return 0;
	if (asprintf(&below, "%s/", dir) < 0 || asprintf(&past, "%s0", dir) < 0)
		return -ENOMEM;
	pthread_mutex_lock(&view->lock);
	statement = query(view,
		"SELECT 1 FROM job WHERE model = ?1 AND shown = 1 AND"
		" (dir = ?2 OR (dir >= ?3 AND dir < ?4)) LIMIT 1",
		model, dir, below);
	if (statement) {
		(void)sqlite3_bind_blob(statement, 4, past, (int)strlen(past), SQLITE_STATIC);
		error = sqlite3_step(statement) == SQLITE_ROW ? 0 : -ENOENT;
		(void)sqlite3_finalize(statement); /* repeats the step's result */
	}
	pthread_mutex_unlock(&view->lock);
	return error;
}

bool view_knows(struct view *view, const char *model, const char *dir, const char *stem)
{
	sqlite3_stmt *statement;
	bool knows = true;

	pthread_mutex_lock(&view->lock);
	statement = query(view, "SELECT 1 FROM job WHERE " JOURNAL_KEY " AND shown = 1 LIMIT 1",
		model, dir, stem);
	if (statement)
		knows = sqlite3_step(statement) != SQLITE_DONE;
	(void)sqlite3_finalize(statement); /* repeats the step's result */
	pthread_mutex_unlock(&view->lock);
	return knows;
}

/* Adds a summary of each row of a SELECT of JOURNAL_COLUMNS. */
static int add_summaries(struct view *view, cJSON *array, const char *select)
{
	sqlite3_stmt *statement = query(view, select, NULL, NULL, NULL);
	int result;

	if (!statement)
		return -EIO;
	while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
		struct job_row *row = journal_read_row(statement);

		if (row)
			cJSON_AddItemToArray(array, record_summary(row, model_of(view, row)));
		job_row_free(row);
	}
	(void)sqlite3_finalize(statement); /* repeats the step's result */
	return result == SQLITE_DONE ? 0 : -EIO;
}

int view_jobs(struct view *view, char **text, size_t *bytes)
{
	AUTO_JSON cJSON *object = cJSON_CreateObject();
	cJSON *jobs = cJSON_AddArrayToObject(object, "jobs");
	int error;

	if (!jobs)
		return -ENOMEM;
	pthread_mutex_lock(&view->lock);
	error = add_summaries(view, jobs,
		"SELECT " JOURNAL_COLUMNS " FROM job WHERE " JOURNAL_UNFINISHED " ORDER BY id");
	if (!error)
		error = add_summaries(view, jobs,
			"SELECT " JOURNAL_COLUMNS " FROM job WHERE shown = 1 AND settling = 0 AND"
			" state IN " JOURNAL_ENDED " ORDER BY changed DESC LIMIT " ENDED_SHOWN);
	pthread_mutex_unlock(&view->lock);
	if (error)
		return error;
	*text = cJSON_Print(object);
	if (!*text)
		return -ENOMEM;
	*bytes = strlen(*text);
	(*text)[(*bytes)++] = '\n'; /* in place of the NUL: bytes counts, not NUL */
	return 0;
}

#include "fs/journal/view.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/log.h"
#include "fs/base/quote.h"
#include "fs/journal/journal.h"
#include "fs/journal/record.h"
#include "fs/journal/view_inside.h"
#include "fs/journal/view_open.h"
#include "spec/place.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct view *view_open(const char *directory, const struct model_set *models)
{
	AUTO_FREE char *path = NULL;
	struct view *view = calloc(1, sizeof(*view));

	if (!view || asprintf(&path, "%s/" JOURNAL_FILE, directory) < 0) {
		free(view);
		return NULL;
	}
	if (sqlite3_open_v2(path, &view->journal.db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
		log_error("journal: %s", sqlite3_errmsg(view->journal.db));
		(void)sqlite3_close(view->journal.db); /* nothing was prepared */
		free(view);
		return NULL;
	}
	(void)sqlite3_busy_timeout(view->journal.db, 1000); /* WAL recovery by the writer */
	(void)sqlite3_exec(
		view->journal.db, "PRAGMA cache_size = -512", NULL, NULL, NULL); /* only memory */
	view->models = models;
	pthread_mutex_init(&view->lock, NULL);
	return view;
}

void view_close(struct view *view)
{
	if (!view)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize(view->journal.prepared[i]); /* repeats old results */
	if (sqlite3_close(view->journal.db) != SQLITE_OK)
		log_warn("journal view: %s", sqlite3_errmsg(view->journal.db));
	pthread_mutex_destroy(&view->lock);
	cJSON_Delete(view->spent.orders);
	free(view);
}

/* A statement with up to three of its keys, ready to be run. NULL: logged. done() ends it. A text
 * that cannot be bound for want of memory finds nothing, which is the safe answer. */
static sqlite3_stmt *query(struct view *view, enum statement which, const char *model,
	const char *dir, const char *stem)
{
	sqlite3_stmt *statement = journal_use(&view->journal, which);

	if (statement && model)
		journal_bind_text(statement, 1, model);
	if (statement && dir)
		journal_bind_name(statement, 2, dir);
	if (statement && stem)
		journal_bind_name(statement, 3, stem);
	return statement;
}

/* A statement that is not reset would hold on to the state of the journal it saw. */
static void done(sqlite3_stmt *statement)
{
	if (!statement)
		return;
	(void)sqlite3_reset(statement); /* repeats the step's result */
	(void)sqlite3_clear_bindings(statement);
}

static bool has_row(sqlite3_stmt *statement)
{
	bool has = statement && sqlite3_step(statement) == SQLITE_ROW;

	done(statement);
	return has;
}

static const struct model *model_of(const struct view *view, const struct job_row *row)
{
	return models_find(view->models, row->model_id);
}

/* A summary, with the time at which such tasks usually have ended. */
static void add_expectation(struct view *view, const struct job_row *row, cJSON *object)
{
	sqlite3_stmt *statement;

	if (row->state != JOB_RUNNING || job_is_stuck(row))
		return;
	statement = query(view, USUALLY_TOOK, row->model_id, NULL, NULL);
	if (statement && sqlite3_step(statement) == SQLITE_ROW)
		record_expect(object, row->accepted_ms + sqlite3_column_int64(statement, 0));
	done(statement); /* without it nothing is expected */
}

/* Adds the other takes, newest first. */
static void add_other_takes(struct view *view, const struct job_row *row, cJSON *object)
{
	sqlite3_stmt *statement = query(view, OTHER_TAKES, row->model_id, row->dir, row->stem);
	cJSON *takes = NULL;

	while (statement && sqlite3_step(statement) == SQLITE_ROW) {
		struct job_row *other = journal_read_row(statement);

		if (other && !takes)
			takes = cJSON_AddArrayToObject(object, "earlier_takes");
		if (other && takes)
			cJSON_AddItemToArray(takes, record_summary(other, model_of(view, other)));
		job_row_free(other);
	}
	done(statement); /* a short list is all there is to lose */
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
	add_expectation(view, row, object);
	if (row->shown)
		add_other_takes(view, row, object);
	record->id = row->id;
	record->changed_ms = row->changed_ms;
	record->rights = TAKE(row->rights);
	job_row_free(row);
	record->text = quote_json_print(object, true);
	if (!record->text)
		return -ENOMEM;
	record->bytes = strlen(record->text);
	record->text[record->bytes++] = '\n'; /* in place of the NUL: bytes counts, not NUL */
	return 0;
}

static int read_record(struct view *view, sqlite3_stmt *statement, struct record *record)
{
	int result = statement ? sqlite3_step(statement) : SQLITE_ERROR, error = -EIO;

	if (result == SQLITE_ROW)
		error = render_record(view, statement, record);
	else if (result == SQLITE_DONE)
		error = -ENOENT;
	done(statement);
	return error;
}

int view_record(struct view *view, const char *model, const char *dir, const char *stem,
	struct record *record)
{
	int error;

	pthread_mutex_lock(&view->lock);
	error = read_record(view, query(view, RECORD, model, dir, stem), record);
	pthread_mutex_unlock(&view->lock);
	return error;
}

int view_take(struct view *view, int64_t id, struct record *record)
{
	sqlite3_stmt *statement;
	int error;

	pthread_mutex_lock(&view->lock);
	statement = journal_use(&view->journal, RECORD_OF_TAKE);
	if (statement)
		(void)sqlite3_bind_int64(statement, 1, id); /* a number always fits */
	error = read_record(view, statement, record);
	pthread_mutex_unlock(&view->lock);
	return error;
}

int view_list(struct view *view, const char *model, const char *dir, int64_t after, view_each *each,
	void *context)
{
	sqlite3_stmt *statement;
	int result = SQLITE_ERROR;

	pthread_mutex_lock(&view->lock);
	statement = query(view, RECORDS, model, dir, NULL);
	if (statement) {
		(void)sqlite3_bind_int64(statement, 3, after);
		while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
			const char *stem = (const char *)sqlite3_column_text(statement, 1);

			if (stem && each(context, sqlite3_column_int64(statement, 0), stem)) {
				result = SQLITE_DONE;
				break;
			}
		}
		done(statement);
	}
	pthread_mutex_unlock(&view->lock);
	return result == SQLITE_DONE ? 0 : -EIO;
}

static bool has_dir(struct view *view, const char *model, const char *dir)
{
	return has_row(query(view, HAS_FOLDER, model, dir, NULL));
}

/* The first folder with records whose path sorts behind `after`; the caller frees. */
static char *next_dir(struct view *view, const char *model, const char *after)
{
	sqlite3_stmt *statement = query(view, NEXT_FOLDER, model, after, NULL);
	char *dir = NULL;

	if (statement && sqlite3_step(statement) == SQLITE_ROW)
		dir = journal_column_text(statement, 0);
	done(statement);
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
	AUTO_FREE char *below = NULL, *next = NULL;
	bool found;

	if (!*dir)
		return 0;
	if (asprintf(&below, "%s/", dir) < 0)
		return -ENOMEM;
	pthread_mutex_lock(&view->lock);
	found = has_dir(view, model, dir);
	if (!found) { /* what is below sorts right behind "dir/", which is no folder's path */
		next = next_dir(view, model, below);
		found = next && !strncmp(next, below, strlen(below));
	}
	pthread_mutex_unlock(&view->lock);
	return found ? 0 : -ENOENT;
}

bool view_knows(struct view *view, const char *model, const char *dir, const char *stem)
{
	sqlite3_stmt *statement;
	bool knows = true;

	pthread_mutex_lock(&view->lock);
	statement = query(view, KNOWS, model, dir, stem);
	if (statement)
		knows = sqlite3_step(statement) != SQLITE_DONE;
	done(statement);
	pthread_mutex_unlock(&view->lock);
	return knows;
}

char *view_rights(
	struct view *view, const char *model, const char *dir, const char *stem, bool *known)
{
	sqlite3_stmt *statement;
	char *rights = NULL;

	pthread_mutex_lock(&view->lock);
	statement = query(view, RIGHTS, model, dir, stem);
	/* of a journal that cannot be read nothing is shown */
	*known = !statement || sqlite3_step(statement) != SQLITE_DONE;
	if (*known && statement && sqlite3_column_type(statement, 0) != SQLITE_NULL)
		rights = journal_column_text(statement, 0);
	done(statement);
	pthread_mutex_unlock(&view->lock);
	return rights;
}

typedef bool is_cut_of(const char *name, const char *stem);

static bool is_record_of(const char *name, const char *stem)
{
	AUTO_FREE char *cut = place_fit(stem, ".json", PLACE_NAME_MAX);

	return cut && !strncmp(cut, name, strlen(name)) && !strcmp(cut + strlen(name), ".json");
}

/* The stem that becomes `name` when it is cut, among those from statement on in their order. */
static char *find_whole(sqlite3_stmt *statement, const char *name, size_t begins, is_cut_of *is_of)
{
	while (sqlite3_step(statement) == SQLITE_ROW) {
		AUTO_FREE char *stem = journal_column_text(statement, 0);

		if (!stem || strncmp(stem, name, begins) != 0)
			return NULL;
		if (is_of(name, stem))
			return TAKE(stem);
	}
	return NULL;
}

static char *whole_stem(
	struct view *view, const char *model, const char *dir, const char *stem, is_cut_of *is_of)
{
	AUTO_FREE char *begin = strdup(stem);
	sqlite3_stmt *statement;
	char *whole = NULL;

	if (!place_is_cut(stem))
		return TAKE(begin);
	if (!begin)
		return NULL;
	*strrchr(begin, '~') = '\0';
	pthread_mutex_lock(&view->lock);
	statement = query(view, STEMS_FROM, model, dir, begin);
	if (statement)
		whole = find_whole(statement, stem, strlen(begin), is_of);
	done(statement); /* a name that is not found is looked for as it is */
	pthread_mutex_unlock(&view->lock);
	return whole ? whole : strdup(stem);
}

char *view_whole_stem(struct view *view, const char *model, const char *dir, const char *stem)
{
	return whole_stem(view, model, dir, stem, is_record_of);
}

char *view_cut_stem(struct view *view, const char *model, const char *dir, const char *stem)
{
	return whole_stem(view, model, dir, stem, place_is_cut_of);
}

/* Summaries, and the rows they are of, if it depends on those whether they are shown. */
struct summaries {
	cJSON *array;
	bool keeps_rows;
	struct job_row **row;
	size_t count, room;
};

static int add_summary(struct view *view, struct summaries *to, struct job_row *row)
{
	cJSON *object = record_summary(row, model_of(view, row));

	add_expectation(view, row, object);
	if (!cJSON_AddItemToArray(to->array, object) ||
		(to->keeps_rows && ARRAY_ROOM(to->row, to->count, to->room) < 0)) {
		job_row_free(row);
		return -ENOMEM;
	}
	if (to->keeps_rows)
		to->row[to->count++] = row;
	else
		job_row_free(row);
	return 0;
}

/* Adds a summary of each row of a SELECT of JOURNAL_COLUMNS. */
static int add_summaries(struct view *view, struct summaries *to, enum statement which)
{
	sqlite3_stmt *statement = query(view, which, NULL, NULL, NULL);
	int result = SQLITE_ERROR, error = 0;

	if (!statement)
		return -EIO;
	while (!error && (result = sqlite3_step(statement)) == SQLITE_ROW) {
		struct job_row *row = journal_read_row(statement);

		if (row)
			error = add_summary(view, to, row);
	}
	done(statement);
	return error || result == SQLITE_DONE ? error : -EIO;
}

/* Leaves what shows() lets pass, which may take its time. */
static void sift(struct summaries *summaries, view_shows *shows, void *context)
{
	cJSON *object = summaries->array->child, *next;

	for (size_t i = 0; i < summaries->count; i++, object = next) {
		next = object->next;
		if (!shows(context, summaries->row[i]))
			cJSON_Delete(cJSON_DetachItemViaPointer(summaries->array, object));
		job_row_free(summaries->row[i]);
	}
	free(summaries->row);
}

int view_jobs(struct view *view, view_shows *shows, void *context, char **text, size_t *bytes)
{
	AUTO_JSON cJSON *object = cJSON_CreateObject();
	struct summaries jobs = {
		.array = cJSON_AddArrayToObject(object, "jobs"), .keeps_rows = shows};
	int error;

	if (!jobs.array)
		return -ENOMEM;
	pthread_mutex_lock(&view->lock);
	error = add_summaries(view, &jobs, UNFINISHED);
	if (!error)
		error = add_summaries(view, &jobs, SHOWN_ENDED);
	pthread_mutex_unlock(&view->lock);
	sift(&jobs, shows, context);
	if (error)
		return error;
	*text = quote_json_print(object, true);
	if (!*text)
		return -ENOMEM;
	*bytes = strlen(*text);
	(*text)[(*bytes)++] = '\n'; /* in place of the NUL: bytes counts, not NUL */
	return 0;
}

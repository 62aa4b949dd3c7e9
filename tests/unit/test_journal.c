/* fs/journal: rows as they were put, what is asked of them, and journals of other formats. */
#include "fs/base/cleanup.h"
#include "fs/base/digest.h"
#include "fs/base/json.h"
#include "fs/journal/journal.h"
#include "fs/journal/schema.h"
#include "fs/journal/spending.h"
#include "fs/journal/statements.h"
#include "fs/journal/view.h"
#include "fs/journal/view_open.h"
#include "spec/order.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/run.h"

#define T2V "hailuo/02-text-to-video-pro"
#define I2V "hailuo/02-image-to-video-standard"

static const struct job_key cat = {T2V, "", "cat"};
static struct model_set models;

struct fixture {
	char directory[64];
	struct journal *journal;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	bool fresh;

	fixture = (struct fixture){.directory = "/tmp/kinofs-journal-XXXXXX"};
	if (!mkdtemp(fixture.directory))
		return -1;
	fixture.journal = journal_open(fixture.directory, &models, &fresh);
	*state = &fixture;
	return fixture.journal && fresh ? 0 : -1;
}

/* The path of the journal's file; kept until the next call. */
static const char *file_of(const struct fixture *fixture, const char *end)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/" JOURNAL_FILE "%s", fixture->directory, end);
	return path;
}

static int tear_down(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	struct fixture *fixture = *state;

	journal_close(fixture->journal);
	for (size_t i = 0; i < 3; i++)
		(void)unlink(file_of(fixture, ends[i]));
	(void)rmdir(fixture->directory);
	return 0;
}

/* A row put with its take, state and order, and shown; the caller frees. */
static struct job_row *put_order(struct fixture *fixture, const struct job_key *key, int take,
	enum job_state state, const char *order)
{
	struct job_row *row = job_row_new(key);

	row->take = take;
	row->state = state;
	row->submitted_ms = job_state_is_open(state) ? 0 : 1000 * take;
	job_set_text(&row->order, order);
	assert_int_equal(journal_begin(fixture->journal), 0);
	assert_int_equal(journal_put(fixture->journal, row), 0);
	assert_int_equal(journal_show(fixture->journal, row), 0);
	assert_int_equal(journal_commit(fixture->journal), 0);
	return row;
}

static struct job_row *put(
	struct fixture *fixture, const char *dir, const char *stem, int take, enum job_state state)
{
	return put_order(fixture, &(struct job_key){T2V, dir, stem}, take, state, NULL);
}

static int64_t put_id(
	struct fixture *fixture, const char *dir, const char *stem, int take, enum job_state state)
{
	struct job_row *row = put(fixture, dir, stem, take, state);
	int64_t id = row->id;

	job_row_free(row);
	return id;
}

/* "cat:2* cat:1 ": the rows, a star for what is shown; frees them. */
static void assert_rows(struct rows *rows, const char *expected)
{
	AUTO_FREE char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	for (size_t i = 0; i < rows->count; i++)
		(void)fprintf(out, "%s:%d%s ", rows->item[i]->stem, rows->item[i]->take,
			rows->item[i]->shown ? "*" : "");
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, expected);
	rows_free(rows);
}

static void assert_takes(struct fixture *fixture, const struct job_key *key, const char *expected)
{
	struct rows rows;

	assert_int_equal(journal_takes(fixture->journal, key, &rows), 0);
	assert_rows(&rows, expected);
}

static struct picture *one_picture(const char *url)
{
	struct picture *picture = calloc(1, sizeof(*picture));

	picture->field = strdup("image_url");
	picture->path = strdup(T2V "/cat.png");
	picture->sha256 = strdup("abc");
	picture->type = strdup("image/png");
	picture->bytes = 77;
	picture->url = url ? strdup(url) : NULL;
	return picture;
}

/* ------------------------------------------------------------------ rows */

static struct job_row *full_row(void)
{
	struct job_row *row = job_row_new(&(struct job_key){T2V, "sum\xff mer", "b\"each"});

	row->state = JOB_RUNNING;
	row->hold = HOLD_COPY;
	row->note = NOTE_ERROR;
	row->settling = row->asked = row->released = true;
	row->take = 3;
	row->more = 7;
	row->fingerprint = strdup("abc");
	row->order = strdup("def");
	row->seen = strdup("");
	row->request = strdup("{\"prompt\":\"ü\"}");
	row->picture = one_picture("https://h/1");
	row->npictures = 1;
	row->output = calloc(2, sizeof(*row->output));
	row->noutputs = 2;
	row->output[0] = (struct output){.state = OUTPUT_PUBLISHED,
		.url = strdup("https://h/v"),
		.file = strdup("x.mp4"),
		.type = strdup("mp4"),
		.bytes = 5};
	row->output[1].url = strdup("https://h/w");
	row->estimate = 57.5;
	row->task = strdup("t-1");
	row->provider_state = strdup("queueing");
	row->progress = 40;
	row->problem = strdup("slow");
	row->advice = strdup("wait");
	row->created_ms = 1;
	row->submitted_ms = 2;
	row->accepted_ms = 3;
	row->finished_ms = 4;
	row->changed_ms = 5;
	row->links_until_ms = 6;
	row->saved_ms = 7;
	row->forgotten_ms = 8;
	return row;
}

static void assert_same_texts(const struct job_row *row, const struct job_row *back)
{
	assert_string_equal(back->model_id, row->model_id);
	assert_string_equal(back->dir, row->dir);
	assert_string_equal(back->stem, row->stem);
	assert_string_equal(back->fingerprint, row->fingerprint);
	assert_string_equal(back->order, row->order);
	assert_string_equal(back->seen, row->seen);
	assert_null(back->request);
	assert_string_equal(back->task, row->task);
	assert_string_equal(back->provider_state, row->provider_state);
	assert_string_equal(back->problem, row->problem);
	assert_string_equal(back->advice, row->advice);
}

static void assert_same_files(const struct job_row *row, const struct job_row *back)
{
	assert_int_equal(back->npictures, 1);
	assert_string_equal(back->picture[0].field, row->picture[0].field);
	assert_string_equal(back->picture[0].url, row->picture[0].url);
	assert_int_equal(back->picture[0].bytes, 77);
	assert_int_equal(back->noutputs, 2);
	assert_int_equal(back->output[0].state, OUTPUT_PUBLISHED);
	assert_string_equal(back->output[0].file, "x.mp4");
	assert_int_equal(back->output[1].state, OUTPUT_LINKED);
	assert_string_equal(back->output[1].url, "https://h/w");
}

static void a_row_comes_back_as_it_was_put(void **state)
{
	struct fixture *fixture = *state;
	struct job_row *row = full_row(), *back;
	AUTO_FREE char *request = NULL;
	int error;

	assert_int_equal(journal_put(fixture->journal, row), 0);
	back = journal_row(fixture->journal, row->id, &error);
	assert_non_null(back);
	assert_int_equal(error, 0);
	assert_int_equal(back->id, row->id);
	assert_false(back->shown);
	assert_same_texts(row, back);
	assert_same_files(row, back);
	assert_int_equal(back->state, JOB_RUNNING);
	assert_int_equal(back->hold, HOLD_COPY);
	assert_int_equal(back->note, NOTE_ERROR);
	assert_true(back->settling && back->asked && back->released);
	assert_true(back->take == 3 && back->more == 7 && back->progress == 40);
	assert_true(back->estimate == 57.5 && isnan(back->spent));
	assert_true(back->created_ms == 1 && back->submitted_ms == 2 && back->accepted_ms == 3);
	assert_true(back->finished_ms == 4 && back->changed_ms == 5 && back->links_until_ms == 6);
	assert_true(back->saved_ms == 7 && back->forgotten_ms == 8);
	request = journal_request(fixture->journal, row->id);
	assert_string_equal(request, "{\"prompt\":\"ü\"}");
	job_row_free(back);
	assert_null(journal_row(fixture->journal, row->id + 1, &error));
	assert_int_equal(error, 0);
	job_row_free(row);
}

static void putting_again_keeps_the_request_and_what_is_shown(void **state)
{
	struct fixture *fixture = *state;
	struct job_row *row = put(fixture, "", "cat", 1, JOB_QUEUED);
	AUTO_FREE char *request = NULL;

	row->request = strdup("{}");
	assert_int_equal(journal_put(fixture->journal, row), 0);
	free(TAKE(row->request));
	row->state = JOB_SUBMITTING;
	assert_int_equal(journal_put(fixture->journal, row), 0);
	request = journal_request(fixture->journal, row->id);
	assert_string_equal(request, "{}");
	assert_takes(fixture, &cat, "cat:1* ");
	job_row_free(row);
}

static void takes_come_newest_first_and_of_their_job_only(void **state)
{
	struct fixture *fixture = *state;

	put_id(fixture, "", "cat", 2, JOB_DONE);
	put_id(fixture, "", "cat", 3, JOB_WAITING);
	put_id(fixture, "", "cat", 1, JOB_DONE);
	put_id(fixture, "", "Cat", 4, JOB_DONE);
	put_id(fixture, "cat", "cat", 5, JOB_DONE);
	assert_takes(fixture, &cat, "cat:3 cat:2 cat:1* ");
	assert_takes(fixture, &(struct job_key){I2V, "", "cat"}, "");
}

static void one_take_of_a_job_is_shown(void **state)
{
	struct fixture *fixture = *state;
	struct job_row *first = put(fixture, "", "cat", 1, JOB_DONE);
	int64_t second = put_id(fixture, "", "cat", 2, JOB_DONE), id = -1;

	put_id(fixture, "", "dog", 1, JOB_DONE);
	assert_takes(fixture, &cat, "cat:2* cat:1 ");
	assert_int_equal(journal_show(fixture->journal, first), 0);
	assert_takes(fixture, &cat, "cat:2 cat:1* ");
	assert_int_equal(journal_show_newest(fixture->journal, &cat, &id), 0);
	assert_int_equal(id, 0); /* one is shown already */
	assert_int_equal(journal_delete(fixture->journal, first->id), 0);
	assert_int_equal(journal_show_newest(fixture->journal, &cat, &id), 0);
	assert_int_equal(id, second);
	assert_takes(fixture, &cat, "cat:2* ");
	assert_takes(fixture, &(struct job_key){T2V, "", "dog"}, "dog:1* ");
	assert_int_equal(
		journal_show_newest(fixture->journal, &(struct job_key){T2V, "", "none"}, &id), 0);
	assert_int_equal(id, 0);
	job_row_free(first);
}

static void a_transaction_rolled_back_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct job_row *row = job_row_new(&cat);

	assert_int_equal(journal_begin(fixture->journal), 0);
	assert_int_equal(journal_put(fixture->journal, row), 0);
	journal_rollback(fixture->journal);
	assert_takes(fixture, &cat, "");
	job_row_free(row);
}

static void a_job_that_goes_on_gets_its_deleted_row_again(void **state)
{
	struct fixture *fixture = *state;
	struct job_row *row = put(fixture, "", "cat", 1, JOB_QUEUED), *found;
	int error;

	assert_int_equal(journal_delete(fixture->journal, row->id), 0);
	row->state = JOB_SUBMITTING;
	assert_int_equal(journal_put(fixture->journal, row), 0);
	found = journal_row(fixture->journal, row->id, &error);
	assert_true(found && found->state == JOB_SUBMITTING);
	job_row_free(found);
	job_row_free(row);
}

static void takes_may_change_places(void **state)
{
	struct fixture *fixture = *state;
	struct job_row *first = put(fixture, "", "cat", 1, JOB_DONE);
	struct job_row *second = put(fixture, "", "dog", 1, JOB_DONE);

	assert_int_equal(journal_begin(fixture->journal), 0);
	job_set_text(&first->stem, "dog");
	assert_int_equal(journal_put(fixture->journal, first), 0);
	job_set_text(&second->stem, "cat");
	assert_int_equal(journal_put(fixture->journal, second), 0);
	assert_int_equal(journal_commit(fixture->journal), 0);
	assert_takes(fixture, &cat, "cat:1* ");
	job_row_free(first);
	job_row_free(second);
}

/* ------------------------------------------------------------------ orders */

static void an_order_is_found_wherever_it_is(void **state)
{
	struct fixture *fixture = *state;
	struct rows rows;

	job_row_free(put_order(fixture, &cat, 1, JOB_DONE, "one"));
	job_row_free(put_order(fixture, &cat, 2, JOB_DONE, "other"));
	job_row_free(put_order(fixture, &(struct job_key){T2V, "a", "dog"}, 4, JOB_HELD, "one"));
	put_id(fixture, "", "elk", 1, JOB_WAITING); /* of no order */
	assert_int_equal(journal_same_order(fixture->journal, "one", &rows), 0);
	assert_rows(&rows, "cat:1 dog:4* ");
	assert_int_equal(journal_same_order(fixture->journal, "none", &rows), 0);
	assert_rows(&rows, "");
}

static void a_forgotten_job_is_known_by_its_orders_only(void **state)
{
	struct fixture *fixture = *state;
	struct job_row *row = put_order(fixture, &cat, 1, JOB_DONE, "one");
	struct rows rows;
	int64_t id, jobs;
	double credits;

	row->picture = one_picture(NULL);
	row->npictures = 1;
	row->request = strdup("{}");
	row->task = strdup("t");
	row->fingerprint = strdup("f");
	row->settling = true;
	row->note = NOTE_ERROR;
	row->estimate = 57;
	assert_int_equal(journal_put(fixture->journal, row), 0);
	job_row_free(put_order(fixture, &cat, 2, JOB_DONE, "other"));
	job_row_free(put_order(fixture, &(struct job_key){T2V, "", "dog"}, 1, JOB_DONE, "dog's"));
	assert_int_equal(journal_forget(fixture->journal, &cat, 99), 0);
	assert_int_equal(journal_forget(fixture->journal, &cat, 100), 0); /* only once */

	assert_int_equal(journal_show_newest(fixture->journal, &cat, &id), 0);
	assert_int_equal(id, 0);
	assert_takes(fixture, &cat, "cat:2 cat:1 ");
	assert_null(journal_request(fixture->journal, row->id));
	assert_int_equal(journal_same_order(fixture->journal, "one", &rows), 0);
	assert_int_equal(rows.count, 1);
	assert_int_equal(rows.item[0]->forgotten_ms, 99);
	assert_string_equal(rows.item[0]->fingerprint, "f");
	assert_string_equal(rows.item[0]->task, "t");
	assert_int_equal(rows.item[0]->note, NOTE_NONE);
	assert_int_equal(rows.item[0]->npictures, 0);
	assert_false(rows.item[0]->settling);
	rows_free(&rows);
	assert_int_equal(journal_spending(fixture->journal, 0, &jobs, &credits), 0);
	assert_true(credits == 57);
	assert_takes(fixture, &(struct job_key){T2V, "", "dog"}, "dog:1* ");
	job_row_free(row);
}

/* What is not known might be paid for again. */
static void a_row_that_cannot_be_read_counts_as_what_orders_nothing(void **state)
{
	static const char damage[] =
		"UPDATE job SET state = 'paid' WHERE take = 1;"
		"UPDATE job SET pictures = '[{', state = 'queued', submitted = 0 WHERE take = 2;"
		"UPDATE job SET outputs = '7', state = 'downloading', task = 't' WHERE take = 3;"
		"UPDATE job SET outputs = '[', state = 'done' WHERE take = 4;";
	static const enum job_state wanted[] = {
		JOB_DONE, JOB_RUNNING, JOB_WAITING, JOB_UNKNOWN}; /* newest first */
	struct fixture *fixture = *state;
	struct rows rows;
	sqlite3 *db;

	for (int take = 1; take <= 4; take++)
		job_row_free(put_order(fixture, &cat, take, JOB_DONE, "one"));
	assert_int_equal(sqlite3_open(file_of(fixture, ""), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, damage, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(journal_takes(fixture->journal, &cat, &rows), 0);
	assert_int_equal(rows.count, 4);
	for (size_t i = 0; i < rows.count; i++) {
		assert_non_null(rows.item[i]->damaged);
		assert_non_null(strstr(rows.item[i]->problem, "damaged"));
		assert_int_equal(rows.item[i]->state, wanted[i]);
	}
	assert_int_equal(rows.item[2]->hold, HOLD_UNTIL_RELEASED);
	assert_true(rows.item[2]->settling);
	rows_free(&rows);
}

/* ------------------------------------------------------------------ several */

static void collect(void *context, struct job_row *row)
{
	char **seen = context;
	char *more;

	assert_true(asprintf(&more, "%s%s/%s:%d ", *seen ? *seen : "", row->dir, row->stem,
			    row->take) > 0);
	free(*seen);
	*seen = more;
	job_row_free(row);
}

static void every_row_that_goes_on_is_unfinished(void **state)
{
	struct fixture *fixture = *state;
	AUTO_FREE char *seen = NULL, *since = NULL;
	struct job_row *row;

	put_id(fixture, "", "done", 1, JOB_DONE);
	put_id(fixture, "", "cat", 1, JOB_RUNNING);
	put_id(fixture, "", "cat", 2, JOB_DOWNLOADING);
	put_id(fixture, "", "cat", 3, JOB_WAITING);
	put_id(fixture, "", "unknown", 1, JOB_UNKNOWN);
	row = put(fixture, "", "again", 1, JOB_DONE);
	row->settling = true;
	assert_int_equal(journal_put(fixture->journal, row), 0);
	job_row_free(row);
	assert_int_equal(journal_each_unfinished(fixture->journal, collect, &seen), 0);
	assert_string_equal(seen, "/cat:1 /cat:2 /cat:3 /again:1 ");
	assert_int_equal(journal_each_since(fixture->journal, 2000, collect, &since), 0);
	assert_string_equal(since, "/cat:2 ");
}

static void put_rejected(struct fixture *fixture, const char *model, const char *stem, bool picture)
{
	struct job_row *row =
		put_order(fixture, &(struct job_key){model, "", stem}, 1, JOB_REJECTED, NULL);

	if (picture) {
		row->picture = one_picture(NULL);
		row->npictures = 1;
	}
	assert_int_equal(journal_put(fixture->journal, row), 0);
	job_row_free(row);
}

static void rejected_jobs_are_found_by_model_and_by_picture(void **state)
{
	struct fixture *fixture = *state;
	AUTO_FREE char *by_model = NULL, *by_picture = NULL;

	put_rejected(fixture, I2V, "plain", false);
	assert_false(journal_rejected_pictures(fixture->journal));
	put_rejected(fixture, T2V, "pictured", true);
	assert_true(journal_rejected_pictures(fixture->journal));
	assert_int_equal(journal_each_rejected(fixture->journal, I2V, NULL, collect, &by_model), 0);
	assert_string_equal(by_model, "/plain:1 ");
	assert_int_equal(
		journal_each_rejected(fixture->journal, NULL, T2V "/cat.png", collect, &by_picture),
		0);
	assert_string_equal(by_picture, "/pictured:1 ");
	assert_true(journal_names_picture(fixture->journal, &cat, T2V "/cat.png"));
	assert_false(journal_names_picture(fixture->journal, &cat, T2V "/at.png"));
	assert_false(journal_names_picture(
		fixture->journal, &(struct job_key){T2V, "", "pictured"}, T2V "/cat.png"));
}

static void collect_stem(void *context, const char *stem)
{
	char *seen = context;

	(void)snprintf(seen + strlen(seen), 100 - strlen(seen), "%s ", stem);
}

static void lines_are_the_jobs_of_a_batchs_name(void **state)
{
	struct fixture *fixture = *state;
	char seen[100] = "";

	put_id(fixture, "", "list", 1, JOB_DONE);
	put_id(fixture, "", "list-0001", 1, JOB_DONE);
	put_id(fixture, "", "list-0001", 2, JOB_DONE);
	put_id(fixture, "", "list-0002", 1, JOB_DONE);
	put_id(fixture, "", "list.0003", 1, JOB_DONE);
	put_id(fixture, "", "listen", 1, JOB_DONE);
	put_id(fixture, "a", "list-0004", 1, JOB_DONE);
	assert_int_equal(journal_each_line(fixture->journal, &(struct job_key){T2V, "", "list"},
				 collect_stem, seen),
		0);
	assert_string_equal(seen, "list-0001 list-0002 ");
}

static void spending_counts_what_was_accepted_or_may_have_been(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		enum job_state state;
		const char *task;
		double estimate, spent;
	} rows[] = {
		{JOB_DONE, "t1", 57, 50},     /* really spent counts, not the estimate */
		{JOB_RUNNING, "t2", 57, NAN}, /* estimated */
		{JOB_UNKNOWN, NULL, 57, NAN}, /* may have been accepted */
		{JOB_FAILED, NULL, 57, 0},    /* refused: neither a job nor a cost */
	};
	int64_t jobs;
	double credits;

	for (int i = 0; i < 4; i++) {
		struct job_row *row = job_row_new(&cat);

		row->take = i + 1;
		row->state = rows[i].state;
		row->task = rows[i].task ? strdup(rows[i].task) : NULL;
		row->estimate = rows[i].estimate;
		row->spent = rows[i].spent;
		row->submitted_ms = 5000;
		assert_int_equal(journal_put(fixture->journal, row), 0);
		job_row_free(row);
	}
	assert_int_equal(journal_spending(fixture->journal, 4000, &jobs, &credits), 0);
	assert_int_equal(jobs, 3);
	assert_true(credits == 50 + 57 + 57);
	assert_int_equal(journal_spending(fixture->journal, 6000, &jobs, &credits), 0);
	assert_int_equal(jobs, 0);
}

static void an_upload_is_remembered_for_a_while(void **state)
{
	struct fixture *fixture = *state;
	AUTO_FREE char *url = NULL;

	assert_int_equal(
		journal_put_upload(fixture->journal, "host", "abc", "https://h/abc", 1000), 0);
	url = journal_upload(fixture->journal, "host", "abc", 999);
	assert_string_equal(url, "https://h/abc");
	assert_null(journal_upload(fixture->journal, "host", "abc", 1001));
	assert_null(journal_upload(fixture->journal, "other", "abc", 0));
}

static void generation_and_identity_outlive_a_start(void **state)
{
	struct fixture *fixture = *state;
	AUTO_FREE char *store = NULL;
	bool fresh;

	assert_int_equal(journal_generation(fixture->journal), 0);
	assert_null(journal_store(fixture->journal));
	assert_int_equal(journal_set_generation(fixture->journal, 5), 0);
	assert_int_equal(journal_set_store(fixture->journal, "me"), 0);
	journal_close(fixture->journal);
	fixture->journal = journal_open(fixture->directory, &models, &fresh);
	assert_non_null(fixture->journal);
	assert_false(fresh);
	store = journal_store(fixture->journal);
	assert_string_equal(store, "me");
	assert_int_equal(journal_generation(fixture->journal), 5);
}

/* ------------------------------------------------------------------ what a statement costs */

/* The plan of a statement touches no more rows than it is asked for. What is scanned has few rows,
 * or is left after as many as are wanted. */
static bool is_bounded(const char *plan)
{
	static const char *const bounded[] = {"SCAN run", "SCAN CONSTANT ROW",
		"SCAN job USING INDEX job_unfinished", "SCAN job USING INDEX job_rejected",
		"SCAN job USING INDEX job_changed", "SCAN (subquery-1)", "SCAN owed"};

	for (size_t i = 0; i < sizeof(bounded) / sizeof(*bounded); i++)
		if (!strcmp(plan, bounded[i]))
			return true;
	return strncmp(plan, "SCAN", 4) != 0;
}

static void no_statement_reads_rows_it_is_not_asked_for(void **state)
{
	struct fixture *fixture = *state;

	for (int i = ROLLBACK + 1; i < STATEMENTS; i++) {
		AUTO_FREE char *text = NULL;
		sqlite3_stmt *plan = NULL;

		assert_true(asprintf(&text, "EXPLAIN QUERY PLAN %s", journal_sql[i]) > 0);
		assert_int_equal(
			sqlite3_prepare_v2(fixture->journal->db, text, -1, &plan, NULL), SQLITE_OK);
		while (sqlite3_step(plan) == SQLITE_ROW)
			if (!is_bounded((const char *)sqlite3_column_text(plan, 3)))
				fail_msg("%s: %s", journal_sql[i], sqlite3_column_text(plan, 3));
		assert_int_equal(sqlite3_finalize(plan), SQLITE_OK);
	}
}

/* So many finished jobs with a picture, older than all that is asked for, in a folder of their own
 * and of many kinds; from the number `first` on. */
static void put_history(struct fixture *fixture, int first, int end)
{
	assert_int_equal(journal_begin(fixture->journal), 0);
	for (int i = first; i < end; i++) {
		char dir[32], stem[32], path[80];
		struct job_row *row;

		(void)snprintf(dir, sizeof(dir), "old/%d", i % 100);
		(void)snprintf(stem, sizeof(stem), "job-%07d", i);
		(void)snprintf(path, sizeof(path), T2V "/old/%d.png", i);
		row = job_row_new(&(struct job_key){T2V, dir, stem});
		row->state = i % 10 ? JOB_DONE : JOB_REJECTED;
		row->submitted_ms = row->state == JOB_DONE ? 1000 + i : 0;
		row->changed_ms = 1000 + i;
		job_set_text(&row->order, stem);
		row->picture = one_picture(NULL);
		row->npictures = 1;
		job_set_text(&row->picture->path, path);
		assert_int_equal(journal_put(fixture->journal, row), 0);
		assert_int_equal(journal_show(fixture->journal, row), 0);
		job_row_free(row);
	}
	assert_int_equal(journal_commit(fixture->journal), 0);
}

/* How many steps SQLite's machine takes for the statement, whose keys are those of no job. */
static int steps_of(struct fixture *fixture, enum statement which)
{
	static const struct job_key nobody = {T2V, "old", "job"};
	sqlite3_stmt *statement = journal_use(fixture->journal, which);
	int steps;

	(void)sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
	journal_bind_key(statement, &nobody);
	journal_bind_text(statement, 4, "nobody");
	while (sqlite3_step(statement) == SQLITE_ROW)
		;
	steps = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 0);
	(void)sqlite3_reset(statement); /* as it was */
	(void)sqlite3_clear_bindings(statement);
	return steps;
}

/* Those that are asked for as many rows as there are, up to 1,000 of them, have more there already.
 */
static void what_is_asked_costs_the_same_after_any_history(void **state)
{
	struct fixture *fixture = *state;
	const int few =
		run_is_slow() ? 240 : 12000; /* so few are asked for all, and count nothing */
	int before[STATEMENTS] = {0};

	put_history(fixture, 0, few);
	for (int i = ROLLBACK + 1; i < STATEMENTS; i++)
		if (sqlite3_stmt_readonly(journal_use(fixture->journal, (enum statement)i)))
			before[i] = steps_of(fixture, (enum statement)i);
	put_history(fixture, few, 3 * few);
	for (int i = ROLLBACK + 1; i < STATEMENTS; i++)
		if (before[i] && !run_is_slow() &&
			steps_of(fixture, (enum statement)i) > before[i] * 2)
			fail_msg("%s: %d steps, then %d", journal_sql[i], before[i],
				steps_of(fixture, (enum statement)i));
}

static const char no_pictures[] = "DROP TABLE picture; DROP TRIGGER picture_new;"
				  "DROP TRIGGER picture_gone; DROP TRIGGER picture_changed;";

/* The table of pictures came after format 3 did. */
static void a_journal_without_the_pictures_table_gets_it(void **state)
{
	struct fixture *fixture = *state;
	AUTO_FREE char *by_picture = NULL;
	bool fresh;

	put_rejected(fixture, T2V, "pictured", true);
	assert_int_equal(
		sqlite3_exec(fixture->journal->db, no_pictures, NULL, NULL, NULL), SQLITE_OK);
	journal_close(fixture->journal);
	fixture->journal = journal_open(fixture->directory, &models, &fresh);
	assert_true(journal_names_picture(fixture->journal, &cat, T2V "/cat.png"));
	assert_int_equal(
		journal_each_rejected(fixture->journal, NULL, T2V "/cat.png", collect, &by_picture),
		0);
	assert_string_equal(by_picture, "/pictured:1 ");
}

static void a_picture_is_named_as_long_as_the_take_shown_names_it(void **state)
{
	struct fixture *fixture = *state;
	struct job_row *row = put(fixture, "", "dog", 1, JOB_DONE);
	struct job_row *next;

	row->picture = one_picture(NULL);
	row->npictures = 1;
	assert_int_equal(journal_put(fixture->journal, row), 0);
	assert_true(journal_names_picture(fixture->journal, &cat, T2V "/cat.png"));
	next = put(fixture, "", "dog", 2, JOB_DONE);
	assert_false(journal_names_picture(fixture->journal, &cat, T2V "/cat.png"));
	assert_int_equal(journal_show(fixture->journal, row), 0);
	assert_true(journal_names_picture(fixture->journal, &cat, T2V "/cat.png"));
	assert_int_equal(journal_delete(fixture->journal, row->id), 0);
	assert_false(journal_names_picture(fixture->journal, &cat, T2V "/cat.png"));
	job_row_free(next);
	job_row_free(row);
}

/* The first picture and the last may be the same one. It is named while the row is changed, not
 * when it is made: an upsert's way with conflicts goes before that of its triggers. */
static void assert_one_picture_may_be_named_twice(struct fixture *fixture)
{
	struct job_row *row = put(fixture, "", "dog", 1, JOB_WAITING);

	row->picture = calloc(2, sizeof(*row->picture));
	row->npictures = 2;
	for (size_t i = 0; i < row->npictures; i++) {
		job_set_text(&row->picture[i].field, i ? "end_image_url" : "image_url");
		job_set_text(&row->picture[i].path, T2V "/cat.png");
	}
	assert_int_equal(journal_put(fixture->journal, row), 0);
	assert_true(journal_names_picture(fixture->journal, &cat, T2V "/cat.png"));
	assert_int_equal(journal_delete(fixture->journal, row->id), 0);
	assert_false(journal_names_picture(fixture->journal, &cat, T2V "/cat.png"));
	job_row_free(row);
}

static void one_picture_may_be_named_twice(void **state)
{
	assert_one_picture_may_be_named_twice(*state);
}

/* As it was made before. */
static void a_journal_with_an_older_pictures_table_gets_the_new_one(void **state)
{
	static const char older[] =
		"DROP TRIGGER picture_changed; DROP TRIGGER picture_new; CREATE TRIGGER picture_new AFTER "
		"INSERT ON job BEGIN INSERT OR IGNORE INTO picture VALUES (1, 'x', NEW.id); END;"
		"CREATE TRIGGER picture_changed AFTER UPDATE OF pictures, shown, state ON job BEGIN"
		" INSERT OR IGNORE INTO picture SELECT 0, json_extract(each.value, '$.path'), NEW.id"
		" FROM json_each(NEW.pictures) AS each; END;";
	struct fixture *fixture = *state;
	bool fresh;

	put_rejected(fixture, T2V, "pictured", true);
	assert_int_equal(sqlite3_exec(fixture->journal->db, older, NULL, NULL, NULL), SQLITE_OK);
	journal_close(fixture->journal);
	fixture->journal = journal_open(fixture->directory, &models, &fresh);
	assert_true(journal_names_picture(fixture->journal, &cat, T2V "/cat.png"));
	put_rejected(fixture, T2V, "another", false);
	assert_false(journal_names_picture(fixture->journal, &cat, "x"));
	assert_int_equal(
		sqlite3_exec(fixture->journal->db, "DELETE FROM job", NULL, NULL, NULL), SQLITE_OK);
	assert_one_picture_may_be_named_twice(fixture);
}

/* ------------------------------------------------------------------ the view */

static int collect_name(void *context, int64_t id, const char *name)
{
	char **seen = context;
	char *more;

	(void)id;
	assert_true(asprintf(&more, "%s%s ", *seen ? *seen : "", name) > 0);
	free(*seen);
	*seen = more;
	return 0;
}

static void the_view_lists_each_folder_once_and_each_job_once(void **state)
{
	struct fixture *fixture = *state;
	struct view *view = view_open(fixture->directory, &models);
	char *seen = NULL;

	put_id(fixture, "a", "x", 1, JOB_DONE);
	put_id(fixture, "a", "x", 2, JOB_DONE);
	put_id(fixture, "a/b", "y", 1, JOB_DONE);
	put_id(fixture, "a-b", "z", 1, JOB_DONE);
	put_id(fixture, "c/d/e", "z", 1, JOB_DONE);
	assert_int_equal(view_list_folders(view, T2V, "", collect_name, &seen), 0);
	assert_string_equal(seen, "a a-b c ");
	free(seen);
	seen = NULL;
	assert_int_equal(view_list_folders(view, T2V, "a", collect_name, &seen), 0);
	assert_string_equal(seen, "b ");
	free(seen);
	seen = NULL;
	assert_int_equal(view_list(view, T2V, "a", 0, collect_name, &seen), 0);
	assert_string_equal(seen, "x ");
	free(seen);
	assert_int_equal(view_folder(view, T2V, "c/d"), 0);
	assert_int_equal(view_folder(view, T2V, "c/x"), -ENOENT);
	assert_true(view_knows(view, T2V, "a/b", "y"));
	assert_false(view_knows(view, T2V, "a/b", "x"));
	view_close(view);
}

static void a_record_is_json_with_its_earlier_takes(void **state)
{
	struct fixture *fixture = *state;
	struct view *view = view_open(fixture->directory, &models);
	struct record record;
	cJSON *json;

	put_id(fixture, "", "cat", 1, JOB_FAILED);
	put_id(fixture, "", "cat", 2, JOB_RUNNING);
	assert_int_equal(view_record(view, T2V, "", "cat", &record), 0);
	json = cJSON_ParseWithLength(record.text, record.bytes);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "state")), "running");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "earlier_takes")), 1);
	cJSON_Delete(json);
	free(record.text);
	assert_int_equal(view_record(view, T2V, "", "dog", &record), -ENOENT);
	view_close(view);
}

/* Which take the record shows, and how many others; 0: there is no record. */
static void assert_record(struct fixture *fixture, int take, int others)
{
	struct view *view = view_open(fixture->directory, &models);
	struct record record;
	AUTO_JSON cJSON *json = NULL;
	int error = view_record(view, T2V, "", "cat", &record);

	assert_int_equal(error, take ? 0 : -ENOENT);
	if (!error) {
		json = cJSON_ParseWithLength(record.text, record.bytes);
		assert_true(json_number(json, "take") == take);
		assert_int_equal(
			cJSON_GetArraySize(cJSON_GetObjectItem(json, "earlier_takes")), others);
		free(record.text);
	}
	view_close(view);
}

static void the_record_is_of_the_take_that_is_shown(void **state)
{
	struct fixture *fixture = *state;
	struct job_row *first = put(fixture, "", "cat", 1, JOB_DONE);

	put_id(fixture, "", "cat", 2, JOB_DONE);
	put_id(fixture, "", "cat", 3, JOB_FAILED);
	assert_record(fixture, 3, 2);
	assert_int_equal(journal_show(fixture->journal, first), 0);
	assert_record(fixture, 1, 2);
	job_row_free(first);
}

static void what_is_forgotten_has_no_record(void **state)
{
	struct fixture *fixture = *state;
	struct view *view = view_open(fixture->directory, &models);
	AUTO_FREE char *jobs = NULL;
	size_t bytes;

	put_id(fixture, "", "cat", 1, JOB_DONE);
	put_id(fixture, "", "cat", 2, JOB_DONE);
	assert_int_equal(journal_forget(fixture->journal, &cat, 99), 0);
	assert_record(fixture, 0, 0);
	assert_false(view_knows(view, T2V, "", "cat"));
	assert_int_equal(view_jobs(view, NULL, NULL, &jobs, &bytes), 0);
	assert_null(memmem(jobs, bytes, "\"cat\"", 5));
	put_id(fixture, "", "cat", 3, JOB_QUEUED);
	assert_record(fixture, 3, 0);
	view_close(view);
}

/* As if it took long: others look meanwhile. */
static bool shows_cats(void *context, const struct job_row *row)
{
	struct view *view = context;

	return view_knows(view, row->model_id, row->dir, "cat") && !strcmp(row->stem, "cat");
}

static void who_may_see_a_job_is_asked_without_the_lock(void **state)
{
	struct fixture *fixture = *state;
	struct view *view = view_open(fixture->directory, &models);
	AUTO_FREE char *jobs = NULL;
	size_t bytes = 0;

	put_id(fixture, "", "bat", 1, JOB_DONE);
	put_id(fixture, "", "cat", 1, JOB_RUNNING);
	put_id(fixture, "", "dog", 1, JOB_RUNNING);
	assert_int_equal(alarm(60), 0); /* it would wait for itself */
	assert_int_equal(view_jobs(view, shows_cats, view, &jobs, &bytes), 0);
	assert_true(alarm(0) > 0);
	assert_non_null(memmem(jobs, bytes, "\"cat\"", 5));
	assert_null(memmem(jobs, bytes, "\"bat\"", 5));
	assert_null(memmem(jobs, bytes, "\"dog\"", 5));
	view_close(view);
}

/* ------------------------------------------------------------------ journals not ours */

static void overwrite(struct fixture *fixture, const char *bytes)
{
	int fd;

	journal_close(fixture->journal);
	fixture->journal = NULL;
	fd = open(file_of(fixture, ""), O_WRONLY | O_TRUNC);
	assert_true(write(fd, bytes, strlen(bytes)) > 0);
	(void)close(fd);
}

static void a_damaged_journal_is_refused_and_left_as_it_is(void **state)
{
	struct fixture *fixture = *state;
	char back[16] = "";
	bool fresh;
	int fd;

	overwrite(fixture, "this is no journal, but it may be the only copy of one");
	assert_null(journal_open(fixture->directory, &models, &fresh));
	fd = open(file_of(fixture, ""), O_RDONLY);
	assert_true(read(fd, back, 7) == 7);
	assert_string_equal(back, "this is");
	(void)close(fd);
}

static void a_newer_journal_is_refused(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *db;
	bool fresh;

	journal_close(fixture->journal);
	assert_int_equal(sqlite3_open(file_of(fixture, ""), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	fixture->journal = journal_open(fixture->directory, &models, &fresh);
	assert_null(fixture->journal);
}

/* ------------------------------------------------------------------ older formats */

/* As kinofs wrote them. came_from and the index of rejected jobs were new in format 2. */
#define OLD_TABLES                                                                                 \
	"CREATE TABLE job (id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL,"             \
	" dir BLOB NOT NULL, stem BLOB NOT NULL, take INTEGER NOT NULL,"                           \
	" latest INTEGER NOT NULL DEFAULT 1, state TEXT NOT NULL, hold INTEGER NOT NULL,"          \
	" note INTEGER NOT NULL, settling INTEGER NOT NULL, removed INTEGER NOT NULL,"             \
	" released INTEGER NOT NULL, fingerprint TEXT, request TEXT, pictures TEXT,"               \
	" outputs TEXT, estimate REAL, spent REAL, task TEXT, provider_state TEXT,"                \
	" progress INTEGER, problem TEXT, advice TEXT, created INTEGER, submitted INTEGER,"        \
	" accepted INTEGER, finished INTEGER, changed INTEGER, links_until INTEGER);"              \
	"CREATE TABLE run (generation INTEGER NOT NULL); INSERT INTO run VALUES (3);"              \
	"CREATE TABLE upload (host TEXT NOT NULL, sha256 TEXT NOT NULL, url TEXT NOT NULL,"        \
	" at INTEGER NOT NULL, PRIMARY KEY (host, sha256)) WITHOUT ROWID;"                         \
	"CREATE UNIQUE INDEX job_key ON job (model, dir, stem, take);"                             \
	"CREATE INDEX job_latest ON job (model, dir, id) WHERE latest = 1;"                        \
	"CREATE INDEX job_changed ON job (changed) WHERE latest = 1;"                              \
	"CREATE INDEX job_submitted ON job (submitted) WHERE submitted > 0;"                       \
	"CREATE INDEX job_live ON job (id) WHERE settling = 1 OR state NOT IN"                     \
	" ('done', 'rejected', 'failed', 'unknown', 'cancelled');"
#define FORMAT_1 OLD_TABLES "PRAGMA user_version = 1;"
#define FORMAT_2                                                                                   \
	OLD_TABLES                                                                                 \
	"ALTER TABLE job ADD COLUMN came_from BLOB;"                                               \
	"CREATE INDEX job_rejected ON job (id) WHERE latest = 1 AND state = 'rejected';"           \
	"PRAGMA user_version = 2;"

/* Two takes that were paid for, one with a picture; one of a model that is gone; one never sent. */
static const char old_rows[] =
	"INSERT INTO job (id, model, dir, stem, take, latest, state, hold, note, settling, removed,"
	" released, fingerprint, request, pictures, submitted) VALUES"
	" (1, '" T2V "', x'', x'636174', 1, 0, 'done', 0, 0, 0, 1, 0, 'f',"
	"  '{\"model\":\"" T2V "\",\"input\":{\"prompt\":\"x\"}}', '[]', 1000),"
	" (2, '" T2V "', x'', x'636174', 2, 1, 'running', 0, 0, 1, 0, 1, NULL,"
	"  '{\"input\":{\"prompt\":\"y\"},\"model\":\"" T2V "\"}', '[]', 2000),"
	" (3, '" I2V "', x'61', x'646f67', 1, 1, 'done', 0, 0, 0, 0, 0, 'f',"
	"  '{\"model\":\"" I2V "\",\"input\":{\"prompt\":\"x\",\"image_url\":\"https://h/1\"}}',"
	"  '[{\"field\":\"image_url\",\"path\":\"" I2V
	"/a/dog.png\",\"sha256\":\"abc\",\"bytes\":9,"
	"     \"type\":\"image/png\",\"url\":\"https://h/1\"}]', 3000),"
	" (4, 'gone', x'', x'656c6b', 1, 1, 'done', 0, 0, 0, 0, 0, 'f', '{}', NULL, 4000),"
	" (5, '" T2V "', x'', x'667279', 1, 1, 'held', 4, 2, 0, 0, 0, 'f', '{}', NULL, 0);";

/* Puts a journal made of this SQL in place of the test's, closed. */
static void replace(struct fixture *fixture, const char *tables, const char *rows)
{
	static const char *const ends[] = {"-wal", "-shm", ""};
	sqlite3 *db;

	journal_close(fixture->journal);
	fixture->journal = NULL;
	for (size_t i = 0; i < 3; i++)
		(void)unlink(file_of(fixture, ends[i])); /* some are not there */
	assert_int_equal(sqlite3_open(file_of(fixture, ""), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, tables, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, rows, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void assert_order(struct fixture *fixture, const char *model, const char *json,
	const char *sha256, const char *expected)
{
	AUTO_JSON cJSON *body = cJSON_Parse(json);
	const struct spec_digest picture = {"image_url", sha256};
	AUTO_FREE char *text = NULL;
	char hex[DIGEST_HEX_BYTES];
	struct rows rows;

	assert_int_equal(
		spec_order_text(models_find(&models, model), body, &picture, sha256 != NULL, &text),
		0);
	assert_int_equal(digest_bytes(text, strlen(text), hex), 0);
	assert_int_equal(journal_same_order(fixture->journal, hex, &rows), 0);
	assert_rows(&rows, expected);
}

static void assert_upgraded(struct fixture *fixture)
{
	struct job_row *row;
	bool fresh;
	int error;

	fixture->journal = journal_open(fixture->directory, &models, &fresh);
	assert_non_null(fixture->journal);
	assert_false(fresh);
	assert_int_equal(journal_generation(fixture->journal), 3);
	assert_null(journal_store(fixture->journal));
	assert_takes(fixture, &cat, "cat:2* cat:1 ");
	assert_order(fixture, T2V, "{\"input\":{\"prompt\":\"x\"},\"model\":\"" T2V "\"}", NULL,
		"cat:1 ");
	assert_order(fixture, I2V,
		"{\"model\":\"" I2V "\",\"input\":{\"image_url\":\"dog.png\",\"prompt\":\"x\"}}",
		"abc", "dog:1* ");
	row = journal_row(fixture->journal, 2, &error);
	assert_true(row && row->settling && row->released && row->submitted_ms == 2000);
	assert_true(!row->asked && !row->seen && !row->more && !row->forgotten_ms);
	job_row_free(row);
	row = journal_row(fixture->journal, 4, &error); /* of a model that is not known any more */
	assert_true(row && !row->order);
	job_row_free(row);
	row = journal_row(fixture->journal, 5, &error); /* judged anew before it may go */
	assert_true(row && !row->order && row->hold == HOLD_UNTIL_RELEASED);
	row->state = JOB_QUEUED;
	assert_int_equal(journal_put(fixture->journal, row), 0);
	job_row_free(row);
}

static void a_journal_of_the_first_format_goes_on(void **state)
{
	replace(*state, FORMAT_1, old_rows);
	assert_upgraded(*state);
}

static void a_journal_of_the_second_format_goes_on(void **state)
{
	replace(*state, FORMAT_2, old_rows);
	assert_upgraded(*state);
}

/* The schema after an upgrade is that of a new journal, but for the order of columns. */
static void an_upgraded_journal_has_what_a_new_one_has(void **state)
{
	static const char parts[] =
		"SELECT group_concat(part, ' ') FROM (SELECT name AS part FROM"
		" pragma_table_info('job') UNION SELECT coalesce(sql, name) FROM sqlite_schema"
		" WHERE type = 'index' UNION SELECT name FROM pragma_table_info('run')"
		" ORDER BY part)";
	struct fixture *fixture = *state;
	char *text[2];

	for (int i = 0; i < 2; i++) {
		sqlite3_stmt *statement;
		sqlite3 *db;
		bool fresh;

		if (i == 1)
			replace(fixture, FORMAT_2, old_rows);
		else
			journal_close(fixture->journal);
		fixture->journal = journal_open(fixture->directory, &models, &fresh);
		assert_int_equal(sqlite3_open(file_of(fixture, ""), &db), SQLITE_OK);
		assert_int_equal(sqlite3_prepare_v2(db, parts, -1, &statement, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
		text[i] = strdup((const char *)sqlite3_column_text(statement, 0));
		assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
		assert_int_equal(sqlite3_close(db), SQLITE_OK);
	}
	assert_string_equal(text[1], text[0]);
	free(text[0]);
	free(text[1]);
}

/* A table that says it is of format 2, and lacks what format 3 drops: the last step fails. */
static void an_upgrade_that_fails_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *db;
	bool fresh;

	replace(fixture, OLD_TABLES "PRAGMA user_version = 2;", old_rows);
	fixture->journal = journal_open(fixture->directory, &models, &fresh);
	assert_null(fixture->journal);
	assert_int_equal(sqlite3_open(file_of(fixture, ""), &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "SELECT latest, removed FROM job", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 1", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_upgraded(fixture);
}

static int start(void **state)
{
	(void)state;
	return models_builtin(&models);
}

static int stop(void **state)
{
	(void)state;
	models_free(&models);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* ------------------------------------------------------------------ how long tasks took */

static void the_newest_durations_of_a_model_are_kept(void **state)
{
	struct fixture *fixture = *state;
	int64_t took[10];

	for (int i = 1; i <= 20; i++) {
		assert_int_equal(journal_put_took(fixture->journal, T2V, i, 1000, 5), 0);
		assert_int_equal(journal_put_took(fixture->journal, "other", 100, 1000, 5), 0);
	}
	assert_int_equal(journal_took(fixture->journal, T2V, took, 10), 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(took[i], 16 + i);
	assert_int_equal(journal_took(fixture->journal, T2V, took, 2), 2);
	assert_int_equal(journal_took(fixture->journal, "none", took, 10), 0);
}

static bool has_words(const char *text, size_t bytes, const char *words)
{
	return memmem(text, bytes, words, strlen(words));
}

static void assert_expected(struct view *view, const char *expected)
{
	AUTO_FREE char *jobs = NULL;
	struct record record = {0};
	size_t bytes;

	assert_int_equal(view_jobs(view, NULL, NULL, &jobs, &bytes), 0);
	assert_int_equal(view_record(view, T2V, "", "cat", &record), 0);
	assert_int_equal(has_words(jobs, bytes, "expected_finish"), expected != NULL);
	assert_int_equal(has_words(record.text, record.bytes, "expected_finish"), expected != NULL);
	if (expected)
		assert_true(has_words(jobs, bytes, expected) &&
			    has_words(record.text, record.bytes, expected));
	free(record.text);
}

static void what_runs_is_expected_when_such_tasks_usually_end(void **state)
{
	struct fixture *fixture = *state;
	struct view *view = view_open(fixture->directory, &models);
	struct job_row *row = put(fixture, "", "cat", 1, JOB_RUNNING);

	row->accepted_ms = 1900000000000;
	assert_int_equal(journal_put(fixture->journal, row), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(journal_put_took(fixture->journal, T2V, 60000, 1, 32), 0);
	assert_expected(view, NULL); /* that is luck */
	for (int i = 0; i < 3; i++)
		assert_int_equal(journal_put_took(fixture->journal, T2V, 120000, 1, 32), 0);
	assert_expected(view, "\"2030-03-17T17:48:40Z\"");
	row->state = JOB_DONE;
	assert_int_equal(journal_put(fixture->journal, row), 0);
	assert_expected(view, NULL);
	job_row_free(row);
	view_close(view);
}

/* At noon of a day of 2026, which no zone makes another day of the same month's first or last. */
static int64_t noon_ms(int month, int day)
{
	struct tm noon = {.tm_year = 126, .tm_mon = month - 1, .tm_mday = day, .tm_hour = 12};

	noon.tm_isdst = -1;
	return (int64_t)mktime(&noon) * 1000;
}

static void put_spent(struct fixture *fixture, const char *dir, int64_t submitted_ms,
	enum job_state state, double spent, const char *rights)
{
	static int count;
	AUTO_FREE char *stem = NULL;
	struct job_row *row;

	assert_true(asprintf(&stem, "spent-%d", count++) > 0);
	row = job_row_new(&(struct job_key){T2V, dir, stem});
	row->state = state;
	row->submitted_ms = submitted_ms;
	row->estimate = 57;
	row->spent = spent;
	job_set_text(&row->task, state == JOB_FAILED ? NULL : "t");
	job_set_text(&row->rights, rights);
	assert_int_equal(journal_put(fixture->journal, row), 0);
	job_row_free(row);
}

static void what_a_month_cost_is_told_by_day_folder_and_user(void **state)
{
	struct fixture *fixture = *state;
	struct view *view = view_open(fixture->directory, &models);
	AUTO_JSON cJSON *month = cJSON_CreateObject(), *other = cJSON_CreateObject();
	AUTO_JSON cJSON *later = cJSON_CreateObject();
	AUTO_FREE char *text = NULL;

	assert_int_equal(spending_first_month(view), spending_this_month());
	put_spent(fixture, "", noon_ms(3, 31), JOB_DONE, 50, NULL);
	put_spent(fixture, "", noon_ms(4, 1), JOB_DONE, 50, NULL);
	put_spent(fixture, "", noon_ms(4, 1), JOB_RUNNING, NAN, NULL);
	put_spent(fixture, "", noon_ms(4, 1), JOB_FAILED, 0, NULL); /* refused */
	put_spent(fixture, "\xff", noon_ms(4, 1), JOB_DONE, 0, "1000:100:640");
	put_spent(fixture, "\xff", noon_ms(4, 30), JOB_DONE, 1, "1000:100:600");
	put_spent(fixture, "", noon_ms(5, 1), JOB_DONE, 50, NULL);
	put_spent(fixture, "", 0, JOB_QUEUED, NAN, NULL);
	assert_int_equal(spending_first_month(view), 202603);
	assert_int_equal(spending_month_after(202603), 202604);
	assert_int_equal(spending_month_after(202612), 202701);

	assert_int_equal(spending_of_month(view, 202604, month), 0);
	assert_string_equal(json_text(month, "month"), "2026-04");
	text = cJSON_PrintUnformatted(json_get(month, "orders"));
	assert_string_equal(text,
		"[{\"day\":\"2026-04-01\",\"model\":\"" T2V "\",\"folder\":\"\",\"orders\":2,"
		"\"estimated_credits\":114,\"taken_credits\":107,\"unsaid_orders\":1,"
		"\"unsaid_credits\":57},"
		"{\"day\":\"2026-04-01\",\"model\":\"" T2V
		"\",\"folder\":\"\xef\xbf\xbd\",\"uid\":1000,"
		"\"orders\":1,\"estimated_credits\":57,\"taken_credits\":0,\"unsaid_orders\":0,"
		"\"unsaid_credits\":0,\"folder_quoted\":\"\\\\xff\"},"
		"{\"day\":\"2026-04-30\",\"model\":\"" T2V
		"\",\"folder\":\"\xef\xbf\xbd\",\"uid\":1000,"
		"\"orders\":1,\"estimated_credits\":57,\"taken_credits\":1,\"unsaid_orders\":0,"
		"\"unsaid_credits\":0,\"folder_quoted\":\"\\\\xff\"}]");
	assert_int_equal(spending_of_month(view, 202612, other), 0);
	assert_int_equal(cJSON_GetArraySize(json_get(other, "orders")), 0);
	put_spent(fixture, "", noon_ms(12, 31), JOB_DONE, 50, NULL); /* what is kept is not old */
	assert_int_equal(spending_of_month(view, 202612, later), 0);
	assert_int_equal(cJSON_GetArraySize(json_get(later, "orders")), 1);
	view_close(view);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_row_comes_back_as_it_was_put),
		TEST(the_newest_durations_of_a_model_are_kept),
		TEST(what_runs_is_expected_when_such_tasks_usually_end),
		TEST(putting_again_keeps_the_request_and_what_is_shown),
		TEST(takes_come_newest_first_and_of_their_job_only),
		TEST(one_take_of_a_job_is_shown),
		TEST(a_transaction_rolled_back_leaves_nothing),
		TEST(a_job_that_goes_on_gets_its_deleted_row_again),
		TEST(takes_may_change_places),
		TEST(an_order_is_found_wherever_it_is),
		TEST(a_forgotten_job_is_known_by_its_orders_only),
		TEST(a_row_that_cannot_be_read_counts_as_what_orders_nothing),
		TEST(every_row_that_goes_on_is_unfinished),
		TEST(rejected_jobs_are_found_by_model_and_by_picture),
		TEST(lines_are_the_jobs_of_a_batchs_name),
		TEST(spending_counts_what_was_accepted_or_may_have_been),
		TEST(what_a_month_cost_is_told_by_day_folder_and_user),
		TEST(an_upload_is_remembered_for_a_while),
		TEST(no_statement_reads_rows_it_is_not_asked_for),
		TEST(what_is_asked_costs_the_same_after_any_history),
		TEST(a_journal_without_the_pictures_table_gets_it),
		TEST(a_picture_is_named_as_long_as_the_take_shown_names_it),
		TEST(one_picture_may_be_named_twice),
		TEST(a_journal_with_an_older_pictures_table_gets_the_new_one),
		TEST(generation_and_identity_outlive_a_start),
		TEST(the_view_lists_each_folder_once_and_each_job_once),
		TEST(who_may_see_a_job_is_asked_without_the_lock),
		TEST(a_record_is_json_with_its_earlier_takes),
		TEST(the_record_is_of_the_take_that_is_shown),
		TEST(what_is_forgotten_has_no_record),
		TEST(a_damaged_journal_is_refused_and_left_as_it_is),
		TEST(a_newer_journal_is_refused),
		TEST(a_journal_of_the_first_format_goes_on),
		TEST(a_journal_of_the_second_format_goes_on),
		TEST(an_upgraded_journal_has_what_a_new_one_has),
		TEST(an_upgrade_that_fails_changes_nothing),
	};

	return RUN_TESTS(argc, argv, tests, start, stop);
}

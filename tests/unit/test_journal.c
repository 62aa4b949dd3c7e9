/* fs/journal: rows as they were put, what is asked of them, and journals of other formats. */
#include "fs/base/cleanup.h"
#include "fs/base/digest.h"
#include "fs/base/json.h"
#include "fs/journal/journal.h"
#include "fs/journal/schema.h"
#include "fs/journal/view.h"
#include "fs/journal/view_open.h"
#include "spec/order.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
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
static void a_row_that_cannot_be_read_is_an_error_for_its_job(void **state)
{
	struct fixture *fixture = *state;
	struct rows rows;
	sqlite3 *db;

	job_row_free(put_order(fixture, &cat, 1, JOB_DONE, "one"));
	job_row_free(put_order(fixture, &cat, 2, JOB_RUNNING, "other"));
	assert_int_equal(sqlite3_open(file_of(fixture, ""), &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "UPDATE job SET state = 'paid' WHERE take = 1", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(journal_takes(fixture->journal, &cat, &rows), -EIO);
	assert_int_equal(rows.count, 0);
	assert_int_equal(journal_same_order(fixture->journal, "one", &rows), -EIO);
	assert_int_equal(journal_same_order(fixture->journal, "other", &rows), 0);
	assert_rows(&rows, "cat:2* ");
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
	assert_int_equal(view_jobs(view, &jobs, &bytes), 0);
	assert_null(memmem(jobs, bytes, "\"cat\"", 5));
	put_id(fixture, "", "cat", 3, JOB_QUEUED);
	assert_record(fixture, 3, 0);
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
	digest_bytes(text, strlen(text), hex);
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_row_comes_back_as_it_was_put),
		TEST(putting_again_keeps_the_request_and_what_is_shown),
		TEST(takes_come_newest_first_and_of_their_job_only),
		TEST(one_take_of_a_job_is_shown),
		TEST(a_transaction_rolled_back_leaves_nothing),
		TEST(a_job_that_goes_on_gets_its_deleted_row_again),
		TEST(takes_may_change_places),
		TEST(an_order_is_found_wherever_it_is),
		TEST(a_forgotten_job_is_known_by_its_orders_only),
		TEST(a_row_that_cannot_be_read_is_an_error_for_its_job),
		TEST(every_row_that_goes_on_is_unfinished),
		TEST(rejected_jobs_are_found_by_model_and_by_picture),
		TEST(lines_are_the_jobs_of_a_batchs_name),
		TEST(spending_counts_what_was_accepted_or_may_have_been),
		TEST(an_upload_is_remembered_for_a_while),
		TEST(generation_and_identity_outlive_a_start),
		TEST(the_view_lists_each_folder_once_and_each_job_once),
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

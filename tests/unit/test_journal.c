#include "fs/journal/journal.h"
#include "fs/journal/view.h"
#include "fs/journal/view_open.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/run.h"

struct fixture {
	char directory[64];
	struct journal *journal;
	struct model_set models;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	bool fresh;

	(void)snprintf(fixture->directory, sizeof(fixture->directory),
		"/tmp/kinofs-journal-XXXXXX"); /* fits */
	if (!mkdtemp(fixture->directory))
		return -1;
	fixture->journal = journal_open(fixture->directory, &fresh);
	*state = fixture;
	return fixture->journal && fresh ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const files[] = {"journal.db", "journal.db-wal", "journal.db-shm"};
	struct fixture *fixture = *state;
	char path[128];

	journal_close(fixture->journal);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", fixture->directory, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(fixture->directory);
	free(fixture);
	return 0;
}

static struct job *put(
	struct fixture *fixture, const char *dir, const char *stem, int take, enum job_state state)
{
	struct job *job = job_new("hailuo/x", dir, stem);

	job->take = take;
	job->state = state;
	job->submitted_ms = job_state_is_open(state) ? 0 : 1000 * take;
	assert_int_equal(journal_begin(fixture->journal), 0);
	assert_int_equal(journal_put(fixture->journal, job), 0);
	assert_int_equal(journal_commit(fixture->journal), 0);
	return job;
}

static void a_row_comes_back_as_it_was_put(void **state)
{
	struct fixture *fixture = *state;
	struct job *job = job_new("hailuo/x", "sum\xff mer", "b\"each");
	struct job *back;
	char *request;
	int error;

	job->state = JOB_RUNNING;
	job->hold = HOLD_CAP;
	job->note = NOTE_ERROR;
	job->settling = job->removed = job->released = true;
	job->take = 3;
	job->fingerprint = strdup("abc");
	job->request = strdup("{\"prompt\":\"ü\"}");
	job->pictures = cJSON_Parse("[{\"field\":\"image\"}]");
	job->estimate = 57.5;
	job->task = strdup("t-1");
	job->progress = 40;
	job->created_ms = 1;
	job->submitted_ms = 2;
	job->links_until_ms = 6;
	assert_int_equal(journal_put(fixture->journal, job), 0);
	back = journal_newest(fixture->journal, "hailuo/x", "sum\xff mer", "b\"each", &error);
	assert_non_null(back);
	assert_int_equal(back->id, job->id);
	assert_int_equal(back->state, JOB_RUNNING);
	assert_int_equal(back->hold, HOLD_CAP);
	assert_int_equal(back->note, NOTE_ERROR);
	assert_true(back->settling && back->removed && back->released);
	assert_int_equal(back->take, 3);
	assert_string_equal(back->fingerprint, "abc");
	assert_true(cJSON_Compare(back->pictures, job->pictures, true));
	assert_null(back->outputs);
	assert_true(back->estimate == 57.5 && isnan(back->spent));
	assert_string_equal(back->task, "t-1");
	assert_int_equal(back->progress, 40);
	assert_true(back->created_ms == 1 && back->submitted_ms == 2 && back->links_until_ms == 6);
	request = journal_request(fixture->journal, job->id);
	assert_string_equal(request, "{\"prompt\":\"ü\"}");
	free(request);
	job_free(back);
	job_free(job);
}

static void putting_again_keeps_the_request(void **state)
{
	struct fixture *fixture = *state;
	struct job *job = put(fixture, "", "cat", 1, JOB_QUEUED);
	char *request;

	job->request = strdup("{}");
	assert_int_equal(journal_put(fixture->journal, job), 0);
	free(job->request);
	job->request = NULL;
	job->state = JOB_SUBMITTING;
	assert_int_equal(journal_put(fixture->journal, job), 0);
	request = journal_request(fixture->journal, job->id);
	assert_string_equal(request, "{}");
	free(request);
	job_free(job);
}

static void the_newest_take_is_found_and_deleting_it_brings_back_the_one_before(void **state)
{
	struct fixture *fixture = *state;
	struct job *first = put(fixture, "", "cat", 1, JOB_DONE);
	struct job *second = put(fixture, "", "cat", 2, JOB_WAITING);
	struct job *found;
	int error;

	found = journal_newest(fixture->journal, "hailuo/x", "", "cat", &error);
	assert_int_equal(found->id, second->id);
	job_free(found);
	found = journal_newest_submitted(fixture->journal, "hailuo/x", "", "cat", &error);
	assert_int_equal(found->id, first->id);
	job_free(found);
	assert_int_equal(journal_delete(fixture->journal, second), 0);
	found = journal_newest(fixture->journal, "hailuo/x", "", "cat", &error);
	assert_int_equal(found->id, first->id);
	job_free(found);
	job_free(first);
	job_free(second);
}

static void a_transaction_rolled_back_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct job *job = job_new("hailuo/x", "", "cat");
	int error;

	assert_int_equal(journal_begin(fixture->journal), 0);
	assert_int_equal(journal_put(fixture->journal, job), 0);
	journal_rollback(fixture->journal);
	assert_null(journal_newest(fixture->journal, "hailuo/x", "", "cat", &error));
	assert_int_equal(error, 0);
	job_free(job);
}

static void a_job_that_goes_on_gets_its_deleted_row_again(void **state)
{
	struct fixture *fixture = *state;
	struct job *job = put(fixture, "", "cat", 1, JOB_QUEUED);
	struct job *found;
	int error;

	assert_int_equal(journal_delete(fixture->journal, job), 0);
	job->state = JOB_SUBMITTING;
	assert_int_equal(journal_put(fixture->journal, job), 0);
	found = journal_newest(fixture->journal, "hailuo/x", "", "cat", &error);
	assert_true(found && found->id == job->id && found->state == JOB_SUBMITTING);
	job_free(found);
	job_free(job);
}

static void two_rows_of_one_take_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct job *job = put(fixture, "", "cat", 1, JOB_DONE);
	struct job *twin = job_new("hailuo/x", "", "cat");

	assert_int_equal(journal_put(fixture->journal, twin), -EEXIST);
	job_free(twin);
	job_free(job);
}

static void collect(void *context, struct job *job)
{
	char **seen = context;
	char *more;

	assert_true(asprintf(&more, "%s%s%s/%s:%d ", *seen ? *seen : "", "", job->dir, job->stem,
			    job->take) > 0);
	free(*seen);
	*seen = more;
	job_free(job);
}

static void unfinished_and_settling_jobs_are_live(void **state)
{
	struct fixture *fixture = *state;
	char *seen = NULL;
	struct job *job;

	job_free(put(fixture, "", "done", 1, JOB_DONE));
	job_free(put(fixture, "", "running", 1, JOB_RUNNING));
	job_free(put(fixture, "", "waiting", 1, JOB_WAITING));
	job_free(put(fixture, "", "unknown", 1, JOB_UNKNOWN));
	job = put(fixture, "", "again", 1, JOB_DONE);
	job->settling = true;
	assert_int_equal(journal_put(fixture->journal, job), 0);
	job_free(job);
	assert_int_equal(journal_each_live(fixture->journal, collect, &seen), 0);
	assert_string_equal(seen, "/running:1 /waiting:1 /again:1 ");
	free(seen);
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
		char stem[] = {(char)('a' + i), '\0'};
		struct job *job = job_new("hailuo/x", "", stem);

		job->state = rows[i].state;
		job->task = rows[i].task ? strdup(rows[i].task) : NULL;
		job->estimate = rows[i].estimate;
		job->spent = rows[i].spent;
		job->submitted_ms = 5000;
		assert_int_equal(journal_put(fixture->journal, job), 0);
		job_free(job);
	}
	assert_int_equal(journal_spending(fixture->journal, 4000, &jobs, &credits), 0);
	assert_int_equal(jobs, 3);
	assert_true(credits == 50 + 57 + 57);
	assert_int_equal(journal_spending(fixture->journal, 6000, &jobs, &credits), 0);
	assert_int_equal(jobs, 0);
}

static void renaming_takes_every_take_along(void **state)
{
	struct fixture *fixture = *state;
	struct job *job = put(fixture, "", "cat", 1, JOB_DONE);
	struct job *found;
	int error;

	job_free(put(fixture, "", "cat", 2, JOB_FAILED));
	assert_int_equal(journal_rename(fixture->journal, job, "pets", "kitty"), 0);
	assert_null(journal_newest(fixture->journal, "hailuo/x", "", "cat", &error));
	found = journal_newest(fixture->journal, "hailuo/x", "pets", "kitty", &error);
	assert_int_equal(found->take, 2);
	job_free(found);
	job_free(job);
}

static void an_upload_is_remembered_for_a_while(void **state)
{
	struct fixture *fixture = *state;
	char *url;

	assert_int_equal(
		journal_put_upload(fixture->journal, "host", "abc", "https://h/abc", 1000), 0);
	url = journal_upload(fixture->journal, "host", "abc", 999);
	assert_string_equal(url, "https://h/abc");
	free(url);
	assert_null(journal_upload(fixture->journal, "host", "abc", 1001));
	assert_null(journal_upload(fixture->journal, "other", "abc", 0));
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
	struct view *view = view_open(fixture->directory, &fixture->models);
	char *seen = NULL;

	job_free(put(fixture, "a", "x", 1, JOB_DONE));
	job_free(put(fixture, "a", "x", 2, JOB_DONE));
	job_free(put(fixture, "a/b", "y", 1, JOB_DONE));
	job_free(put(fixture, "a-b", "z", 1, JOB_DONE));
	job_free(put(fixture, "c/d/e", "z", 1, JOB_DONE));
	assert_int_equal(view_list_folders(view, "hailuo/x", "", collect_name, &seen), 0);
	assert_string_equal(seen, "a a-b c ");
	free(seen);
	seen = NULL;
	assert_int_equal(view_list_folders(view, "hailuo/x", "a", collect_name, &seen), 0);
	assert_string_equal(seen, "b ");
	free(seen);
	seen = NULL;
	assert_int_equal(view_list(view, "hailuo/x", "a", 0, collect_name, &seen), 0);
	assert_string_equal(seen, "x ");
	free(seen);
	assert_int_equal(view_folder(view, "hailuo/x", "c/d"), 0);
	assert_int_equal(view_folder(view, "hailuo/x", "c/x"), -ENOENT);
	assert_true(view_knows(view, "hailuo/x", "a/b", "y"));
	assert_false(view_knows(view, "hailuo/x", "a/b", "x"));
	view_close(view);
}

static void a_record_is_json_with_its_earlier_takes(void **state)
{
	struct fixture *fixture = *state;
	struct view *view = view_open(fixture->directory, &fixture->models);
	struct record record;
	cJSON *json;

	job_free(put(fixture, "", "cat", 1, JOB_FAILED));
	job_free(put(fixture, "", "cat", 2, JOB_RUNNING));
	assert_int_equal(view_record(view, "hailuo/x", "", "cat", &record), 0);
	json = cJSON_ParseWithLength(record.text, record.bytes);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "state")), "running");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "earlier_takes")), 1);
	cJSON_Delete(json);
	free(record.text);
	assert_int_equal(view_record(view, "hailuo/x", "", "dog", &record), -ENOENT);
	view_close(view);
}

/* ------------------------------------------------------------------ journals not ours */

static void overwrite(struct fixture *fixture, const char *bytes)
{
	char path[128];
	int fd;

	journal_close(fixture->journal);
	fixture->journal = NULL;
	(void)snprintf(path, sizeof(path), "%s/journal.db", fixture->directory);
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_true(write(fd, bytes, strlen(bytes)) > 0);
	(void)close(fd);
}

static void a_damaged_journal_is_refused_and_left_as_it_is(void **state)
{
	struct fixture *fixture = *state;
	char path[128], back[16] = "";
	bool fresh;
	int fd;

	overwrite(fixture, "this is no journal, but it may be the only copy of one");
	assert_null(journal_open(fixture->directory, &fresh));
	(void)snprintf(path, sizeof(path), "%s/journal.db", fixture->directory);
	fd = open(path, O_RDONLY);
	assert_true(read(fd, back, 7) == 7);
	assert_string_equal(back, "this is");
	(void)close(fd);
}

static void a_newer_journal_is_refused(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *db;
	char path[128];
	bool fresh;

	journal_close(fixture->journal);
	(void)snprintf(path, sizeof(path), "%s/journal.db", fixture->directory);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	fixture->journal = journal_open(fixture->directory, &fresh);
	assert_null(fixture->journal);
}

/* Format 1 had no came_from, and no index of rejected jobs. */
static void a_journal_of_the_first_format_goes_on(void **state)
{
	struct fixture *fixture = *state;
	struct job *job = put(fixture, "", "cat", 1, JOB_DONE), *back;
	sqlite3 *db;
	char path[128];
	bool fresh;
	int error;

	journal_close(fixture->journal);
	(void)snprintf(path, sizeof(path), "%s/journal.db", fixture->directory);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "DROP INDEX job_rejected; ALTER TABLE job DROP COLUMN came_from;"
				 "PRAGMA user_version = 1",
				 NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	fixture->journal = journal_open(fixture->directory, &fresh);
	assert_non_null(fixture->journal);
	assert_false(fresh);
	back = journal_newest(fixture->journal, "hailuo/x", "", "cat", &error);
	assert_non_null(back);
	assert_int_equal(back->state, JOB_DONE);
	assert_null(back->came_from);
	job_set_text(&back->came_from, "/dog");
	assert_int_equal(journal_begin(fixture->journal), 0);
	assert_int_equal(journal_put(fixture->journal, back), 0);
	assert_int_equal(journal_commit(fixture->journal), 0);
	job_free(back);
	back = journal_newest(fixture->journal, "hailuo/x", "", "cat", &error);
	assert_string_equal(back->came_from, "/dog");
	job_free(back);
	job_free(job);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_row_comes_back_as_it_was_put),
		TEST(putting_again_keeps_the_request),
		TEST(the_newest_take_is_found_and_deleting_it_brings_back_the_one_before),
		TEST(a_transaction_rolled_back_leaves_nothing),
		TEST(a_job_that_goes_on_gets_its_deleted_row_again),
		TEST(two_rows_of_one_take_are_refused),
		TEST(unfinished_and_settling_jobs_are_live),
		TEST(spending_counts_what_was_accepted_or_may_have_been),
		TEST(renaming_takes_every_take_along),
		TEST(an_upload_is_remembered_for_a_while),
		TEST(the_view_lists_each_folder_once_and_each_job_once),
		TEST(a_record_is_json_with_its_earlier_takes),
		TEST(a_damaged_journal_is_refused_and_left_as_it_is),
		TEST(a_newer_journal_is_refused),
		TEST(a_journal_of_the_first_format_goes_on),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}

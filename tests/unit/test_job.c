#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/journal/job.h"
#include "fs/journal/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/run.h"

#define I2V "hailuo/02-image-to-video-standard"

static struct model_set models;

static void names_and_states_are_one_to_one(void **state)
{
	(void)state;
	for (int i = 0; i < JOB_STATES; i++)
		assert_int_equal(job_state_parse(job_state_name((enum job_state)i)), i);
	assert_int_equal(job_state_parse("paid"), -1);
}

/* The money invariants, read off the table: fs/README.md 2. */
/* fs/README.md 6 says who makes each. */
static void each_state_may_become_these_and_no_other(void **state)
{
	static const char *const next[JOB_STATES] = {
		[JOB_WAITING] = "held queued rejected cancelled",
		[JOB_HELD] = "waiting queued rejected cancelled",
		[JOB_QUEUED] = "waiting held uploading submitting rejected cancelled",
		[JOB_UPLOADING] = "waiting held queued rejected failed cancelled",
		[JOB_SUBMITTING] = "held queued running failed unknown",
		[JOB_RUNNING] = "downloading failed",
		[JOB_DOWNLOADING] = "done failed",
		[JOB_REJECTED] = "waiting held queued cancelled"};

	(void)state;
	for (int from = 0; from < JOB_STATES; from++)
		for (int to = 0; to < JOB_STATES; to++) {
			const char *name = job_state_name((enum job_state)to);

			assert_int_equal(job_may_become((enum job_state)from, (enum job_state)to),
				next[from] && strstr(next[from], name) != NULL);
		}
}

static void nothing_but_an_explicit_no_leads_back_from_submitting(void **state)
{
	static const enum job_state from_submitting[] = {
		JOB_RUNNING, JOB_QUEUED, JOB_HELD, JOB_FAILED, JOB_UNKNOWN};

	(void)state;
	for (int to = 0; to < JOB_STATES; to++) {
		bool allowed = false;

		for (size_t i = 0; i < sizeof(from_submitting) / sizeof(*from_submitting); i++)
			allowed |= from_submitting[i] == (enum job_state)to;
		assert_int_equal(job_may_become(JOB_SUBMITTING, (enum job_state)to), allowed);
	}
}

static void a_submitted_take_never_becomes_an_unsubmitted_one(void **state)
{
	static const enum job_state paid[] = {
		JOB_RUNNING, JOB_DOWNLOADING, JOB_DONE, JOB_FAILED, JOB_UNKNOWN};

	(void)state;
	for (size_t i = 0; i < sizeof(paid) / sizeof(*paid); i++)
		for (int to = 0; to < JOB_STATES; to++)
			if (job_state_is_open((enum job_state)to) || to == JOB_SUBMITTING)
				assert_false(job_may_become(paid[i], (enum job_state)to));
}

static void only_a_queued_or_uploaded_job_is_submitted(void **state)
{
	(void)state;
	for (int from = 0; from < JOB_STATES; from++)
		assert_int_equal(
			job_may_become((enum job_state)from, JOB_SUBMITTING), from == JOB_QUEUED);
}

static void ends_lead_nowhere_but_rejected_to_a_mended_spec(void **state)
{
	(void)state;
	for (int from = 0; from < JOB_STATES; from++)
		for (int to = 0; to < JOB_STATES; to++)
			if (job_state_is_end((enum job_state)from) && from != JOB_REJECTED)
				assert_false(
					job_may_become((enum job_state)from, (enum job_state)to));
}

static void what_was_sent_and_did_not_fail_is_paid(void **state)
{
	static const enum job_state paid[] = {
		JOB_SUBMITTING, JOB_RUNNING, JOB_DOWNLOADING, JOB_DONE, JOB_UNKNOWN};

	(void)state;
	for (int one = 0; one < JOB_STATES; one++) {
		bool expected = false;

		for (size_t i = 0; i < sizeof(paid) / sizeof(*paid); i++)
			expected |= paid[i] == (enum job_state)one;
		assert_int_equal(job_state_is_paid((enum job_state)one), expected);
		if (expected)
			assert_false(job_state_is_open((enum job_state)one));
	}
}

static void jobs_are_sorted_by_model_folder_and_stem(void **state)
{
	static const struct job_key sorted[] = {
		{"a", "", "b"}, {"a", "", "c"}, {"a", "x", "a"}, {"b", "", ""}};
	const int count = sizeof(sorted) / sizeof(*sorted);

	(void)state;
	for (int i = 0; i < count; i++)
		for (int j = 0; j < count; j++) {
			int order = job_key_compare(&sorted[i], &sorted[j]);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
}

static void a_new_row_says_nothing_of_money_and_progress(void **state)
{
	struct job_row *row = job_row_new(&(struct job_key){"m", "summer", "beach"});
	AUTO_FREE char *name = job_name(row);

	(void)state;
	assert_string_equal(name, "summer/beach");
	assert_int_equal(row->id, 0);
	assert_int_equal(row->take, 1);
	assert_int_equal(row->state, JOB_WAITING);
	assert_int_equal(row->progress, -1);
	assert_true(isnan(row->estimate) && isnan(row->spent));
	assert_null(row->order);
	job_row_free(row);
}

static void a_note_says_reason_money_and_what_to_do(void **state)
{
	struct job_row *job = job_row_new(&(struct job_key){"m", "summer", "beach"});
	char *text;

	(void)state;
	job->state = JOB_UNKNOWN;
	job->estimate = 57;
	job_set_text(&job->problem, "Connection reset by peer");
	job_set_text(&job->advice, "Look at the provider's list.");
	text = record_note_text(job);
	assert_non_null(strstr(text, "summer/beach"));
	assert_non_null(strstr(text, "Connection reset by peer"));
	assert_non_null(strstr(text, "MAY have been spent (about 57 credits"));
	assert_non_null(strstr(text, "Look at the provider's list."));
	free(text);
	job->estimate = NAN;
	text = record_note_text(job);
	assert_non_null(strstr(text, "MAY have been spent (how much is not known)"));
	free(text);
	job->estimate = 12345.5;
	job->state = JOB_FAILED;
	job_set_text(&job->task, "t");
	text = record_note_text(job);
	assert_non_null(strstr(text, "failed tasks are normally free"));
	free(text);
	job->output = calloc(1, sizeof(*job->output)); /* it was made */
	text = record_note_text(job);
	assert_null(strstr(text, "free"));
	assert_non_null(strstr(text, "About 12345.5 credits"));
	free(text);
	job->estimate = NAN;
	text = record_note_text(job);
	assert_non_null(strstr(text, "What it cost is not known."));
	free(text);
	job->spent = 12345.5;
	text = record_note_text(job);
	assert_non_null(strstr(text, "charged 12345.5 credits"));
	free(text);
	job_set_text(&job->task, NULL);
	job->state = JOB_REJECTED;
	text = record_note_text(job);
	assert_non_null(strstr(text, "No money was spent."));
	free(text);
	job_row_free(job);
}

static void a_job_without_trouble_has_no_note(void **state)
{
	static const enum job_state quiet[] = {
		JOB_QUEUED, JOB_UPLOADING, JOB_SUBMITTING, JOB_DONE, JOB_CANCELLED};
	struct job_row *job = job_row_new(&(struct job_key){"m", "", "cat"});

	(void)state;
	for (size_t i = 0; i < sizeof(quiet) / sizeof(*quiet); i++) {
		job->state = quiet[i];
		assert_int_equal(record_note(job), NOTE_NONE);
	}
	job->state = JOB_RUNNING;
	assert_int_equal(record_note(job), NOTE_RUNNING);
	job->state = JOB_DOWNLOADING;
	assert_int_equal(record_note(job), NOTE_RUNNING);
	job_row_free(job);
}

static void a_record_shows_what_stood_for_the_pictures(void **state)
{
	struct job_row *row = job_row_new(&(struct job_key){I2V, "", "cat"});
	AUTO_JSON cJSON *json = NULL;
	const cJSON *input;

	(void)state;
	row->state = JOB_RUNNING;
	row->submitted_ms = 1;
	row->more = 2;
	row->picture = calloc(1, sizeof(*row->picture));
	row->npictures = 1;
	row->picture[0].field = strdup("image_url");
	row->picture[0].path = strdup(I2V "/cat.png");
	row->picture[0].url = strdup("https://h/cat.png");
	json = record_full(row, models_find(&models, I2V),
		"{\"model\":\"m\",\"input\":{\"prompt\":\"x\",\"image_url\":\"cat.png\"}}");
	input = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "request"), "input");
	assert_string_equal(json_text(input, "image_url"), "https://h/cat.png");
	assert_string_equal(json_text(input, "prompt"), "x");
	assert_true(json_number(json, "takes_to_come") == 2);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "pictures")), 1);
	assert_non_null(cJSON_GetObjectItem(json, "input_with_defaults"));
	job_row_free(row);
}

static int start(void **state)
{
	(void)state;
	return models_builtin(&models);
}

static void a_sum_of_credits_is_said_in_full(void **state)
{
	char task[] = "t";
	struct job_row row = {.state = JOB_DONE, .task = task, .spent = 12345.5};
	AUTO_FREE char *taken = NULL, *estimated = NULL;

	(void)state;
	taken = record_money(&row);
	assert_string_equal(taken, "The provider says it charged 12345.5 credits.");
	row.spent = NAN;
	row.estimate = 0.1 + 0.2;
	estimated = record_money(&row);
	assert_string_equal(estimated, "About 0.3 credits (estimate).");
}

static int stop(void **state)
{
	(void)state;
	models_free(&models);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_states_are_one_to_one),
		cmocka_unit_test(each_state_may_become_these_and_no_other),
		cmocka_unit_test(nothing_but_an_explicit_no_leads_back_from_submitting),
		cmocka_unit_test(a_submitted_take_never_becomes_an_unsubmitted_one),
		cmocka_unit_test(only_a_queued_or_uploaded_job_is_submitted),
		cmocka_unit_test(ends_lead_nowhere_but_rejected_to_a_mended_spec),
		cmocka_unit_test(what_was_sent_and_did_not_fail_is_paid),
		cmocka_unit_test(jobs_are_sorted_by_model_folder_and_stem),
		cmocka_unit_test(a_new_row_says_nothing_of_money_and_progress),
		cmocka_unit_test(a_note_says_reason_money_and_what_to_do),
		cmocka_unit_test(a_sum_of_credits_is_said_in_full),
		cmocka_unit_test(a_job_without_trouble_has_no_note),
		cmocka_unit_test(a_record_shows_what_stood_for_the_pictures),
	};

	return RUN_TESTS(argc, argv, tests, start, stop);
}

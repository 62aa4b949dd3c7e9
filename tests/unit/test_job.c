#include "fs/journal/job.h"
#include "fs/journal/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/run.h"

static void names_and_states_are_one_to_one(void **state)
{
	(void)state;
	for (int i = 0; i < JOB_STATES; i++)
		assert_int_equal(job_state_parse(job_state_name((enum job_state)i)), i);
	assert_int_equal(job_state_parse("paid"), -1);
}

/* The money invariants, read off the table: fs/README.md 2. */
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

static void a_note_says_reason_money_and_what_to_do(void **state)
{
	struct job *job = job_new("m", "summer", "beach");
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
	job->state = JOB_REJECTED;
	text = record_note_text(job);
	assert_non_null(strstr(text, "No money was spent."));
	free(text);
	job_free(job);
}

static void a_job_without_trouble_has_no_note(void **state)
{
	static const enum job_state quiet[] = {JOB_QUEUED, JOB_UPLOADING, JOB_SUBMITTING,
		JOB_RUNNING, JOB_DOWNLOADING, JOB_DONE, JOB_CANCELLED};
	struct job *job = job_new("m", "", "cat");

	(void)state;
	for (size_t i = 0; i < sizeof(quiet) / sizeof(*quiet); i++) {
		job->state = quiet[i];
		assert_int_equal(record_note(job), NOTE_NONE);
	}
	job_free(job);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_states_are_one_to_one),
		cmocka_unit_test(nothing_but_an_explicit_no_leads_back_from_submitting),
		cmocka_unit_test(a_submitted_take_never_becomes_an_unsubmitted_one),
		cmocka_unit_test(only_a_queued_or_uploaded_job_is_submitted),
		cmocka_unit_test(ends_lead_nowhere_but_rejected_to_a_mended_spec),
		cmocka_unit_test(a_note_says_reason_money_and_what_to_do),
		cmocka_unit_test(a_job_without_trouble_has_no_note),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}

/* test_engine_caps.c - what holds a job back: caps, and the clock they go by. */
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/config/config.h"
#include "fs/engine/core.h"
#include "tests/unit/engine.h"

#include <math.h>

static void what_cannot_be_counted_does_not_go(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 10;
	life_cannot_count = true;
	drop(A, &fox);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	assert_int_equal(tasks, 0);
	life_cannot_count = false;
	life_run(20 * 60 * 1000);
	ASSERT_STATE(A, "done");
}

static void a_clock_set_ahead_gives_no_second_day(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(A, &fox);
	drop(B, &boat);
	assert_int_equal(tasks, 1);
	clock_set_wall(2 * 24 * 3600 * 1000LL);
	life_run(3600 * 1000);
	assert_int_equal(shown(B)->hold, HOLD_CAP);
	assert_int_equal(tasks, 1);
	life_run(24 * 3600 * 1000LL);
	ASSERT_STATE(B, "done");
}

static void a_warning_of_a_cap_goes_when_the_day_is_over(void **state)
{
	(void)state;
	*host_warning = '\0';
	life_config()->caps.jobs_per_day = 2;
	drop(A, &fox);
	assert_string_equal(host_warning, "");
	drop(B, &boat);
	assert_memory_equal(host_warning, "Today 2 of 2 jobs are used", 26);
	life_run(24 * HOUR_MS);
	assert_string_equal(host_warning, "");
}

/* The second of two that cost as much is over this cap. */
static void over_after_one(double *cap)
{
	user_write(text(A), &fox, false);
	life_run(QUIET_MS);
	assert_int_equal(tasks, 1);
	*cap = 1.5 * shown(A)->estimate;
	assert_true(*cap > 0);
	drop(B, &boat);
	assert_int_equal(shown(B)->hold, HOLD_CAP);
	assert_int_equal(tasks, 1);
	*cap = 0;
}

static void a_cap_of_credits_a_day_holds(void **state)
{
	(void)state;
	over_after_one(&life_config()->caps.credits_per_day);
}

static void a_cap_of_credits_a_month_holds(void **state)
{
	(void)state;
	over_after_one(&life_config()->caps.credits_per_month);
}

static void a_cap_of_credits_for_one_job_holds(void **state)
{
	(void)state;
	life_config()->caps.credits_per_job = 0.5;
	drop(A, &fox);
	assert_int_equal(shown(A)->hold, HOLD_JOB_CAP);
	assert_int_equal(tasks, 0);
	assert_int_equal(order("release", A), 0);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
}

static void an_unknown_price_is_held_under_a_cap_of_credits(void **state)
{
	const struct job_row row = {.estimate = NAN};
	struct caps caps = {.jobs_per_day = 10};
	struct budget budget = {0};
	AUTO_FREE char *problem = NULL;
	const char *advice;

	(void)state;
	assert_int_equal(
		budget_check(&budget, life_journal(), &caps, &row, &problem, &advice), HOLD_NONE);
	caps.credits_per_month = 1000;
	assert_int_equal(
		budget_check(&budget, life_journal(), &caps, &row, &problem, &advice), HOLD_PRICE);
	assert_non_null(problem);
}

static void a_hold_says_its_sums_in_full(void **state)
{
	const struct job_row row = {.estimate = 12345};
	const struct caps caps = {.credits_per_day = 200000};
	struct budget budget = {.day_ends_ms = INT64_MAX, .credits_today = 190000.123};
	AUTO_FREE char *problem = NULL;
	const char *advice;

	(void)state;
	assert_int_equal(
		budget_check(&budget, life_journal(), &caps, &row, &problem, &advice), HOLD_CAP);
	assert_string_equal(problem,
		"About 190000.12 credits were spent today and this job needs 12345; the cap is "
		"200000 a day (caps.credits_per_day).");
}

static void a_turn_that_was_not_used_is_free_at_once(void **state)
{
	int64_t begin;

	(void)state;
	life_config()->account[0].creates = 1;
	life_stop();
	life_start();
	life_run(QUIET_MS);
	drop(C, &(struct content){2, -1, -1, -1, false}); /* uses the turn */
	user_open(text(A), &fox);
	life_run(QUIET_MS);
	begin = clock_steady_ms();
	user_write(text(B), &boat, false);
	life_run(QUIET_MS);
	assert_true(shown(B)->submitted_ms > 0);
	assert_true(clock_steady_ms() - begin < 10000);
	life_config()->account[0].creates = 20;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(what_cannot_be_counted_does_not_go),
		CASE(a_clock_set_ahead_gives_no_second_day),
		CASE(a_warning_of_a_cap_goes_when_the_day_is_over),
		CASE(a_cap_of_credits_a_day_holds),
		CASE(a_cap_of_credits_a_month_holds),
		CASE(a_cap_of_credits_for_one_job_holds),
		CASE(an_unknown_price_is_held_under_a_cap_of_credits),
		CASE(a_hold_says_its_sums_in_full),
		CASE(a_turn_that_was_not_used_is_free_at_once),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

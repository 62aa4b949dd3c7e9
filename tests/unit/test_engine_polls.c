/* test_engine_polls.c - tasks that are asked after: when, how often, for how long, and beside whom.
 */
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/config/config.h"
#include "fs/journal/record.h"
#include "tests/unit/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ polling */

static void a_task_is_asked_after_for_hours(void **state)
{
	int left;

	(void)state;
	user_write(text(A), &fox, false);
	life_run(QUIET_MS);
	assert_int_equal(tasks, 1);
	task[0].left = 1000; /* more than all its questions */
	life_run(4 * 3600 * 1000LL);
	ASSERT_STATE(A, "running");
	left = task[0].left;
	life_run(3600 * 1000LL);
	assert_true(task[0].left < left);
	task[0].left = 0;
	life_run(3600 * 1000LL);
	ASSERT_STATE(A, "done");
}

/* ------------------------------------------------------------------ tasks that are lost */

static void assert_stuck(int stem, const char *words)
{
	AUTO_FREE char *note = record_note_text(shown(stem));

	ASSERT_STATE(stem, "running");
	assert_true(job_is_stuck(shown(stem)));
	assert_int_equal(shown(stem)->note, NOTE_ERROR);
	assert_non_null(strstr(note, words));
	assert_non_null(strstr(note, "T0"));
	assert_non_null(strstr(note, "money was probably spent"));
	assert_non_null(strstr(note, "kinofs retry PATH"));
}

static void a_task_that_is_not_known_is_told_of_and_asked_for_hourly(void **state)
{
	int polls;

	(void)state;
	provider_lose(1);
	user_write(text(A), &fox, false);
	life_run(9 * MINUTE_MS);
	assert_int_equal(shown(A)->note, NOTE_RUNNING); /* it may pass */
	assert_non_null(shown(A)->problem);
	life_run(16 * MINUTE_MS);
	assert_stuck(A, "does not know the task T0");
	polls = provider_polls;
	life_run(24 * HOUR_MS);
	assert_in_range(provider_polls - polls, 20, 30);
	assert_stuck(A, "does not know the task T0");
	life_stop();
	life_start();
	life_run(MINUTE_MS);
	assert_stuck(A, "does not know the task T0");
	provider_lose(0);
	life_run(2 * HOUR_MS);
	ASSERT_STATE(A, "done");
	assert_int_equal(shown(A)->note, NOTE_NONE);
	assert_int_equal(tasks, 1);
	assert_sound();
}

static void a_task_that_is_not_known_counts_and_can_be_ordered_again(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 2;
	provider_lose(1);
	user_write(text(A), &fox, false);
	life_run(5 * MINUTE_MS);
	assert_int_equal(order("retry", A), -EBUSY); /* it may pass */
	assert_int_equal(order("forget", A), -EBUSY);
	life_run(20 * MINUTE_MS);
	assert_int_equal(order("retry", A), 0);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	assert_int_equal(shown(A)->take, 2);
	drop(B, &boat);
	assert_int_equal(shown(B)->hold, HOLD_CAP);
	provider_lose(0);
	life_run(2 * HOUR_MS); /* the first take's video comes, too */
	assert_int_equal(tasks, 2);
	ASSERT_STATE(A, "done");
	assert_int_equal(rows.count, 2);
	for (size_t i = 0; i < rows.count; i++)
		assert_int_equal(rows.item[i]->state, JOB_DONE);
}

static void a_task_that_is_not_known_can_be_forgotten(void **state)
{
	const struct job_key key = {sim.model[0]->id, "", "a"};
	int polls;

	(void)state;
	life_config()->caps.jobs_per_day = 1;
	provider_lose(1);
	user_write(text(A), &fox, false);
	life_run(30 * MINUTE_MS);
	assert_int_equal(order("forget", A), 0);
	ASSERT_STATE(A, "none");
	rows_free(&rows);
	assert_int_equal(journal_takes(life_journal(), &key, &rows), 0);
	assert_int_equal(rows.item[0]->state, JOB_UNKNOWN);
	polls = provider_polls;
	life_run(LONG_MS);
	life_crash();
	life_start();
	life_run(3 * HOUR_MS);
	assert_int_equal(provider_polls, polls);
	assert_int_equal(tasks, 1); /* nothing orders it again by itself */
	drop(B, &boat);
	assert_int_equal(shown(B)->hold, HOLD_CAP);
}

static void a_task_that_runs_for_a_day_is_told_of(void **state)
{
	(void)state;
	provider_never_end(1);
	user_write(text(A), &fox, false);
	life_run(23 * HOUR_MS);
	assert_null(shown(A)->problem);
	life_run(2 * HOUR_MS);
	assert_stuck(A, "still says \"TELEPORTING\"");
	provider_never_end(0);
	life_run(HOUR_MS);
	ASSERT_STATE(A, "done");
	assert_sound();
}

static void a_clock_that_is_set_changes_nothing_about_a_task(void **state)
{
	static const int64_t jumps[] = {-400, 400, -20};
	int polls;

	(void)state;
	provider_never_end(1);
	user_write(text(A), &fox, false);
	life_run(HOUR_MS);
	for (int i = 0; i < 3; i++) {
		polls = provider_polls;
		clock_set_wall(jumps[i] * 24 * HOUR_MS);
		life_run(6 * HOUR_MS);
		assert_in_range(provider_polls - polls, 20, 200);
		assert_null(shown(A)->problem); /* it is no day old */
	}
	life_stop();
	life_start(); /* by the clock it was accepted in the future */
	polls = provider_polls;
	life_run(24 * HOUR_MS);
	assert_in_range(provider_polls - polls, 50, 500);
	life_run(2 * HOUR_MS);
	assert_stuck(A, "still says \"TELEPORTING\"");
	provider_never_end(0);
	life_run(2 * HOUR_MS);
	ASSERT_STATE(A, "done");
	assert_sound();
}

/* ------------------------------------------------------------------ when tasks are asked after */

static int by_lateness(const void *left, const void *right)
{
	const int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

/* Orders so many takes with a file at this place, waits, and says how late their ends were seen, in
 * ms: the median. *polls: of one task, on average. */
static int64_t lateness(int place, int takes, int64_t wait_ms, int *polls)
{
	const struct content many = {place / KINDS % STEMS, takes, -1, -1, false};
	int64_t late[TASKS];
	int first = tasks, count;

	user_write(place, &many, false);
	life_run(wait_ms);
	count = tasks - first;
	assert_int_equal(count, takes);
	*polls = 0;
	for (int i = 0; i < count; i++) {
		assert_true(task[first + i].told_ms > 0);
		late[i] = task[first + i].told_ms - task[first + i].ends_ms;
		*polls += task[first + i].polls;
	}
	*polls /= count;
	qsort(late, (size_t)count, sizeof(*late), by_lateness);
	return late[count / 2];
}

static void an_end_is_asked_for_when_it_is_expected(void **state)
{
	int polls;
	int64_t late;

	(void)state;
	provider_take(5 * MINUTE_MS);
	(void)lateness(spec(A), 10, 8 * MINUTE_MS, &polls); /* nothing was known */
	late = lateness(spec(B), 20, 8 * MINUTE_MS, &polls);
	print_message("%d ms late after %d polls\n", (int)late, polls);
	assert_in_range(late, 0, 2000);
	assert_in_range(polls, 5, 30);
	life_crash();
	life_start();
	late = lateness(spec(C), 20, 8 * MINUTE_MS, &polls);
	print_message("%d ms late after %d polls\n", (int)late, polls);
	assert_in_range(late, 0, 2000);
	assert_in_range(polls, 5, 30);
}

static void what_ended_while_nothing_was_mounted_is_asked_for_at_once(void **state)
{
	int64_t begin;

	(void)state;
	provider_take(5 * MINUTE_MS);
	user_write(text(A), &fox, false);
	life_run(MINUTE_MS);
	life_stop();
	clock_go_to(clock_steady_ms() + 8 * HOUR_MS);
	begin = clock_wall_ms();
	life_start();
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	assert_in_range(shown(A)->finished_ms - begin, 0, 3000);
}

static void what_is_asked_for_at_a_start_is_not_asked_for_all_at_once(void **state)
{
	const struct content one = {0, 60, -1, -1, false}, other = {1, 60, -1, -1, false};
	int polls;

	(void)state;
	provider_take(HOUR_MS);
	user_write(spec(A), &one, false);
	user_write(spec(B), &other, false);
	life_run(2 * MINUTE_MS);
	assert_int_equal(tasks, 120);
	life_crash();
	polls = provider_polls;
	life_start();
	life_run(5000);
	assert_in_range(provider_polls - polls, 100, 260);
	assert_in_range(provider_peak(), 20, 50); /* a second, of one provider of two */
}

/* ------------------------------------------------------------------ places */

enum { MANY = 60 };

/* Of the first provider, none of which gets what it asks for. */
static void drop_many(void)
{
	const struct content many = {0, MANY, -1, -1, false};

	user_write(spec(A), &many, false);
	life_run(LONG_MS);
	assert_int_equal(tasks, MANY);
}

/* How long it takes from its acceptance to its end. */
static int64_t time_of(int model)
{
	const int picture = place_at(model, 0, B, KIND_PICTURE);
	const struct content cat = {-1, -1, -1, 0, false};

	user_write(picture, &cat, false);
	user_write(place_at(model, 0, B, KIND_PROMPT), &boat, false);
	life_run(LONG_MS);
	assert_int_equal(shown_at(model, "b")->state, JOB_DONE);
	return shown_at(model, "b")->finished_ms - shown_at(model, "b")->accepted_ms;
}

static void polls_without_an_answer_delay_nobody_else(void **state)
{
	(void)state;
	provider_hang(MANY, 0);
	drop_many();
	assert_true(time_of(1) < 30000); /* of the other provider */
	assert_true(time_of(2) < 30000); /* of the same */
}

static void downloads_that_stand_still_are_tried_again_beside_others(void **state)
{
	const struct content eight = {0, 8, -1, -1, false};

	(void)state;
	provider_hang(0, 8);
	user_write(spec(A), &eight, false);
	life_run(HOUR_MS);               /* each has been tried */
	assert_true(time_of(2) < 30000); /* of the same provider */
}

static void downloads_that_stand_still_leave_the_other_provider_its_own(void **state)
{
	(void)state;
	provider_hang(0, MANY);
	drop_many();
	assert_true(time_of(1) < 30000);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(a_task_is_asked_after_for_hours),
		CASE(a_task_that_is_not_known_is_told_of_and_asked_for_hourly),
		CASE(a_task_that_is_not_known_counts_and_can_be_ordered_again),
		CASE(a_task_that_is_not_known_can_be_forgotten),
		CASE(a_task_that_runs_for_a_day_is_told_of),
		CASE(a_clock_that_is_set_changes_nothing_about_a_task),
		CASE(an_end_is_asked_for_when_it_is_expected),
		CASE(what_ended_while_nothing_was_mounted_is_asked_for_at_once),
		CASE(what_is_asked_for_at_a_start_is_not_asked_for_all_at_once),
		CASE(polls_without_an_answer_delay_nobody_else),
		CASE(downloads_that_stand_still_are_tried_again_beside_others),
		CASE(downloads_that_stand_still_leave_the_other_provider_its_own),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

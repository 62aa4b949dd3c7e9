/* test_engine_identity.c - what is the same order as another, what goes along with its files, and
 * how many are made of it. */
#include "fs/base/clock.h"
#include "fs/config/config.h"
#include "fs/engine/core.h"
#include "fs/engine/intake.h"
#include "tests/unit/engine.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------ identity */

static void what_is_on_its_way_goes_on(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(A, &fox);
	drop(B, &boat);
	assert_int_equal(shown(B)->hold, HOLD_CAP);
	user_write(text(B), &boat, false); /* saved again */
	life_run(QUIET_MS);
	assert_int_equal(shown(B)->hold, HOLD_CAP);
	assert_int_equal(shown(B)->take, 1);
	assert_int_equal(tasks, 1);
}

static void saved_again_it_does_not_ask_again_at_once(void **state)
{
	(void)state;
	provider_script("b");
	user_write(text(A), &fox, false);
	life_run(2 * QUIET_MS);
	assert_int_equal(shown(A)->hold, HOLD_PROVIDER);
	user_write(text(A), &fox, false);
	life_run(2 * QUIET_MS);
	assert_int_equal(shown(A)->hold, HOLD_PROVIDER); /* there is a pause of a minute */
	life_run(2 * LONG_MS);
	ASSERT_STATE(A, "done");
	assert_sound();
}

static void what_was_sent_is_gone_back_to(void **state)
{
	(void)state;
	drop(A, &fox);
	drop(A, &boat);
	assert_int_equal(shown(A)->take, 2);
	drop(A, &fox);
	assert_int_equal(shown(A)->take, 1);
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void what_failed_is_ordered_again_only_when_saved(void **state)
{
	(void)state;
	provider_script("f");
	drop(A, &fox);
	ASSERT_STATE(A, "failed");
	user_rename(text(A), false, text(B));
	life_run(LONG_MS);
	ASSERT_STATE(B, "failed");
	assert_int_equal(tasks, 1);
	drop(B, &fox);
	ASSERT_STATE(B, "done");
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void a_job_goes_with_its_files(void **state)
{
	(void)state;
	drop(A, &fox);
	user_rename(text(A), false, text(B));
	life_run(QUIET_MS);
	ASSERT_STATE(A, "none");
	ASSERT_STATE(B, "done");
	assert_int_equal(tasks, 1);
	assert_sound();
}

static void all_that_was_sent_goes_along(void **state)
{
	(void)state;
	drop(A, &fox);
	drop(A, &boat);
	user_rename(text(A), false, text(B));
	life_run(LONG_MS);
	assert_null(shown(A));
	assert_int_equal(shown(B)->take, 2);
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void a_copy_is_held_and_takes_over(void **state)
{
	(void)state;
	drop(A, &fox);
	drop(B, &fox);
	assert_int_equal(shown(B)->hold, HOLD_COPY);
	user_remove(text(A));
	life_run(QUIET_MS);
	ASSERT_STATE(B, "done");
	assert_int_equal(tasks, 1);
	assert_sound();
}

static void a_copy_takes_over_when_the_job_becomes_a_copy(void **state)
{
	(void)state;
	drop(A, &fox);
	drop(B, &fox);
	drop(C, &boat);
	drop(A, &boat); /* a copy of C: nobody has the order of B now */
	ASSERT_STATE(B, "done");
	assert_int_equal(shown(A)->hold, HOLD_COPY);
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void a_copy_of_what_failed_is_not_ordered_by_a_start(void **state)
{
	(void)state;
	provider_script("f");
	user_write(text(A), &fox, false);
	life_run(2500);
	user_write(text(B), &fox, false);
	life_run(2500);
	user_write(text(B), &fox, false);
	life_run(LONG_MS);
	ASSERT_STATE(A, "failed");
	life_stop();
	life_start();
	life_run(LONG_MS);
	ASSERT_STATE(B, "held");
	assert_int_equal(tasks, 1);
	drop(B, &fox);
	ASSERT_STATE(B, "done");
}

static void a_copy_takes_over_what_was_withdrawn(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	drop(A, &fox);
	drop(B, &fox);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	assert_int_equal(shown(B)->hold, HOLD_COPY);
	user_remove(text(A)); /* it was never sent */
	life_run(LONG_MS);
	assert_int_equal(shown(B)->hold, HOLD_CAP);
	assert_int_equal(tasks, 1);
}

static void a_copy_goes_on_when_its_job_became_another(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	drop(A, &fox);
	drop(B, &fox);
	drop(A, &(struct content){2, -1, -1, -1, false}); /* it was never sent */
	assert_int_equal(shown(B)->hold, HOLD_CAP);
	assert_int_equal(tasks, 1);
}

static void copies_with_other_defaults_are_copies(void **state)
{
	const struct content flag = {-1, -1, 1, -1, false};

	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	drop(A, &fox);
	drop(B, &fox);
	user_write(PLACES, &flag, false); /* defaults.json */
	life_run(LONG_MS);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	assert_int_equal(shown(B)->hold, HOLD_COPY);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * 60 * 1000);
	assert_int_equal(tasks, 2);
	assert_sound();
}

/* The name is judged a moment after the rename, with the defaults of then. */
static void a_rename_right_before_other_defaults_orders_nothing(void **state)
{
	const struct content flag = {-1, -1, 1, -1, false};

	(void)state;
	provider_script("d"); /* it is under way */
	user_write(text(A), &fox, false);
	life_run(QUIET_MS);
	ASSERT_STATE(A, "submitting");
	user_rename(text(A), false, text(B));
	user_write(PLACES, &flag, false); /* defaults.json */
	life_run(2 * LONG_MS);
	assert_int_equal(tasks, 1);
	ASSERT_STATE(B, "done");
	ASSERT_STATE(A, "none");
	assert_sound();
}

static void an_exchange_right_before_other_defaults_orders_nothing(void **state)
{
	const struct content flag = {-1, -1, 1, -1, false};

	(void)state;
	drop(A, &fox);
	drop(B, &boat);
	user_exchange(text(A), text(B));
	user_write(PLACES, &flag, false);
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
	assert_sound();
}

/* What the other name had was saved later than what it gets, and not ordered yet; whichever of the
 * two is judged first. */
static void exchange_with_what_settles(int ordered, int settling)
{
	const struct content flag = {-1, -1, 1, -1, false};

	provider_script("d"); /* it is under way */
	user_write(text(ordered), &fox, false);
	life_run(QUIET_MS);
	user_write(text(settling), &boat, false);
	life_run(100);
	user_exchange(text(settling), text(ordered));
	user_write(PLACES, &flag, false);
	life_run(2 * LONG_MS);
	assert_int_equal(tasks, 2);
	ASSERT_STATE(ordered, "done");
	ASSERT_STATE(settling, "done");
	assert_sound();
}

static void an_exchange_with_what_settles_orders_nothing_again(void **state)
{
	(void)state;
	exchange_with_what_settles(A, B);
}

static void an_exchange_the_other_way_orders_nothing_again(void **state)
{
	(void)state;
	exchange_with_what_settles(B, A);
}

/* The takes that were here before what came settle no longer. */
static void a_job_that_comes_over_another_leaves_it_at_rest(void **state)
{
	const struct content rain = {2, -1, -1, -1, false};

	(void)state;
	drop(B, &fox);
	drop(B, &boat);
	drop(B, &fox); /* which leads back to take 1; the newest is another */
	drop(A, &rain);
	assert_int_equal(tasks, 3);
	user_rename(text(A), false, text(B));
	life_run(LONG_MS);
	assert_int_equal(tasks, 3);
	(void)shown(B);
	for (size_t i = 0; i < rows.count; i++)
		assert_false(rows.item[i]->settling);
	assert_sound();
}

/* What is the same by its files, and another order by its defaults. */
static void more_takes_by_other_defaults_may_be_copies(void **state)
{
	const struct content flag = {-1, -1, 0, -1, false}, two = {0, 2, -1, -1, false},
			     three = {0, 3, -1, -1, false};

	(void)state;
	drop(A, &fox);
	user_write(spec(B), &three, false);
	user_write(PLACES, &flag, false);
	user_write(spec(A), &two, false);
	life_run(LONG_MS);
	assert_int_equal(tasks, 4);
	assert_int_equal(shown(A)->hold, HOLD_COPY);
	assert_sound();
}

static void what_failed_becomes_a_copy_of_what_was_ordered_since(void **state)
{
	(void)state;
	provider_script("r");
	drop(A, &fox);
	drop(B, &fox);
	ASSERT_STATE(B, "done");
	drop(A, &fox);
	assert_int_equal(shown(A)->hold, HOLD_COPY);
}

/* Renamed twice before the engine looks: at the first rename's target there is nothing. */
static void a_folder_that_moved_on_leaves_no_record_behind(void **state)
{
	enum { PICTURES = 2 }; /* a model that cannot do without one */
	const struct job_key key = {sim.model[PICTURES]->id, "s", "a"};
	char s[96], t[96], on[96];

	(void)state;
	(void)snprintf(s, sizeof(s), "%s/s", key.model);
	(void)snprintf(t, sizeof(t), "%s/t", key.model);
	(void)snprintf(on, sizeof(on), "%s/on", key.model);
	user_write(place_at(PICTURES, 1, A, KIND_PROMPT), &fox, false);
	life_run(LONG_MS);
	assert_int_equal(journal_takes(life_journal(), &key, &rows), 0);
	assert_int_equal(rows.item[0]->state, JOB_WAITING);
	assert_int_equal(unlinkat(sim.tree_fd, t, AT_REMOVEDIR), 0);
	assert_int_equal(renameat(sim.tree_fd, s, sim.tree_fd, on), 0);
	host_tell(TOLD_MOVED, s, t, -1);
	host_tell(TOLD_MOVED, t, on, -1);
	life_run(LONG_MS);
	rows_free(&rows);
	assert_int_equal(journal_takes(life_journal(), &key, &rows), 0);
	assert_int_equal(rows.count, 0);
}

static void what_moves_was_not_saved_with_what_came_in_its_place(void **state)
{
	(void)state;
	provider_script("f");
	user_write(text(B), &fox, false);
	life_run(2500);
	drop(A, &fox);
	ASSERT_STATE(A, "held");
	user_rename(text(B), false, text(C));
	user_write(text(A), &boat, false);
	life_run(LONG_MS);
	ASSERT_STATE(C, "failed");
	ASSERT_STATE(A, "done");
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void a_copy_is_judged_when_a_retry_is_of_other_files(void **state)
{
	(void)state;
	provider_script("f");
	user_write(text(A), &fox, false);
	life_run(2500);
	drop(B, &fox);
	ASSERT_STATE(A, "failed");
	ASSERT_STATE(B, "held");
	user_open(text(A), &boat);
	assert_int_equal(order("retry", A), 0);
	user_close(user_find(text(A), false));
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	ASSERT_STATE(B, "failed"); /* what failed went with its files */
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void a_retried_copy_is_under_the_caps(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(A, &fox);
	drop(B, &fox);
	assert_int_equal(order("retry -n 2", B), 0);
	life_run(LONG_MS);
	assert_int_equal(shown(B)->hold, HOLD_CAP);
	assert_int_equal(tasks, 1);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * 60 * 1000);
	assert_int_equal(tasks, 3);
}

static void a_released_copy_is_ordered(void **state)
{
	(void)state;
	drop(A, &fox);
	drop(B, &fox);
	assert_int_equal(order("release", B), 0);
	life_run(LONG_MS);
	ASSERT_STATE(B, "done");
	assert_int_equal(tasks, 2);
}

/* A's record was removed, and its file is B's now. */
static void hold_as_forgotten(void)
{
	drop(A, &fox);
	assert_int_equal(order("forget", A), 0);
	user_rename(text(A), false, text(B));
	life_run(LONG_MS);
	assert_int_equal(shown(B)->hold, HOLD_UNTIL_RELEASED);
	assert_int_equal(tasks, 1);
}

static void what_was_forgotten_is_held_until_saved(void **state)
{
	(void)state;
	hold_as_forgotten();
	drop(B, &fox);
	ASSERT_STATE(B, "done");
	assert_int_equal(tasks, 2);
}

/* Nor does a save of other words, which its file then replaces, make it a new order. */
static void a_copy_of_what_was_forgotten_goes_on_as_forgotten(void **state)
{
	int64_t saved_ms = clock_wall_ms();

	(void)state;
	hold_as_forgotten();
	assert_int_equal(linkat(sim.tree_fd, place_name(text(B), false), sim.tree_fd,
				 place_name(text(A), false), 0),
		0);
	intake_changed(engine_intake(engine), place_name(text(A), false), saved_ms);
	life_run(LONG_MS);
	assert_int_equal(shown(A)->hold, HOLD_COPY);
	user_remove(text(B));
	life_run(LONG_MS);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	user_write(text(B), &boat, false);
	life_crash();
	assert_int_equal(renameat(sim.tree_fd, place_name(text(A), false), sim.tree_fd,
				 place_name(text(B), false)),
		0);
	life_start();
	life_run(LONG_MS);
	ASSERT_STATE(B, "held");
	assert_int_equal(tasks, 1);
}

static void what_failed_and_was_forgotten_is_not_ordered_by_a_crash(void **state)
{
	(void)state;
	provider_script("f");
	drop(A, &fox);
	assert_int_equal(order("forget", A), 0);
	life_crash();
	life_start();
	life_run(LONG_MS);
	ASSERT_STATE(A, "held");
	assert_int_equal(tasks, 1);
}

static void exchanged_names_take_their_jobs_along(void **state)
{
	int64_t a, b;

	(void)state;
	drop(A, &fox);
	drop(B, &boat);
	a = shown(A)->id;
	b = shown(B)->id;
	user_exchange(text(A), text(B));
	life_run(LONG_MS);
	assert_int_equal(shown(A)->id, b);
	assert_int_equal(shown(B)->id, a);
	assert_int_equal(tasks, 2);
	assert_sound();
}

/* ------------------------------------------------------------------ takes */

static void takes_are_so_many_creates(void **state)
{
	const struct content three = {0, 3, -1, -1, false};

	(void)state;
	user_write(spec(A), &three, false);
	life_run(LONG_MS);
	assert_int_equal(tasks, 3);
	assert_int_equal(order("retry -n 2", A), 0);
	life_run(LONG_MS);
	assert_int_equal(tasks, 5);
	assert_int_equal(shown(A)->take, 5);
	user_write(spec(A), &three, false);
	life_run(LONG_MS);
	assert_int_equal(tasks, 5);
	assert_sound();
}

/* The first may have been paid for, so nobody knows whether the others are wanted. */
static void takes_behind_one_without_an_answer_are_not_made_by_a_save(void **state)
{
	const struct content three = {0, 3, -1, -1, false};

	(void)state;
	provider_script("l");
	user_write(spec(A), &three, false);
	life_run(LONG_MS);
	ASSERT_STATE(A, "unknown");
	user_write(spec(A), &three, false);
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	assert_sound();
}

static void takes_that_were_just_asked_for_go_along(void **state)
{
	const struct content one = {0, 0, -1, -1, false}, three = {0, 3, -1, -1, false};

	(void)state;
	user_write(spec(A), &one, false);
	life_run(QUIET_MS);
	assert_int_equal(tasks, 1);
	user_write(spec(A), &three, false);
	life_run(50);
	user_rename(spec(A), false, spec(B));
	life_run(LONG_MS);
	assert_int_equal(tasks, 3);
	user_rename(spec(B), false, spec(A));
	life_run(LONG_MS);
	assert_int_equal(tasks, 3);
	assert_sound();
}

static void takes_end_where_something_else_is_wanted(void **state)
{
	const struct content three = {0, 3, -1, -1, false};

	(void)state;
	life_config()->caps.jobs_per_day = 1;
	provider_script("d");
	user_write(spec(A), &three, false);
	life_run(QUIET_MS);
	user_write(spec(A), &boat, false);
	life_run(LONG_MS);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * 60 * 1000);
	assert_int_equal(tasks, 2); /* one fox, one boat */
	assert_sound();
}

static void fewer_takes_are_fewer_creates(void **state)
{
	const struct content three = {0, 3, -1, -1, false}, one = {0, -1, -1, -1, false};

	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	user_write(spec(A), &three, false);
	life_run(QUIET_MS);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	user_write(spec(A), &one, false);
	life_run(QUIET_MS);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * 60 * 1000);
	assert_int_equal(tasks, 2);
	assert_sound();
}

/* A is held for another reason than its copies, B and C. */
static void hold_three(void)
{
	const struct content cat = {2, -1, -1, -1, false};

	life_config()->caps.jobs_per_day = 1;
	user_write(place_at(0, 1, A, KIND_PROMPT), &cat, false);
	life_run(LONG_MS);
	drop(A, &fox);
	drop(B, &fox);
	drop(C, &fox);
	assert_int_equal(shown(B)->hold, HOLD_COPY);
	assert_int_equal(shown(C)->hold, HOLD_COPY);
}

static void one_of_several_copies_goes_when_what_they_copied_never_went(void **state)
{
	int one, other;

	(void)state;
	hold_three();
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	user_write(text(A), &boat, false);
	life_run(LONG_MS);
	one = shown(B)->hold == HOLD_COPY ? C : B;
	other = one == B ? C : B;
	assert_int_equal(shown(one)->hold, HOLD_CAP);
	assert_int_equal(shown(other)->hold, HOLD_COPY);
	assert_non_null(strstr(shown(other)->problem, one == B ? "as b (" : "as c ("));
	user_remove(text(one));
	life_run(LONG_MS);
	assert_int_equal(shown(other)->hold, HOLD_CAP);
}

static void copies_of_what_was_cancelled_wait_for_the_user(void **state)
{
	(void)state;
	hold_three();
	assert_int_equal(order("cancel", A), 0);
	life_run(LONG_MS);
	assert_int_equal(shown(B)->hold, HOLD_COPY);
	assert_int_equal(shown(C)->hold, HOLD_COPY);
	life_config()->caps.jobs_per_day = 0;
	assert_int_equal(order("release", B), 0);
	life_run(LONG_MS);
	ASSERT_STATE(B, "done");
	assert_int_equal(shown(C)->hold, HOLD_COPY);
	assert_non_null(strstr(shown(C)->problem, "as b ("));
	assert_int_equal(order("release", C), 0);
	life_run(LONG_MS);
	ASSERT_STATE(C, "done");
}

/* It came from there, for all that can be seen until its writer is done. */
static void nothing_moves_from_where_somebody_writes(void **state)
{
	(void)state;
	drop(A, &fox);
	user_open(text(A), &boat);
	user_write(text(B), &fox, false);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	assert_true(shown(B)->settling);
	user_close(user_find(text(A), false));
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	ASSERT_STATE(B, "done");
	assert_int_equal(tasks, 2);
	assert_sound();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_on_its_way_goes_on),
		CASE(saved_again_it_does_not_ask_again_at_once),
		CASE(what_was_sent_is_gone_back_to),
		CASE(what_failed_is_ordered_again_only_when_saved),
		CASE(a_job_goes_with_its_files),
		CASE(all_that_was_sent_goes_along),
		CASE(a_copy_is_held_and_takes_over),
		CASE(a_copy_takes_over_when_the_job_becomes_a_copy),
		CASE(a_copy_of_what_failed_is_not_ordered_by_a_start),
		CASE(a_copy_takes_over_what_was_withdrawn),
		CASE(a_copy_goes_on_when_its_job_became_another),
		CASE(copies_with_other_defaults_are_copies),
		CASE(more_takes_by_other_defaults_may_be_copies),
		CASE(a_job_that_comes_over_another_leaves_it_at_rest),
		CASE(a_rename_right_before_other_defaults_orders_nothing),
		CASE(an_exchange_right_before_other_defaults_orders_nothing),
		CASE(an_exchange_with_what_settles_orders_nothing_again),
		CASE(an_exchange_the_other_way_orders_nothing_again),
		CASE(what_failed_becomes_a_copy_of_what_was_ordered_since),
		CASE(a_folder_that_moved_on_leaves_no_record_behind),
		CASE(what_moves_was_not_saved_with_what_came_in_its_place),
		CASE(a_copy_is_judged_when_a_retry_is_of_other_files),
		CASE(a_retried_copy_is_under_the_caps),
		CASE(a_released_copy_is_ordered),
		CASE(what_was_forgotten_is_held_until_saved),
		CASE(a_copy_of_what_was_forgotten_goes_on_as_forgotten),
		CASE(what_failed_and_was_forgotten_is_not_ordered_by_a_crash),
		CASE(exchanged_names_take_their_jobs_along),
		CASE(takes_are_so_many_creates),
		CASE(takes_behind_one_without_an_answer_are_not_made_by_a_save),
		CASE(takes_that_were_just_asked_for_go_along),
		CASE(takes_end_where_something_else_is_wanted),
		CASE(fewer_takes_are_fewer_creates),
		CASE(one_of_several_copies_goes_when_what_they_copied_never_went),
		CASE(copies_of_what_was_cancelled_wait_for_the_user),
		CASE(nothing_moves_from_where_somebody_writes),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

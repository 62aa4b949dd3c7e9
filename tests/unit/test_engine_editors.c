/* fs/engine/editors.h: what an editor has open waits, and goes on by itself; and how long a change
 * to what was ordered is left alone. */
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/config/config.h"
#include "fs/engine/core.h"
#include "fs/engine/intake.h"
#include "tests/unit/engine.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ORDERED_MS 10500 /* longer than a change to what was ordered settles */

static const struct content rain = {2, -1, -1, -1, false};

static void edit(int stem, bool open)
{
	user_edit(job_at(text(stem)), open);
}

static bool has_note(const char *name)
{
	AUTO_FREE char *path = format("%s/out/%s", sim.model[0]->id, name);

	return faccessat(sim.tree_fd, path, F_OK, 0) == 0;
}

/* A file that is none of a job's, and its end. */
static char *path_of(const char *name)
{
	return format("%s/%s", sim.model[0]->id, name);
}

static void put(const char *name, const char *bytes, size_t count)
{
	AUTO_FREE char *path = path_of(name);
	int fd = openat(sim.tree_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, bytes, count), count);
	assert_int_equal(close(fd), 0);
}

static void gone(const char *name)
{
	AUTO_FREE char *path = path_of(name);

	assert_int_equal(unlinkat(sim.tree_fd, path, 0), 0);
	host_tell(TOLD_REMOVED, path, NULL, -1);
}

static void what_is_open_waits_until_it_is_closed(void **state)
{
	(void)state;
	edit(A, true);
	drop(A, &fox);
	ASSERT_STATE(A, "waiting");
	assert_true(has_note("a.waiting.txt"));
	drop(A, &boat); /* saved, and not closed */
	assert_int_equal(tasks, 0);
	assert_int_equal(engine_next_ms(engine), INT64_MAX); /* nobody looks in vain */
	assert_sound();
	edit(A, false);
	life_run(500);
	assert_int_equal(tasks, 1);
	assert_int_equal(task[0].order, order_number("0|a boat sails|-1|-1"));
	life_run(LONG_MS);
	assert_false(has_note("a.waiting.txt"));
	assert_sound();
}

static void what_is_closed_in_time_waits_for_nobody(void **state)
{
	(void)state;
	edit(A, true);
	user_write(text(A), &fox, false);
	edit(A, false);
	life_run(QUIET_MS);
	assert_int_equal(tasks, 1);
	assert_sound();
}

static void the_last_look_sees_who_has_opened_it(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	drop(A, &fox);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	edit(A, true);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * MINUTE_MS);
	ASSERT_STATE(A, "waiting");
	assert_int_equal(tasks, 1);
	edit(A, false);
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
	assert_sound();
}

/* Its editor crashed, perhaps. */
static void a_release_lets_it_go_as_it_is(void **state)
{
	(void)state;
	edit(A, true);
	drop(A, &fox);
	assert_int_equal(order("release", A), 0);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	assert_int_equal(tasks, 1);
	assert_int_equal(order("release", A), -EINVAL);
	drop(A, &boat); /* for what it was then, not for ever */
	ASSERT_STATE(A, "waiting");
	assert_sound();
}

/* While it waited, another one was ordered, which it has become a copy of; that is said first. */
static void a_release_orders_nothing_for_the_second_time(void **state)
{
	(void)state;
	edit(B, true);
	drop(B, &fox);
	drop(A, &fox);
	assert_int_equal(tasks, 1);
	assert_int_equal(order("release", B), 0);
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	assert_int_equal(shown(B)->hold, HOLD_COPY);
	assert_int_equal(order("release", B), 0);
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void a_prompt_without_its_picture_is_released(void **state)
{
	const int place = place_at(1, 0, A, KIND_PROMPT);

	(void)state;
	user_write(place, &fox, false);
	life_run(QUIET_MS);
	assert_int_equal(shown_at(1, "a")->state, JOB_WAITING);
	allowed_more(job_at(place), 1);
	assert_int_equal(life_order("release", job_at(place)), 0);
	life_run(500);
	assert_int_equal(tasks, 1);
	assert_sound();
}

static void what_waits_for_a_file_is_not_released(void **state)
{
	const int place = place_at(2, 0, A, KIND_PROMPT); /* it wants a picture */

	(void)state;
	user_write(place, &fox, false);
	life_run(QUIET_MS);
	assert_int_equal(life_order("release", job_at(place)), -EINVAL);
	assert_int_equal(shown_at(2, "a")->state, JOB_WAITING);
}

static void who_looks_at_what_was_sent_changes_nothing(void **state)
{
	int64_t changed_ms;

	(void)state;
	drop(A, &fox);
	changed_ms = shown(A)->changed_ms;
	edit(A, true);
	life_run(LONG_MS);
	edit(A, false);
	life_run(1);
	assert_false(shown(A)->settling);
	life_run(LONG_MS);
	assert_int_equal(shown(A)->changed_ms, changed_ms);
	assert_int_equal(tasks, 1);
}

static void each_save_of_what_was_ordered_is_not_a_take(void **state)
{
	(void)state;
	drop(A, &fox);
	edit(A, true);
	drop(A, &boat);
	drop(A, &rain);
	ASSERT_STATE(A, "waiting");
	drop(A, &fox); /* undone */
	ASSERT_STATE(A, "done");
	drop(A, &rain);
	edit(A, false);
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
	assert_int_equal(task[1].order, order_number("0|rain at night|-1|-1"));
	assert_sound();
}

/* What is asked for by name waits for no editor, and under the caps like any other. */
static void a_retry_waits_for_nobody(void **state)
{
	(void)state;
	drop(A, &fox);
	edit(A, true);
	assert_int_equal(order("retry", A), 0);
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
	ASSERT_STATE(A, "done");
	assert_sound();
}

/* The order would be lost: closed, it would be held as a copy once more. */
static void a_held_copy_that_is_retried_waits_for_nobody(void **state)
{
	(void)state;
	drop(A, &fox);
	drop(B, &fox);
	assert_int_equal(shown(B)->hold, HOLD_COPY);
	edit(B, true);
	assert_int_equal(order("retry", B), 0);
	life_run(LONG_MS);
	ASSERT_STATE(B, "done");
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void more_takes_that_are_being_written_down_wait(void **state)
{
	static const struct content one = {0, -1, -1, -1, false}, three = {0, 3, -1, -1, false};

	(void)state;
	user_write(spec(A), &one, false);
	life_run(LONG_MS);
	edit(A, true);
	user_write(spec(A), &three, false);
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	ASSERT_STATE(A, "waiting");
	edit(A, false);
	life_run(2 * LONG_MS);
	assert_int_equal(tasks, 3);
	assert_sound();
}

static void what_is_open_at_a_start_waits(void **state)
{
	(void)state;
	edit(A, true);
	drop(A, &fox);
	life_crash();
	life_start();
	life_run(LONG_MS);
	ASSERT_STATE(A, "waiting");
	assert_int_equal(tasks, 0);
	life_stop();
	edit(A, false); /* while nothing is mounted */
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	assert_sound();
}

static void a_job_that_moves_to_what_is_open_waits(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	user_write(text(A), &fox, false);
	life_run(QUIET_MS);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	edit(B, true);
	life_config()->caps.jobs_per_day = 0;
	user_rename(text(A), false, text(B));
	life_run(20 * MINUTE_MS);
	ASSERT_STATE(B, "waiting");
	assert_int_equal(tasks, 1);
	edit(B, false);
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
}

/* Saved by it as it was, too. */
static void what_is_held_is_looked_at_again(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	drop(A, &fox);
	edit(A, true);
	drop(A, &fox);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * MINUTE_MS);
	ASSERT_STATE(A, "waiting");
	assert_int_equal(order("release", A), 0);
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
}

static void the_lines_of_a_batch_wait_for_it(void **state)
{
	static const char lines[] =
		"{\"prompt\": \"a fox runs\"}\n{\"prompt\": \"a boat sails\"}\n";

	(void)state;
	put(".list.jsonl.swp", "b0VIM 9.0", 9);
	put_file(0, "list.jsonl", lines, sizeof(lines) - 1);
	life_run(LONG_MS);
	assert_int_equal(shown_at(0, "list-0001")->state, JOB_WAITING);
	assert_int_equal(shown_at(0, "list-0002")->state, JOB_WAITING);
	assert_int_equal(tasks, 0);
	gone(".list.jsonl.swp");
	life_run(0);
	assert_int_equal(shown_at(0, "list-0001")->state, JOB_SUBMITTING);
}

static void assert_waits_for(const char *who)
{
	if (!strstr(shown(A)->problem ?: "", who))
		fail_msg("%s: %s", who, shown(A)->problem);
}

static void the_note_says_for_whom(void **state)
{
	AUTO_FREE char *link = path_of(".#a.txt");
	static const char office[] = ",ada,desk,26.11.2026 20:00,file:///home/ada/.config;";
	char swap[1024] = "b0VIM 9.0";

	(void)state;
	memcpy(swap + 28, "ada\033[31m", 8);
	memcpy(swap + 68, "desk", 4);
	put(".a.txt.swp", swap, sizeof(swap));
	drop(A, &fox);
	assert_waits_for(": Vim, ada [31m on desk (its lock is .a.txt.swp)");
	gone(".a.txt.swp");
	assert_int_equal(symlinkat("ada@desk.home.4711:1764186000", sim.tree_fd, link), 0);
	drop(A, &boat);
	assert_waits_for(": Emacs, ada on desk.home (its lock is .#a.txt)");
	put(".~lock.a.txt#", office, sizeof(office) - 1);
	gone(".#a.txt");
	life_run(QUIET_MS);
	assert_waits_for(": LibreOffice, ada on desk (its lock is .~lock.a.txt#)");
	gone(".~lock.a.txt#");
	life_run(QUIET_MS);
	assert_int_equal(tasks, 1);
}

/* ------------------------------------------------------------------ what was ordered */

static void a_change_to_what_was_ordered_may_be_thought_over(void **state)
{
	(void)state;
	drop(A, &fox);
	user_write(text(A), &boat, false);
	life_run(8000);
	assert_true(shown(A)->settling);
	user_write(text(A), &rain, false);
	life_run(8000);
	assert_int_equal(tasks, 1);
	life_run(ORDERED_MS - 8000);
	assert_int_equal(tasks, 2);
	assert_int_equal(task[1].order, order_number("0|rain at night|-1|-1"));
	assert_sound();
}

/* Only what would be paid for is. */
static void what_orders_nothing_is_said_at_once(void **state)
{
	static const struct content nonsense = {0, TAKES_MAX + 1, -1, -1, false};

	(void)state;
	drop(A, &fox);
	user_write(text(A), &fox, false);
	life_run(QUIET_MS);
	assert_false(shown(A)->settling);
	user_write(spec(A), &nonsense, false);
	life_run(QUIET_MS);
	ASSERT_STATE(A, "rejected");
	user_remove(spec(A));
	user_rename(text(A), false, text(B));
	life_run(QUIET_MS);
	ASSERT_STATE(B, "done");
	assert_int_equal(tasks, 1);
	assert_sound();
}

static void what_was_thought_over_goes_as_soon_as_it_is_closed(void **state)
{
	(void)state;
	drop(A, &fox);
	edit(A, true);
	drop(A, &boat);
	edit(A, false);
	life_run(500);
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void also_one_that_is_renamed_into_place(void **state)
{
	(void)state;
	drop(A, &fox);
	user_write(text(A), &boat, true);
	user_rename(text(A), true, text(A));
	life_run(8000);
	assert_int_equal(tasks, 1);
	life_run(ORDERED_MS - 8000);
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void what_failed_costs_nothing_and_goes_as_soon_as_any(void **state)
{
	(void)state;
	provider_script("r");
	drop(A, &fox);
	ASSERT_STATE(A, "failed");
	user_write(text(A), &boat, false);
	life_run(QUIET_MS);
	assert_int_equal(tasks, 1);
	assert_sound();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_open_waits_until_it_is_closed),
		CASE(what_is_closed_in_time_waits_for_nobody),
		CASE(the_last_look_sees_who_has_opened_it),
		CASE(a_release_lets_it_go_as_it_is),
		CASE(a_release_orders_nothing_for_the_second_time),
		CASE(a_prompt_without_its_picture_is_released),
		CASE(what_waits_for_a_file_is_not_released),
		CASE(who_looks_at_what_was_sent_changes_nothing),
		CASE(each_save_of_what_was_ordered_is_not_a_take),
		CASE(a_retry_waits_for_nobody),
		CASE(a_held_copy_that_is_retried_waits_for_nobody),
		CASE(more_takes_that_are_being_written_down_wait),
		CASE(what_is_open_at_a_start_waits),
		CASE(a_job_that_moves_to_what_is_open_waits),
		CASE(what_is_held_is_looked_at_again),
		CASE(the_lines_of_a_batch_wait_for_it),
		CASE(the_note_says_for_whom),
		CASE(a_change_to_what_was_ordered_may_be_thought_over),
		CASE(what_orders_nothing_is_said_at_once),
		CASE(what_was_thought_over_goes_as_soon_as_it_is_closed),
		CASE(also_one_that_is_renamed_into_place),
		CASE(what_failed_costs_nothing_and_goes_as_soon_as_any),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

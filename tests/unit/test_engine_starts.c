/* test_engine_starts.c - what a start makes of what it finds: after a kill, with another journal,
 * of files nobody was told of. */
#include "fs/base/clock.h"
#include "fs/config/config.h"
#include "fs/engine/changes.h"
#include "fs/engine/core.h"
#include "fs/journal/lastrun.h"
#include "fs/journal/statements.h"
#include "tests/unit/engine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Of a history in which a picture is uploaded, and a take follows another. */
static void drop_all(void)
{
	const struct content two = {0, 2, -1, -1, false}, picture = {-1, -1, -1, 0, false};

	user_write(spec(A), &two, false);
	user_write(place_at(2, 0, B, KIND_PICTURE), &picture, false);
	user_write(place_at(2, 0, B, KIND_PROMPT), &boat, false);
	life_run(LONG_MS);
}

static void a_kill_at_every_effect_costs_nothing(void **state)
{
	const int step = run_is_slow() ? 5 : 1;
	int effects, killed = 0;

	(void)state;
	for (effects = 1; effects < 200; effects += step) {
		if (effects > 1)
			assert_int_equal(engine_set_up(NULL), 0);
		life_crash_after(effects);
		drop_all();
		killed += life_crashes;
		life_crash_after(0);
		life_start();
		assert_sound();
		oracle_events();
		assert_string_equal(sim.failure, "");
		if (!life_crashes)
			break;
		life_end();
	}
	assert_true(killed > 40 / step);
	assert_true(killed == (effects - 1) / step);
}

static char *aside;
static size_t aside_bytes;

static void journal_path(char path[128], const char *suffix)
{
	(void)snprintf(path, 128, "%s/" JOURNAL_FILE "%s", sim.store, suffix);
}

static void put_journal_aside(void)
{
	char path[128];
	struct stat info;
	int fd;

	journal_path(path, "");
	fd = open(path, O_RDONLY);
	assert_int_equal(fstat(fd, &info), 0);
	aside = malloc((size_t)info.st_size);
	aside_bytes = (size_t)info.st_size;
	assert_int_equal(read(fd, aside, aside_bytes), aside_bytes);
	(void)close(fd);
}

static void put_journal_back(void)
{
	char path[128];
	int fd;

	journal_path(path, "");
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, aside, aside_bytes), aside_bytes);
	(void)close(fd);
	free(aside);
	journal_path(path, "-wal");
	(void)unlink(path);
}

/* The journal is put aside now, and put back when what was saved has been ordered. */
static void restore_the_journal_of_now(int ordered)
{
	(void)sqlite3_wal_checkpoint_v2(
		life_journal()->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	life_stop();
	put_journal_aside();
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, ordered);
	life_stop();
	put_journal_back();
	life_start();
	life_run(LONG_MS);
	assert_true(life_was_restored);
	assert_int_equal(tasks, ordered);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
}

static void a_restored_journal_orders_nothing(void **state)
{
	(void)state;
	user_write(text(A), &fox, false); /* the journal is put aside while it settles */
	life_run(500);
	restore_the_journal_of_now(1);
}

static void a_restored_journal_orders_no_change(void **state)
{
	(void)state;
	drop(A, &fox);
	user_write(text(A), &boat, false);
	life_run(500);
	restore_the_journal_of_now(2);
}

/* Of a large tree: what it settles for may have been paid for. */
static void a_restored_journal_orders_no_change_before_the_tree_is_looked_through(void **state)
{
	(void)state;
	drop(A, &fox);
	user_write(text(A), &boat, false);
	life_run(500);
	life_looks_late = true;
	restore_the_journal_of_now(2);
}

static void a_restored_journal_orders_no_change_by_a_rename(void **state)
{
	(void)state;
	drop(A, &fox);
	(void)sqlite3_wal_checkpoint_v2(
		life_journal()->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	put_journal_aside();
	drop(A, &boat);
	life_stop();
	put_journal_back();
	life_start();
	life_run(LONG_MS);
	user_rename(text(A), false, text(B));
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
	assert_int_equal(shown(B)->hold, HOLD_UNTIL_RELEASED);
}

static void a_restored_journal_orders_nothing_in_place_of_what_was_cancelled(void **state)
{
	(void)state;
	user_write(text(A), &fox, false);
	life_run(500);
	assert_int_equal(order("cancel", A), 0);
	user_write(text(A), &boat, false);
	life_run(500);
	restore_the_journal_of_now(1);
}

static void what_came_unseen_after_a_cancel_is_held(void **state)
{
	(void)state;
	user_write(text(A), &fox, false);
	life_run(500);
	assert_int_equal(order("cancel", A), 0);
	life_stop();
	clock_go_to(clock_steady_ms() + 5000);
	user_write(text(A), &boat, false);
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, 0);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	drop(A, &boat);
	ASSERT_STATE(A, "done");
}

static void came_unseen(int one, int other)
{
	drop(one, &fox);
	life_stop();
	clock_go_to(clock_steady_ms() + 5000);
	user_write(text(C), &boat, false);
	user_rename(text(one), false, text(other));
	user_rename(text(C), false, text(one));
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	ASSERT_STATE(other, "done");
	assert_int_equal(shown(one)->hold, HOLD_UNTIL_RELEASED);
}

static void what_came_unseen_in_place_of_what_moved_is_held(void **state)
{
	(void)state;
	came_unseen(A, B);
}

static void what_came_unseen_behind_what_moved_is_held(void **state)
{
	(void)state;
	came_unseen(B, A);
}

/* A fox is ordered by a default that is none any more. */
static void drop_by_default(void)
{
	const struct content flag = {-1, -1, 1, -1, false};

	life_run(QUIET_MS);
	user_write(PLACES, &flag, false); /* defaults.json */
	drop(A, &fox);
	user_remove(PLACES);
	life_run(LONG_MS);
}

static void what_moved_in_a_crash_is_no_order_by_other_defaults(void **state)
{
	(void)state;
	drop_by_default();
	user_rename(text(A), false, text(B));
	life_crash();
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	ASSERT_STATE(B, "done");
	ASSERT_STATE(A, "none");
	assert_sound();
}

static void what_failed_and_moved_in_a_crash_is_no_order_by_other_defaults(void **state)
{
	(void)state;
	provider_script("f");
	drop_by_default();
	user_rename(text(A), false, text(B));
	life_crash();
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	ASSERT_STATE(B, "failed");
	assert_sound();
}

static void what_moved_is_no_order_by_other_defaults(void **state)
{
	(void)state;
	drop_by_default();
	user_rename(text(A), false, text(B));
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	ASSERT_STATE(A, "none");
	ASSERT_STATE(B, "done");
	assert_sound();
}

static void what_moved_over_another_is_no_order_by_other_defaults(void **state)
{
	(void)state;
	drop(B, &boat);
	drop_by_default();
	user_rename(text(A), false, text(B));
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
	ASSERT_STATE(B, "done");
	assert_sound();
}

/* What stood there was saved later. */
static void what_moved_over_a_newer_one_is_no_order_by_other_defaults(void **state)
{
	(void)state;
	drop_by_default();
	drop(B, &boat);
	user_rename(text(A), false, text(B));
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
	ASSERT_STATE(B, "done");
	assert_sound();
}

static void what_was_exchanged_is_no_order_by_other_defaults(void **state)
{
	(void)state;
	drop(B, &boat);
	drop_by_default();
	user_exchange(text(A), text(B));
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void what_was_not_sent_and_moved_goes_by_other_defaults(void **state)
{
	const struct content flag = {-1, -1, 1, -1, false};

	(void)state;
	life_config()->caps.jobs_per_day = 1;
	user_write(PLACES, &flag, false);
	drop(C, &boat);
	drop(A, &fox);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	user_remove(PLACES);
	user_rename(text(A), false, text(B));
	life_run(LONG_MS);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * MINUTE_MS);
	ASSERT_STATE(B, "done");
	assert_int_equal(tasks, 2);
	assert_string_equal(order_text(task[1].order), "0|a fox runs|-1|-1");
	assert_sound();
}

static void what_failed_and_moved_is_no_order_by_other_defaults(void **state)
{
	(void)state;
	provider_script("f");
	drop_by_default();
	user_rename(text(A), false, text(B));
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	ASSERT_STATE(B, "failed");
	assert_sound();
}

static void what_was_found_stays_held_over_another_start(void **state)
{
	(void)state;
	life_stop();
	user_write(place_at(1, 0, A, KIND_PROMPT), &fox, false); /* a picture may follow */
	life_start();
	life_run(5000);
	assert_int_equal(shown_at(1, "a")->state, JOB_WAITING);
	life_stop();
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, 0);
	assert_int_equal(shown_at(1, "a")->hold, HOLD_UNTIL_RELEASED);
}

static void what_was_found_is_not_let_go_by_a_rename(void **state)
{
	(void)state;
	life_stop();
	user_write(text(A), &fox, false);
	life_start();
	life_run(LONG_MS);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	user_rename(text(A), false, text(B));
	life_run(100);
	user_rename(text(B), false, text(A));
	life_run(LONG_MS);
	assert_int_equal(tasks, 0);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	drop(A, &fox);
	ASSERT_STATE(A, "done");
}

/* The save in its place lets something else go. */
static void what_was_found_and_moved_is_not_let_go_by_a_save_where_it_was(void **state)
{
	(void)state;
	life_stop();
	user_write(text(A), &boat, false);
	life_start();
	life_run(LONG_MS);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	user_rename(text(A), false, text(B));
	user_write(text(A), &fox, false);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	assert_int_equal(shown(B)->hold, HOLD_UNTIL_RELEASED);
	assert_int_equal(tasks, 1);
}

static void what_was_found_is_not_let_go_by_a_rename_and_a_crash(void **state)
{
	(void)state;
	life_stop();
	user_write(text(A), &fox, false);
	life_start();
	life_run(LONG_MS);
	user_rename(text(A), false, text(B));
	life_run(QUIET_MS);
	assert_int_equal(shown(B)->hold, HOLD_UNTIL_RELEASED);
	life_crash();
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, 0);
	assert_int_equal(shown(B)->hold, HOLD_UNTIL_RELEASED);
}

/* A copy of what was found, made before something else was saved in its place. */
static void what_was_found_is_held_again_when_it_comes_back(void **state)
{
	(void)state;
	life_stop();
	user_write(text(A), &fox, false);
	life_run(LONG_MS);
	life_start();
	life_run(LONG_MS);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	user_write(text(A), &fox, true);
	life_run(LONG_MS);
	user_write(text(A), &boat, false);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	user_rename(text(A), true, text(A));
	life_run(LONG_MS);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	assert_int_equal(tasks, 1);
}

static void what_was_found_is_not_let_go_by_an_exchange(void **state)
{
	(void)state;
	life_stop();
	user_write(text(A), &fox, false);
	user_write(text(B), &boat, false);
	life_start();
	life_run(LONG_MS);
	user_exchange(text(A), text(B));
	life_run(LONG_MS);
	assert_int_equal(tasks, 0);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	assert_int_equal(shown(B)->hold, HOLD_UNTIL_RELEASED);
}

/* What is saved beside it says nothing of it. */
static void half_a_file_is_not_let_go_by_another_of_its_job(void **state)
{
	static const struct content other = {1, -1, -1, -1, false};
	struct last_run *last;

	(void)state;
	user_write(text(A), &fox, false);
	life_crash();
	life_start();
	/* as after a loss of power */
	last = (struct last_run *)(uintptr_t)engine->setup.last;
	last->rebooted = true;
	last->crash_ms = clock_wall_ms();
	user_write(spec(A), &other, false);
	user_remove(spec(A));
	life_run(LONG_MS);
	assert_int_equal(tasks, 0);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
}

static void a_retry_orders_no_half_of_a_file(void **state)
{
	(void)state;
	drop(A, &boat);
	user_open(text(A), &fox);
	assert_int_equal(order("retry", A), 0);
	life_crash();
	life_start();
	life_run(LONG_MS);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	assert_int_equal(tasks, 1);
}

/* The look through the tree comes by what was just dropped, and the clock was set back meanwhile.
 */
static void what_was_saved_since_the_start_is_no_find(void **state)
{
	static const char line[] = "{\"prompt\": \"a boat sails\"}\n";
	char path[96];

	(void)state;
	user_write(text(A), &fox, false);
	put_file(0, "list.jsonl", line, sizeof(line) - 1);
	life_run(10);
	(void)snprintf(path, sizeof(path), "%s/a.txt", sim.model[0]->id);
	changes_found(engine, path, FOUND_CHANGED);
	(void)snprintf(path, sizeof(path), "%s/list.jsonl", sim.model[0]->id);
	changes_found(engine, path, FOUND_UNKNOWN);
	life_run(QUIET_MS);
	assert_string_not_equal(state_of(A), "held");
	assert_int_not_equal(shown_at(0, "list-0001")->state, JOB_HELD);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(a_kill_at_every_effect_costs_nothing),
		CASE(a_restored_journal_orders_nothing),
		CASE(a_restored_journal_orders_no_change),
		CASE(a_restored_journal_orders_no_change_before_the_tree_is_looked_through),
		CASE(a_restored_journal_orders_no_change_by_a_rename),
		CASE(a_restored_journal_orders_nothing_in_place_of_what_was_cancelled),
		CASE(what_came_unseen_after_a_cancel_is_held),
		CASE(what_came_unseen_in_place_of_what_moved_is_held),
		CASE(what_came_unseen_behind_what_moved_is_held),
		CASE(what_moved_in_a_crash_is_no_order_by_other_defaults),
		CASE(what_failed_and_moved_in_a_crash_is_no_order_by_other_defaults),
		CASE(what_moved_is_no_order_by_other_defaults),
		CASE(what_moved_over_another_is_no_order_by_other_defaults),
		CASE(what_moved_over_a_newer_one_is_no_order_by_other_defaults),
		CASE(what_was_exchanged_is_no_order_by_other_defaults),
		CASE(what_was_not_sent_and_moved_goes_by_other_defaults),
		CASE(what_failed_and_moved_is_no_order_by_other_defaults),
		CASE(what_was_found_stays_held_over_another_start),
		CASE(what_was_found_is_not_let_go_by_a_rename),
		CASE(what_was_found_and_moved_is_not_let_go_by_a_save_where_it_was),
		CASE(what_was_found_is_not_let_go_by_a_rename_and_a_crash),
		CASE(what_was_found_is_held_again_when_it_comes_back),
		CASE(what_was_found_is_not_let_go_by_an_exchange),
		CASE(half_a_file_is_not_let_go_by_another_of_its_job),
		CASE(a_retry_orders_no_half_of_a_file),
		CASE(what_was_saved_since_the_start_is_no_find),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

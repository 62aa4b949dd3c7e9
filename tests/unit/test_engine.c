/* test_engine.c - the engine with the clock, the provider and the mount of tests/sim: what each
 * rule of identity does, one case each. */
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/config/config.h"
#include "fs/engine/core.h"
#include "fs/journal/journal.h"
#include "tests/sim/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/run.h"

#define QUIET_MS 3000  /* longer than files settle */
#define LONG_MS  90000 /* longer than a job takes */

enum { A = 0, B = 1, C = 2 }; /* stems at the top of the first model */

static const struct content fox = {0, -1, -1, -1, false}, boat = {1, -1, -1, -1, false};

static struct rows rows; /* that were looked at last */

static int group_set_up(void **state)
{
	(void)state;
	sim_open();
	return 0;
}

static int group_tear_down(void **state)
{
	(void)state;
	sim_close();
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	sim_begin(1);
	provider_be_kind(true);
	host_be_kind(true);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	life_end();
	provider_script("");
	rows_free(&rows);
	return 0;
}

static int text(int stem)
{
	return place_at(0, 0, stem, KIND_PROMPT);
}

static int spec(int stem)
{
	return place_at(0, 0, stem, KIND_SPEC);
}

/* Orders it, and waits for its end. */
static void drop(int stem, const struct content *content)
{
	user_write(text(stem), content, false);
	life_run(LONG_MS);
}

/* What the record of a job shows, until the next look. */
static const struct job_row *shown(int stem)
{
	static const char *const names[] = {"a", "b", "c"};
	const struct job_key key = {sim.model[0]->id, "", names[stem]};
	const struct job_row *found = NULL;

	rows_free(&rows);
	assert_int_equal(journal_takes(life_journal(), &key, &rows), 0);
	for (size_t i = 0; i < rows.count; i++)
		if (rows.item[i]->shown && !rows.item[i]->forgotten_ms)
			found = rows.item[i];
	return found;
}

#define ASSERT_STATE(stem, wanted) assert_string_equal(state_of(stem), wanted)
static const char *state_of(int stem)
{
	const struct job_row *row = shown(stem);

	return row ? job_state_name(row->state) : "none";
}

static void assert_sound(void)
{
	life_rest(4 * 3600 * 1000LL);
	oracle_check();
	if (*sim.failure)
		fail_msg("%s", sim.failure);
}

/* Says it to the engine, and to who counts what may be ordered. */
static int order(const char *verb, int stem)
{
	int job = job_at(text(stem));

	if (!strcmp(verb, "forget"))
		allowed_forgotten(job);
	else
		allowed_more(job, 2);
	return life_order(verb, job);
}

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

static void what_was_forgotten_is_held_until_saved(void **state)
{
	(void)state;
	drop(A, &fox);
	assert_int_equal(order("forget", A), 0);
	user_rename(text(A), false, text(B));
	life_run(LONG_MS);
	assert_int_equal(shown(B)->hold, HOLD_UNTIL_RELEASED);
	assert_int_equal(tasks, 1);
	drop(B, &fox);
	ASSERT_STATE(B, "done");
	assert_int_equal(tasks, 2);
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

/* ------------------------------------------------------------------ starts */

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
	int effects, killed = 0;

	(void)state;
	for (effects = 1; effects < 200; effects++) {
		if (effects > 1)
			assert_int_equal(set_up(NULL), 0);
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
	assert_true(killed > 40);
	assert_true(killed == effects - 1);
}

static void a_restored_journal_orders_nothing(void **state)
{
	char *text_of, path[128];
	struct stat info;
	int fd;

	(void)state;
	user_write(text(A), &fox, false); /* the journal is put aside while it settles */
	life_run(500);
	life_stop();
	(void)snprintf(path, sizeof(path), "%s/" JOURNAL_FILE, sim.store);
	fd = open(path, O_RDONLY);
	assert_int_equal(fstat(fd, &info), 0);
	text_of = malloc((size_t)info.st_size);
	assert_int_equal(read(fd, text_of, (size_t)info.st_size), info.st_size);
	(void)close(fd);
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	life_stop();
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, text_of, (size_t)info.st_size), info.st_size);
	(void)close(fd);
	free(text_of);
	(void)snprintf(path, sizeof(path), "%s/" JOURNAL_FILE "-wal", sim.store);
	(void)unlink(path);
	life_start();
	life_run(LONG_MS);
	assert_true(life_was_restored);
	assert_int_equal(tasks, 1);
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

/* ------------------------------------------------------------------ caps and the clock */

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

/* ------------------------------------------------------------------ in between */

static void a_name_that_is_taken_is_another(void **state)
{
	(void)state;
	host_fail_next(-EEXIST);
	drop(A, &fox);
	ASSERT_STATE(A, "done");
	assert_sound();
}

static void nothing_is_sent_while_it_settles(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	drop(A, &fox);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	user_open(text(A), &boat);
	assert_int_equal(order("release", A), 0);
	life_run(LONG_MS); /* somebody writes */
	assert_int_equal(tasks, 1);
	for (int i = 0; i < sim.files; i++)
		if (sim.file[i].place >= 0)
			user_close(&sim.file[i]);
	life_run(LONG_MS);
	assert_int_equal(shown(A)->hold, HOLD_COPY); /* of C, as the files say now */
	assert_int_equal(tasks, 1);
}

static void a_late_report_orders_nothing_again(void **state)
{
	(void)state;
	provider_script("f");
	host_be_late(20000); /* it comes when the task has failed */
	user_write(spec(B), &boat, false);
	user_write(text(A), &fox, false);
	life_run(10);
	host_be_late(0);
	life_run(LONG_MS);
	host_be_late(LONG_MS);
	user_write(text(A), &fox, false);
	life_run(3 * LONG_MS);
	assert_true(tasks <= 3);
	assert_sound();
}

static void a_create_that_comes_back_too_late_is_dropped(void **state)
{
	(void)state;
	provider_script("w");
	user_write(text(A), &fox, false);
	life_run(2110); /* it is under way */
	user_write(text(A), &boat, false);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	assert_int_equal(tasks, 1);
	assert_sound();
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(what_is_on_its_way_goes_on),
		CASE(what_was_sent_is_gone_back_to),
		CASE(what_failed_is_ordered_again_only_when_saved),
		CASE(a_job_goes_with_its_files),
		CASE(a_copy_is_held_and_takes_over),
		CASE(a_copy_takes_over_when_the_job_becomes_a_copy),
		CASE(a_copy_of_what_failed_is_not_ordered_by_a_start),
		CASE(a_released_copy_is_ordered),
		CASE(what_was_forgotten_is_held_until_saved),
		CASE(what_failed_and_was_forgotten_is_not_ordered_by_a_crash),
		CASE(exchanged_names_take_their_jobs_along),
		CASE(takes_are_so_many_creates),
		CASE(a_kill_at_every_effect_costs_nothing),
		CASE(a_restored_journal_orders_nothing),
		CASE(a_retry_orders_no_half_of_a_file),
		CASE(what_cannot_be_counted_does_not_go),
		CASE(a_clock_set_ahead_gives_no_second_day),
		CASE(an_unknown_price_is_held_under_a_cap_of_credits),
		CASE(a_turn_that_was_not_used_is_free_at_once),
		CASE(a_name_that_is_taken_is_another),
		CASE(nothing_is_sent_while_it_settles),
		CASE(a_late_report_orders_nothing_again),
		CASE(a_create_that_comes_back_too_late_is_dropped),
	};

	return RUN_TESTS(argc, argv, tests, group_set_up, group_tear_down);
}

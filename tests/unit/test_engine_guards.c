/* test_engine_guards.c - guards that are needed only by some order of events: one case for each
 * that no other test misses (tests/mutation/run). */
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/config/config.h"
#include "fs/engine/core.h"
#include "fs/engine/outname.h"

#include "tests/unit/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ------------------------------------------------------------------ after a loss of power */

/* What was mapped and never synced is gone with it: who was writing is not known. */
static void lose_power(void)
{
	life_crash();
	life_reboot();
	assert_int_equal(unlinkat(sim.store_fd, "writing", 0), 0);
	life_start();
	life_run(LONG_MS);
}

static void half_a_file_is_held_after_a_loss_of_power(void **state)
{
	(void)state;
	user_open(text(A), &fox);
	life_run(QUIET_MS);
	lose_power();
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	assert_int_equal(tasks, 0);
	user_write(text(A), &fox, false);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
}

static void half_a_save_of_what_settles_is_held_after_a_loss_of_power(void **state)
{
	(void)state;
	user_write(text(A), &boat, false);
	life_run(QUIET_MS / 3);
	user_open(text(A), &fox);
	life_run(QUIET_MS);
	lose_power();
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	assert_int_equal(tasks, 0);
}

static void half_a_change_is_held_after_a_loss_of_power(void **state)
{
	(void)state;
	drop(A, &fox);
	user_open(text(A), &boat);
	lose_power();
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	assert_int_equal(tasks, 1);
}

static void half_a_prompt_that_was_waited_for_is_held_after_a_loss_of_power(void **state)
{
	static const struct content picture = {-1, -1, -1, 0, false};

	(void)state;
	user_write(place_at(2, 0, A, KIND_PICTURE), &picture, false);
	life_run(LONG_MS);
	assert_string_equal(job_state_name(shown_at(2, "a")->state), "waiting");
	user_open(place_at(2, 0, A, KIND_PROMPT), &fox);
	life_run(LONG_MS);
	lose_power();
	assert_int_equal(shown_at(2, "a")->hold, HOLD_UNTIL_RELEASED);
	assert_int_equal(tasks, 0);
}

static void a_retry_orders_no_half_of_a_file_after_a_loss_of_power(void **state)
{
	(void)state;
	drop(A, &boat);
	user_open(text(A), &fox);
	assert_int_equal(order("retry", A), 0);
	lose_power();
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	assert_int_equal(tasks, 1);
}

static void what_was_spoilt_and_mended_is_held_after_a_loss_of_power(void **state)
{
	static const struct content nonsense = {0, TAKES_MAX + 1, -1, -1, false};

	(void)state;
	user_write(spec(A), &nonsense, false);
	life_run(LONG_MS);
	ASSERT_STATE(A, "rejected");
	user_write(spec(A), &fox, false);
	lose_power();
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	assert_int_equal(tasks, 0);
}

/* The journal has it, and its files are as they were judged. */
static void what_was_judged_goes_on_after_a_loss_of_power(void **state)
{
	(void)state;
	provider_script("w");
	user_write(text(A), &fox, false);
	life_run(QUIET_MS + 1000);
	ASSERT_STATE(A, "queued");
	lose_power();
	ASSERT_STATE(A, "done");
}

/* ------------------------------------------------------------------ the last look */

static void put_spec(int place, const char *text)
{
	const char *path = place_name(place, false);
	int fd = openat(sim.tree_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
	host_tell(TOLD_CHANGED, path, NULL, -1);
}

/* Opened to write, and not written yet: what it looks like says nothing. */
static void nothing_is_sent_while_somebody_may_write_its_picture(void **state)
{
	static const struct content picture = {-1, -1, -1, 0, false};
	const int place = place_at(2, 0, B, KIND_PICTURE);
	AUTO_FREE char *spec_of_it = format("{\"prompt\": \"a fox runs\", \"%s\": \"b.png\"}",
		model_slot(sim.model[2], MEDIA_PICTURE, "")->field->name);
	struct file *file;

	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	user_write(place, &picture, false);
	put_spec(place_at(2, 0, A, KIND_SPEC), spec_of_it);
	life_run(LONG_MS);
	assert_int_equal(shown_at(2, "a")->hold, HOLD_CAP);
	file = user_find(place, false);
	file->fd = openat(sim.tree_fd, place_name(place, false), O_RDWR | O_CLOEXEC);
	assert_true(file->fd >= 0);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * MINUTE_MS);
	assert_string_not_equal(job_state_name(shown_at(2, "a")->state), "submitting");
	assert_int_equal(close(file->fd), 0);
	file->fd = -1;
	life_run(HOUR_MS); /* the provider here never answers what it does not know */
	assert_string_equal(job_state_name(shown_at(2, "a")->state), "submitting");
}

/* ------------------------------------------------------------------ orders */

static void what_is_forgotten_as_it_settles_stays_so(void **state)
{
	(void)state;
	drop(A, &fox);
	user_write(text(A), &fox, false);
	assert_int_equal(order("forget", A), 0);
	life_run(LONG_MS);
	assert_null(shown(A));
	assert_int_equal(tasks, 1);
}

/* By a clock that was set back it was saved after it was cancelled. */
static void what_is_cancelled_as_it_settles_stays_so(void **state)
{
	(void)state;
	user_write(text(A), &fox, false);
	life_run(100);
	clock_set_wall(-HOUR_MS);
	assert_int_equal(order("cancel", A), 0);
	life_run(LONG_MS);
	ASSERT_STATE(A, "cancelled");
	assert_int_equal(tasks, 0);
}

static void a_retry_lets_nothing_go_that_was_found(void **state)
{
	(void)state;
	user_open(text(A), &fox);
	life_crash();
	life_start();
	life_run(LONG_MS);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	assert_int_equal(order("retry", A), -EBUSY);
	life_run(LONG_MS);
	ASSERT_STATE(A, "held");
	assert_int_equal(tasks, 0);
}

/* What is still to be ordered is the next take's to say. */
static void more_takes_are_counted_once(void **state)
{
	static const struct content two = {0, 2, -1, -1, false}, three = {0, 3, -1, -1, false};

	(void)state;
	user_write(spec(A), &two, false);
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
	user_write(spec(A), &three, false);
	life_run(LONG_MS);
	assert_int_equal(tasks, 3);
	assert_sound();
}

/* ------------------------------------------------------------------ results */

static void until_it_downloads(void)
{
	while (!shown(A) || shown(A)->state != JOB_DOWNLOADING)
		life_run(100);
}

static void what_no_type_is_known_of_is_fetched_again_first(void **state)
{
	(void)state;
	results_script("x", 0);
	user_write(text(A), &fox, false);
	until_it_downloads();
	life_run(1500);
	ASSERT_STATE(A, "downloading");
}

/* Each answer is whole, and none is the whole file. */
static void a_result_that_comes_in_pieces_is_whole_in_the_end(void **state)
{
	(void)state;
	results_script("w", SERVER_GIVES_PIECES);
	results_break_off(1);
	user_write(text(A), &fox, false);
	while (!tasks)
		life_run(100);
	task[0].cuts = 20; /* so much is missing */
	life_run(10 * LONG_MS);
	ASSERT_STATE(A, "done");
	assert_sound();
}

/* Its first try breaks off when all but so many bytes came. */
static void break_off(int server, int version, int missing)
{
	results_script("w", server);
	results_break_off(1);
	user_write(text(A), &fox, false);
	while (!tasks)
		life_run(100);
	task[0].version[0] = version;
	task[0].cuts = missing - 1;
	until_it_downloads();
	life_run(1000);
	ASSERT_STATE(A, "downloading");
}

static void a_part_goes_on_where_it_ends(void **state)
{
	(void)state;
	break_off(0, 0, 20);
	results_break_off(5);
	for (int second = 0; second < 60 && shown(A)->state == JOB_DOWNLOADING; second++) {
		assert_null(strstr(shown(A)->output[0].problem ?: "", "another file"));
		life_run(1000);
	}
	life_run(10 * LONG_MS);
	ASSERT_STATE(A, "done");
}

/* So that a piece of the longer one would make the length right. */
static void a_file_of_another_length_is_another(void **state)
{
	(void)state;
	break_off(SERVER_GIVES_PIECES | SERVER_KEEPS_ITS_TAG, 0, 8);
	task[0].version[0] = 1;
	life_run(10 * LONG_MS);
	ASSERT_STATE(A, "done");
	assert_sound();
}

/* Of the same length, and by its end the same. */
static void a_file_by_another_validator_is_another(void **state)
{
	char wanted[RESULT_BYTES], got[RESULT_BYTES];
	size_t bytes;
	int fd;

	(void)state;
	results_script("g", SERVER_IGNORES_VERSIONS);
	results_break_off(1);
	user_write(text(A), &fox, false);
	while (!tasks)
		life_run(100);
	task[0].cuts = 7;
	until_it_downloads();
	life_run(1000);
	ASSERT_STATE(A, "downloading");
	task[0].version[0] = 1;
	life_run(10 * LONG_MS);
	ASSERT_STATE(A, "done");
	bytes = results_bytes('g', "T0-0", 1, wanted);
	fd = openat(sim.tree_fd, shown(A)->output[0].file, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, got, sizeof(got)), bytes);
	assert_int_equal(close(fd), 0);
	assert_memory_equal(got, wanted, bytes);
}

static void what_became_shorter_is_fetched_anew(void **state)
{
	(void)state;
	break_off(SERVER_IGNORES_VERSIONS, 3, 1);
	task[0].version[0] = 0;
	life_run(10 * LONG_MS);
	ASSERT_STATE(A, "done");
	assert_sound();
}

/* What is written over what was synced is not, and is no longer than that was. */
static void what_comes_from_the_start_is_no_part_that_was_kept(void **state)
{
	(void)state;
	break_off(SERVER_KNOWS_NO_RANGES, 0, 20);
	task[0].cuts = 19;
	results_break_off(1);
	life_run(4000);
	host_lose_power(LEAVES_ZEROS);
	life_crash();
	task[0].server = 0;
	life_start();
	life_run(10 * LONG_MS);
	ASSERT_STATE(A, "done");
	assert_sound();
}

static void what_could_not_be_synced_is_not_kept(void **state)
{
	(void)state;
	host_sync(true, 0);
	break_off(0, 0, 20);
	host_sync(false, 0);
	host_lose_power(LEAVES_ZEROS);
	life_crash();
	life_start();
	life_run(10 * LONG_MS);
	ASSERT_STATE(A, "done");
	assert_sound();
}

/* A clean end keeps what was not synced before, and the power goes after that. */
static void what_a_clean_end_keeps_is_synced(void **state)
{
	(void)state;
	host_sync(true, 0);
	break_off(0, 0, 20);
	life_stop();
	host_sync(false, 0);
	host_lose_power(LEAVES_ZEROS);
	host_crash();
	life_start();
	life_run(10 * LONG_MS);
	ASSERT_STATE(A, "done");
	assert_sound();
}

/* A sync that began when a part was there says nothing of what came since. */
static void the_whole_is_synced_when_all_of_it_is_there(void **state)
{
	const struct output *output;
	struct stat info;

	(void)state;
	host_sync(false, 10000);
	break_off(0, 0, 20);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	output = &shown(A)->output[0];
	assert_int_equal(fstatat(sim.tree_fd, output->file, &info, 0), 0);
	assert_int_equal(output->bytes, info.st_size);
	assert_sound();
}

static void wait_without_room(int days)
{
	host_set_free(0);
	for (int day = 0; day < days; day++)
		life_run(24 * HOUR_MS);
	ASSERT_STATE(A, "downloading");
	host_set_free(16 << 20);
}

/* Dead for 20 hours, then alive, then dead for 10: not for a day. */
static void a_link_that_came_to_life_again_is_not_given_up(void **state)
{
	(void)state;
	results_script("d", 0);
	user_write(text(A), &fox, false);
	life_run(20 * HOUR_MS);
	task[0].results[0] = 'w';
	task[0].cuts = 19;
	results_break_off(1);
	while (*task[0].results == 'w' && task[0].cuts == 19)
		life_run(MINUTE_MS);
	life_run(100);
	wait_without_room(16);
	task[0].results[0] = 'd';
	life_run(10 * HOUR_MS);
	ASSERT_STATE(A, "downloading");
	task[0].results[0] = 'w';
	life_run(24 * HOUR_MS);
	ASSERT_STATE(A, "done");
}

/* It was dead for more than a day, long ago; what is wrong now is no fault of its. */
static void trouble_of_ours_gives_nothing_up(void **state)
{
	(void)state;
	results_script("d", 0);
	user_write(text(A), &fox, false);
	life_run(30 * HOUR_MS);
	ASSERT_STATE(A, "downloading");
	task[0].results[0] = 'w';
	wait_without_room(16);
	host_fail_next(-EIO);
	life_run(24 * HOUR_MS);
	ASSERT_STATE(A, "done");
}

#define PART "incoming/1-0.part"

/* A disk may have given a file its length and not its bytes. */
static void what_stands_behind_a_part_that_was_kept_is_none_of_it(void **state)
{
	int fd;

	(void)state;
	break_off(0, 0, 20);
	life_crash();
	fd = openat(sim.store_fd, PART, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "garbage", 7), 7);
	assert_int_equal(close(fd), 0);
	provider_hang(0, 1);
	life_start();
	life_run(5000);
	life_stop();
	provider_hang(0, 0);
	life_start();
	life_run(10 * LONG_MS);
	ASSERT_STATE(A, "done");
	assert_sound();
}

static bool is_in_out(const char *name)
{
	AUTO_FREE char *path = format("%s/out/%s", sim.model[0]->id, name);
	struct stat info;

	return fstatat(sim.tree_fd, path, &info, 0) == 0;
}

static void what_may_vanish_from_out_again_is_not_done(void **state)
{
	(void)state;
	host_fail_entries(true);
	drop(A, &fox);
	life_run(5 * MINUTE_MS);
	assert_true(is_in_out("a.mp4"));
	ASSERT_STATE(A, "downloading");
	assert_int_equal(shown(A)->note, NOTE_WAITING);
	assert_non_null(strstr(shown(A)->problem, "is in out/"));
	life_crash();
	life_start();
	life_run(LONG_MS);
	ASSERT_STATE(A, "downloading");
	host_fail_entries(false);
	life_run(5 * MINUTE_MS);
	ASSERT_STATE(A, "done");
	assert_int_equal(shown(A)->note, NOTE_NONE);
	assert_false(is_in_out("a.2.mp4"));
	assert_sound();
}

static void what_the_user_takes_before_it_is_durable_is_not_fetched_again(void **state)
{
	AUTO_FREE char *path = format("%s/out/a.mp4", sim.model[0]->id);

	(void)state;
	host_fail_entries(true);
	drop(A, &fox);
	assert_int_equal(unlinkat(sim.tree_fd, path, 0), 0);
	host_fail_entries(false);
	life_run(5 * MINUTE_MS);
	ASSERT_STATE(A, "done");
	assert_false(is_in_out("a.mp4"));
}

/* It was whole, could not be put into out/, and is not what it was. */
static void what_was_spoilt_before_it_is_shown_is_fetched_anew(void **state)
{
	int fd;

	(void)state;
	results_script("w", 0);
	host_fail_next(-EIO);
	user_write(text(A), &fox, false);
	until_it_downloads();
	while (!shown(A)->problem)
		life_run(100);
	life_crash();
	fd = openat(sim.store_fd, PART, O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 80), 0);
	assert_int_equal(close(fd), 0);
	life_start();
	life_run(10 * LONG_MS);
	ASSERT_STATE(A, "done");
	assert_sound();
}

/* The power goes at any effect, and with it what nobody would miss: then nothing is where it was
 * made, and a name alone is no video. */
static void what_is_nowhere_is_fetched_again(void **state)
{
	for (int effect = 1; effect < 40; effect++) {
		assert_int_equal(engine_tear_down(state), 0);
		assert_int_equal(engine_set_up(state), 0);
		user_write(text(A), &fox, false);
		life_crash_after(effect);
		life_run(LONG_MS);
		life_crash();
		if (unlinkat(sim.store_fd, PART, 0) == 0)
			print_message("gone before effect %d\n", effect);
		life_start();
		life_run(LONG_MS);
		assert_sound();
	}
}

static void what_cannot_be_looked_at_is_no_free_name(void **state)
{
	AUTO_FREE char *path = format("%s/out/none.mp4", sim.model[0]->id);
	struct rlimit before, none;
	bool free_now;

	(void)state;
	drop(A, &fox);
	assert_true(outname_is_free(engine, path));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){3, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	free_now = outname_is_free(engine, path);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_false(free_now);
}

/* ------------------------------------------------------------------ caps */

static void what_is_ordered_counts_at_once_for_a_cap_of_credits(void **state)
{
	static const struct content third = {2, -1, -1, -1, false};

	(void)state;
	drop(A, &fox);
	life_config()->caps.credits_per_day = 2.5 * shown(A)->estimate;
	drop(B, &boat);
	ASSERT_STATE(B, "done");
	drop(C, &third);
	assert_int_equal(shown(C)->hold, HOLD_CAP);
	assert_int_equal(tasks, 2);
}

/* ------------------------------------------------------------------ the table of states */

static void a_step_that_the_table_has_not_is_not_made(void **state)
{
	const struct job_key key = {sim.model[0]->id, "", "a"};
	struct takes takes;

	(void)state;
	drop(A, &fox);
	assert_int_equal(jobs_takes(&engine->jobs, &key, &takes), 0);
	assert_int_equal(takes.count, 1);
	job_set_state(takes.item[0], JOB_QUEUED, NULL, NULL);
	takes_clear(&takes);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	assert_int_equal(tasks, 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(half_a_file_is_held_after_a_loss_of_power),
		CASE(half_a_save_of_what_settles_is_held_after_a_loss_of_power),
		CASE(half_a_change_is_held_after_a_loss_of_power),
		CASE(half_a_prompt_that_was_waited_for_is_held_after_a_loss_of_power),
		CASE(a_retry_orders_no_half_of_a_file_after_a_loss_of_power),
		CASE(what_was_spoilt_and_mended_is_held_after_a_loss_of_power),
		CASE(what_was_judged_goes_on_after_a_loss_of_power),
		CASE(nothing_is_sent_while_somebody_may_write_its_picture),
		CASE(what_is_forgotten_as_it_settles_stays_so),
		CASE(what_is_cancelled_as_it_settles_stays_so),
		CASE(a_retry_lets_nothing_go_that_was_found),
		CASE(more_takes_are_counted_once),
		CASE(what_no_type_is_known_of_is_fetched_again_first),
		CASE(a_result_that_comes_in_pieces_is_whole_in_the_end),
		CASE(a_part_goes_on_where_it_ends),
		CASE(a_file_of_another_length_is_another),
		CASE(a_file_by_another_validator_is_another),
		CASE(what_became_shorter_is_fetched_anew),
		CASE(what_comes_from_the_start_is_no_part_that_was_kept),
		CASE(what_could_not_be_synced_is_not_kept),
		CASE(what_a_clean_end_keeps_is_synced),
		CASE(the_whole_is_synced_when_all_of_it_is_there),
		CASE(a_link_that_came_to_life_again_is_not_given_up),
		CASE(trouble_of_ours_gives_nothing_up),
		CASE(what_stands_behind_a_part_that_was_kept_is_none_of_it),
		CASE(what_may_vanish_from_out_again_is_not_done),
		CASE(what_the_user_takes_before_it_is_durable_is_not_fetched_again),
		CASE(what_was_spoilt_before_it_is_shown_is_fetched_anew),
		CASE(what_is_nowhere_is_fetched_again),
		CASE(what_cannot_be_looked_at_is_no_free_name),
		CASE(what_is_ordered_counts_at_once_for_a_cap_of_credits),
		CASE(a_step_that_the_table_has_not_is_not_made),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

/* test_engine_notes.c - the note in out/ is that of the job, whatever comes between. */
#include "fs/base/cleanup.h"
#include "fs/journal/record.h"
#include "tests/unit/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct content rain = {2, -1, -1, -1, false};

static const char *out(int model, const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/out/%s", sim.model[model]->id, name);
	return path;
}

static bool is_there(int model, const char *name)
{
	return faccessat(sim.tree_fd, out(model, name), F_OK, 0) == 0;
}

static void await_note(const char *name)
{
	for (int i = 0; i < 1000 && !is_there(0, name); i++)
		life_run(100);
	assert_true(is_there(0, name));
}

static void remove_note(const char *name)
{
	assert_int_equal(unlinkat(sim.tree_fd, out(0, name), 0), 0);
}

static void start_anew(void)
{
	life_stop();
	life_start();
	life_run(QUIET_MS);
}

static void what_could_not_be_written_is_at_the_next_start(void **state)
{
	(void)state;
	provider_script("f");
	host_fail_notes(-ENOSPC);
	drop(A, &fox);
	ASSERT_STATE(A, "failed");
	assert_false(is_there(0, "a.error.txt"));
	host_fail_notes(0);
	life_run(10 * MINUTE_MS);
	start_anew();
	assert_true(is_there(0, "a.error.txt"));
}

static char *words_of(const char *name)
{
	static char note[1024];
	int fd = openat(sim.tree_fd, out(0, name), O_RDONLY);
	ssize_t bytes = fd < 0 ? 0 : read(fd, note, sizeof(note) - 1);

	assert_true(fd >= 0 && bytes > 0);
	assert_int_equal(close(fd), 0);
	note[bytes] = '\0';
	return note;
}

static void assert_says(const char *name, const char *words)
{
	if (!strstr(words_of(name), words))
		fail_msg("%s: %s", words, words_of(name));
}

/* From the order on, written once; and gone with the result. */
static void what_is_under_way_says_so(void **state)
{
	(void)state;
	provider_take(200 * 1000);
	user_write(text(A), &fox, false);
	life_run(QUIET_MS);
	ASSERT_STATE(A, "running");
	assert_says(
		"a.running.txt", "a (take 1) is under way:\n\nIt was ordered 2030-03-17 17:46:4");
	assert_says("a.running.txt", "is not known yet.\nIt costs about 57 credits ($0.285).\n");
	remove_note("a.running.txt");
	life_run(100 * 1000);
	assert_true(provider_polls > 5);
	assert_false(is_there(0, "a.running.txt"));
	life_run(200 * 1000);
	ASSERT_STATE(A, "done");
	user_write(text(B), &boat, false);
	life_run(QUIET_MS);
	assert_says("b.running.txt", "Such tasks usually take 3 to 4 minutes (the last 1 did).\n");
	life_run(300 * 1000);
	ASSERT_STATE(B, "done");
	assert_false(is_there(0, "b.running.txt"));
	assert_sound();
}

static void what_is_under_way_says_so_after_a_crash(void **state)
{
	(void)state;
	provider_take(400 * 1000);
	user_write(text(A), &fox, false);
	await_note("a.running.txt");
	life_crash();
	remove_note("a.running.txt");
	life_start();
	life_run(QUIET_MS);
	assert_true(is_there(0, "a.running.txt"));
	life_run(500 * 1000);
	ASSERT_STATE(A, "done");
	assert_false(is_there(0, "a.running.txt"));
	assert_sound();
}

static void what_goes_wrong_takes_its_place(void **state)
{
	(void)state;
	provider_script("f");
	provider_take(50 * 1000);
	user_write(text(A), &fox, false);
	await_note("a.running.txt");
	await_note("a.error.txt");
	life_run(QUIET_MS);
	assert_false(is_there(0, "a.running.txt"));
	assert_sound();
}

/* Its files go to another name, and it goes with them. */
static void what_is_under_way_moves_with_its_note(void **state)
{
	(void)state;
	provider_take(200 * 1000);
	user_write(text(A), &fox, false);
	await_note("a.running.txt");
	user_rename(text(A), false, text(B));
	await_note("b.running.txt");
	assert_false(is_there(0, "a.running.txt"));
	life_run(300 * 1000);
	assert_false(is_there(0, "b.running.txt"));
	assert_sound();
}

static void what_could_not_be_removed_is_at_the_next_start(void **state)
{
	(void)state;
	provider_script("f");
	drop(A, &fox);
	assert_true(is_there(0, "a.error.txt"));
	host_fail_notes(-EIO);
	drop(A, &boat);
	ASSERT_STATE(A, "done");
	assert_true(is_there(0, "a.error.txt"));
	host_fail_notes(0);
	start_anew();
	assert_false(is_there(0, "a.error.txt"));
}

static void a_note_that_the_user_removed_does_not_come_back(void **state)
{
	(void)state;
	provider_script("f");
	drop(A, &fox);
	life_run(2 * MINUTE_MS);
	remove_note("a.error.txt");
	start_anew();
	ASSERT_STATE(A, "failed");
	assert_false(is_there(0, "a.error.txt"));
	life_crash();
	start_anew();
	assert_false(is_there(0, "a.error.txt"));
}

/* The newer take was withdrawn before it was ordered. */
static void the_take_that_is_shown_again_has_its_note(void **state)
{
	const struct content picture = {-1, -1, -1, 0, false}, other = {-1, -1, -1, 1, false};
	const int prompt_at = place_at(2, 0, A, KIND_PROMPT);
	const int picture_at = place_at(2, 0, A, KIND_PICTURE);

	(void)state;
	provider_script("f");
	user_write(picture_at, &picture, false);
	user_write(prompt_at, &fox, false);
	life_run(LONG_MS);
	assert_true(is_there(2, "a.error.txt"));
	user_write(picture_at, &other, false);
	user_remove(prompt_at);
	life_run(MINUTE_MS);
	assert_true(is_there(2, "a.waiting.txt"));
	assert_false(is_there(2, "a.error.txt"));
	user_remove(picture_at);
	life_run(MINUTE_MS);
	assert_false(is_there(2, "a.waiting.txt"));
	assert_true(is_there(2, "a.error.txt"));
}

static void the_take_that_is_shown_again_has_its_note_after_a_kill(void **state)
{
	const struct content picture = {-1, -1, -1, 0, false}, other = {-1, -1, -1, 1, false};
	const int prompt_at = place_at(2, 0, A, KIND_PROMPT);
	const int picture_at = place_at(2, 0, A, KIND_PICTURE);

	for (int effect = 1; effect < 20; effect++) {
		assert_int_equal(engine_tear_down(state), 0);
		assert_int_equal(engine_set_up(state), 0);
		provider_script("f");
		user_write(picture_at, &picture, false);
		user_write(prompt_at, &fox, false);
		life_run(LONG_MS);
		user_write(picture_at, &other, false);
		user_remove(prompt_at);
		life_run(MINUTE_MS);
		assert_true(is_there(2, "a.waiting.txt"));
		user_remove(picture_at);
		life_crash_after(effect);
		life_run(MINUTE_MS);
		life_crash();
		life_start();
		life_run(MINUTE_MS);
		assert_false(is_there(2, "a.waiting.txt"));
		assert_true(is_there(2, "a.error.txt"));
	}
}

/* The retry was withdrawn before its files were judged, and had no note. */
static void what_a_retry_gave_back_has_its_note_after_a_kill(void **state)
{
	for (int effect = 1; effect < 20; effect++) {
		assert_int_equal(engine_tear_down(state), 0);
		assert_int_equal(engine_set_up(state), 0);
		provider_script("f");
		drop(A, &fox);
		life_run(2 * MINUTE_MS);
		user_open(text(A), &fox);
		assert_int_equal(order("retry", A), 0);
		life_run(2 * MINUTE_MS);
		assert_false(is_there(0, "a.error.txt"));
		user_close(user_find(text(A), false));
		user_remove(text(A));
		life_crash_after(effect);
		life_run(MINUTE_MS);
		life_crash();
		life_start();
		life_run(MINUTE_MS);
		assert_true(is_there(0, "a.error.txt"));
	}
}

static void no_note_stays_at_a_name_that_was_left(void **state)
{
	(void)state;
	provider_script("f");
	drop(A, &fox);
	host_fail_notes(-EIO);
	user_rename(text(A), false, text(B));
	life_run(MINUTE_MS);
	assert_true(is_there(0, "a.error.txt"));
	host_fail_notes(0);
	start_anew();
	assert_false(is_there(0, "a.error.txt"));
	assert_true(is_there(0, "b.error.txt"));
}

/* Of a take that is not the one shown where it goes. */
static void no_note_stays_at_a_name_that_was_left_at_the_second_try(void **state)
{
	(void)state;
	provider_script("af");
	drop(A, &fox);
	drop(A, &boat);
	life_run(2 * MINUTE_MS);
	assert_true(is_there(0, "a.error.txt"));
	host_fail_notes(-EIO);
	user_write(text(A), &fox, false);
	user_rename(text(A), false, text(B));
	life_run(10);
	life_cannot_commit = true;
	life_run(QUIET_MS);
	life_cannot_commit = false;
	life_run(MINUTE_MS);
	ASSERT_STATE(B, "done");
	assert_null(shown(A));
	assert_true(is_there(0, "a.error.txt"));
	host_fail_notes(0);
	start_anew();
	assert_false(is_there(0, "a.error.txt"));
	assert_false(is_there(0, "b.error.txt"));
}

static void no_note_stays_of_a_job_that_is_none_any_more(void **state)
{
	const struct content picture = {-1, -1, -1, 0, false};
	const int picture_at = place_at(2, 0, A, KIND_PICTURE);

	(void)state;
	user_write(picture_at, &picture, false);
	life_run(MINUTE_MS);
	assert_true(is_there(2, "a.waiting.txt"));
	host_fail_notes(-EIO);
	user_remove(picture_at);
	life_run(MINUTE_MS);
	assert_null(shown_at(2, "a"));
	host_fail_notes(0);
	start_anew();
	assert_false(is_there(2, "a.waiting.txt"));
}

/* It was owed that the note goes; and the files were renamed while nothing was mounted. */
static void no_note_stays_at_a_name_that_was_left_meanwhile(void **state)
{
	(void)state;
	provider_script("f");
	drop(A, &fox);
	host_fail_notes(-EIO);
	drop(A, &boat);
	ASSERT_STATE(A, "done");
	assert_true(is_there(0, "a.error.txt"));
	life_stop();
	host_fail_notes(0);
	user_rename(text(A), false, text(B));
	life_start();
	life_run(QUIET_MS);
	ASSERT_STATE(B, "done");
	assert_false(is_there(0, "a.error.txt"));
}

static void no_note_stays_of_a_job_that_was_forgotten(void **state)
{
	(void)state;
	provider_script("f");
	drop(A, &fox);
	life_run(2 * MINUTE_MS);
	host_fail_notes(-EIO);
	assert_int_equal(order("forget", A), 0);
	life_run(MINUTE_MS);
	assert_true(is_there(0, "a.error.txt"));
	host_fail_notes(0);
	start_anew();
	assert_false(is_there(0, "a.error.txt"));
}

static void other_words_are_owed_too(void **state)
{
	static const struct content one = {0, TAKES_MAX + 1, -1, -1, false};
	AUTO_FREE char *words = NULL;

	(void)state;
	user_write(spec(A), &one, false);
	life_run(QUIET_MS);
	ASSERT_STATE(A, "rejected");
	life_run(2 * MINUTE_MS); /* the first are owed no longer */
	host_fail_notes(-EIO);
	put_file(0, "a.json", "{\"promp\": 1}", 12);
	life_run(QUIET_MS);
	host_fail_notes(0);
	start_anew();
	words = record_note_text(shown(A));
	assert_string_equal(words_of("a.error.txt"), words);
}

static void what_is_not_even_taken_is_at_the_next_start(void **state)
{
	(void)state;
	provider_script("f");
	host_fail_notes(-ESHUTDOWN);
	drop(A, &fox);
	host_fail_notes(0);
	life_run(10 * MINUTE_MS);
	start_anew();
	assert_true(is_there(0, "a.error.txt"));
}

static void what_is_still_to_be_written_is_owed(void **state)
{
	(void)state;
	provider_script("f");
	host_delay_notes(HOUR_MS);
	drop(A, &fox);
	for (int minute = 0; minute < 10; minute++) {
		user_write(text(C), &rain, false); /* so that there are turns */
		life_run(MINUTE_MS);
	}
	assert_false(is_there(0, "a.error.txt"));
	life_crash();
	host_delay_notes(0);
	unlinkat(sim.tree_fd, out(0, "a.error.txt"), 0); /* if it was carried out all the same */
	start_anew();
	assert_true(is_there(0, "a.error.txt"));
}

/* The older one is on the disk by then, the other may be lost. */
static void a_note_is_owed_until_the_disk_has_it(void **state)
{
	(void)state;
	provider_script("ff");
	user_write(text(A), &fox, false);
	await_note("a.error.txt");
	life_run(40 * 1000);
	user_write(text(B), &boat, false);
	await_note("b.error.txt");
	life_run(20 * 1000);               /* more than a minute after the first */
	user_write(text(C), &rain, false); /* so that there is a turn */
	life_run(QUIET_MS);
	life_crash();
	remove_note("a.error.txt");
	remove_note("b.error.txt");
	start_anew();
	assert_false(is_there(0, "a.error.txt"));
	assert_true(is_there(0, "b.error.txt"));
}

/* One that a start owed is written a minute after another that it removed. */
static void what_is_written_late_is_owed_from_then(void **state)
{
	const struct content picture = {-1, -1, -1, 0, false};
	const int picture_at = place_at(2, 0, A, KIND_PICTURE);

	(void)state;
	provider_script("f");
	user_write(picture_at, &picture, false);
	life_run(MINUTE_MS);
	host_fail_notes(-EIO);
	drop(A, &fox);
	user_remove(picture_at);
	life_run(MINUTE_MS);
	host_fail_notes(0);
	life_stop();
	life_cannot_commit = true;
	life_start();
	life_run(58 * 1000);
	assert_false(is_there(2, "a.waiting.txt"));
	assert_false(is_there(0, "a.error.txt"));
	life_cannot_commit = false;
	await_note("a.error.txt");
	life_run(5000);
	user_write(text(C), &rain, false); /* so that there is a turn */
	life_run(QUIET_MS);
	life_crash();
	remove_note("a.error.txt");
	start_anew();
	assert_true(is_there(0, "a.error.txt"));
}

static void a_later_note_is_not_owed_for_ever(void **state)
{
	(void)state;
	provider_script("ff");
	user_write(text(A), &fox, false);
	await_note("a.error.txt");
	life_run(30 * 1000);
	user_write(text(B), &boat, false);
	for (int minute = 0; minute < 4; minute++) {
		user_write(text(C), &rain, false); /* so that there are turns */
		life_run(MINUTE_MS);
	}
	remove_note("b.error.txt");
	start_anew();
	assert_false(is_there(0, "b.error.txt"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(what_could_not_be_written_is_at_the_next_start),
		CASE(what_is_under_way_says_so),
		CASE(what_is_under_way_says_so_after_a_crash),
		CASE(what_goes_wrong_takes_its_place),
		CASE(what_is_under_way_moves_with_its_note),
		CASE(what_could_not_be_removed_is_at_the_next_start),
		CASE(a_note_that_the_user_removed_does_not_come_back),
		CASE(the_take_that_is_shown_again_has_its_note),
		CASE(the_take_that_is_shown_again_has_its_note_after_a_kill),
		CASE(what_a_retry_gave_back_has_its_note_after_a_kill),
		CASE(no_note_stays_at_a_name_that_was_left),
		CASE(no_note_stays_at_a_name_that_was_left_at_the_second_try),
		CASE(no_note_stays_of_a_job_that_is_none_any_more),
		CASE(no_note_stays_at_a_name_that_was_left_meanwhile),
		CASE(no_note_stays_of_a_job_that_was_forgotten),
		CASE(other_words_are_owed_too),
		CASE(what_is_not_even_taken_is_at_the_next_start),
		CASE(what_is_still_to_be_written_is_owed),
		CASE(a_note_is_owed_until_the_disk_has_it),
		CASE(what_is_written_late_is_owed_from_then),
		CASE(a_later_note_is_not_owed_for_ever),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

/* test_engine_results.c - what becomes of results, however they come. */
#include "fs/base/clock.h"
#include "spec/model.h"
#include "tests/unit/engine.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void what_names_no_result_is_asked_again_and_then_over(void **state)
{
	(void)state;
	provider_script("e");
	user_write(text(A), &fox, false);
	life_run(30 * 1000);
	ASSERT_STATE(A, "running"); /* the links may follow */
	assert_non_null(shown(A)->problem);
	life_run(5 * LONG_MS);
	ASSERT_STATE(A, "failed");
	assert_non_null(strstr(shown(A)->problem, "names no result"));
	assert_true(shown(A)->output && shown(A)->noutputs == 0); /* it was paid for */
	assert_int_equal(shown(A)->note, NOTE_ERROR);
	assert_int_equal(order("retry", A), 0);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
}

/* How many whole results of a task are in out/, at the top of the first model. */
static int arrived(int of, int number)
{
	char bytes[RESULT_BYTES + 1], wanted[RESULT_BYTES], id[24];
	int count = 0;

	(void)snprintf(id, sizeof(id), "%s-%d", task[of].id, number);
	for (size_t i = 0; i < shown(A)->noutputs; i++) {
		const struct output *output = &shown(A)->output[i];
		int fd = output->state == OUTPUT_PUBLISHED
		                 ? openat(sim.tree_fd, output->file, O_RDONLY | O_CLOEXEC)
		                 : -1;
		ssize_t got = fd < 0 ? 0 : read(fd, bytes, sizeof(bytes));
		size_t size = results_bytes(
			task[of].results[number], id, task[of].version[number], wanted);

		count += (size_t)got == size && !memcmp(bytes, wanted, size);
		if (fd >= 0)
			(void)close(fd);
	}
	return count;
}

static const struct output *output_of(int number)
{
	return &shown(A)->output[number];
}

/* A download broke off; how it ends, then what the next start makes of the part. */
static void assert_whole_after(void (*end)(void), enum losses power)
{
	results_script("w", 0); /* of which no cut is seen */
	results_break_off(1);
	host_lose_power(power);
	user_write(text(A), &fox, false);
	while (!shown(A) || shown(A)->state != JOB_DOWNLOADING)
		life_run(100);
	life_run(1000);
	ASSERT_STATE(A, "downloading");
	assert_non_null(shown(A)->problem);
	end();
	life_start();
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	assert_int_equal(arrived(0, 0), 1);
	assert_sound();
}

static void half_a_result_is_none_after_an_unmount(void **state)
{
	(void)state;
	assert_whole_after(life_stop, LOSES_NOTHING);
}

static void half_a_result_is_none_after_a_kill(void **state)
{
	(void)state;
	assert_whole_after(life_crash, LOSES_NOTHING);
}

static void half_a_result_is_none_after_a_loss_of_power(void **state)
{
	(void)state;
	assert_whole_after(life_crash, LEAVES_ZEROS);
}

static void stop_and_crash(void)
{
	life_stop();
	life_start();
	life_crash();
}

static void what_an_unmount_left_is_still_there_after_a_loss_of_power(void **state)
{
	(void)state;
	assert_whole_after(stop_and_crash, LEAVES_ZEROS);
}

static void a_part_is_gone_on_with_after_an_unmount(void **state)
{
	(void)state;
	results_script("w", 0);
	results_break_off(1);
	user_write(text(A), &fox, false);
	while (!shown(A) || shown(A)->state != JOB_DOWNLOADING)
		life_run(100);
	life_run(1000);
	life_stop();
	life_start();
	assert_true(output_of(0)->kept > 0);
	assert_true(output_of(0)->promised > output_of(0)->kept);
	assert_string_equal(output_of(0)->validator, "\"0-0\"");
	assert_int_equal(unlinkat(sim.store_fd, "incoming/1-0.part", 0), 0);
	life_run(20);
	assert_int_equal(output_of(0)->kept, 0); /* before a byte of it is written */
	life_run(LONG_MS);
	assert_int_equal(arrived(0, 0), 1);
}

static void two_versions_are_never_joined(void **state)
{
	static const int servers[] = {0, SERVER_IGNORES_VERSIONS,
		SERVER_IGNORES_VERSIONS | SERVER_HAS_NO_VALIDATOR, SERVER_HAS_NO_VALIDATOR};

	(void)state;
	for (int i = 0; i < 4; i++) {
		const struct content content = {i % 3, -1, -1, -1, false};

		results_script("w", servers[i]);
		results_break_off(1);
		user_write(text(A), &content, false);
		if (i == 3)
			assert_int_equal(order("retry", A), 0);
		while (tasks <= i || shown(A)->state != JOB_DOWNLOADING)
			life_run(100);
		life_run(1000);
		task[i].version[0]++;
		life_run(LONG_MS);
		ASSERT_STATE(A, "done");
		assert_int_equal(arrived(i, 0), 1);
	}
	assert_sound();
}

static void an_end_that_nobody_marked_is_looked_at_twice(void **state)
{
	(void)state;
	results_script("w", SERVER_TELLS_NO_LENGTH | SERVER_MARKS_NO_END);
	results_break_off(3); /* at other bytes each */
	drop(A, &fox);
	ASSERT_STATE(A, "done");
	assert_int_equal(arrived(0, 0), 1);
	assert_sound();
}

static void what_arrives_does_not_wait_for_what_does_not(void **state)
{
	static const char *const results[] = {"dw", "hg", "pw"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		const struct content content = {i, -1, -1, -1, false};

		results_script(results[i], 0);
		drop(A, &content);
		assert_int_equal(arrived(i, 1), 1);
		ASSERT_STATE(A, i < 2 ? "downloading" : "done");
		assert_int_equal(output_of(1)->state, OUTPUT_PUBLISHED);
		assert_int_equal(shown(A)->note, i < 2 ? NOTE_WAITING : NOTE_ERROR);
		assert_non_null(strstr(shown(A)->problem, "Result 1 of 2: "));
	}
}

static void what_is_lost_is_named_beside_what_arrived(void **state)
{
	(void)state;
	results_script("dgh", 0);
	drop(A, &fox);
	clock_set_wall(16 * 24 * 3600 * 1000LL);
	life_run(30 * 3600 * 1000LL);
	ASSERT_STATE(A, "done");
	assert_int_equal(output_of(0)->state, OUTPUT_LOST);
	assert_int_equal(output_of(1)->state, OUTPUT_PUBLISHED);
	assert_int_equal(output_of(2)->state, OUTPUT_LOST);
	assert_int_equal(shown(A)->note, NOTE_ERROR);
	assert_non_null(
		strstr(shown(A)->problem, "Result 1 of 3: The result link answered HTTP 404"));
	assert_non_null(strstr(shown(A)->problem, "Result 3 of 3: What was downloaded"));
	assert_sound();
}

static void results_that_are_not_taken_are_told_of(void **state)
{
	(void)state;
	results_script("guu", 0);
	drop(A, &fox);
	ASSERT_STATE(A, "done");
	assert_int_equal(arrived(0, 0), 1);
	assert_int_equal(shown(A)->note, NOTE_ERROR);
	assert_non_null(strstr(shown(A)->problem, "2 more were named"));
}

static void a_clock_set_ahead_loses_no_result(void **state)
{
	(void)state;
	results_script("d", 0);
	drop(A, &fox);
	clock_set_wall(20 * 24 * 3600 * 1000LL);
	life_run(LONG_MS);
	life_stop();
	life_start();
	life_run(3600 * 1000);
	ASSERT_STATE(A, "downloading");
	clock_go_to(clock_steady_ms() + 16 * 24 * 3600 * 1000LL); /* suspended */
	life_run(3600 * 1000);
	ASSERT_STATE(A, "downloading");
	task[0].results[0] = 'g';
	life_run(2 * 3600 * 1000);
	ASSERT_STATE(A, "done");
	assert_null(shown(A)->problem);
	assert_int_equal(shown(A)->note, NOTE_NONE);
	assert_sound();
}

/* Of three results one has come when the links of the others are asked for anew. */
static void assert_each_comes_once(const char *numbers, const char *path, const char *states)
{
	results_script("gdd", 0);
	user_write(text(A), &fox, false);
	while (!shown(A) || shown(A)->state != JOB_DOWNLOADING)
		life_run(100);
	provider_name(numbers, path);
	life_run(HOUR_MS);
	task[0].results[1] = task[0].results[2] = 'g';
	life_run(HOUR_MS);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
			output_of(i)->state, states[i] == 'p' ? OUTPUT_PUBLISHED : OUTPUT_LINKED);
	for (int i = 0; i < 3; i++)
		assert_int_equal(arrived(0, i), states[i] == 'p');
}

static void fresh_links_in_another_order_are_those_of_the_same_results(void **state)
{
	(void)state;
	assert_each_comes_once("210", NULL, "ppp");
	ASSERT_STATE(A, "done");
	assert_sound();
}

static void fresh_links_of_some_leave_the_others_theirs(void **state)
{
	(void)state;
	assert_each_comes_once("20", NULL, "ppp");
}

static void fresh_links_elsewhere_are_matched_by_their_order(void **state)
{
	(void)state;
	assert_each_comes_once("012", "b/b", "ppp");
}

static void fewer_fresh_links_elsewhere_are_nobodys(void **state)
{
	(void)state;
	assert_each_comes_once("10", "b/b", "ppp"); /* by the old ones */
}

static void links_of_the_service_change_nothing_about_whose_they_are(void **state)
{
	(void)state;
	provider_renew_links();
	assert_each_comes_once("210", NULL, "ppp");
	assert_in_range(provider_renewed, 6, 100); /* it knows no link of its own */
	assert_sound();
}

static void what_never_comes_was_paid_for_all_the_same(void **state)
{
	(void)state;
	results_script("d", 0);
	drop(A, &fox);
	life_run(16 * 24 * 3600 * 1000LL);
	ASSERT_STATE(A, "failed");
	assert_non_null(strstr(shown(A)->advice, "made and paid for"));
	assert_sound();
}

static void run_days(int days)
{
	for (int i = 0; i < days; i++) /* each in fewer turns than may be */
		life_run(24 * HOUR_MS);
}

static void a_host_that_never_answers_is_given_up_as_a_dead_link_is(void **state)
{
	(void)state;
	provider_hang(0, 1);
	drop(A, &fox);
	run_days(14);
	ASSERT_STATE(A, "downloading");
	assert_int_equal(shown(A)->note, NOTE_WAITING);
	run_days(3);
	ASSERT_STATE(A, "failed");
	assert_non_null(strstr(shown(A)->advice, "made and paid for"));
	assert_in_range(provider_polls, 10, 1000);
}

static void what_cannot_be_reached_for_want_of_a_line_is_not_given_up(void **state)
{
	(void)state;
	provider_hang(0, 1);
	drop(A, &fox);
	provider_hang(1, 1);
	run_days(40);
	ASSERT_STATE(A, "downloading");
	provider_hang(0, 0);
	life_run(12 * HOUR_MS); /* the try that hangs may last so long */
	ASSERT_STATE(A, "done");
	assert_int_equal(arrived(0, 0), 1);
	assert_sound();
}

static void a_result_that_does_not_fit_waits_for_room(void **state)
{
	(void)state;
	host_set_free(1 << 20); /* what is kept free on a disk of 16 MB */
	drop(A, &fox);
	ASSERT_STATE(A, "downloading");
	assert_int_equal(shown(A)->note, NOTE_WAITING);
	assert_non_null(strstr(shown(A)->problem, "0.0 MB are there"));
	assert_int_equal(faccessat(sim.store_fd, "incoming/1-0.part", F_OK, 0), -1);
	host_set_free(2 << 20);
	life_run(15 * 1000);
	ASSERT_STATE(A, "done");
	assert_int_equal(shown(A)->note, NOTE_NONE);
	assert_sound();
}

static void what_cannot_be_made_durable_is_told_and_tried_again(void **state)
{
	(void)state;
	host_sync(true, 100);
	drop(A, &fox);
	ASSERT_STATE(A, "downloading");
	assert_non_null(strstr(shown(A)->problem, "cannot be made durable"));
	assert_int_equal(shown(A)->note, NOTE_WAITING);
	host_sync(false, 100);
	life_run(HOUR_MS);
	ASSERT_STATE(A, "done");
	assert_int_equal(arrived(0, 0), 1);
	assert_sound();
}

static void what_no_type_is_known_of_is_kept_in_the_end(void **state)
{
	(void)state;
	results_script("x", 0);
	drop(A, &fox);
	ASSERT_STATE(A, "done");
	assert_non_null(strstr(output_of(0)->file, "a.bin"));
	assert_string_equal(output_of(0)->other, "application/octet-stream");
	assert_int_equal(shown(A)->note, NOTE_ERROR);
}

static void tries_that_failed_of_else_do_not_make_it_known(void **state)
{
	(void)state;
	results_script("d", 0);
	drop(A, &fox);
	life_run(3 * HOUR_MS);
	assert_in_range(output_of(0)->tries, 5, 1000);
	task[0].results[0] = 'x'; /* the page of a server that is about to mend itself */
	life_run(2 * HOUR_MS);
	ASSERT_STATE(A, "downloading");
	task[0].results[0] = 'g';
	life_run(2 * HOUR_MS);
	ASSERT_STATE(A, "done");
	assert_int_equal(arrived(0, 0), 1);
	assert_sound();
}

/* The first model makes them, from now on. */
static void set_results(unsigned int results)
{
	for (size_t i = 0; i < sim.models->count; i++)
		if (sim.models->item[i] == sim.model[0])
			sim.models->item[i]->results = results;
}

static void pictures_are_what_a_model_of_pictures_makes(void **state)
{
	(void)state;
	set_results(RESULT_IMAGE);
	results_script("ppg", 0);
	drop(A, &fox);
	set_results(RESULT_VIDEO);
	ASSERT_STATE(A, "done");
	assert_int_equal(arrived(0, 0) + arrived(0, 1) + arrived(0, 2), 3);
	assert_non_null(strstr(output_of(0)->file, "/a.png"));
	assert_non_null(strstr(output_of(1)->file, "/a-2.png"));
	assert_string_equal(shown(A)->problem,
		"Result 3 of 3: It is video/mp4, not the picture that the model promises.");
	assert_sound();
}

static void a_frame_that_goes_with_a_video_is_a_picture(void **state)
{
	(void)state;
	results_script("gs", 0);
	drop(A, &fox);
	ASSERT_STATE(A, "done");
	assert_non_null(strstr(output_of(0)->file, "/a.mp4"));
	assert_non_null(strstr(output_of(1)->file, "/a-2.png"));
	assert_null(shown(A)->problem);
	assert_int_equal(shown(A)->note, NOTE_NONE);
	assert_sound();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(what_names_no_result_is_asked_again_and_then_over),
		CASE(half_a_result_is_none_after_an_unmount),
		CASE(half_a_result_is_none_after_a_kill),
		CASE(half_a_result_is_none_after_a_loss_of_power),
		CASE(what_an_unmount_left_is_still_there_after_a_loss_of_power),
		CASE(a_part_is_gone_on_with_after_an_unmount),
		CASE(two_versions_are_never_joined),
		CASE(an_end_that_nobody_marked_is_looked_at_twice),
		CASE(what_arrives_does_not_wait_for_what_does_not),
		CASE(what_is_lost_is_named_beside_what_arrived),
		CASE(results_that_are_not_taken_are_told_of),
		CASE(a_clock_set_ahead_loses_no_result),
		CASE(fresh_links_in_another_order_are_those_of_the_same_results),
		CASE(fresh_links_of_some_leave_the_others_theirs),
		CASE(fresh_links_elsewhere_are_matched_by_their_order),
		CASE(fewer_fresh_links_elsewhere_are_nobodys),
		CASE(links_of_the_service_change_nothing_about_whose_they_are),
		CASE(what_never_comes_was_paid_for_all_the_same),
		CASE(a_host_that_never_answers_is_given_up_as_a_dead_link_is),
		CASE(what_cannot_be_reached_for_want_of_a_line_is_not_given_up),
		CASE(a_result_that_does_not_fit_waits_for_room),
		CASE(what_cannot_be_made_durable_is_told_and_tried_again),
		CASE(what_no_type_is_known_of_is_kept_in_the_end),
		CASE(tries_that_failed_of_else_do_not_make_it_known),
		CASE(pictures_are_what_a_model_of_pictures_makes),
		CASE(a_frame_that_goes_with_a_video_is_a_picture),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

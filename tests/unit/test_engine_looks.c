/* test_engine_looks.c - what is looked at before anything follows from it: the files before they
 * are sent, the journal before an order is answered, and who asks. */
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/rights.h"
#include "fs/config/config.h"
#include "fs/engine/core.h"
#include "fs/engine/orders.h"
#include "tests/unit/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const struct content rain = {2, -1, -1, -1, false}, picture = {-1, -1, -1, 0, false};

/* C is ordered, and with it all that may be today; A is held. */
static void hold_by_cap(void)
{
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	drop(A, &fox);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	assert_int_equal(tasks, 1);
}

static int order_of_prompt(int prompt)
{
	AUTO_FREE char *text = format("0|%s|-1|-1", prompt_text(prompt));

	return order_number(text);
}

/* ------------------------------------------------------------------ the last look */

static void what_changed_and_was_not_told_yet_is_sent_as_it_is(void **state)
{
	(void)state;
	hold_by_cap();
	host_be_late(10 * HOUR_MS);
	user_write(text(A), &rain, false);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * MINUTE_MS);
	assert_int_equal(tasks, 2);
	assert_int_equal(task[1].order, order_of_prompt(2));
}

/* An editor that saves beside it, and is about to rename. */
static void nothing_is_sent_while_it_is_being_saved_anew(void **state)
{
	(void)state;
	hold_by_cap();
	life_config()->caps.jobs_per_day = 0;
	user_write(text(A), &rain, true);
	assert_int_equal(order("release", A), 0);
	life_run(500);
	assert_int_equal(tasks, 1);
	user_rename(text(A), true, text(A));
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
	assert_int_equal(task[1].order, order_of_prompt(2));
}

/* Of which nothing follows until it is whole, not even that it is no spec. */
static void what_is_being_written_is_not_judged(void **state)
{
	static const struct content nonsense = {0, TAKES_MAX + 1, -1, -1, false};

	(void)state;
	user_write(spec(A), &fox, false);
	user_open(spec(A), &nonsense);
	life_run(LONG_MS);
	assert_true(shown(A)->settling);
	ASSERT_STATE(A, "waiting");
	assert_int_equal(tasks, 0);
}

static void nothing_is_sent_from_a_mount_that_cannot_show_it(void **state)
{
	(void)state;
	engine->setup.read_only = true;
	drop(A, &fox);
	assert_int_equal(shown(A)->hold, HOLD_READ_ONLY);
	assert_int_equal(tasks, 0);
}

static void a_prompt_waits_for_a_picture_that_may_follow(void **state)
{
	(void)state;
	user_write(place_at(1, 0, A, KIND_PROMPT), &fox, false);
	life_run(10000);
	assert_int_equal(shown_at(1, "a")->state, JOB_WAITING);
	assert_int_equal(tasks, 0);
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
}

/* ------------------------------------------------------------------ pictures */

/* Somebody writes past the mount, and what it looks like stays. */
static void spoil_picture(int model)
{
	const int place = place_at(model, 0, A, KIND_PICTURE);
	int fd = openat(sim.tree_fd, place_name(place, false), O_RDWR | O_CLOEXEC);
	const struct timespec saved = {user_find(place, false)->saved_ms / 1000,
		user_find(place, false)->saved_ms % 1000 * 1000000};
	const struct timespec both[2] = {saved, saved};
	char end;

	assert_int_equal(pread(fd, &end, 1, 28), 1); /* of the header's sum */
	end ^= 1;
	assert_int_equal(pwrite(fd, &end, 1, 28), 1);
	assert_int_equal(futimens(fd, both), 0);
	assert_int_equal(close(fd), 0);
}

static void a_picture_that_is_another_is_uploaded_as_it_is(void **state)
{
	(void)state;
	provider_script("u"); /* it is tried again after a while */
	user_write(place_at(2, 0, A, KIND_PICTURE), &picture, false);
	user_write(place_at(2, 0, A, KIND_SPEC), &fox, false);
	while (!provider_uploads)
		life_run(100);
	life_run(1700); /* more than its answer takes */
	assert_int_equal(provider_uploads, 1);
	spoil_picture(2);
	life_run(MINUTE_MS);
	assert_int_equal(provider_uploads, 3);
	assert_int_equal(shown_at(2, "a")->state, JOB_DONE);
}

/* A body that ends with a picture that is not the one of its order. */
static void send_spoilt(const char *outcomes)
{
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	user_write(place_at(1, 0, A, KIND_PICTURE), &picture, false);
	user_write(place_at(1, 0, A, KIND_SPEC), &fox, false);
	life_run(LONG_MS);
	assert_int_equal(shown_at(1, "a")->hold, HOLD_CAP);
	spoil_picture(1);
	provider_script(outcomes);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * MINUTE_MS);
}

static void a_body_that_was_not_whole_is_no_order(void **state)
{
	(void)state;
	send_spoilt("");
	assert_int_equal(shown_at(1, "a")->state, JOB_DONE);
	assert_int_equal(tasks, 2);
}

static void a_body_that_was_answered_before_its_end_may_be_an_order(void **state)
{
	(void)state;
	send_spoilt("h");
	assert_int_equal(shown_at(1, "a")->state, JOB_UNKNOWN);
	assert_int_equal(tasks, 1);
}

static void a_link_that_died_as_the_job_was_held_is_not_sent(void **state)
{
	(void)state;
	drop(C, &boat);
	life_config()->caps.credits_per_month = shown(C)->estimate;
	user_write(place_at(2, 0, A, KIND_PICTURE), &picture, false);
	user_write(place_at(2, 0, A, KIND_SPEC), &fox, false);
	life_run(LONG_MS);
	assert_int_equal(shown_at(2, "a")->hold, HOLD_CAP);
	assert_int_equal(provider_uploads, 1);
	life_run(13 * HOUR_MS);
	life_config()->caps.credits_per_month = 0;
	life_run(20 * MINUTE_MS);
	assert_int_equal(shown_at(2, "a")->state, JOB_DONE);
	assert_int_equal(provider_uploads, 2);
}

/* ------------------------------------------------------------------ starts */

/* The provider counts what was sent before. */
static void a_start_sends_no_more_than_the_provider_takes(void **state)
{
	static const struct content many = {0, 40, -1, -1, false};

	(void)state;
	user_write(spec(A), &many, false);
	while (tasks < 20)
		life_run(50);
	life_stop();
	life_start();
	life_run(5000);
	assert_int_equal(tasks, 20);
	life_run(LONG_MS);
	assert_true(tasks > 20);
}

/* It was told of, and the crash came before that was noted down. */
static void what_was_saved_in_the_last_moment_is_ordered(void **state)
{
	(void)state;
	drop(C, &boat);
	user_write(text(A), &fox, false);
	life_crash();
	life_start();
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	assert_int_equal(tasks, 2);
}

/* ------------------------------------------------------------------ orders */

static void what_is_unknown_is_ordered_again_when_asked(void **state)
{
	(void)state;
	provider_script("n");
	drop(A, &fox);
	ASSERT_STATE(A, "unknown");
	assert_int_equal(order("retry", A), 0);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	assert_int_equal(tasks, 1);
}

static void what_was_answered_outlives_a_kill(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	drop(A, &fox);
	life_crash_after(1);
	assert_true(order("cancel", A) < 0);
	life_start();
	life_run(LONG_MS);
	ASSERT_STATE(A, "held");
}

static void what_is_under_way_is_not_forgotten(void **state)
{
	(void)state;
	provider_take(HOUR_MS);
	drop(A, &fox);
	ASSERT_STATE(A, "running");
	assert_int_equal(order("forget", A), -EBUSY);
	life_run(2 * HOUR_MS);
	ASSERT_STATE(A, "done");
}

/* ------------------------------------------------------------------ who asks */

static int ask_of(const struct person *asker, const char *verb, const char *file)
{
	AUTO_FREE char *line = format("%s %s/%s", verb, sim.model[0]->id, file), *answer = NULL;

	return orders_run(engine, line, asker, &answer);
}

static int ask(const struct person *asker, const char *verb)
{
	return ask_of(asker, verb, "a.txt");
}

static int ask_to_forget(const struct person *asker)
{
	const struct job_key key = {sim.model[0]->id, "", "a"};
	AUTO_FREE char *answer = NULL;

	return orders_forget(engine, &key, asker, &answer);
}

static void be_of(const char *rights)
{
	const struct job_key key = {sim.model[0]->id, "", "a"};
	struct takes takes;

	assert_int_equal(jobs_takes(&engine->jobs, &key, &takes), 0);
	assert_int_equal(takes.count, 1);
	job_set_text(&takes.item[0]->row.rights, rights);
	job_update(takes.item[0]);
	assert_int_equal(engine_commit(engine), 0);
	takes_clear(&takes);
}

static void nobody_orders_with_anothers_job(void **state)
{
	const struct person owner = {.uid = 54321, .gid = 54321}, other = {54322, 54322, 0, 0, 0};

	(void)state;
	drop(A, &fox);
	be_of("54321:54321:600");
	assert_int_equal(ask(&other, "retry"), -ENOENT);
	assert_int_equal(ask_of(&other, "retry", "out/a.mp4"), -ENOENT);
	assert_int_equal(ask_of(&other, "find", "out/a.mp4"), -ENOENT);
	be_of("54321:54321:644");
	assert_int_equal(ask(&other, "retry"), -EACCES);
	assert_int_equal(ask_of(&other, "retry", "out/a.mp4"), -EACCES);
	assert_int_equal(ask_of(&other, "find", "out/a.mp4"), 0);
	assert_int_equal(ask_to_forget(&other), -EACCES);
	if (geteuid() == 0) { /* else a folder that is closed to others is closed to us */
		assert_int_equal(fchmodat(sim.tree_fd, sim.model[0]->id, 0700, 0), 0);
		assert_int_equal(ask(&owner, "retry"), -ENOENT);
		assert_int_equal(fchmodat(sim.tree_fd, sim.model[0]->id, 0755, 0), 0);
	}
	assert_int_equal(tasks, 1);
	ASSERT_STATE(A, "done");
}

static void nobody_orders_with_anothers_picture(void **state)
{
	static const char words[] = "{\"prompt\":\"wave\",\"image_url\":\"cat.png\"}";
	size_t bytes;
	const char *image = picture_bytes(0, &bytes);
	AUTO_FREE char *cat = format("%s/cat.png", sim.model[2]->id);
	AUTO_FREE char *job = format("%s/a.json", sim.model[2]->id);

	(void)state;
	if (geteuid() != 0)
		skip(); /* only root can give files away */
	engine->tree.shared = true;
	put_file(2, "cat.png", image, bytes);
	put_file(2, "a.json", words, strlen(words));
	assert_int_equal(fchownat(sim.tree_fd, job, 54321, 54321, 0), 0);
	assert_int_equal(fchownat(sim.tree_fd, cat, 54322, 54322, 0), 0);
	assert_int_equal(fchmodat(sim.tree_fd, cat, 0600, 0), 0);
	life_run(LONG_MS);
	assert_int_equal(shown_at(2, "a")->state, JOB_REJECTED);
	assert_int_equal(provider_uploads, 0);
	assert_int_equal(tasks, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(what_changed_and_was_not_told_yet_is_sent_as_it_is),
		CASE(nothing_is_sent_while_it_is_being_saved_anew),
		CASE(what_is_being_written_is_not_judged),
		CASE(nothing_is_sent_from_a_mount_that_cannot_show_it),
		CASE(a_prompt_waits_for_a_picture_that_may_follow),
		CASE(a_picture_that_is_another_is_uploaded_as_it_is),
		CASE(a_body_that_was_not_whole_is_no_order),
		CASE(a_body_that_was_answered_before_its_end_may_be_an_order),
		CASE(a_link_that_died_as_the_job_was_held_is_not_sent),
		CASE(a_start_sends_no_more_than_the_provider_takes),
		CASE(what_was_saved_in_the_last_moment_is_ordered),
		CASE(what_is_unknown_is_ordered_again_when_asked),
		CASE(what_was_answered_outlives_a_kill),
		CASE(what_is_under_way_is_not_forgotten),
		CASE(nobody_orders_with_anothers_job),
		CASE(nobody_orders_with_anothers_picture),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

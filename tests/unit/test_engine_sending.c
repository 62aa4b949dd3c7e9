/* test_engine_sending.c - what is sent, and what is not: as pictures are uploaded, as files are
 * written, and by what the provider answers. */
#include "fs/base/clock.h"
#include "fs/config/config.h"
#include "fs/engine/core.h"
#include "tests/unit/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ------------------------------------------------------------------ uploads */

/* A job with a picture whose upload has failed, and is tried again after seconds. */
static void start_uploading(void)
{
	static const struct content picture = {-1, -1, -1, 0, false};

	provider_script("u");
	user_write(place_at(2, 0, A, KIND_PICTURE), &picture, false);
	user_write(place_at(2, 0, A, KIND_SPEC), &fox, false);
	life_run(3 * QUIET_MS);
	assert_string_equal(job_state_name(shown_at(2, "a")->state), "uploading");
}

static void cancelled_as_it_uploads_it_is_never_sent(void **state)
{
	(void)state;
	start_uploading();
	allowed_cancelled(job_at(place_at(2, 0, A, KIND_SPEC)), true);
	assert_int_equal(life_order("cancel", job_at(place_at(2, 0, A, KIND_SPEC))), 0);
	life_run(LONG_MS);
	assert_string_equal(job_state_name(shown_at(2, "a")->state), "cancelled");
	assert_int_equal(tasks, 0);
}

static void its_picture_gone_as_it_uploads_it_waits_for_one(void **state)
{
	(void)state;
	start_uploading();
	user_remove(place_at(2, 0, A, KIND_PICTURE));
	life_run(QUIET_MS);
	assert_string_equal(job_state_name(shown_at(2, "a")->state), "waiting");
	life_run(LONG_MS);
	assert_int_equal(tasks, 0);
}

static void its_spec_spoilt_as_it_uploads_it_is_rejected(void **state)
{
	static const struct content spoilt = {0, TAKES_MAX + 1, -1, -1, false};

	(void)state;
	start_uploading();
	user_write(place_at(2, 0, A, KIND_SPEC), &spoilt, false);
	life_run(QUIET_MS);
	assert_string_equal(job_state_name(shown_at(2, "a")->state), "rejected");
	life_run(LONG_MS);
	assert_int_equal(tasks, 0);
}

/* ------------------------------------------------------------------ answers */

static void drop_picture(void)
{
	const struct content picture = {-1, -1, -1, 0, false};

	user_write(place_at(2, 0, B, KIND_PICTURE), &picture, false);
	user_write(place_at(2, 0, B, KIND_PROMPT), &boat, false);
	life_run(LONG_MS);
}

static int retry_picture(void)
{
	const int job = job_at(place_at(2, 0, B, KIND_PROMPT));
	int error;

	allowed_more(job, 1);
	error = life_order("retry", job);
	life_run(LONG_MS);
	return error;
}

static void assert_uploaded_anew_after(const char *outcome)
{
	provider_script(outcome);
	drop_picture();
	assert_int_equal(shown_at(2, "b")->state, JOB_FAILED);
	assert_int_equal(provider_uploads, 1);
	assert_int_equal(retry_picture(), 0);
	assert_int_equal(shown_at(2, "b")->state, JOB_DONE);
	assert_int_equal(provider_uploads, 2);
	assert_sound();
}

/* Its files are gone, and the link of the picture has died since: it says so, and does not try all
 * the time. */
static void a_retry_whose_picture_is_gone_is_held(void **state)
{
	(void)state;
	drop_picture();
	assert_int_equal(shown_at(2, "b")->state, JOB_DONE);
	user_remove(place_at(2, 0, B, KIND_PROMPT));
	user_remove(place_at(2, 0, B, KIND_PICTURE));
	life_run(13 * HOUR_MS);
	assert_int_equal(retry_picture(), 0);
	assert_int_equal(shown_at(2, "b")->state, JOB_HELD);
	assert_non_null(strstr(shown_at(2, "b")->problem, "b.png"));
	assert_true(engine_next_ms(engine) > clock_steady_ms() + 1000);
	assert_int_equal(tasks, 1);
	drop_picture();
	life_run(HOUR_MS);
	assert_int_equal(shown_at(2, "b")->state, JOB_DONE);
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void a_picture_that_was_refused_is_uploaded_anew(void **state)
{
	(void)state;
	assert_uploaded_anew_after("p");
}

static void a_picture_that_a_task_failed_by_is_uploaded_anew(void **state)
{
	(void)state;
	assert_uploaded_anew_after("q");
}

static void a_picture_that_is_not_to_blame_is_used_again(void **state)
{
	(void)state;
	provider_script("r");
	drop_picture();
	assert_int_equal(shown_at(2, "b")->state, JOB_FAILED);
	assert_int_equal(retry_picture(), 0);
	assert_int_equal(shown_at(2, "b")->state, JOB_DONE);
	assert_int_equal(provider_uploads, 1);
}

static void assert_only_one_has_the_task(void)
{
	int other = shown(A)->state == JOB_UNKNOWN ? A : B;

	ASSERT_STATE(other == A ? B : A, "done");
	ASSERT_STATE(other, "unknown");
	assert_null(shown(other)->task);
	assert_non_null(strstr(shown(other)->problem, other == A ? "/b (take 1)" : "/a (take 1)"));
	assert_int_equal(tasks, 2);
}

static void a_task_of_another_job_is_nobody_elses(void **state)
{
	(void)state;
	provider_script("as");
	drop(A, &fox);
	drop(B, &boat);
	ASSERT_STATE(B, "unknown");
	assert_only_one_has_the_task();
	life_stop();
	life_start();
	life_run(LONG_MS);
	assert_only_one_has_the_task();
}

static void a_task_of_another_job_in_the_same_moment_is_one_jobs(void **state)
{
	(void)state;
	provider_script("as");
	user_write(text(A), &fox, false);
	user_write(text(B), &boat, false);
	life_run(LONG_MS);
	assert_only_one_has_the_task();
}

static void a_task_of_a_forgotten_job_is_not_given_again(void **state)
{
	(void)state;
	provider_script("as");
	drop(A, &fox);
	assert_int_equal(order("forget", A), 0);
	drop(B, &boat);
	ASSERT_STATE(B, "unknown");
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

static void nothing_is_sent_that_cannot_be_looked_at(void **state)
{
	struct rlimit before, none;

	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	drop(A, &fox);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	life_config()->caps.jobs_per_day = 0;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){3, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0); /* no descriptor more */
	life_run(20 * 60 * 1000);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(tasks, 1);
	life_run(20 * 60 * 1000);
	ASSERT_STATE(A, "done");
}

/* A job whose turn comes as the machine wakes: what was done meanwhile is still to be told. */
static void nothing_is_sent_right_after_a_sleep(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	drop(A, &fox);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	life_config()->caps.jobs_per_day = 0;
	engine->loop.awake_since_ms = clock_steady_ms(); /* just now */
	assert_int_equal(order("release", A), 0);
	life_run(100);
	assert_int_equal(tasks, 1);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
}

/* It slept in the middle of its work, not while it waited for some. */
static void nothing_is_sent_in_the_turn_it_slept_in(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	drop(A, &fox);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	life_config()->caps.jobs_per_day = 0;
	life_sleeps_ms = 3600 * 1000;
	assert_int_equal(order("release", A), 0);
	life_run(100);
	assert_int_equal(life_sleeps_ms, 0);
	assert_int_equal(tasks, 1);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
}

/* Opened to write, and not written yet: what it looks like says nothing. */
static void nothing_is_sent_while_somebody_may_write_it(void **state)
{
	struct file *file;

	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	drop(A, &fox);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	file = user_find(text(A), false);
	file->fd = openat(sim.tree_fd, place_name(text(A), false), O_RDWR | O_CLOEXEC);
	assert_true(file->fd >= 0);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * 60 * 1000);
	assert_int_equal(tasks, 1);
	assert_int_equal(close(file->fd), 0);
	file->fd = -1;
	life_run(20 * 60 * 1000);
	ASSERT_STATE(A, "done");
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
	const struct CMUnitTest tests[] = {
		CASE(cancelled_as_it_uploads_it_is_never_sent),
		CASE(its_picture_gone_as_it_uploads_it_waits_for_one),
		CASE(its_spec_spoilt_as_it_uploads_it_is_rejected),
		CASE(a_retry_whose_picture_is_gone_is_held),
		CASE(a_picture_that_was_refused_is_uploaded_anew),
		CASE(a_picture_that_a_task_failed_by_is_uploaded_anew),
		CASE(a_picture_that_is_not_to_blame_is_used_again),
		CASE(a_task_of_another_job_is_nobody_elses),
		CASE(a_task_of_another_job_in_the_same_moment_is_one_jobs),
		CASE(a_task_of_a_forgotten_job_is_not_given_again),
		CASE(a_name_that_is_taken_is_another),
		CASE(nothing_is_sent_while_it_settles),
		CASE(nothing_is_sent_that_cannot_be_looked_at),
		CASE(nothing_is_sent_right_after_a_sleep),
		CASE(nothing_is_sent_in_the_turn_it_slept_in),
		CASE(nothing_is_sent_while_somebody_may_write_it),
		CASE(a_late_report_orders_nothing_again),
		CASE(a_create_that_comes_back_too_late_is_dropped),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

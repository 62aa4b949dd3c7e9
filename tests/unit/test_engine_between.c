/* test_engine_between.c - what goes wrong between the parts, each of which is right. */
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/engine/core.h"
#include "tests/unit/engine.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A filesystem, or the kernel, may know of a name that nobody else sees. */
static void a_name_that_only_looks_free_is_tried_again_after_a_pause(void **state)
{
	(void)state;
	host_fail_all(-EEXIST);
	drop(A, &fox);
	assert_string_equal(sim.failure, ""); /* it came to rest in between */
	ASSERT_STATE(A, "downloading");
	host_fail_all(0);
	life_run(10 * 60 * 1000);
	ASSERT_STATE(A, "done");
	assert_sound();
}

/* A start judges it anew, with the first of its takes failed and the second not sent yet. */
static void a_take_that_failed_is_not_made_up_for_by_a_crash(void **state)
{
	static const struct content two = {0, 2, -1, -1, false};

	(void)state;
	provider_script("fb");
	user_write(spec(A), &two, false);
	life_run(30000);
	assert_int_equal(shown(A)->hold, HOLD_PROVIDER);
	assert_int_equal(tasks, 1);
	life_crash();
	life_start();
	life_run(4 * LONG_MS);
	ASSERT_STATE(A, "done");
	assert_int_equal(tasks, 2);
	assert_sound();
}

/* What kinofs itself puts into out/ is a file like any other to the job that names it. */
static void a_result_is_what_another_job_waited_for(void **state)
{
	AUTO_FREE char *next = format("{\"prompt\": \"a boat sails\", \"%s\": \"%s%s/out/a.png\"}",
		model_slot(sim.model[2], MEDIA_PICTURE, "")->field->name,
		strchr(sim.model[2]->id, '/') ? "../../" : "../", sim.model[0]->id);

	(void)state;
	put_file(2, "b.json", next, strlen(next));
	life_run(LONG_MS);
	assert_string_equal(job_state_name(shown_at(2, "b")->state), "waiting");
	assert_non_null(strstr(shown_at(2, "b")->problem, "which is not there yet"));
	results_script("p", 0);
	drop(A, &fox);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	assert_string_equal(job_state_name(shown_at(2, "b")->state), "submitting");
}

static bool remove_part(void)
{
	int folder = openat(sim.store_fd, "incoming", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool removed = false;
	DIR *names = fdopendir(folder);
	struct dirent *entry;
	struct stat info;

	assert_non_null(names);
	while ((entry = readdir(names)))
		if (strstr(entry->d_name, ".part") &&
			fstatat(folder, entry->d_name, &info, 0) == 0 && info.st_size > 0 &&
			unlinkat(folder, entry->d_name, 0) == 0)
			removed = true;
	(void)closedir(names);
	return removed;
}

/* Somebody tidies up underneath the mount, just as it is made durable. */
static void a_part_that_is_gone_is_fetched_again(void **state)
{
	bool removed = false;

	(void)state;
	host_be_kind(false); /* it takes its time */
	for (int stem = A; stem <= C && !removed; stem++) {
		const struct content content = {stem, -1, -1, -1, false};

		user_write(text(stem), &content, false);
		for (int i = 0; i < 1000 && !removed; i++) {
			life_run(50);
			removed = remove_part();
		}
	}
	assert_true(removed);
	host_be_kind(true);
	life_run(10 * LONG_MS);
	for (int stem = A; stem < tasks; stem++)
		ASSERT_STATE(stem, "done");
	assert_sound();
}

static void a_picture_that_cannot_be_read_is_told_of_and_tried_again_after_a_pause(void **state)
{
	static const char words[] = "{\"prompt\":\"wave\",\"image_url\":\"cat.png\"}";
	size_t bytes;
	const char *picture = picture_bytes(0, &bytes);

	(void)state;
	hashing_defer(engine->hashing);
	life_cannot_hash = -EIO;
	life_hashed = 0;
	put_file(2, "cat.png", picture, bytes);
	put_file(2, "a.json", words, strlen(words));
	engine_turn(engine);
	run_late(LONG_MS);
	assert_true(life_hashed > 1 && life_hashed < LONG_MS / QUIET_MS * 3);
	assert_non_null(strstr(shown_at(2, "a")->problem, "cannot be looked at"));
	life_cannot_hash = 0;
	run_late(QUIET_MS);
	assert_false(shown_at(2, "a")->settling);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(a_name_that_only_looks_free_is_tried_again_after_a_pause),
		CASE(a_take_that_failed_is_not_made_up_for_by_a_crash),
		CASE(a_result_is_what_another_job_waited_for),
		CASE(a_part_that_is_gone_is_fetched_again),
		CASE(a_picture_that_cannot_be_read_is_told_of_and_tried_again_after_a_pause),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

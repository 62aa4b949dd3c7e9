/* test_engine_many.c - what many files at once cost. */
#include "fs/base/clock.h"
#include "fs/config/config.h"
#include "fs/engine/core.h"
#include "fs/engine/intake.h"
#include "fs/journal/statements.h"
#include "tests/unit/engine.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double cpu_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* So many different prompts, all held by a cap. */
static void put_prompts(const char *folder, int count)
{
	life_config()->caps.credits_per_job = 0.001;
	for (int i = 0; i < count; i++) {
		char name[32], words[32];

		(void)snprintf(name, sizeof(name), "%s/p%05d.txt", folder, i);
		(void)snprintf(words, sizeof(words), "wave number %d", i);
		put_file(0, name, words, strlen(words));
	}
	run_late(LONG_MS);
}

static void move_folder(const char *from, const char *to)
{
	char old[64], new[64];

	(void)snprintf(old, sizeof(old), "%s/%s", sim.model[0]->id, from);
	(void)snprintf(new, sizeof(new), "%s/%s", sim.model[0]->id, to);
	assert_int_equal(renameat(sim.tree_fd, old, sim.tree_fd, new), 0);
	intake_moved(engine_intake(engine), old, new, clock_wall_ms());
}

static int records_in(const char *folder)
{
	sqlite3_stmt *count = NULL;
	int records;

	assert_int_equal(
		sqlite3_prepare_v2(life_journal()->db,
			"SELECT count(*) FROM job WHERE shown = 1 AND dir = CAST(? AS BLOB)", -1,
			&count, NULL),
		SQLITE_OK);
	(void)sqlite3_bind_text(count, 1, folder, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(count), SQLITE_ROW);
	records = sqlite3_column_int(count, 0);
	(void)sqlite3_finalize(count);
	return records;
}

/* What a rename of a folder of so many prompts takes, until all of its jobs have gone along. */
static double rename_ms(int count)
{
	double begin;

	put_prompts("s", count);
	assert_int_equal(records_in("s"), count);
	begin = cpu_ms();
	move_folder("s", "moved");
	run_late(QUIET_MS);
	assert_int_equal(records_in("moved"), count);
	assert_int_equal(records_in("s"), 0);
	return cpu_ms() - begin;
}

static void begin_anew(void)
{
	life_end();
	assert_int_equal(engine_set_up(NULL), 0);
}

/* Linear is 4; a look at all of them for each is 16. */
static void a_renamed_folder_costs_what_its_files_do(void **state)
{
	const int count = run_is_slow() ? 50 : 500;
	double few, many;

	(void)state;
	few = rename_ms(count);
	begin_anew();
	many = rename_ms(4 * count);
	if (many > 7 * few)
		fail_msg("%d files took %.0f ms, %d took %.0f", count, few, 4 * count, many);
}

/* Nor is anything judged of which not all is known that was told. */
static void a_renamed_folder_takes_turns(void **state)
{
	enum { COUNT = 100, SLICE = 8 };
	int turns = 0;

	(void)state;
	put_prompts("s", COUNT);
	engine->loop.slice = SLICE;
	move_folder("s", "moved");
	put_file(0, "moved/p00099.txt", "other words", strlen("other words"));
	for (; engine->moving || !turns; turns++) {
		engine_turn(engine);
		assert_true(records_in("moved") <= (turns + 1) * SLICE);
		assert_true(!engine->moving || engine_next_ms(engine) <= clock_steady_ms());
	}
	assert_true(turns >= COUNT / SLICE && turns <= 2 * COUNT / SLICE);
	run_late(QUIET_MS);
	assert_int_equal(records_in("moved"), COUNT);
	assert_int_equal(records_in("s"), 1); /* of what was saved over: withdrawn */
	assert_true(settle_is_empty(&engine->settle));
}

static void a_picture_that_comes_is_no_look_at_all_jobs(void **state)
{
	enum { COUNT = 20 };
	size_t bytes;
	const char *picture = picture_bytes(0, &bytes);

	(void)state;
	life_config()->caps.credits_per_job = 0.001;
	for (int i = 0; i < COUNT; i++) {
		char name[32], text_of[80];

		(void)snprintf(name, sizeof(name), "s/p%05d.json", i);
		(void)snprintf(text_of, sizeof(text_of),
			"{\"prompt\":\"wave %d\",\"image_url\":\"picture%05d.png\"}", i, i);
		put_file(2, name, text_of, strlen(text_of));
	}
	run_late(LONG_MS);
	assert_int_equal(engine->jobs.waiting, COUNT);
	life_looks_at_all = 0;
	for (int i = 0; i < COUNT; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "s/picture%05d.png", i);
		put_file(2, name, picture, bytes);
	}
	run_late(QUIET_MS);
	assert_int_equal(engine->jobs.waiting, 0);
	assert_int_equal(records_in("s"), COUNT);
	assert_int_equal(life_looks_at_all, 0);
}

/* Whoever else names it. */
static void a_job_settles_until_its_picture_is_hashed_once(void **state)
{
	size_t bytes;
	const char *picture = picture_bytes(0, &bytes);

	(void)state;
	life_config()->caps.credits_per_job = 0.001;
	hashing_defer(engine->hashing);
	put_file(2, "cat.png", picture, bytes);
	for (int i = 0; i < 3; i++) {
		char name[16], spec_text[80];

		(void)snprintf(name, sizeof(name), "%c.json", 'a' + i);
		(void)snprintf(spec_text, sizeof(spec_text),
			"{\"prompt\":\"wave %d\",\"image_url\":\"cat.png\"}", i);
		put_file(2, name, spec_text, strlen(spec_text));
	}
	life_hashed = 0;
	for (int i = 0; i < 100; i++) {
		clock_go_to(clock_steady_ms() + 100);
		engine_turn(engine);
	}
	assert_true(shown_at(2, "a")->settling && shown_at(2, "c")->settling);
	assert_int_equal(life_hashed, 0);
	run_late(1000);
	for (int i = 0; i < 3; i++) {
		char stem[2] = {(char)('a' + i), '\0'};

		assert_false(shown_at(2, stem)->settling);
		assert_string_equal(job_state_name(shown_at(2, stem)->state), "uploading");
	}
	assert_int_equal(life_hashed, 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(a_renamed_folder_costs_what_its_files_do),
		CASE(a_renamed_folder_takes_turns),
		CASE(a_job_settles_until_its_picture_is_hashed_once),
		CASE(a_picture_that_comes_is_no_look_at_all_jobs),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

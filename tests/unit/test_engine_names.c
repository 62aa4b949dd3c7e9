/* test_engine_names.c - jobs by the names of their files: lines of batches, any bytes, links, and
 * who owns what. */
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/config/config.h"
#include "fs/engine/core.h"
#include "fs/engine/intake.h"
#include "fs/engine/orders.h"
#include "tests/unit/engine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------ batches */

static char batch_path[2][64]; /* the last two names */

static void name_batch(const char *name)
{
	memcpy(batch_path[1], batch_path[0], sizeof(batch_path[0]));
	(void)snprintf(batch_path[0], sizeof(batch_path[0]), "%s/%s.jsonl", sim.model[0]->id, name);
}

static void batch_changed(bool made)
{
	struct stat info;

	assert_int_equal(fstatat(sim.tree_fd, batch_path[0], &info, 0), 0);
	times_changed(&info, made);
}

/* Who counts what may be ordered knows of no batches: it is shown a file that says the same. */
static void allow_line(void)
{
	const int place = place_at(0, 2, C, KIND_PROMPT);
	struct file *file = user_find(place, false);

	if (!file)
		file = &sim.file[sim.files++];
	*file = (struct file){.place = place,
		.content = fox,
		.saved_ms = clock_wall_ms(),
		.fd = -1,
		.writing = -1};
	allowed_learn(job_at(place), clock_wall_ms());
}

static void save_batch(const char *name)
{
	static const char line[] = "{\"prompt\": \"a fox runs\"}\n";
	struct timespec both[2] = {{0}, {0}};
	int fd;

	name_batch(name);
	both[1].tv_sec = clock_wall_ms() / 1000;
	fd = openat(sim.tree_fd, batch_path[0], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_int_equal(write(fd, line, sizeof(line) - 1), sizeof(line) - 1);
	assert_int_equal(futimens(fd, both), 0);
	(void)close(fd);
	batch_changed(true);
	allow_line();
	host_tell(TOLD_CHANGED, batch_path[0], NULL, -1);
}

static void rename_batch(const char *name)
{
	name_batch(name);
	assert_int_equal(renameat(sim.tree_fd, batch_path[1], sim.tree_fd, batch_path[0]), 0);
	batch_changed(false);
	host_tell(TOLD_MOVED, batch_path[1], batch_path[0], -1);
}

static void a_failed_line_is_not_ordered_by_a_rename(void **state)
{
	(void)state;
	provider_script("f");
	save_batch("list");
	life_run(LONG_MS);
	assert_int_equal(shown_at(0, "list-0001")->state, JOB_FAILED);
	rename_batch("film");
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	save_batch("film");
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
	assert_int_equal(shown_at(0, "film-0001")->state, JOB_DONE);
}

static void a_line_that_was_saved_before_it_was_cancelled_stays_so(void **state)
{
	char *answer = NULL, line[128];

	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	save_batch("list");
	life_run(QUIET_MS);
	assert_int_equal(shown_at(0, "list-0001")->hold, HOLD_CAP);
	save_batch("list");
	life_run(500);
	(void)snprintf(line, sizeof(line), "cancel %s/list-0001", sim.model[0]->id);
	assert_int_equal(orders_run(engine, line, NULL, &answer), 0);
	free(answer);
	life_config()->caps.jobs_per_day = 0;
	life_run(LONG_MS);
	assert_int_equal(shown_at(0, "list-0001")->state, JOB_CANCELLED);
	assert_int_equal(tasks, 1);
}

/* ------------------------------------------------------------------ names */

static unsigned drawn = 1;

static unsigned draw(unsigned below)
{
	drawn = drawn * 1103515245 + 12345;
	return (drawn >> 16) % below;
}

/* Any bytes that a name may have, as long as it is no scratch file's and the last part of it. */
static void draw_name(char *name, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		name[i] = (char)(1 + draw(255));
		if (name[i] == '/' || name[i] == '.')
			name[i] = 'x';
	}
	name[0] = 'n';
	name[bytes] = '\0';
}

/* A path of so many folders. */
static char *draw_folders(unsigned depth)
{
	char *path = strdup(""), part[24];

	while (depth--) {
		AUTO_FREE char *above = path;

		draw_name(part, sizeof(part) - 1);
		path = path_join(above, part);
	}
	return path;
}

static void drop_named(const char *dir, const char *name, const char *text)
{
	AUTO_FREE char *folder = path_join(sim.model[0]->id, dir), *path = path_join(folder, name);
	struct timespec both[2] = {{0}, {0}};
	AUTO_FD int at = -1, fd = -1;
	struct stat info;

	both[1].tv_sec = clock_wall_ms() / 1000;
	assert_int_equal(folders_make(sim.tree_fd, folder, 0755, O_NOFOLLOW), 0);
	at = folders_open(sim.tree_fd, folder);
	fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(futimens(fd, both), 0);
	assert_int_equal(fstat(fd, &info), 0);
	times_changed(&info, true);
	allow_line();
	intake_changed(engine_intake(engine), path, clock_wall_ms());
}

/* What stands in the job's folder below out/, of such an end: its path, in a buffer that is used
 * again; NULL: nothing. */
static const char *find_in_out(const char *dir, const char *end)
{
	static char path[8192];
	AUTO_FREE char *out = path_join(sim.model[0]->id, "out"), *folder = path_join(out, dir);
	int fd = folders_open(sim.tree_fd, folder);
	int real = openat(fd, ".", O_RDONLY | O_DIRECTORY);
	DIR *list = real < 0 ? NULL : fdopendir(real);
	const struct dirent *entry;
	bool found = false;

	while (list && !found && (entry = readdir(list))) {
		found = strlen(entry->d_name) >= strlen(end) &&
		        !strcmp(entry->d_name + strlen(entry->d_name) - strlen(end), end);
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
	}
	if (list)
		closedir(list);
	close(fd);
	return found ? path : NULL;
}

static bool is_in_out(const char *dir, const char *end)
{
	return find_in_out(dir, end) != NULL;
}

static const struct job_row *row_of(const char *dir, const char *stem)
{
	const struct job_key key = {sim.model[0]->id, dir, stem};

	rows_free(&rows);
	assert_int_equal(journal_takes(life_journal(), &key, &rows), 0);
	return rows.count ? rows.item[0] : NULL;
}

/* "VERB PATH": what is answered, in a buffer that is used again. */
static const char *say(const char *verb, const char *path, int wanted)
{
	static char said[8192];
	AUTO_FREE char *line = format("%s %s", verb, path), *answer = NULL;

	allowed_more(job_at(place_at(0, 2, C, KIND_PROMPT)), 2);
	assert_int_equal(orders_run(engine, line, NULL, &answer), wanted);
	(void)snprintf(said, sizeof(said), "%s", answer);
	return said;
}

static void retry_named(const char *dir, const char *stem)
{
	AUTO_FREE char *folder = path_join(sim.model[0]->id, dir), *path = path_join(folder, stem);

	(void)say("retry", path, 0);
}

/* It has no take yet that could be withdrawn. */
static void who_cancels_a_change_to_what_was_ordered_hears_how(void **state)
{
	AUTO_FREE char *path = path_join(sim.model[0]->id, "a.txt");

	(void)state;
	drop(A, &fox);
	ASSERT_STATE(A, "done");
	user_write(text(A), &boat, false);
	life_run(QUIET_MS);
	assert_non_null(strstr(say("cancel", path, -EBUSY), "remove its files"));
	user_write(text(A), &fox, false);
	life_run(LONG_MS);
	assert_non_null(strstr(say("cancel", path, -EINVAL), "has ended"));
	assert_int_equal(tasks, 1);
}

/* By what came of it, whatever its name has become there. */
static void retry_made(const char *dir, const char *end)
{
	assert_true(is_in_out(dir, end));
	(void)say("retry", find_in_out(dir, end), 0);
}

static void what_was_ordered_arrives_under_any_name(void **state)
{
	static const unsigned depths[] = {0, 1, 3, 200};

	for (int round = 0; round < 24; round++) {
		bool is_batch = round % 4 == 3, fails = round % 5 == 4;
		size_t longest = NAME_MAX - strlen(is_batch ? ".jsonl" : ".txt");
		size_t bytes = draw(3) ? longest - draw(12) : 1 + draw((unsigned)longest);
		AUTO_FREE char *dir = draw_folders(depths[round % 8 ? draw(3) : 3]);
		AUTO_FREE char *name = NULL, *job = NULL;
		char stem[NAME_MAX + 1];

		draw_name(stem, bytes);
		name = format("%s%s", stem, is_batch ? ".jsonl" : ".txt");
		job = format("%s%s", stem, is_batch ? "-0001" : "");
		if (fails)
			provider_script("f");
		drop_named(dir, name, is_batch ? "{\"prompt\": \"a fox runs\"}\n" : "a fox runs");
		life_run(LONG_MS);
		assert_non_null(row_of(dir, job));
		assert_int_equal(row_of(dir, job)->state, fails ? JOB_FAILED : JOB_DONE);
		if (draw(4))
			retry_made(dir, fails ? ".error.txt" : ".mp4");
		else
			retry_named(dir, job);
		life_run(LONG_MS);
		assert_int_equal(row_of(dir, job)->state, JOB_DONE);
		assert_true(is_in_out(dir, fails ? ".mp4" : ".2.mp4"));
		assert_false(is_in_out(dir, ".error.txt"));
		(void)engine_tear_down(state);
		(void)engine_set_up(state);
	}
}

static void put_link(const char *target, const char *path)
{
	AUTO_FREE char *whole = path_join(sim.model[0]->id, path);

	AUTO_FREE char *folder = path_folder(whole);

	assert_int_equal(folders_make(sim.tree_fd, folder, 0755, O_NOFOLLOW), 0);
	assert_int_equal(symlinkat(target, sim.tree_fd, whole), 0);
}

static void no_link_in_out_is_followed(void **state)
{
	struct stat info;

	(void)state;
	assert_int_equal(mkdirat(sim.store_fd, "elsewhere", 0755), 0);
	put_link("../../../../elsewhere", "out/s");
	provider_script("f");
	drop_named("s/deep", "a.txt", "a fox runs");
	life_run(LONG_MS);
	retry_made("", "s~deep~a.error.txt");
	life_run(LONG_MS);
	assert_int_equal(row_of("s/deep", "a")->state, JOB_DONE);
	retry_made("", "s~deep~a.mp4");
	life_run(LONG_MS);
	retry_made("", "s~deep~a.2.mp4");
	life_run(LONG_MS);
	assert_int_equal(row_of("s/deep", "a")->take, 4);
	assert_false(is_in_out("", ".error.txt"));
	assert_int_equal(fstatat(sim.store_fd, "elsewhere", &info, 0), 0);
	assert_int_equal(info.st_nlink, 2);
	assert_int_equal(unlinkat(sim.store_fd, "elsewhere", AT_REMOVEDIR), 0);
}

/* ------------------------------------------------------------------ results and notes */

/* What the engine calls the job of a file. */
static void assert_job_of(const char *file, const char *record)
{
	AUTO_FREE char *path = path_join(sim.model[0]->id, file);
	AUTO_FREE char *wanted = path_join(sim.model[0]->id, record);

	assert_string_equal(say("find", path, 0), wanted);
}

static void an_order_may_name_what_came_of_a_job(void **state)
{
	(void)state;
	results_script("gg", 0);
	drop_named("s", "a.txt", "a fox runs");
	life_run(LONG_MS);
	assert_job_of("s/a.txt", "jobs/s/a.json");
	assert_job_of("jobs/s/a.json", "jobs/s/a.json");
	assert_job_of("out/s/a.mp4", "jobs/s/a.json");
	assert_job_of("out/s/a-2.mp4", "jobs/s/a.json");
	retry_made("s", "a-2.mp4");
	provider_script("f");
	life_run(LONG_MS);
	assert_int_equal(row_of("s", "a")->take, 2);
	assert_job_of("out/s/a.error.txt", "jobs/s/a.json");
	retry_made("s", "a.error.txt");
	life_run(LONG_MS);
	assert_int_equal(row_of("s", "a")->state, JOB_DONE);
	assert_int_equal(row_of("s", "a")->take, 3);
}

static void the_job_with_such_a_name_is_not_the_one_that_made_it(void **state)
{
	(void)state;
	drop_named("", "a.2.txt", "a fox runs"); /* out/a.2.mp4 */
	drop(A, &boat);
	allowed_more(job_at(text(A)), 2);
	retry_made("", "a.mp4"); /* out/a.2.mp4 is taken: out/a.3.mp4 */
	life_run(LONG_MS);
	assert_job_of("out/a.2.mp4", "jobs/a.2.json");
	assert_job_of("out/a.3.mp4", "jobs/a.json");
}

static void a_job_that_was_renamed_since_is_found_by_its_result(void **state)
{
	(void)state;
	drop(A, &fox);
	user_rename(text(A), false, text(B));
	life_run(LONG_MS);
	assert_null(row_of("", "a"));
	assert_job_of("out/a.mp4", "jobs/b.json");
	assert_int_equal(order("retry", B), 0);
	life_run(LONG_MS);
	assert_job_of("out/a.mp4", "jobs/b.json"); /* of a take that is not shown any more */
	assert_job_of("out/b.mp4", "jobs/b.json");
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void a_file_of_the_users_in_out_is_no_result(void **state)
{
	AUTO_FREE char *mine = path_join(sim.model[0]->id, "out/mine.mp4");
	AUTO_FREE char *made = path_join(sim.model[0]->id, "out/a.mp4");
	AUTO_FREE char *ninth = path_join(sim.model[0]->id, "out/a.9.mp4");
	AUTO_FREE char *note = path_join(sim.model[0]->id, "out/mine.error.txt");

	(void)state;
	drop_named("", "a.txt", "a fox runs");
	drop_named("", "mine.json", "{\"prompt\": 1}"); /* it has a note, and no result */
	life_run(LONG_MS);
	assert_int_equal(renameat(sim.tree_fd, made, sim.tree_fd, mine), 0);
	assert_non_null(strstr(say("retry", mine, -ENOENT), "no result"));
	assert_non_null(strstr(say("find", mine, -ENOENT), "name the prompt, picture or record"));
	assert_int_equal(renameat(sim.tree_fd, mine, sim.tree_fd, ninth), 0);
	(void)say("retry", ninth, -ENOENT); /* though the job has made others of such a name */
	(void)say("find", note, 0);
	assert_int_equal(row_of("", "a")->take, 1);
}

static void the_overview_leads_to_the_job(void **state)
{
	AUTO_FREE char *made = path_join(sim.model[0]->id, "out/a.mp4");
	AUTO_FREE char *record = path_join(sim.model[0]->id, "jobs/a.json");

	(void)state;
	drop_named("", "a.txt", "a fox runs");
	life_run(LONG_MS);
	host_shows("a.film.mp4", made);
	assert_string_equal(say("find", "out/a.film.mp4", 0), record);
	assert_string_equal(say("find", "\"out/a.film.mp4\"", 0), record);
	(void)say("find", "out/b.mp4", -ENOENT);
	(void)say("find", "out", -ENOENT);
	(void)say("retry", "out/a.film.mp4", 0);
	life_run(LONG_MS);
	assert_int_equal(row_of("", "a")->take, 2);
}

/* ------------------------------------------------------------------ several users */

static void give_to(const char *name, uid_t uid, mode_t mode)
{
	AUTO_FREE char *path = path_join(sim.model[0]->id, name);

	assert_int_equal(fchownat(sim.tree_fd, path, uid, uid, 0), 0);
	assert_int_equal(fchmodat(sim.tree_fd, path, mode, 0), 0);
}

static void what_its_owner_may_not_read_any_more_is_not_sent(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* only root can give files away */
	engine->tree.shared = true;
	life_config()->caps.jobs_per_day = 1;
	drop(A, &fox);
	drop_named("", "two.json", "{}");
	drop_named("", "two.txt", "a boat");
	give_to("two.json", 54321, 0644);
	give_to("two.txt", 54322, 0644);
	life_run(LONG_MS);
	assert_int_equal(row_of("", "two")->hold, HOLD_CAP);
	assert_string_equal(row_of("", "two")->rights, "54321:54321:644");
	give_to("two.txt", 54322, 0600);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * 60 * 1000);
	assert_int_equal(row_of("", "two")->state, JOB_REJECTED);
	assert_string_equal(row_of("", "two")->rights, "54321:54321:600");
	assert_int_equal(tasks, 1);
}

static void a_note_may_be_read_by_who_may_read_the_files(void **state)
{
	struct stat note;

	(void)state;
	engine->tree.shared = true;
	drop_named("", "two.json", "{\"prompt\": 1, \"promt\": 2}");
	life_run(LONG_MS);
	assert_int_equal(row_of("", "two")->state, JOB_REJECTED);
	for (int i = 0; i < 3; i++) {
		const mode_t modes[] = {0644, 0600, 0640};
		AUTO_FREE char *path = path_join(sim.model[0]->id, "two.json");
		AUTO_FREE char *out = path_join(sim.model[0]->id, "out/two.error.txt");

		assert_int_equal(fchmodat(sim.tree_fd, path, modes[i], 0), 0);
		intake_owner(engine_intake(engine), path);
		life_run(1000);
		assert_int_equal(fstatat(sim.tree_fd, out, &note, 0), 0);
		assert_int_equal(note.st_mode & 0777, modes[i]);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(a_failed_line_is_not_ordered_by_a_rename),
		CASE(a_line_that_was_saved_before_it_was_cancelled_stays_so),
		CASE(who_cancels_a_change_to_what_was_ordered_hears_how),
		CASE(what_was_ordered_arrives_under_any_name),
		CASE(no_link_in_out_is_followed),
		CASE(an_order_may_name_what_came_of_a_job),
		CASE(the_job_with_such_a_name_is_not_the_one_that_made_it),
		CASE(a_job_that_was_renamed_since_is_found_by_its_result),
		CASE(a_file_of_the_users_in_out_is_no_result),
		CASE(the_overview_leads_to_the_job),
		CASE(what_its_owner_may_not_read_any_more_is_not_sent),
		CASE(a_note_may_be_read_by_who_may_read_the_files),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

/* test_engine_symlinks.c - jobs whose files are symbolic links. */
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

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PICTURES 2 /* a model whose picture is required, below a folder as the first one is */

/* As ln -sf does it, through the mount. */
static void put_link(int model, const char *name, const char *target)
{
	AUTO_FREE char *path = format("%s/%s", sim.model[model]->id, name);
	struct stat info;

	(void)unlinkat(sim.tree_fd, path, 0); /* there may be none */
	assert_int_equal(symlinkat(target, sim.tree_fd, path), 0);
	assert_int_equal(fstatat(sim.tree_fd, path, &info, AT_SYMLINK_NOFOLLOW), 0);
	times_changed(&info, true);
	if (engine)
		intake_changed(engine_intake(engine), path, clock_wall_ms());
}

static void put_bytes(int model, const char *name, const void *bytes, size_t count)
{
	AUTO_FREE char *path = format("%s/%s", sim.model[model]->id, name);
	AUTO_FREE char *folder = path_folder(path);

	assert_int_equal(folders_make(sim.tree_fd, folder, 0755, O_NOFOLLOW), 0);
	(void)unlinkat(sim.tree_fd, path, 0); /* nothing is written through a link */
	put_file(model, name, bytes, count);
}

static void put_text(int model, const char *name, const char *text)
{
	put_bytes(model, name, text, strlen(text));
}

static void put_picture(int model, const char *name, int number)
{
	size_t count;
	const char *bytes = picture_bytes(number, &count);

	put_bytes(model, name, bytes, count);
}

static const char *state_at(int model, const char *stem)
{
	const struct job_row *row = shown_at(model, stem);

	return row ? job_state_name(row->state) : "none";
}
#define ASSERT_STATE_AT(model, stem, wanted) assert_string_equal(state_at(model, stem), wanted)

static void show_file(int place, struct content content)
{
	struct file *file = user_find(place, false);

	if (!file)
		file = &sim.file[sim.files++];
	*file = (struct file){.place = place,
		.content = content,
		.saved_ms = clock_wall_ms(),
		.fd = -1,
		.writing = -1};
}

/* Who counts what may be ordered knows of no links: it is shown files that say the same. */
static void allow(int model, int prompt, int picture)
{
	const int place = place_at(model, 2, prompt, KIND_PROMPT);

	show_file(place, (struct content){prompt, -1, -1, -1, false});
	if (picture >= 0)
		show_file(place_at(model, 2, prompt, KIND_PICTURE),
			(struct content){-1, -1, -1, picture, false});
	allowed_learn(job_at(place), clock_wall_ms());
}

static bool has_problem(int model, const char *stem, const char *words)
{
	const struct job_row *row = shown_at(model, stem);

	return row && row->problem && strstr(row->problem, words);
}

/* The target is of another model, in its out/, and is not there yet; a chain leads to it. */
static void a_job_waits_for_what_its_link_leads_to(void **state)
{
	AUTO_FREE char *target = format("../../%s/out/cat.png", sim.model[0]->id);

	(void)state;
	allow(PICTURES, 0, 0);
	put_text(PICTURES, "dog.txt", "a fox runs");
	put_link(PICTURES, "latest", target);
	put_link(PICTURES, "dog.png", "latest");
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "waiting");
	assert_true(has_problem(PICTURES, "dog", "/out/cat.png, which is not there yet"));
	assert_int_equal(tasks, 0);
	put_picture(0, "out/cat.png", 0);
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "done");
	assert_int_equal(tasks, 1);
}

static int show(void *context, const char *name, char **path)
{
	struct stat info;

	(void)context;
	*path = format("%s/out/%s", sim.model[0]->id, name);
	if (fstatat(sim.tree_fd, *path, &info, 0) == 0)
		return 0;
	free(*path);
	*path = NULL;
	return -ENOENT;
}

static void a_job_waits_for_what_out_of_the_mount_point_is_to_show(void **state)
{
	(void)state;
	engine->tree.shown = show;
	allow(PICTURES, 0, 0);
	put_text(PICTURES, "dog.txt", "a fox runs");
	put_link(PICTURES, "dog.png", "../../out/cat.png");
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "waiting");
	put_picture(0, "out/cat.png", 0);
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "done");
}

static void a_link_on_the_way_that_is_made_anew_wakes_it(void **state)
{
	(void)state;
	allow(PICTURES, 0, 0);
	put_text(PICTURES, "dog.txt", "a fox runs");
	put_picture(PICTURES, "a/cat.png", 0);
	put_link(PICTURES, "latest", "b/cat.png");
	put_link(PICTURES, "dog.png", "latest");
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "waiting");
	put_link(PICTURES, "latest", "a/cat.png");
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "done");
}

/* What was asked for is still wanted when that has come back for which it had to wait. */
static void retry_without_its_picture(void)
{
	AUTO_FREE char *line = format("retry %s/dog.txt", sim.model[PICTURES]->id);
	AUTO_FREE char *picture = format("%s/a/cat.png", sim.model[PICTURES]->id);
	AUTO_FREE char *answer = NULL;

	allow(PICTURES, 0, 0);
	allowed_more(job_at(place_at(PICTURES, 2, 0, KIND_PROMPT)), 1);
	put_text(PICTURES, "dog.txt", "a fox runs");
	put_picture(PICTURES, "a/cat.png", 0);
	put_link(PICTURES, "dog.png", "a/cat.png");
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "done");
	assert_int_equal(unlinkat(sim.tree_fd, picture, 0), 0);
	assert_int_equal(orders_run(engine, line, NULL, &answer), 0);
	assert_non_null(strstr(answer, "as a new take"));
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "waiting");
	assert_int_equal(tasks, 1);
}

static void a_retry_waits_for_what_its_link_leads_to_and_goes(void **state)
{
	(void)state;
	retry_without_its_picture();
	put_picture(PICTURES, "a/cat.png", 0);
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "done");
	assert_int_equal(tasks, 2);
}

/* It is another order then, of which nobody has asked for another. */
static void a_retry_that_waits_is_not_of_what_is_saved_since(void **state)
{
	(void)state;
	retry_without_its_picture();
	put_text(PICTURES, "dog.txt", "a fox runs");
	life_run(QUIET_MS);
	put_picture(PICTURES, "a/cat.png", 0);
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "done");
	assert_int_equal(tasks, 1);
}

/* Saved where the link leads, it is not looked at: so that is said, and how it is. */
static void a_rejected_text_behind_a_link_says_how_it_goes_on(void **state)
{
	static const char spec[] = "{\"prompt\":\"x\",\"image_url\":\"cat.png\"}";

	(void)state;
	put_text(PICTURES, "specs/dog.json.txt", "{\"promt\":\"x\"}");
	put_link(PICTURES, "dog.json", "specs/dog.json.txt");
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "rejected");
	assert_non_null(strstr(shown_at(PICTURES, "dog")->advice, "make the link again"));
	put_text(PICTURES, "specs/dog.json.txt", spec);
	put_link(PICTURES, "dog.json", "specs/dog.json.txt");
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "waiting");
}

/* It is there for who looks, made by the mount, and no file that ever comes. */
static void what_leads_to_the_latest_says_so(void **state)
{
	static const char spec[] = "{\"prompt\":\"x\",\"image_url\":\"out/.latest/a.png\"}";

	(void)state;
	put_text(PICTURES, "cat.json", spec);
	put_text(PICTURES, "dog.txt", "a fox runs");
	put_link(PICTURES, "dog.png", "out/.latest/a.png");
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "cat", "rejected");
	assert_true(has_problem(PICTURES, "cat", "name the file itself"));
	ASSERT_STATE_AT(PICTURES, "dog", "rejected");
	assert_true(has_problem(PICTURES, "dog", "name the file itself"));
}

/* Nothing of the picture's path was there to be named by, or only what leads on. */
static void a_folder_on_the_way_that_comes_as_a_link_wakes_it(void **state)
{
	static const char spec[] = "{\"prompt\":\"a fox runs\",\"image_url\":\"shots/cat.png\"}";

	(void)state;
	allow(PICTURES, 0, 0);
	put_text(PICTURES, "dog.json", spec);
	put_picture(PICTURES, "a/cat.png", 0);
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "waiting");
	put_link(PICTURES, "shots", "b");
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "waiting");
	put_link(PICTURES, "b", "a");
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "done");
	assert_int_equal(tasks, 1);
}

/* Across a start, too: who was rejected is known to the journal alone. */
static void a_picture_mended_where_a_link_leads_lets_the_job_go(void **state)
{
	(void)state;
	allow(PICTURES, 0, 0);
	put_text(PICTURES, "b/cat.png", "no picture");
	put_link(PICTURES, "folder", "b");
	put_text(PICTURES, "dog.json",
		"{\"prompt\":\"a fox runs\",\"image_url\":\"folder/cat.png\"}");
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "rejected");
	life_stop();
	life_start();
	life_run(LONG_MS);
	put_picture(PICTURES, "b/cat.png", 0);
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "done");
	assert_int_equal(tasks, 1);
}

static void hold_dog(void)
{
	life_config()->caps.jobs_per_day = 1;
	drop(A, &fox);
	allow(PICTURES, 0, 0);
	put_text(PICTURES, "dog.txt", "a fox runs");
	put_picture(PICTURES, "b/cat.png", 0);
	put_link(PICTURES, "dog.png", "b/cat.png");
	life_run(LONG_MS);
	assert_int_equal(shown_at(PICTURES, "dog")->hold, HOLD_CAP);
	assert_int_equal(tasks, 1);
}

/* Of which nobody told; what is sent is what is there. */
static void the_last_look_sees_what_the_link_leads_to(void **state)
{
	AUTO_FREE char *path = format("%s/b/cat.png", sim.model[PICTURES]->id);

	(void)state;
	hold_dog();
	assert_int_equal(unlinkat(sim.tree_fd, path, 0), 0);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * MINUTE_MS);
	assert_int_equal(tasks, 1);
	ASSERT_STATE_AT(PICTURES, "dog", "waiting");
}

static void nothing_is_sent_while_what_the_link_leads_to_is_written(void **state)
{
	AUTO_FREE char *target =
		format("../../%s", place_name(place_at(PICTURES, 1, A, KIND_PICTURE), false));
	const struct content picture = {-1, -1, -1, 0, false};

	(void)state;
	user_open(place_at(PICTURES, 1, A, KIND_PICTURE), &picture);
	allow(PICTURES, 0, 0);
	put_text(PICTURES, "dog.txt", "a fox runs");
	put_link(PICTURES, "dog.png", target);
	life_run(LONG_MS);
	assert_int_equal(tasks, 0);
	assert_true(shown_at(PICTURES, "dog")->settling);
	user_close(user_find(place_at(PICTURES, 1, A, KIND_PICTURE), false));
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	ASSERT_STATE_AT(PICTURES, "dog", "done");
}

/* While it is mounted, and while it is not: what the job was ordered for has changed, but nobody
 * has saved the job. */
static void another_picture_behind_the_link_orders_nothing_by_itself(void **state)
{
	(void)state;
	allow(PICTURES, 0, 0);
	put_text(PICTURES, "dog.txt", "a fox runs");
	put_picture(PICTURES, "b/cat.png", 0);
	put_link(PICTURES, "dog.png", "b/cat.png");
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "dog", "done");
	put_picture(PICTURES, "b/cat.png", 1);
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	life_stop();
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	ASSERT_STATE_AT(PICTURES, "dog", "done");
	allow(PICTURES, 0, 1);
	put_text(PICTURES, "dog.txt", "a fox runs"); /* saved: now it is another order */
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
}

/* As any file that came, or changed, while nothing was mounted. */
static void a_link_that_a_start_finds_is_held(void **state)
{
	static const char *const stems[] = {"dog", "new"};

	(void)state;
	allow(PICTURES, 0, 0);
	put_text(PICTURES, "dog.txt", "a fox runs");
	put_picture(PICTURES, "b/cat.png", 0);
	put_picture(PICTURES, "b/other.png", 1);
	put_link(PICTURES, "dog.png", "b/cat.png");
	life_run(LONG_MS);
	life_stop();
	clock_go_to(clock_steady_ms() + MINUTE_MS);
	put_link(PICTURES, "dog.png", "b/other.png");
	put_link(PICTURES, "new.txt", "dog.txt");
	put_link(PICTURES, "new.png", "b/other.png");
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	for (int i = 0; i < 2; i++) {
		ASSERT_STATE_AT(PICTURES, stems[i], "held");
		assert_int_not_equal(shown_at(PICTURES, stems[i])->hold, HOLD_NONE);
	}
}

static void what_leads_out_starts_nothing_and_says_so(void **state)
{
	static const char *const names[] = {"a.json", "b.txt", "c.png", "d.jsonl"};
	static const char *const stems[] = {"a", "b", "c", "d-0001"};

	(void)state;
	for (int i = 0; i < 4; i++)
		put_link(PICTURES, names[i], i % 2 ? "/nowhere/to.be/found" : "../../../elsewhere");
	life_run(LONG_MS);
	for (int i = 0; i < 4; i++) {
		ASSERT_STATE_AT(PICTURES, stems[i], "rejected");
		assert_true(has_problem(PICTURES, stems[i], names[i]));
		assert_true(has_problem(PICTURES, stems[i], "leads out of the mount"));
	}
	put_text(PICTURES, "e.json", "{\"prompt\":\"a fox runs\",\"image_url\":\"c.png\"}");
	put_text(PICTURES, "d.jsonl", "");
	life_run(LONG_MS);
	ASSERT_STATE_AT(PICTURES, "e", "rejected");
	ASSERT_STATE_AT(PICTURES, "d-0001", "none");
	assert_int_equal(tasks, 0);
}

static void a_batch_and_defaults_may_be_links(void **state)
{
	(void)state;
	for (int prompt = 0; prompt < 3; prompt++)
		allow(0, prompt, -1);
	put_text(0, "t/lines", "{\"prompt\":\"a fox runs\"}\n{\"prompt\":\"a boat sails\"}\n");
	put_text(0, "t/words", "{\"prompt\":\"rain at night\"}");
	put_link(0, "defaults.json", "t/words");
	put_link(0, "list.jsonl", "t/lines");
	put_text(0, "a.json", "{}");
	life_run(LONG_MS);
	ASSERT_STATE_AT(0, "list-0001", "done");
	ASSERT_STATE_AT(0, "list-0002", "done");
	ASSERT_STATE_AT(0, "a", "done");
	assert_int_equal(tasks, 3);
}

/* ------------------------------------------------------------------ several users */

static void give_to(int model, const char *name, uid_t uid, mode_t mode)
{
	AUTO_FREE char *path = format("%s/%s", sim.model[model]->id, name);

	assert_int_equal(fchownat(sim.tree_fd, path, uid, uid, AT_SYMLINK_NOFOLLOW), 0);
	if (mode)
		assert_int_equal(fchmodat(sim.tree_fd, path, mode, 0), 0);
}

/* The job is of who made the link, and he must be able to read what it leads to, and get there. */
static void who_may_not_read_it_orders_nothing_with_a_link(void **state)
{
	static const struct {
		const char *name, *target;
		mode_t folder, file;
		const char *wanted, *rights;
	} cases[] = {
		{"a.txt", "t/words", 0755, 0600, "rejected", "54321:54321:700"},
		{"a.txt", "t/words", 0700, 0644, "rejected", "54321:54321:744"},
		{"a.txt", "over/words", 0700, 0644, "rejected", "54321:54321:744"},
		{"a.txt", "t/words", 0755, 0644, "done", "54321:54321:744"},
	};

	(void)state;
	if (geteuid() != 0)
		skip(); /* only root can give files away */
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		engine->tree.shared = true;
		allow(0, 0, -1);
		put_text(0, "t/words", "a fox runs");
		give_to(0, "t/words", 54322, cases[i].file);
		give_to(0, "t", 54322, cases[i].folder);
		put_link(0, "over", "t");
		put_link(0, cases[i].name, cases[i].target);
		give_to(0, cases[i].name, 54321, 0);
		life_run(LONG_MS);
		ASSERT_STATE_AT(0, "a", cases[i].wanted);
		assert_string_equal(shown_at(0, "a")->rights, cases[i].rights);
		(void)engine_tear_down(state);
		(void)engine_set_up(state);
	}
}

/* A link in a folder that is not for him is not for him either, wherever it leads. */
static void each_link_on_the_way_must_be_within_reach(void **state)
{
	static const struct {
		const char *named;
		mode_t folder;
		const char *wanted;
	} cases[] = {
		{"s/link.png", 0700, "rejected"},
		{"mine.png", 0700, "rejected"},
		{"mine.png", 0755, "done"},
	};

	(void)state;
	if (geteuid() != 0)
		skip(); /* only root can give files away */
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO_FREE char *words =
			format("{\"prompt\":\"a fox runs\",\"image_url\":\"%s\"}", cases[i].named);

		engine->tree.shared = true;
		allow(PICTURES, 0, 0);
		put_picture(PICTURES, "t/all.png", 0);
		put_link(PICTURES, "s/link.png", "../t/all.png");
		put_link(PICTURES, "mine.png", "s/link.png");
		give_to(PICTURES, "s", 54322, cases[i].folder);
		put_text(PICTURES, "a.json", words);
		give_to(PICTURES, "a.json", 54321, 0644);
		life_run(LONG_MS);
		ASSERT_STATE_AT(PICTURES, "a", cases[i].wanted);
		(void)engine_tear_down(state);
		(void)engine_set_up(state);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(a_job_waits_for_what_its_link_leads_to),
		CASE(a_job_waits_for_what_out_of_the_mount_point_is_to_show),
		CASE(a_link_on_the_way_that_is_made_anew_wakes_it),
		CASE(a_rejected_text_behind_a_link_says_how_it_goes_on),
		CASE(what_leads_to_the_latest_says_so),
		CASE(a_retry_waits_for_what_its_link_leads_to_and_goes),
		CASE(a_retry_that_waits_is_not_of_what_is_saved_since),
		CASE(a_folder_on_the_way_that_comes_as_a_link_wakes_it),
		CASE(a_picture_mended_where_a_link_leads_lets_the_job_go),
		CASE(the_last_look_sees_what_the_link_leads_to),
		CASE(nothing_is_sent_while_what_the_link_leads_to_is_written),
		CASE(another_picture_behind_the_link_orders_nothing_by_itself),
		CASE(a_link_that_a_start_finds_is_held),
		CASE(what_leads_out_starts_nothing_and_says_so),
		CASE(a_batch_and_defaults_may_be_links),
		CASE(who_may_not_read_it_orders_nothing_with_a_link),
		CASE(each_link_on_the_way_must_be_within_reach),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

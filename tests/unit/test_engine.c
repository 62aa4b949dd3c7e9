/* test_engine.c - the engine with the clock, the provider and the mount of tests/sim: what each
 * rule of identity does, one case each. */
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/config/config.h"
#include "fs/engine/core.h"
#include "fs/engine/orders.h"
#include "fs/journal/journal.h"
#include "fs/journal/statements.h"
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
static const struct job_row *shown_at(int model, const char *stem)
{
	const struct job_key key = {sim.model[model]->id, "", stem};
	const struct job_row *found = NULL;

	rows_free(&rows);
	assert_int_equal(journal_takes(life_journal(), &key, &rows), 0);
	for (size_t i = 0; i < rows.count; i++)
		if (rows.item[i]->shown && !rows.item[i]->forgotten_ms)
			found = rows.item[i];
	return found;
}

static const struct job_row *shown(int stem)
{
	static const char *const names[] = {"a", "b", "c"};

	return shown_at(0, names[stem]);
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

static void a_copy_takes_over_what_was_withdrawn(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	drop(A, &fox);
	drop(B, &fox);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	assert_int_equal(shown(B)->hold, HOLD_COPY);
	user_remove(text(A)); /* it was never sent */
	life_run(LONG_MS);
	assert_int_equal(shown(B)->hold, HOLD_CAP);
	assert_int_equal(tasks, 1);
}

static void a_copy_goes_on_when_its_job_became_another(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	drop(A, &fox);
	drop(B, &fox);
	drop(A, &(struct content){2, -1, -1, -1, false}); /* it was never sent */
	assert_int_equal(shown(B)->hold, HOLD_CAP);
	assert_int_equal(tasks, 1);
}

static void copies_with_other_defaults_are_copies(void **state)
{
	const struct content flag = {-1, -1, 1, -1, false};

	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	drop(A, &fox);
	drop(B, &fox);
	user_write(PLACES, &flag, false); /* defaults.json */
	life_run(LONG_MS);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	assert_int_equal(shown(B)->hold, HOLD_COPY);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * 60 * 1000);
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void what_failed_becomes_a_copy_of_what_was_ordered_since(void **state)
{
	(void)state;
	provider_script("r");
	drop(A, &fox);
	drop(B, &fox);
	ASSERT_STATE(B, "done");
	drop(A, &fox);
	assert_int_equal(shown(A)->hold, HOLD_COPY);
}

/* Renamed twice before the engine looks: at the first rename's target there is nothing. */
static void a_folder_that_moved_on_leaves_no_record_behind(void **state)
{
	enum { PICTURES = 2 }; /* a model that cannot do without one */
	const struct job_key key = {sim.model[PICTURES]->id, "s", "a"};
	char s[96], t[96], on[96];

	(void)state;
	(void)snprintf(s, sizeof(s), "%s/s", key.model);
	(void)snprintf(t, sizeof(t), "%s/t", key.model);
	(void)snprintf(on, sizeof(on), "%s/on", key.model);
	user_write(place_at(PICTURES, 1, A, KIND_PROMPT), &fox, false);
	life_run(LONG_MS);
	assert_int_equal(journal_takes(life_journal(), &key, &rows), 0);
	assert_int_equal(rows.item[0]->state, JOB_WAITING);
	assert_int_equal(unlinkat(sim.tree_fd, t, AT_REMOVEDIR), 0);
	assert_int_equal(renameat(sim.tree_fd, s, sim.tree_fd, on), 0);
	host_tell(TOLD_MOVED, s, t, -1);
	host_tell(TOLD_MOVED, t, on, -1);
	life_run(LONG_MS);
	rows_free(&rows);
	assert_int_equal(journal_takes(life_journal(), &key, &rows), 0);
	assert_int_equal(rows.count, 0);
}

static void what_moves_was_not_saved_with_what_came_in_its_place(void **state)
{
	(void)state;
	provider_script("f");
	user_write(text(B), &fox, false);
	life_run(2500);
	drop(A, &fox);
	ASSERT_STATE(A, "held");
	user_rename(text(B), false, text(C));
	user_write(text(A), &boat, false);
	life_run(LONG_MS);
	ASSERT_STATE(C, "failed");
	ASSERT_STATE(A, "done");
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void a_copy_is_judged_when_a_retry_is_of_other_files(void **state)
{
	(void)state;
	provider_script("f");
	user_write(text(A), &fox, false);
	life_run(2500);
	drop(B, &fox);
	ASSERT_STATE(A, "failed");
	ASSERT_STATE(B, "held");
	user_open(text(A), &boat);
	assert_int_equal(order("retry", A), 0);
	user_close(user_find(text(A), false));
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	ASSERT_STATE(B, "failed"); /* what failed went with its files */
	assert_int_equal(tasks, 2);
	assert_sound();
}

static void a_retried_copy_is_under_the_caps(void **state)
{
	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(A, &fox);
	drop(B, &fox);
	assert_int_equal(order("retry -n 2", B), 0);
	life_run(LONG_MS);
	assert_int_equal(shown(B)->hold, HOLD_CAP);
	assert_int_equal(tasks, 1);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * 60 * 1000);
	assert_int_equal(tasks, 3);
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

static void fewer_takes_are_fewer_creates(void **state)
{
	const struct content three = {0, 3, -1, -1, false}, one = {0, -1, -1, -1, false};

	(void)state;
	life_config()->caps.jobs_per_day = 1;
	drop(C, &boat);
	user_write(spec(A), &three, false);
	life_run(QUIET_MS);
	assert_int_equal(shown(A)->hold, HOLD_CAP);
	user_write(spec(A), &one, false);
	life_run(QUIET_MS);
	life_config()->caps.jobs_per_day = 0;
	life_run(20 * 60 * 1000);
	assert_int_equal(tasks, 2);
	assert_sound();
}

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
	assert_int_equal(orders_run(engine, line, &answer), 0);
	free(answer);
	life_config()->caps.jobs_per_day = 0;
	life_run(LONG_MS);
	assert_int_equal(shown_at(0, "list-0001")->state, JOB_CANCELLED);
	assert_int_equal(tasks, 1);
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

static char *aside;
static size_t aside_bytes;

static void journal_path(char path[128], const char *suffix)
{
	(void)snprintf(path, 128, "%s/" JOURNAL_FILE "%s", sim.store, suffix);
}

static void put_journal_aside(void)
{
	char path[128];
	struct stat info;
	int fd;

	journal_path(path, "");
	fd = open(path, O_RDONLY);
	assert_int_equal(fstat(fd, &info), 0);
	aside = malloc((size_t)info.st_size);
	aside_bytes = (size_t)info.st_size;
	assert_int_equal(read(fd, aside, aside_bytes), aside_bytes);
	(void)close(fd);
}

static void put_journal_back(void)
{
	char path[128];
	int fd;

	journal_path(path, "");
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, aside, aside_bytes), aside_bytes);
	(void)close(fd);
	free(aside);
	journal_path(path, "-wal");
	(void)unlink(path);
}

/* The journal is put aside now, and put back when what was saved has been ordered. */
static void restore_the_journal_of_now(int ordered)
{
	(void)sqlite3_wal_checkpoint_v2(
		life_journal()->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	life_stop();
	put_journal_aside();
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, ordered);
	life_stop();
	put_journal_back();
	life_start();
	life_run(LONG_MS);
	assert_true(life_was_restored);
	assert_int_equal(tasks, ordered);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
}

static void a_restored_journal_orders_nothing(void **state)
{
	(void)state;
	user_write(text(A), &fox, false); /* the journal is put aside while it settles */
	life_run(500);
	restore_the_journal_of_now(1);
}

static void a_restored_journal_orders_no_change(void **state)
{
	(void)state;
	drop(A, &fox);
	user_write(text(A), &boat, false);
	life_run(500);
	restore_the_journal_of_now(2);
}

static void a_restored_journal_orders_no_change_by_a_rename(void **state)
{
	(void)state;
	drop(A, &fox);
	(void)sqlite3_wal_checkpoint_v2(
		life_journal()->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	put_journal_aside();
	drop(A, &boat);
	life_stop();
	put_journal_back();
	life_start();
	life_run(LONG_MS);
	user_rename(text(A), false, text(B));
	life_run(LONG_MS);
	assert_int_equal(tasks, 2);
	assert_int_equal(shown(B)->hold, HOLD_UNTIL_RELEASED);
}

static void a_restored_journal_orders_nothing_in_place_of_what_was_cancelled(void **state)
{
	(void)state;
	user_write(text(A), &fox, false);
	life_run(500);
	assert_int_equal(order("cancel", A), 0);
	user_write(text(A), &boat, false);
	life_run(500);
	restore_the_journal_of_now(1);
}

static void what_came_unseen_after_a_cancel_is_held(void **state)
{
	(void)state;
	user_write(text(A), &fox, false);
	life_run(500);
	assert_int_equal(order("cancel", A), 0);
	life_stop();
	clock_go_to(clock_steady_ms() + 5000);
	user_write(text(A), &boat, false);
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, 0);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	drop(A, &boat);
	ASSERT_STATE(A, "done");
}

static void came_unseen(int one, int other)
{
	drop(one, &fox);
	life_stop();
	clock_go_to(clock_steady_ms() + 5000);
	user_write(text(C), &boat, false);
	user_rename(text(one), false, text(other));
	user_rename(text(C), false, text(one));
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, 1);
	ASSERT_STATE(other, "done");
	assert_int_equal(shown(one)->hold, HOLD_UNTIL_RELEASED);
}

static void what_came_unseen_in_place_of_what_moved_is_held(void **state)
{
	(void)state;
	came_unseen(A, B);
}

static void what_came_unseen_behind_what_moved_is_held(void **state)
{
	(void)state;
	came_unseen(B, A);
}

static void what_was_found_stays_held_over_another_start(void **state)
{
	(void)state;
	life_stop();
	user_write(place_at(1, 0, A, KIND_PROMPT), &fox, false); /* a picture may follow */
	life_start();
	life_run(5000);
	assert_int_equal(shown_at(1, "a")->state, JOB_WAITING);
	life_stop();
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, 0);
	assert_int_equal(shown_at(1, "a")->hold, HOLD_UNTIL_RELEASED);
}

static void what_was_found_is_not_let_go_by_a_rename(void **state)
{
	(void)state;
	life_stop();
	user_write(text(A), &fox, false);
	life_start();
	life_run(LONG_MS);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	user_rename(text(A), false, text(B));
	life_run(100);
	user_rename(text(B), false, text(A));
	life_run(LONG_MS);
	assert_int_equal(tasks, 0);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	drop(A, &fox);
	ASSERT_STATE(A, "done");
}

static void what_was_found_is_not_let_go_by_a_rename_and_a_crash(void **state)
{
	(void)state;
	life_stop();
	user_write(text(A), &fox, false);
	life_start();
	life_run(LONG_MS);
	user_rename(text(A), false, text(B));
	life_run(QUIET_MS);
	assert_int_equal(shown(B)->hold, HOLD_UNTIL_RELEASED);
	life_crash();
	life_start();
	life_run(LONG_MS);
	assert_int_equal(tasks, 0);
	assert_int_equal(shown(B)->hold, HOLD_UNTIL_RELEASED);
}

static void what_was_found_is_not_let_go_by_an_exchange(void **state)
{
	(void)state;
	life_stop();
	user_write(text(A), &fox, false);
	user_write(text(B), &boat, false);
	life_start();
	life_run(LONG_MS);
	user_exchange(text(A), text(B));
	life_run(LONG_MS);
	assert_int_equal(tasks, 0);
	assert_int_equal(shown(A)->hold, HOLD_UNTIL_RELEASED);
	assert_int_equal(shown(B)->hold, HOLD_UNTIL_RELEASED);
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
		CASE(a_copy_takes_over_what_was_withdrawn),
		CASE(a_copy_goes_on_when_its_job_became_another),
		CASE(copies_with_other_defaults_are_copies),
		CASE(what_failed_becomes_a_copy_of_what_was_ordered_since),
		CASE(a_folder_that_moved_on_leaves_no_record_behind),
		CASE(what_moves_was_not_saved_with_what_came_in_its_place),
		CASE(a_copy_is_judged_when_a_retry_is_of_other_files),
		CASE(a_retried_copy_is_under_the_caps),
		CASE(a_released_copy_is_ordered),
		CASE(what_was_forgotten_is_held_until_saved),
		CASE(what_failed_and_was_forgotten_is_not_ordered_by_a_crash),
		CASE(exchanged_names_take_their_jobs_along),
		CASE(takes_are_so_many_creates),
		CASE(fewer_takes_are_fewer_creates),
		CASE(a_failed_line_is_not_ordered_by_a_rename),
		CASE(a_line_that_was_saved_before_it_was_cancelled_stays_so),
		CASE(a_kill_at_every_effect_costs_nothing),
		CASE(a_restored_journal_orders_nothing),
		CASE(a_restored_journal_orders_no_change),
		CASE(a_restored_journal_orders_no_change_by_a_rename),
		CASE(a_restored_journal_orders_nothing_in_place_of_what_was_cancelled),
		CASE(what_came_unseen_after_a_cancel_is_held),
		CASE(what_came_unseen_in_place_of_what_moved_is_held),
		CASE(what_came_unseen_behind_what_moved_is_held),
		CASE(what_was_found_stays_held_over_another_start),
		CASE(what_was_found_is_not_let_go_by_a_rename),
		CASE(what_was_found_is_not_let_go_by_a_rename_and_a_crash),
		CASE(what_was_found_is_not_let_go_by_an_exchange),
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

/* test_engine_marking.c - films say what they are before they get a name, whatever comes between.
 */
#include "fs/base/clock.h"
#include "fs/base/digest.h"
#include "fs/config/config.h"
#include "spec/model.h"
#include "tests/unit/engine.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Until it has come, and is made durable. */
static void order_a_film(void)
{
	results_script("g", 0);
	host_sync(false, 5000);
	user_write(text(A), &fox, false);
	while (!shown(A) || shown(A)->state != JOB_DOWNLOADING)
		life_run(100);
}

/* How many times the published film says this. */
static int says(const char *words)
{
	char bytes[8192];
	const char *at = bytes;
	int fd = openat(sim.tree_fd, shown(A)->output[0].file, O_RDONLY | O_CLOEXEC), count = 0;
	ssize_t got = read(fd, bytes, sizeof(bytes));

	assert_true(got > 0 && got < (ssize_t)sizeof(bytes));
	(void)close(fd);
	while ((at = memmem(at, (size_t)(bytes + got - at), words, strlen(words)))) {
		count++;
		at++;
	}
	return count;
}

static void assert_marked(void)
{
	const struct output *output = shown(A)->output;

	ASSERT_STATE(A, "done");
	assert_int_equal(says("trainedAlgorithmicMedia"), 2);
	output = shown(A)->output;
	assert_true(output->came && output->is && strcmp(output->came, output->is) != 0);
	assert_null(output->unmarked);
}

static void a_film_says_which_model_and_task_made_it(void **state)
{
	char label[64];

	(void)state;
	life_config()->provenance = PROVENANCE_MARK;
	order_a_film();
	life_run(LONG_MS);
	assert_marked();
	assert_sound(); /* the bytes are those of the film and its marks, and that is what is noted
	                 */
	assert_int_equal(says(sim.model[0]->id), 2);
	(void)snprintf(label, sizeof(label), "\"ProduceID\":\"%s\"", task[0].id);
	assert_int_equal(says(label), 2);
	assert_int_equal(says(prompt_text(fox.prompt)), 0);
}

static void in_full_it_says_the_prompt_too(void **state)
{
	(void)state;
	life_config()->provenance = PROVENANCE_FULL;
	order_a_film();
	life_run(LONG_MS);
	assert_marked();
	assert_sound(); /* the bytes are those of the film and its marks, and that is what is noted
	                 */
	assert_int_equal(says(prompt_text(fox.prompt)), 4); /* by itself, and in the request */
}

static void it_stays_as_it_came_when_marks_are_off(void **state)
{
	(void)state;
	life_config()->provenance = PROVENANCE_OFF;
	order_a_film();
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	assert_int_equal(says("trainedAlgorithmicMedia"), 0);
	assert_null(shown(A)->output[0].is);
}

static void what_is_no_film_in_boxes_stays_as_it_came(void **state)
{
	(void)state;
	life_config()->provenance = PROVENANCE_MARK;
	results_script("w", 0);
	drop(A, &fox);
	ASSERT_STATE(A, "done");
	assert_null(shown(A)->output[0].is);
	assert_sound();
}

/* As when the engine ends while it is marked: what is behind the length that is noted is none of
 * it.
 */
static void an_end_does_not_take_what_was_added_for_the_film(void **state)
{
	char out[96], part[96];
	struct dirent *entry;
	DIR *incoming;
	int fd;

	(void)state;
	(void)snprintf(out, sizeof(out), "%s/out", sim.model[0]->id);
	fd = openat(sim.tree_fd, out, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	(void)close(fd); /* no folder: the film has come, and has no place */
	life_config()->provenance = PROVENANCE_MARK;
	order_a_film();
	life_run(LONG_MS);
	assert_true(shown(A)->output[0].bytes > 0);
	(void)snprintf(part, sizeof(part), "%s/incoming", sim.store);
	incoming = opendir(part);
	while ((entry = readdir(incoming)) && *entry->d_name == '.')
		;
	assert_non_null(entry);
	fd = openat(dirfd(incoming), entry->d_name, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "half", 4), 4);
	(void)close(fd);
	(void)closedir(incoming);
	life_stop();
	assert_int_equal(unlinkat(sim.tree_fd, out, 0), 0);
	life_start();
	life_run(HOUR_MS);
	assert_marked();
	assert_sound();
}

/* The power goes at this call that changes a file, with any of what was not synced lost. */
static void lose_power_at(int call, uint64_t seed)
{
	life_end();
	sim_begin(seed);
	provider_be_kind(true);
	host_be_kind(true);
	life_config()->provenance = PROVENANCE_MARK;
	order_a_film();
	power_cut_after(call);
	life_run(QUIET_MS);
	life_run(QUIET_MS);
	assert_null(engine);
}

/* Goes on, with the marks or without. */
static void go_on(enum provenance_mode mode)
{
	life_config()->provenance = mode;
	if (!engine)
		life_start();
	life_run(QUIET_MS);
	life_run(QUIET_MS);
	if (mode == PROVENANCE_MARK)
		assert_marked();
	ASSERT_STATE(A, "done");
	oracle_check();
	if (*sim.failure)
		fail_msg("%s", sim.failure);
}

/* Whether the part may hold some of the marks, as far as the journal knows. */
static bool may_be_half(void)
{
	life_start();
	return shown(A)->output[0].bytes && shown(A)->output[0].moov;
}

#define CALLS_BEFORE  12  /* fewer than until it is durable as it came */
#define CALLS_AT_MOST 200 /* until it is published */
#define SEEDS         4

static void the_power_may_go_while_it_is_marked(void **state)
{
	int call = CALLS_BEFORE, moments = 0;

	(void)state;
	sim.power = true;
	for (bool is_half = false, was_half = false; is_half || !was_half;
		call += run_is_slow() ? 5 : 1) {
		was_half = is_half;
		lose_power_at(call, (uint64_t)call);
		is_half = may_be_half();
		assert_true(call < CALLS_AT_MOST && (moments || !is_half || call > CALLS_BEFORE));
		for (uint64_t seed = 1; is_half && seed < SEEDS; seed++) {
			go_on(seed == 1 ? PROVENANCE_OFF : PROVENANCE_MARK);
			lose_power_at(call, seed);
		}
		moments += is_half;
		go_on(PROVENANCE_MARK);
	}
	assert_true(moments > 2);
	power_end();
	sim.power = false;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(a_film_says_which_model_and_task_made_it),
		CASE(in_full_it_says_the_prompt_too),
		CASE(it_stays_as_it_came_when_marks_are_off),
		CASE(what_is_no_film_in_boxes_stays_as_it_came),
		CASE(an_end_does_not_take_what_was_added_for_the_film),
		CASE(the_power_may_go_while_it_is_marked),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

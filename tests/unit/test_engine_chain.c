/* test_engine_chain.c - shots that follow each other: what is said of those behind a link that does
 * not hold, and when they go on. */
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/engine/core.h"
#include "tests/unit/engine.h"

#include <string.h>
#include <unistd.h>

#define FRAMED 2 /* the model that begins with a picture */

static const char lasting[] = "It goes on by itself when everything is there.";

/* NAME.json, which goes on from a film of any name. */
static void put_shot(const char *name, const char *film)
{
	AUTO_FREE char *file = format("%s.json", name);
	AUTO_FREE char *spec =
		format("{\"prompt\":\"on from %s\",\"image_url\":\"%s#last\"}", film, film);

	put_file(FRAMED, file, spec, strlen(spec));
}

/* b goes on from a of another model, and c from b. */
static void put_chain(void)
{
	AUTO_FREE char *first = format("%s%s/out/a.mp4",
		strchr(sim.model[FRAMED]->id, '/') ? "../../" : "../", sim.model[0]->id);

	put_shot("b", first);
	put_shot("c", "out/b.mp4");
	life_run(QUIET_MS);
}

static void assert_waits(const char *stem, const char *why)
{
	const struct job_row *row = shown_at(FRAMED, stem);

	assert_non_null(row);
	assert_int_equal(row->state, JOB_WAITING);
	assert_non_null(strstr(row->problem, "which is not there yet"));
	if (why && !strstr(row->problem, why))
		fail_msg("%s: %s", stem, row->problem);
	if (!why && strchr(strchr(row->problem, '\n') + 1, '\n'))
		fail_msg("%s: %s", stem, row->problem);
	if (why)
		assert_non_null(strstr(row->advice, "Nothing was paid for this one"));
	else
		assert_string_equal(row->advice, lasting);
}

static void those_behind_a_link_that_failed_say_so_until_it_holds(void **state)
{
	AUTO_FREE char *failed = format("%s/a failed: ", sim.model[0]->id);
	AUTO_FREE char *behind = format("b waits as well: %s", failed);

	(void)state;
	put_chain();
	assert_waits("b", NULL);
	assert_waits("c", NULL);
	provider_script("f");
	drop(A, &fox);
	ASSERT_STATE(A, "failed");
	assert_waits("b", failed);
	assert_waits("c", behind);
	assert_int_equal(tasks, 1);
	life_stop(); /* a start says the same */
	life_start();
	life_run(QUIET_MS);
	assert_waits("b", failed);
	assert_waits("c", behind);
	assert_int_equal(order("retry", A), 0);
	life_run(QUIET_MS);
	assert_waits("b", NULL);
	assert_waits("c", NULL);
	life_run(LONG_MS);
	ASSERT_STATE(A, "done");
	assert_int_equal(shown_at(FRAMED, "b")->npictures, 1);
	assert_non_null(shown_at(FRAMED, "b")->picture[0].sha256); /* on its way */
	assert_int_equal(tasks, 2);
}

static void a_link_that_is_cancelled_or_gone_is_told_of_too(void **state)
{
	AUTO_FREE char *cancelled = format("%s/a was cancelled", sim.model[0]->id);

	(void)state;
	user_write(text(A), &fox, false);
	allowed_cancelled(job_at(text(A)), true);
	assert_int_equal(life_order("cancel", job_at(text(A))), 0);
	put_chain();
	assert_waits("b", cancelled);
	assert_waits("c", "b waits as well");
	assert_int_equal(order("forget", A), 0);
	life_run(QUIET_MS);
	assert_waits("b", NULL);
	assert_waits("c", NULL);
	assert_int_equal(tasks, 0);
}

static void a_spec_that_is_rejected_stops_those_behind_it(void **state)
{
	AUTO_FREE char *rejected = format("%s/b was rejected: ", sim.model[FRAMED]->id);

	(void)state;
	put_shot("c", "out/b.mp4");
	put_file(FRAMED, "b.json", "{\"promt\":\"x\"}", strlen("{\"promt\":\"x\"}"));
	life_run(QUIET_MS);
	assert_waits("c", rejected);
	put_shot(
		"b", "out/c.mp4"); /* each waits for the other, and nobody for ever looks into it */
	life_run(QUIET_MS);
	assert_waits("b", NULL);
	assert_waits("c", NULL);
}

/* Corrected, but not yet whole; and what goes on from it by a link. */
static void a_link_that_is_to_go_on_is_no_reason_any_more(void **state)
{
	static const char corrected[] = "{\"prompt\":\"x\",\"image_url\":\"x.png\"}";
	AUTO_FREE char *rejected = format("%s/b was rejected: ", sim.model[FRAMED]->id);
	AUTO_FREE char *link = format("%s/d.mp4", sim.model[FRAMED]->id);

	(void)state;
	put_shot("c", "out/b.mp4");
	assert_int_equal(symlinkat("out/b.mp4", sim.tree_fd, link), 0);
	put_file(FRAMED, "d.txt", "d", 1);
	put_file(FRAMED, "b.json", "{\"promt\":\"x\"}", strlen("{\"promt\":\"x\"}"));
	life_run(QUIET_MS);
	assert_waits("c", rejected);
	assert_waits("d", rejected);
	put_file(FRAMED, "b.json", corrected, strlen(corrected));
	life_run(QUIET_MS);
	assert_waits("c", NULL);
	assert_waits("d", NULL);
}

static void what_is_made_of_it_anew_is_no_reason_either(void **state)
{
	static const struct content incomplete = {-1, -1, 0, -1, false};
	AUTO_FREE char *failed = format("%s/a failed: ", sim.model[0]->id);

	(void)state;
	put_chain();
	provider_script("f");
	drop(A, &fox);
	assert_waits("b", failed);
	user_write(spec(A), &incomplete, false);
	user_remove(text(A));
	life_run(LONG_MS);
	ASSERT_STATE(A, "waiting");
	assert_waits("b", NULL);
	assert_waits("c", NULL);
}

/* Each names a picture of the other's name: none of them is looked at for ever. */
static void jobs_that_name_each_others_pictures_rest(void **state)
{
	static const char a[] = "{\"prompt\":\"x\",\"image_url\":\"b.png\"}",
			  b[] = "{\"prompt\":\"y\",\"image_url\":\"a.png\"}";

	(void)state;
	put_file(FRAMED, "a.json", a, strlen(a));
	put_file(FRAMED, "b.json", b, strlen(b));
	life_run(LONG_MS);
	assert_int_equal(shown_at(FRAMED, "a")->state, JOB_WAITING);
	assert_int_equal(shown_at(FRAMED, "b")->state, JOB_WAITING);
	assert_int_equal(engine_next_ms(engine), INT64_MAX);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(those_behind_a_link_that_failed_say_so_until_it_holds),
		CASE(a_link_that_is_cancelled_or_gone_is_told_of_too),
		CASE(a_spec_that_is_rejected_stops_those_behind_it),
		CASE(a_link_that_is_to_go_on_is_no_reason_any_more),
		CASE(what_is_made_of_it_anew_is_no_reason_either),
		CASE(jobs_that_name_each_others_pictures_rest),
	};

	return RUN_TESTS(argc, argv, tests, engine_open, engine_close);
}

/*
 * The engine, simulated:
 *
 *   engine [--seeds N] [--from SEED] [--power]   N histories; TAP
 *   engine --seed SEED [--verbose] [--power]     one, with what the engine says
 *
 * --power: a crash is a power cut, and what was not synced is lost.
 */
#include "fs/base/clock.h"
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#define SEEDS        20000
#define FAILURES     5 /* shown */
#define AFTER_MS     (4 * 3600 * 1000LL)
#define LINKS_DIE_MS (16 * 24 * 3600 * 1000LL)
#define DEAD_FOR_MS  (48 * 3600 * 1000LL)

/* ------------------------------------------------------------------ one history */

static void say(const struct step *step)
{
	if (!sim.verbose)
		return;
	(void)printf("%10lld -> ", (long long)clock_steady_ms());
	step_print(step, stdout);
}

/* Whether a job waits for what never comes. */
static bool has_lost_results(void)
{
	for (int i = 0; i < tasks; i++)
		for (int result = 0; task[i].results[result]; result++)
			if (!results_arrives(task[i].results[result]))
				return true;
	return false;
}

/* What waited for them goes on. False: there was none. */
static bool close_editors(void)
{
	bool any = false;

	for (int job = 0; job < JOBS; job++) {
		any = any || sim.open[job];
		user_edit(job, false);
	}
	if (any)
		life_rest(AFTER_MS);
	return any;
}

/* What is under way comes to its end, and a start more changes nothing. */
static void come_to_rest(void)
{
	int before;

	provider_be_kind(true);
	host_be_kind(true);
	life_crash_after(0);
	life_start();
	for (int i = 0; i < sim.files; i++)
		if (sim.file[i].place >= 0)
			user_close(&sim.file[i]);
	life_rest(AFTER_MS);
	if (engine && !*sim.failure && has_lost_results()) {
		clock_set_wall(LINKS_DIE_MS);
		life_rest(DEAD_FOR_MS);
	}
	if (!*sim.failure)
		oracle_check();
	if (*sim.failure)
		return;
	before = tasks;
	life_stop();
	life_start();
	life_rest(AFTER_MS);
	if (tasks != before)
		failed("money: a start by itself ordered %s", order_text(task[tasks - 1].order));
	if (!*sim.failure)
		oracle_check();
	if (!*sim.failure && close_editors())
		oracle_check();
}

static bool run(uint64_t seed, const struct step *step, size_t count)
{
	sim_begin(seed);
	for (size_t i = 0; i < count && !*sim.failure; i++) {
		say(&step[i]);
		step_do(&step[i]);
		if (engine && !*sim.failure)
			life_run(0);
	}
	if (sim.verbose && !*sim.failure)
		(void)printf("%10lld -> rest\n", (long long)clock_steady_ms());
	if (!*sim.failure)
		come_to_rest();
	if (!*sim.failure && !sim.power) /* the journal has it all the same */
		oracle_events();
	life_end();
	return !*sim.failure;
}

/* Steps go while it still fails. */
static size_t shrink(uint64_t seed, struct step *step, size_t count)
{
	bool shorter = true;

	while (shorter) {
		shorter = false;
		for (size_t size = count / 2; size >= 1; size /= 2)
			for (size_t at = 0; at + size <= count;) {
				struct step less[STEPS];

				memcpy(less, step, at * sizeof(*step));
				memcpy(less + at, step + at + size,
					(count - at - size) * sizeof(*step));
				if (run(seed, less, count - size)) {
					at++;
					continue;
				}
				count -= size;
				memcpy(step, less, count * sizeof(*step));
				shorter = true;
			}
	}
	return count;
}

static void show(uint64_t seed, struct step *step, size_t count)
{
	bool was_verbose = sim.verbose;

	sim.verbose = false;
	count = shrink(seed, step, count);
	sim.verbose = was_verbose;
	(void)run(seed, step, count);
	(void)printf("# seed %llu: %s\n", (unsigned long long)seed, sim.failure);
	for (size_t i = 0; i < count; i++) {
		(void)printf("#   ");
		step_print(&step[i], stdout);
	}
	(void)printf("# again: engine --seed %llu%s\n", (unsigned long long)seed,
		sim.power ? " --power" : "");
}

/* Whether it holds. */
static bool try(uint64_t seed, bool shown)
{
	struct step step[STEPS];
	size_t count;

	chance_seed(seed);
	count = steps_draw(step);
	if (run(seed, step, count))
		return true;
	if (shown)
		show(seed, step, count);
	return false;
}

/* ------------------------------------------------------------------ the program */

int main(int argc, char **argv)
{
	uint64_t from = 1, seeds = SEEDS, bad = 0;

	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;

		if (!strcmp(argv[i], "--verbose"))
			sim.verbose = true;
		else if (!strcmp(argv[i], "--power"))
			sim.power = true;
		else if (!strcmp(argv[i], "--seed") && more) {
			from = strtoull(argv[++i], NULL, 10);
			seeds = 1;
		} else if (!strcmp(argv[i], "--seeds") && more)
			seeds = strtoull(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--from") && more)
			from = strtoull(argv[++i], NULL, 10);
		else
			return 2;
	}
	sim.marks = true;
	sim_open();
	for (uint64_t seed = from; seed < from + seeds && bad < 100; seed++)
		bad += !try(seed, bad < FAILURES);
	sim_close();
	(void)life_missing(stdout);
	(void)printf("%sok 1 - %llu histories of the engine%s, from seed %llu\n1..1\n",
		bad ? "not " : "", (unsigned long long)seeds, sim.power ? " with power cuts" : "",
		(unsigned long long)from);
	return bad > 0;
}

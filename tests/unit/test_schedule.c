/* test_schedule.c - how late the end of a task is seen, and how often it is asked after: tasks of a
 * distribution, one after the other, on a clock that is a number. */
#include "fs/engine/schedule.h"

#include <math.h>
#include <stdlib.h>

#include "tests/unit/run.h"

#define TASKS     400
#define WARM      20  /* after so many the schedule knows its model */
#define ANSWER_MS 300 /* fs/net/API.md 8.3 */

static uint64_t seed;

/* splitmix64, 0 to 1 */
static double drawn(void)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ (z >> 31)) >> 11) / (double)(UINT64_C(1) << 53);
}

static double uniform(double from, double to)
{
	return from + (to - from) * drawn();
}

static double normal(double middle, double width)
{
	return middle + width * sqrt(-2 * log(1 - drawn())) * cos(6.283185307 * drawn());
}

/* ------------------------------------------------------------------ seconds that tasks take */

/* fs/net/API.md 8.3: the recordings. */
static double seedance(int i)
{
	(void)i;
	return uniform(154, 313);
}

static double kling(int i)
{
	(void)i;
	return uniform(127, 165);
}

static double happy_horse(int i)
{
	(void)i;
	return uniform(63, 113);
}

static double five_minutes(int i)
{
	(void)i;
	return normal(300, 15);
}

static double always_the_same(int i)
{
	(void)i;
	return 300;
}

static double with_a_long_tail(int i)
{
	(void)i;
	return 180 * exp(normal(0, 0.3));
}

/* Six seconds of video or ten. */
static double of_two_kinds(int i)
{
	(void)i;
	return drawn() < 0.5 ? normal(120, 8) : normal(300, 15);
}

static double twenty_seconds(int i)
{
	(void)i;
	return uniform(17, 23);
}

static double a_quarter_of_an_hour(int i)
{
	(void)i;
	return uniform(850, 950);
}

/* The machine was suspended, or the provider stood still. */
static double with_hours_among_them(int i)
{
	return i % 16 == 5 ? 6 * 3600 : normal(300, 15);
}

static double faster_one_day(int i)
{
	return i < TASKS / 2 ? normal(300, 15) : normal(100, 5);
}

static double slower_one_day(int i)
{
	return i < TASKS / 2 ? normal(100, 5) : normal(300, 15);
}

/* ------------------------------------------------------------------ one task */

struct seen {
	double late; /* s */
	int polls;
};

/* Asks until it has ended; then the schedule knows what is known of how long it took. */
static struct seen follow(struct schedule *schedule, double took)
{
	int64_t end = (int64_t)(took * 1000), now = 0, running = 0;
	struct seen seen = {0};

	for (;;) {
		now += (int64_t)((double)schedule_pause(schedule, now) * uniform(0.9, 1.1));
		seen.polls++;
		if (now >= end)
			break;
		running = now;
		now += ANSWER_MS;
	}
	schedule_learn(schedule, (running + now) / 2);
	seen.late = (double)(now + ANSWER_MS - end) / 1000;
	return seen;
}

static int compare(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double middle(double *number, size_t count)
{
	qsort(number, count, sizeof(*number), compare);
	return number[count / 2];
}

struct figures {
	double late, polls; /* the median, the mean */
	int polls_most;
};

/* Of the tasks from `from` up to `to`, all before them known. */
static struct figures figures_of(double (*took)(int), int from, int to)
{
	struct schedule schedule = {0};
	struct figures figures = {0};
	double late[TASKS], polls = 0;

	seed = 1;
	for (int i = 0; i < to; i++) {
		struct seen seen = follow(&schedule, took(i));

		if (i < from)
			continue;
		late[i - from] = seen.late;
		polls += seen.polls;
		if (seen.polls > figures.polls_most)
			figures.polls_most = seen.polls;
	}
	figures.late = middle(late, (size_t)(to - from));
	figures.polls = polls / (to - from);
	return figures;
}

#define ASSERT_FIGURES(took, from, to, late_most, polls_mean, most)                                \
	assert_figures(#took, figures_of(took, from, to), late_most, polls_mean, most)
static void assert_figures(
	const char *name, struct figures is, double late, double polls, int polls_most)
{
	print_message("%-22s seen %5.1f s late (median), %5.1f polls (mean), %3d at most\n", name,
		is.late, is.polls, is.polls_most);
	if (is.late > late || is.polls > polls || is.polls_most > polls_most)
		fail_msg("%s: %.1f s late, %.1f polls, %d at most", name, is.late, is.polls,
			is.polls_most);
}

/* ------------------------------------------------------------------ tests */

static void an_end_is_seen_within_two_seconds_by_thirty_polls(void **state)
{
	(void)state;
	ASSERT_FIGURES(seedance, WARM, TASKS, 2.0, 30, 80);
	ASSERT_FIGURES(kling, WARM, TASKS, 2.0, 30, 60);
	ASSERT_FIGURES(happy_horse, WARM, TASKS, 2.0, 30, 60);
	ASSERT_FIGURES(five_minutes, WARM, TASKS, 2.0, 30, 60);
	ASSERT_FIGURES(always_the_same, WARM, TASKS, 2.0, 30, 60);
	ASSERT_FIGURES(of_two_kinds, WARM, TASKS, 2.0, 30, 80);
	ASSERT_FIGURES(twenty_seconds, WARM, TASKS, 2.0, 30, 60);
}

/* So wide that thirty polls cannot lie closer. */
static void what_is_hard_to_tell_is_seen_a_little_later(void **state)
{
	(void)state;
	ASSERT_FIGURES(with_a_long_tail, WARM, TASKS, 4.0, 30, 120);
	ASSERT_FIGURES(a_quarter_of_an_hour, WARM, TASKS, 4.0, 30, 80);
}

static void a_few_that_took_hours_change_little(void **state)
{
	(void)state;
	ASSERT_FIGURES(with_hours_among_them, WARM, TASKS, 3.0, 40, 450);
}

static void without_a_history_it_is_the_providers_advice(void **state)
{
	struct schedule schedule = {0};
	static const struct {
		int64_t age_ms, pause_ms;
	} row[] = {{-5000, 2500}, {0, 2500}, {29999, 2500}, {30000, 7000}, {299000, 20000},
		{3599000, 60000}, {3600000, 300000}, {86400000, 900000}, {INT64_MAX / 2, 900000}};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_int_equal(schedule_pause(&schedule, row[i].age_ms), row[i].pause_ms);
	ASSERT_FIGURES(five_minutes, 0, 1, 25, 40, 40);
	/* and a few tasks make a history */
	ASSERT_FIGURES(five_minutes, 1, 6, 8, 40, 60);
	ASSERT_FIGURES(five_minutes, 6, 20, 3, 40, 60);
}

static void a_history_that_has_become_wrong_is_unlearnt(void **state)
{
	const int half = TASKS / 2;

	(void)state;
	/* at first as late as a sparse pause is long, or asked after in vain */
	ASSERT_FIGURES(faster_one_day, half, half + 5, 40, 30, 60);
	ASSERT_FIGURES(slower_one_day, half, half + 5, 20, 80, 120);
	ASSERT_FIGURES(faster_one_day, half + 10, TASKS, 2.0, 30, 60);
	ASSERT_FIGURES(slower_one_day, half + 10, TASKS, 2.0, 30, 60);
}

static void a_task_that_never_ends_is_asked_after_ever_more_seldom(void **state)
{
	struct schedule schedule = {0};
	int64_t now = 0, pause = 0;
	int polls = 0;

	(void)state;
	for (int i = 0; i < 40; i++)
		schedule_learn(&schedule, 300 * 1000);
	for (; now < 24 * 3600 * 1000; polls++) {
		pause = schedule_pause(&schedule, now);
		assert_true(pause >= 2000);
		now += pause;
	}
	assert_in_range(polls, 300, 500);
	assert_in_range(schedule_pause(&schedule, now), 900000, 900000);
}

static void any_durations_make_a_sane_pause(void **state)
{
	static const int64_t odd[] = {1, 1000, 86400000, INT64_C(1) << 50, 1, 2, 300000, 1};
	struct schedule schedule = {0};

	(void)state;
	for (size_t i = 0; i < 3 * SCHEDULE_KNOWN; i++) {
		schedule_learn(&schedule, odd[i % (sizeof(odd) / sizeof(odd[0]))]);
		for (int64_t age = 1; age < INT64_MAX / 8; age *= 7)
			assert_true(schedule_pause(&schedule, age) >= 2000);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_is_seen_within_two_seconds_by_thirty_polls),
		cmocka_unit_test(what_is_hard_to_tell_is_seen_a_little_later),
		cmocka_unit_test(a_few_that_took_hours_change_little),
		cmocka_unit_test(without_a_history_it_is_the_providers_advice),
		cmocka_unit_test(a_history_that_has_become_wrong_is_unlearnt),
		cmocka_unit_test(a_task_that_never_ends_is_asked_after_ever_more_seldom),
		cmocka_unit_test(any_durations_make_a_sane_pause),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}

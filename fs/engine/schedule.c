#include "fs/engine/schedule.h"

#include <math.h>
#include <stdlib.h>

#define SHORTEST   2.0 /* s: the guide of the provider itself asks every 3 (fs/net/API.md 11.2) */
#define LONGEST    (15 * 60.0)
#define POLLS      31.5 /* of one task, on average */
#define FADE       0.93 /* what a duration counts, of the one after it */
#define NEIGHBOURS 2
#define PARTS      4 /* of the time between two edges, when the factor is chosen */
#define MOMENTS    (2 * SCHEDULE_KNOWN * PARTS)
#define HALVINGS   24
#define FACTOR_MAX 1000.0

/* The provider's advice (fs/net/API.md 1.4), then slower, for ever; s. */
static const struct {
	double age, pause;
} advised[] = {
	{30, 2.5},
	{2 * 60, 7},
	{15 * 60, 20},
	{60 * 60, 60},
	{24 * 60 * 60, 5 * 60},
	{INFINITY, 15 * 60},
};

static double advised_pause(double age)
{
	size_t i = 0;

	while (age >= advised[i].age)
		i++;
	return advised[i].pause;
}

static double limited(double value, double least, double most)
{
	return fmin(fmax(value, least), most);
}

/* ------------------------------------------------------------------ what is known */

static int compare(const void *left, const void *right)
{
	const struct spread *a = left, *b = right;

	return (a->middle > b->middle) - (a->middle < b->middle);
}

/* Where the ends that are known lie, the newest counting most; not spread yet. */
static void collect(struct schedule *schedule)
{
	double all = 0, weight = 1;

	for (size_t i = 0; i < schedule->count; i++, weight *= FADE) { /* from the newest on */
		size_t at = (schedule->next + SCHEDULE_KNOWN - 1 - i) % SCHEDULE_KNOWN;

		schedule->spread[i] = (struct spread){
			.middle = (double)schedule->took_ms[at] / 1000, .weight = weight};
		all += weight;
	}
	schedule->elsewhere = 1.0 / (double)(schedule->count + 2);
	for (size_t i = 0; i < schedule->count; i++)
		schedule->spread[i].weight *= (1 - schedule->elsewhere) / all;
	qsort(schedule->spread, schedule->count, sizeof(struct spread), compare);
}

/* As far as its neighbours are; a quarter of it while there are few. */
static double half_of(const struct schedule *schedule, size_t i)
{
	const struct spread *spread = schedule->spread;
	size_t before = i < NEIGHBOURS ? 0 : i - NEIGHBOURS;
	size_t behind = i + NEIGHBOURS < schedule->count ? i + NEIGHBOURS : schedule->count - 1;
	double middle = spread[i].middle, quarter = middle / 4;

	if (schedule->count <= 2 * NEIGHBOURS)
		return quarter;
	return limited(fmax(middle - spread[before].middle, spread[behind].middle - middle),
		fmin(fmax(1.5, middle / 100), quarter), quarter);
}

/* The density of ends at this age, and the share of tasks that are older. */
static double density(const struct schedule *schedule, double age, double *older)
{
	double rest = schedule->usual / (schedule->usual + age);
	double ends = schedule->elsewhere * rest / (schedule->usual + age);

	*older = schedule->elsewhere * rest;
	for (size_t i = 0; i < schedule->count; i++) {
		const struct spread *one = &schedule->spread[i];

		if (fabs(age - one->middle) < one->half)
			ends += one->weight / (2 * one->half);
		*older += one->weight *
		          limited((one->middle + one->half - age) / (2 * one->half), 0, 1);
	}
	return ends;
}

/* ------------------------------------------------------------------ the pause */

/* No end is known that is so late, so the pause grows with what it is late by. */
static double late_pause(const struct schedule *schedule, double age)
{
	return fmin(SHORTEST + (age - schedule->last) / 10, fmax(30, advised_pause(age)));
}

static double shortest_pause(double age)
{
	return fmax(SHORTEST, age / 300);
}

/* Where no end is likely: what is late by less than an eighth of its time is not very late. */
static double longest_pause(const struct schedule *schedule, double age)
{
	return limited(fmax(schedule->usual, age) / 8, 30, LONGEST);
}

static double pause_of(const struct schedule *schedule, double age, double rate, double factor)
{
	double pause = limited(factor / rate, shortest_pause(age), longest_pause(schedule, age));

	return age > schedule->last ? fmax(pause, late_pause(schedule, age)) : pause;
}

/* A part of the time in which ends are known. */
struct moment {
	double age, length, older, rate;
};

struct moments {
	struct moment item[MOMENTS];
	size_t count;
};

static int compare_ages(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* Between the edges of the spreads the density changes little, however far apart these are. */
static void divide(const struct schedule *schedule, struct moments *moments)
{
	double edge[1 + 2 * SCHEDULE_KNOWN] = {0};
	size_t edges = 1;

	for (size_t i = 0; i < schedule->count; i++) {
		edge[edges++] = schedule->spread[i].middle - schedule->spread[i].half;
		edge[edges++] = schedule->spread[i].middle + schedule->spread[i].half;
	}
	qsort(edge, edges, sizeof(*edge), compare_ages);
	moments->count = 0;
	for (size_t i = 0; i < (edges - 1) * PARTS; i++) {
		double length = (edge[i / PARTS + 1] - edge[i / PARTS]) / PARTS;
		struct moment *at = &moments->item[moments->count];
		double ends;

		if (length <= 0)
			continue;
		at->age = edge[i / PARTS] + length * ((double)(i % PARTS) + 0.5);
		at->length = length;
		ends = density(schedule, at->age, &at->older);
		at->rate = sqrt(ends / at->older);
		moments->count++;
	}
}

static double polls_with(
	const struct schedule *schedule, const struct moments *moments, double factor)
{
	double polls = 0;

	for (size_t i = 0; i < moments->count; i++) {
		const struct moment *at = &moments->item[i];

		polls += at->older * at->length / pause_of(schedule, at->age, at->rate, factor);
	}
	return polls;
}

static double choose_factor(const struct schedule *schedule)
{
	double low = 1 / FACTOR_MAX, high = FACTOR_MAX;
	struct moments moments;

	divide(schedule, &moments);
	for (int i = 0; i < HALVINGS; i++) {
		double factor = sqrt(low * high);

		if (polls_with(schedule, &moments, factor) > POLLS)
			low = factor;
		else
			high = factor;
	}
	return high;
}

void schedule_learn(struct schedule *schedule, int64_t took_ms)
{
	schedule->took_ms[schedule->next] = took_ms;
	schedule->next = (schedule->next + 1) % SCHEDULE_KNOWN;
	if (schedule->count < SCHEDULE_KNOWN)
		schedule->count++;
	collect(schedule);
	schedule->usual = schedule->spread[schedule->count / 2].middle;
	schedule->last = 0;
	for (size_t i = 0; i < schedule->count; i++) {
		struct spread *one = &schedule->spread[i];

		one->half = half_of(schedule, i);
		schedule->last = fmax(schedule->last, one->middle + one->half);
	}
	schedule->factor = choose_factor(schedule);
}

int64_t schedule_pause(const struct schedule *schedule, int64_t age_ms)
{
	double age = age_ms > 0 ? (double)age_ms / 1000 : 0; /* the clock was set */
	double older, ends;

	if (!schedule->count)
		return (int64_t)(advised_pause(age) * 1000);
	ends = density(schedule, age, &older);
	return (int64_t)(pause_of(schedule, age, sqrt(ends / older), schedule->factor) * 1000);
}

/*
 * allowed.c - how often an order may be paid for, by what the user did: once; more often for a
 * spec that asks for several takes, for each retry, for each release, and again when the files
 * were saved after a task failed or its record was removed. And whether it may be sent now: what
 * is sent must stand in the tree at this moment, whole, with nobody writing it and, if it was not
 * sent before and the user let nothing go, no editor that has it open.
 */
#include "fs/base/clock.h"
#include "tests/sim/sim.h"

#include <string.h>

static struct {
	int base; /* takes of the spec that asks for most */
	int taken;
	int bought_before;    /* what was paid for before the user saved it again after an end */
	int64_t ended_ms;     /* a task failed, or a record was removed; 0: no */
	int64_t cancelled_ms; /* every job that says it was cancelled */
	int64_t saved_ms;     /* last */
	bool failed, sent;
} known[ORDERS];

static struct {
	uint64_t ever;    /* the orders its files ever said, a bit each */
	int64_t saved_ms; /* last of its files; the engine does not know which of them has gone */
	int takes;        /* the most its files ever asked for */
	int more, without_files;
	bool cancelled, forgotten, underneath;
	bool half_let_go; /* a kill had left half a file of it, and the user let that go */
} job[JOBS];

void allowed_begin(void)
{
	memset(known, 0, sizeof(known));
	memset(job, 0, sizeof(job));
}

void allowed_learn(int at, int64_t saved_ms)
{
	bool busy;
	int takes, order = user_says(at, &busy, &takes);

	if (saved_ms)
		job[at].forgotten = false;
	if (job[at].saved_ms < saved_ms)
		job[at].saved_ms = saved_ms;
	saved_ms = job[at].saved_ms;
	job[at].underneath = job[at].underneath || !engine;
	if (order < 0)
		return;
	job[at].ever |= UINT64_C(1) << order;
	if (job[at].takes < takes)
		job[at].takes = takes;
	if (known[order].base < takes)
		known[order].base = takes;
	if (known[order].saved_ms < saved_ms)
		known[order].saved_ms = saved_ms;
	if (known[order].ended_ms && saved_ms >= known[order].ended_ms &&
		known[order].bought_before < known[order].taken)
		known[order].bought_before = known[order].taken;
}

void allowed_learn_all(int64_t saved_ms)
{
	for (int at = 0; at < JOBS; at++)
		allowed_learn(at, saved_ms);
}

void allowed_more(int at, int count)
{
	job[at].more += count;
	job[at].half_let_go = count > 0 && user_left_half(at);
	if (!user_has_files(at))
		job[at].without_files += count;
	for (int order = 0; order < ORDERS; order++)
		if (job[at].ever & UINT64_C(1) << order)
			known[order].cancelled_ms = 0;
}

void allowed_cancelled(int at, bool answered)
{
	bool busy, another = false;
	int takes, order = user_says(at, &busy, &takes);

	job[at].cancelled = true;
	for (int other = 0; other < JOBS; other++)
		another = another ||
		          (other != at && order >= 0 && job[other].ever & UINT64_C(1) << order);
	for (int i = 0; i < sim.files; i++) /* which may say the same, under another name */
		another = another || (sim.file[i].place >= 0 && sim.file[i].scratch);
	if (answered && order >= 0 && !another && !busy)
		known[order].cancelled_ms = clock_wall_ms();
}

void allowed_forgotten(int at)
{
	job[at].forgotten = true;
	for (int order = 0; order < ORDERS; order++)
		if (job[at].ever & UINT64_C(1) << order && !known[order].ended_ms)
			known[order].ended_ms = clock_wall_ms();
}

static bool has_another(int order, int than)
{
	for (int at = 0; at < JOBS; at++)
		if (at != than && job[at].ever & UINT64_C(1) << order)
			return true;
	return false;
}

int allowed_count(int order)
{
	int count = known[order].base + known[order].bought_before;

	for (int at = 0; at < JOBS; at++) {
		bool is_asked = job[at].ever & UINT64_C(1) << order && job[at].more > 0;

		/* a copy that was let go has as many takes as its own spec asks for */
		if (is_asked && job[at].takes > job[at].more && has_another(order, at))
			count += job[at].takes;
		else if (is_asked)
			count += job[at].more;
	}
	return count;
}

void allowed_taken(int order)
{
	if (++known[order].taken > allowed_count(order))
		failed("money: %s was accepted %d times, %d allowed", order_text(order),
			known[order].taken, allowed_count(order));
}

void allowed_task_failed(int order)
{
	known[order].failed = true;
	if (!known[order].ended_ms)
		known[order].ended_ms = clock_wall_ms();
}

void allowed_refused(int order)
{
	known[order].failed = true;
}

void allowed_refused_all(void)
{
	for (int order = 0; order < ORDERS; order++)
		known[order].failed = true;
}

/* But for what a defaults.json says, "MODEL|PROMPT|FLAG|PICTURE": what failed, or was cancelled,
 * goes with its files. */
static bool is_of_same_files(int one, int other)
{
	const char *a = order_text(one), *b = order_text(other);
	const size_t bytes = (size_t)(strchr(a + 2, '|') - a);

	return !strncmp(a, b, bytes + 1) && !strcmp(strrchr(a, '|'), strrchr(b, '|'));
}

bool allowed_has_failed(int at)
{
	for (int order = 0; order < ORDERS; order++)
		for (int other = 0; job[at].ever & UINT64_C(1) << order && other < ORDERS; other++)
			if (known[other].failed && is_of_same_files(order, other))
				return true;
	return false;
}

static bool had_the_same_files(int at, int other)
{
	for (int one = 0; one < ORDERS; one++)
		for (int two = 0; job[at].ever & UINT64_C(1) << one && two < ORDERS; two++)
			if (job[other].ever & UINT64_C(1) << two && is_of_same_files(one, two))
				return true;
	return false;
}

bool allowed_was_cancelled(int at)
{
	bool cancelled = job[at].cancelled;

	for (int other = 0; other < JOBS; other++)
		cancelled = cancelled || (job[other].cancelled && had_the_same_files(at, other));
	return cancelled;
}

bool allowed_was_underneath(int at)
{
	return job[at].underneath;
}

bool allowed_was_forgotten(int at)
{
	return job[at].forgotten;
}

/* A retry of a job without files is made from the journal. */
static bool is_without_files(int order)
{
	for (int at = 0; at < JOBS; at++)
		if (job[at].ever & UINT64_C(1) << order && job[at].without_files > 0)
			return true;
	return false;
}

/* What half a file says is known only once it is sent. */
static bool is_half_let_go(int order)
{
	for (int at = 0; at < JOBS; at++)
		if (job[at].half_let_go && user_left_half(at)) {
			job[at].ever |= UINT64_C(1) << order;
			return true;
		}
	return false;
}

void allowed_sent(int order)
{
	bool said = false, busy;
	int takes;

	for (int at = 0; at < JOBS && !said; at++)
		said = user_says(at, &busy, &takes) == order && !busy &&
		       (!sim.open[at] || job[at].more > 0 || known[order].sent);
	if (!said && !is_without_files(order) && !is_half_let_go(order))
		failed("money: %s was sent, and no files say it", order_text(order));
	known[order].sent = true;
	if (known[order].cancelled_ms && known[order].saved_ms < known[order].cancelled_ms)
		failed("money: %s was sent after it was cancelled", order_text(order));
}

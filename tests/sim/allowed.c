/*
 * allowed.c - how often an order may be paid for, by what the user did: once; more often for a
 * spec that asks for several takes, for each retry, for each release, and again when the files
 * were saved after a task failed or its record was removed. And whether it may be sent now: what
 * is sent must stand in the tree at this moment, whole, with nobody writing it.
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
	bool failed;
} known[ORDERS];

static struct {
	uint64_t ever;    /* the orders its files ever said, a bit each */
	int64_t saved_ms; /* last of its files; the engine does not know which of them has gone */
	int more, without_files;
	bool cancelled, forgotten, underneath;
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

int allowed_count(int order)
{
	int count = known[order].base + known[order].bought_before;

	for (int at = 0; at < JOBS; at++)
		if (job[at].ever & UINT64_C(1) << order)
			count += job[at].more;
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

bool allowed_has_failed(int at)
{
	for (int order = 0; order < ORDERS; order++)
		if (job[at].ever & UINT64_C(1) << order && known[order].failed)
			return true;
	return false;
}

bool allowed_was_cancelled(int at)
{
	bool cancelled = job[at].cancelled;

	for (int other = 0; other < JOBS; other++) /* it goes with the files */
		cancelled = cancelled || (job[other].cancelled && job[other].ever & job[at].ever);
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

void allowed_sent(int order)
{
	bool said = false, busy;
	int takes;

	for (int at = 0; at < JOBS && !said; at++)
		said = user_says(at, &busy, &takes) == order && !busy;
	if (!said && !is_without_files(order))
		failed("money: %s was sent, and no files say it", order_text(order));
	if (known[order].cancelled_ms && known[order].saved_ms < known[order].cancelled_ms)
		failed("money: %s was sent after it was cancelled", order_text(order));
}

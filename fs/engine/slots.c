#include "fs/engine/slots.h"

#include "fs/base/clock.h"
#include "fs/base/log.h"

#include <stddef.h>

static void pump(struct places *places);

static void pace_due(void *engine, struct timer *timer)
{
	(void)engine;
	pump((struct places *)((char *)timer - offsetof(struct places, timer)));
}

static void places_init(struct places *places, const struct slots *of, int limit, int64_t pace_ms)
{
	*places = (struct places){.of = of, .limit = limit, .pace_ms = pace_ms};
	places->timer.fire = pace_due;
	TAILQ_INIT(&places->waiting);
}

void slots_init(
	struct slots *slots, int limit, int64_t pace_ms, struct timers *timers, job_action *work)
{
	slots->timers = timers;
	slots->work = work;
	for (size_t i = 0; i < PROVIDERS; i++) {
		places_init(&slots->first[i], slots, limit, pace_ms);
		places_init(&slots->again[i], slots, (limit + 1) / 2, 4 * pace_ms);
	}
}

/* Whether the pace lets one begin; else it will be looked at again. */
static bool is_time(struct places *places)
{
	if (places->not_before_ms <= clock_steady_ms())
		return true;
	if (timer_set(places->of->timers, &places->timer, places->not_before_ms) < 0)
		log_error("no memory for a timer"); /* the next job to come or go looks again */
	return false;
}

static void no_longer_waits(struct places *places, struct job *job)
{
	TAILQ_REMOVE(&places->waiting, job, queue_entry);
	job->waits_for_slot = false;
	atomic_fetch_sub(places->of->queue, 1);
}

/* Not recursive: work() that ends at once comes back here through slots_leave(). */
static void pump(struct places *places)
{
	struct job *job;

	if (places->pumping)
		return;
	places->pumping = true;
	while (places->used < places->limit && (job = TAILQ_FIRST(&places->waiting)) &&
		is_time(places)) {
		no_longer_waits(places, job);
		places->used++;
		places->not_before_ms = clock_steady_ms() + places->pace_ms;
		places->of->work(job->engine, job);
	}
	places->pumping = false;
}

void slots_enter(struct slots *slots, struct job *job, bool again)
{
	size_t index = provider_index(job->provider);
	struct places *places = again ? &slots->again[index] : &slots->first[index];

	slots_leave(job);
	job->places = places;
	job->waits_for_slot = true;
	TAILQ_INSERT_TAIL(&places->waiting, job, queue_entry);
	atomic_fetch_add(slots->queue, 1);
	pump(places);
}

void slots_leave(struct job *job)
{
	struct places *places = job->places;

	if (!places)
		return;
	job->places = NULL;
	if (job->waits_for_slot) {
		no_longer_waits(places, job);
		return;
	}
	places->used--;
	pump(places);
}

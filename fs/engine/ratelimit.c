#include "fs/engine/ratelimit.h"

#include "fs/base/clock.h"
#include "fs/engine/engine_core.h"

#include <stddef.h>
#include <stdlib.h>

#define IN_USE          INT64_MAX
#define CREATES_AT_ONCE 32 /* whatever the rate: each costs a connection and memory */

static void gate_due(void *engine, struct timer *timer)
{
	struct gate *gate = (struct gate *)((char *)timer - offsetof(struct gate, timer));

	gate_pump(engine, gate);
}

static struct gate *gate_new(
	struct engine *engine, const struct account *account, const struct model *model)
{
	struct gate *gate = calloc(1, sizeof(*gate));
	size_t slots = account->creates > 0 ? (size_t)account->creates : CREATES_AT_ONCE;

	if (!gate)
		return NULL;
	gate->free_at_ms = calloc(slots, sizeof(*gate->free_at_ms));
	if (!gate->free_at_ms) {
		free(gate);
		return NULL;
	}
	gate->account = account;
	gate->model = model;
	gate->slots = (int)slots;
	gate->period_ms = account->creates > 0 ? account->per_ms : 0;
	gate->engine = engine;
	gate->timer.fire = gate_due;
	TAILQ_INIT(&gate->waiting);
	gate->next = engine->gates;
	engine->gates = gate;
	return gate;
}

struct gate *gate_of(struct engine *engine, struct job *job)
{
	const struct account *account = config_account(engine->config, job->provider);
	const struct model *model = job->provider->creates_per_model ? job->model : NULL;
	struct gate *gate = engine->gates;

	while (gate && (gate->account != account || gate->model != model))
		gate = gate->next;
	return gate ? gate : gate_new(engine, account, model);
}

/* The slot that is free first. */
static int first_slot(const struct gate *gate)
{
	int first = 0;

	for (int i = 1; i < gate->slots; i++)
		if (gate->free_at_ms[i] < gate->free_at_ms[first])
			first = i;
	return first;
}

void gate_pump(struct engine *engine, struct gate *gate)
{
	struct job *job;

	if (gate->pumping || engine->stopping)
		return;
	gate->pumping = true;
	while ((job = TAILQ_FIRST(&gate->waiting)) && gate->in_flight < CREATES_AT_ONCE) {
		int slot = first_slot(gate);
		int64_t now = clock_steady_ms();
		int64_t due = gate->free_at_ms[slot];

		if (due < gate->not_before_ms)
			due = gate->not_before_ms;
		if (due > now) {
			/* while every slot is in use, gate_leave() comes back here */
			if (due != IN_USE)
				engine_set_timer(engine, &gate->timer, due - now);
			break;
		}
		TAILQ_REMOVE(&gate->waiting, job, lane_entry);
		job->gate_slot = slot;
		gate->free_at_ms[slot] = IN_USE;
		gate->in_flight++;
		work_create(engine, job);
	}
	gate->pumping = false;
}

void gate_enter(struct engine *engine, struct gate *gate, struct job *job)
{
	lane_leave(engine, job);
	gate_leave(job);
	job->gate = gate;
	job->gate_slot = -1;
	TAILQ_INSERT_TAIL(&gate->waiting, job, lane_entry);
	gate_pump(engine, gate);
}

void gate_leave(struct job *job)
{
	struct gate *gate = job->gate;

	if (!gate)
		return;
	job->gate = NULL;
	if (job->gate_slot < 0) {
		TAILQ_REMOVE(&gate->waiting, job, lane_entry);
		return;
	}
	gate->in_flight--;
	gate->free_at_ms[job->gate_slot] =
		clock_steady_ms() + (job->state == JOB_SUBMITTING ? gate->period_ms : 0);
	job->gate_slot = -1;
	gate_pump(gate->engine, gate);
}

void gate_pause(struct gate *gate, int64_t pause)
{
	int64_t until = clock_steady_ms() + pause;

	if (gate->not_before_ms < until)
		gate->not_before_ms = until;
}

void gate_remember(struct gate *gate)
{
	gate->free_at_ms[first_slot(gate)] = clock_steady_ms() + gate->period_ms;
}

int gates_in_flight(const struct engine *engine)
{
	int count = 0;

	for (const struct gate *gate = engine->gates; gate; gate = gate->next)
		count += gate->in_flight;
	return count;
}

void gates_free(struct engine *engine)
{
	while (engine->gates) {
		struct gate *gate = engine->gates;

		engine->gates = gate->next;
		timer_clear(&engine->timers, &gate->timer);
		free(gate->free_at_ms);
		free(gate);
	}
}

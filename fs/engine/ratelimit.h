/*
 * gate.h - the rate limit of creates: so many in so long, per account or per
 * model. Engine thread only.
 *
 * A slot is taken while its request is under way and for the whole period after its
 * answer came. The server counts an arrival, which is never later than its
 * answer, so its own window can never see more than it allows.
 */
#ifndef KINOFS_ENGINE_RATELIMIT_H
#define KINOFS_ENGINE_RATELIMIT_H

#include "fs/journal/job.h"

struct gate {
	const struct account *account;
	const struct model *model; /* NULL: the limit is the account's */
	int slots;
	int64_t period_ms;
	int64_t *free_at_ms;   /* of each slot, steady; INT64_MAX: in use */
	int64_t not_before_ms; /* the provider said wait */
	bool pumping;
	int in_flight;
	struct job_list waiting;
	struct timer timer;
	struct engine *engine;
	struct gate *next;
};

/* The gate of a job's account (and model); made when first asked for. NULL: no memory. */
struct gate *gate_of(struct engine *engine, struct job *job);
/* Waits for its turn; work_create() of submit.c is called when it has come. */
void gate_enter(struct engine *engine, struct gate *gate, struct job *job);
/* No longer waits; or its request has ended (its slot is free one period from now). */
void gate_leave(struct job *job);
/* Lets nothing through for this long. */
void gate_pause(struct gate *gate, int64_t pause);
/* Lets through what may go; nothing once the engine is to end. */
void gate_pump(struct engine *engine, struct gate *gate);
/* A request was sent shortly before this start: its slot is free one period from now. */
void gate_remember(struct gate *gate);
/* How many requests are under way. */
int gates_in_flight(const struct engine *engine);
void gates_free(struct engine *engine);

#endif

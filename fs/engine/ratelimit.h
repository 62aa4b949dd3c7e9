/*
 * ratelimit.h - the rate limit of creates: so many in so long, per account or
 * per model. Engine thread.
 *
 * A turn is taken while its request is under way and for the whole period after
 * its answer came. The server counts an arrival, which is never later than its
 * answer, so its own window can never see more than it allows.
 */
#ifndef KINOFS_ENGINE_RATELIMIT_H
#define KINOFS_ENGINE_RATELIMIT_H

#include "fs/engine/jobs.h"

struct ratelimits {
	LIST_HEAD(, ratelimit) list;
	struct timers *timers;
	const struct config *config;
	job_action *work;                                 /* its turn has come */
	bool (*is_stopping)(const struct engine *engine); /* then no turn comes any more */
};

/* Waits for its turn; then ratelimits.work is called. 0 or -ENOMEM. */
int ratelimit_enter(struct ratelimits *limits, struct job *job);
/* No longer waits; or its request has ended, or (sent: false) was never begun and its turn is free
 * at once. */
void ratelimit_leave(struct job *job, bool sent);
/* Lets nothing through for this long. */
void ratelimit_pause(struct ratelimit *limit, int64_t pause_ms);
/* A request was sent at this time (wall), in an earlier run perhaps: it counts. */
void ratelimit_remember(struct ratelimits *limits, const struct job *job, int64_t sent_ms);
/* How many requests are under way. */
int ratelimits_in_flight(const struct ratelimits *limits);
void ratelimits_free(struct ratelimits *limits);

#endif

/* relink.h - fresh links for results whose links are dead. Engine thread. */
#ifndef KINOFS_ENGINE_RELINK_H
#define KINOFS_ENGINE_RELINK_H

#include "fs/engine/jobs.h"

/* Asks for the task again, or, every other time, the provider's own service for links (kie.ai's
 * download-url, fs/net/API.md 4); then the result job->at is downloaded by whatever link it has. */
void relink(struct engine *engine, struct job *job);
/* The task was asked for while it is downloading. NULL: it could not be. */
void relink_polled(struct job *job, const struct poll_answer *answer);
/* How long the links of an answer live. */
void relink_set_lifetime(struct job *job, const struct poll_answer *answer);

#endif

/* states.h - what each state of a job begins when it is durable, and ends when the job leaves it.
 */
#ifndef KINOFS_ENGINE_STATES_H
#define KINOFS_ENGINE_STATES_H

#include "fs/engine/jobs.h"

extern const struct jobs_hooks state_hooks;

#endif

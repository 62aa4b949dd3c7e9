/* simulate.h - --simulate: a provider of our own on loopback, so that nothing costs anything. */
#ifndef KINOFS_SERVE_SIMULATE_H
#define KINOFS_SERVE_SIMULATE_H

#include "fs/config/config.h"

#include <sys/types.h>

/* Starts kinofs-sim (beside this program, else on the PATH) and points the configuration at it,
 * with a key of no worth and no caps. It serves the user's models too, and keeps its tasks below
 * the folder, where the journal that knows them is. The process id, or -errno, logged. Before any
 * thread. */
pid_t simulate_start(struct config *config, const char *folder);
void simulate_end(pid_t simulator);

#endif

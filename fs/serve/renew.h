/*
 * renew.h - SIGHUP: keys and caps are read anew, from where they stood at the start; all else of
 * the configuration is left as it is. A thread of its own waits for the signal, for reading files
 * may take long. To a kinofs in the foreground whose terminal has gone SIGHUP means that: it ends.
 */
#ifndef KINOFS_SERVE_RENEW_H
#define KINOFS_SERVE_RENEW_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct config;
struct control;
struct mount;

struct renewal {
	const struct config *config; /* as it was read at the start; then only its `file` is looked
	                                at, for the rest is the engine's */
	bool simulated;              /* the simulator has neither keys nor caps */
	struct control *control;
	struct mount *mount;
	/* its own */
	pthread_t thread;
	bool running;
	bool had_terminal;
	atomic_bool ending;
};

/* From now on SIGHUP waits, in this thread and those that it makes. */
void renewal_block(void);
/* Shows the caps in the mount. 0 or -errno. The renewal must stay where it is until renewal_stop(),
 * which may follow either way, and what it points to, too. */
int renewal_start(struct renewal *renewal);
void renewal_stop(struct renewal *renewal);

#endif

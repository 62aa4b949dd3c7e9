/*
 * messages.h - what other threads told the engine, in the order they did, a
 * few in each turn of the loop. Engine thread.
 */
#ifndef KINOFS_ENGINE_MESSAGES_H
#define KINOFS_ENGINE_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

struct engine;

/* Takes what was posted since. */
void messages_take_in(struct engine *engine);
/* Handles one message, or one name of a folder that moved; false: there is none. */
bool messages_handle_next(struct engine *engine);
/* Whether some are left for another turn; *posted_ms: when the first was posted
 * (clock_steady_ms()). */
bool messages_are_left(const struct engine *engine, int64_t *posted_ms);
/* Handles nothing any more. */
void messages_drop(struct engine *engine);

#endif

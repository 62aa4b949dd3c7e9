/*
 * durations.h - how long the last tasks of each model took (schedule.h), from
 * the journal, read when they are first asked for. Engine thread.
 */
#ifndef KINOFS_ENGINE_DURATIONS_H
#define KINOFS_ENGINE_DURATIONS_H

#include "fs/engine/schedule.h"

#include <sys/queue.h>

struct engine;

struct durations {
	LIST_HEAD(, duration) list;
};

/* Of a model, by its id; valid until durations_free(). NULL: no memory. */
const struct schedule *durations_of(struct engine *engine, const char *model);
/* "2 to 4 minutes (the last 12 did)": how long most of them took. The caller frees. NULL: that is
 * not known, or no memory. */
char *durations_usual(struct engine *engine, const char *model);
/* Another task of the model took this long, from its acceptance to its end: learnt, and put into
 * the journal, where it may get lost. */
void durations_note(struct engine *engine, const char *model, int64_t took_ms);
void durations_free(struct durations *durations);

#endif

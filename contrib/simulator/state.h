/*
 * state.h - what outlives the simulator, where --state DIR says that something shall.
 *
 * Each call below appends a line to DIR/events.jsonl and does nothing without --state. A line is
 * written before the answer that depends on it leaves. It is not synced: it survives the end of
 * this process, not of the machine. All under sim.lock.
 */
#ifndef KINOFS_CONTRIB_SIMULATOR_STATE_H
#define KINOFS_CONTRIB_SIMULATOR_STATE_H

#include "contrib/simulator/render.h"

/* Reads what the run before has left, and goes on with it; sets sim.directory. Waits for a run
 * before that is about to end. Exits when DIR cannot be used. Before any thread. */
void state_open(void);
void state_close(void);

void state_task(const struct task *task, const struct scene *scene);
void state_ready(const struct task *task);  /* its video is, or will never be */
void state_doomed(const struct task *task); /* it will fail */
void state_upload(const char *path, const struct picture *picture);
void state_listening(void); /* on sim.port */

/* restore.c: what a line says, into the tables; then begins the videos anew that were not ready. */
void restore_line(const cJSON *line);
void restore_videos(const cJSON *lines);

#endif

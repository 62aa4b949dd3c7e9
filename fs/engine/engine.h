/*
 * engine.h - the engine: one thread that owns every job in flight, every timer
 * and the CURLM. Other threads reach it through its inbox only.
 *
 * Life: engine_new() before the mount, engine_start() once the mount is there,
 * engine_stop() once nobody serves it any more, engine_free() last.
 */
#ifndef KINOFS_ENGINE_ENGINE_H
#define KINOFS_ENGINE_ENGINE_H

#include "fs/config/config.h"
#include "spec/model.h"

struct control;
struct engine;
struct intake;
struct journal;
struct last_run;
struct mount;
struct publisher;
struct view;

struct engine_setup {
	int store_fd; /* the store */
	const struct model_set *models;
	const struct config *config;
	struct view *view;
	struct journal *journal; /* used by the engine thread alone once it runs */
	const struct last_run *last;
};

/* NULL: the reason is logged. The setup's pointers must outlive the engine. */
struct engine *engine_new(const struct engine_setup *setup);
struct intake *engine_intake(struct engine *engine);
struct control *engine_control(struct engine *engine);

/* Loads the unfinished jobs, starts the thread. 0 or -errno. */
int engine_start(struct engine *engine, struct mount *mount, struct publisher *publisher);
/* Begins nothing any more, waits a moment for the answers to creates under way, commits what it
 * has, ends the thread. Jobs in flight go on at the next start. */
void engine_stop(struct engine *engine);
void engine_free(struct engine *engine);

#endif

/*
 * engine.h - the engine: one thread that owns every job in flight, every timer
 * and the CURLM. Other threads reach it through its doors only (intake.h,
 * control.h).
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
struct figures;
struct hook;
struct host;
struct intake;
struct journal;
struct last_run;
struct view;

struct engine_setup {
	int store_fd;           /* the store */
	int journal_fd;         /* the folder of its journal, the same unless that lies apart */
	const char *mountpoint; /* where users see the tree, NULL: unknown */
	const char *typed;      /* the same as they call it, through links perhaps */
	const struct model_set *models;
	struct config *config; /* keys and caps are the engine's thread's from the start on */
	struct view *view;
	struct journal *journal; /* used by the engine thread alone once it runs */
	const struct last_run *last;
	struct hook *hook; /* NULL: none */
	bool shared;       /* the mount is for others, too (owner.h) */
	bool read_only;    /* nothing is submitted; what is complete is held */
};

/* NULL: the reason is logged. The setup's pointers must outlive the engine. */
struct engine *engine_new(const struct engine_setup *setup);
struct intake *engine_intake(struct engine *engine);
struct control *engine_control(struct engine *engine);
struct figures *engine_figures(struct engine *engine);

/* Loads the unfinished jobs, starts the thread; host is copied. 0 or -errno. */
int engine_start(struct engine *engine, const struct host *host);
/* Begins nothing any more, waits a moment for the answers to creates under way, commits what it
 * has, ends the thread. Jobs in flight go on at the next start. */
void engine_stop(struct engine *engine);
void engine_free(struct engine *engine);

/*
 * The same without a thread, for a test that is the engine's thread itself: engine_load() instead
 * of engine_start(), then turns, each of which handles what came in and what is due, and commits;
 * last engine_finish().
 * What is due next: clock_steady_ms(), INT64_MAX: nothing.
 */
int engine_load(struct engine *engine, const struct host *host);
void engine_turn(struct engine *engine);
/* Its thread's last deeds, once MESSAGE_STOP was handled. */
void engine_finish(struct engine *engine);
int64_t engine_next_ms(const struct engine *engine);

#endif

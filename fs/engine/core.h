/*
 * core.h - what the parts of the engine share. Everything here belongs to the
 * engine thread, but for the inbox.
 *
 *   engine.c     the loop: messages, timers, commit, wait
 *   messages.c   what other threads told, in order
 *   states.c     what each state of a job begins
 *   jobs.c       the set of jobs, the one place that changes one (commit.c, table.c, named.c)
 *   changes.c    what the mount tells: saves, removals, renames, files found at start
 *   settle.c     from a changed file to a quiet job
 *   waiting.c    jobs that wait for a file of any name
 *   chain.c      ... for what another job is to make
 *   editors.c    jobs that wait until an editor closes their file
 *   judge.c      what is to be done with a quiet job
 *   identity.c   whether its order was sent already, and from where
 *   apply.c      its row becomes what its files are
 *   hashing.c    digests of pictures, by a thread of their own
 *   follow.c     a job goes with its files to another name
 *   copies.c     jobs held because another has their order
 *   lastlook.c   whether what was judged is still what is there
 *   submit.c     uploads (upload.c) and creates, behind ratelimit.h, slots.h and budget.h
 *   frames.c     frames of films, made by ffmpeg on a thread of their own
 *   repeat.c     another take of the same request
 *   poll.c       asking after tasks, at times of schedule.h and durations.h
 *   fetch.c      results: relink.c, download.c (part.c, space.c), deliver.c
 *   marking.c    films say what they are, by a thread of their own
 *   orders.c     what the user asks for
 *   hook.c       the user's program, run for takes that have ended
 *   renew.c      other keys and caps
 *   made.c       which job a result or a note is of
 *   figures.c    what was done so far, counted
 *   warning.c    a cap is nearly used up
 *   announce.c   events, lines of the log (logbook.c) and notes, after a commit
 *   recover.c    what a start finds
 */
#ifndef KINOFS_ENGINE_CORE_H
#define KINOFS_ENGINE_CORE_H

#include "fs/engine/announce.h"
#include "fs/engine/budget.h"
#include "fs/engine/durations.h"
#include "fs/engine/engine.h"
#include "fs/engine/figures.h"
#include "fs/engine/hashing.h"
#include "fs/engine/host.h"
#include "fs/engine/inbox.h"
#include "fs/engine/jobs.h"
#include "fs/engine/ratelimit.h"
#include "fs/engine/recover.h"
#include "fs/engine/settle.h"
#include "fs/engine/slots.h"
#include "fs/engine/warning.h"
#include "fs/input/listing.h"
#include "fs/input/tree.h"

#include <pthread.h>

struct loop {
	pthread_t thread;
	bool running, stopping;
	int64_t awake_since_ms; /* clock_steady_ms() */
	int64_t turn_began_ms;  /* clock_steady_ms() */
	struct timer commit_retry, housekeeping;
	unsigned int slice;          /* messages, and quiet jobs, that one turn takes */
	struct message_list pending; /* taken out of the inbox, to be handled in order */
	int64_t told_ms;             /* when what is being handled was posted, clock_steady_ms() */
	bool at_rest;                /* housekeeping was done, and nothing has happened since */
};

struct engine {
	struct engine_setup setup;
	struct host host;
	struct inbox inbox;
	struct {
		struct intake *intake;
		struct control *control;
	} doors; /* for other threads */
	struct figures *figures;
	struct loop loop;
	struct timers timers;
	struct http *http;
	struct jobs jobs;
	struct settle settle;
	struct moved_folder *moving; /* changes.c's own: whose names are being gone through */
	struct tree tree;            /* the store's tree */
	struct hashing *hashing;
	struct frames *frames;
	struct markings *markings;
	struct listings listings; /* of the folders looked at last, since something happened */
	struct listings judged;   /* the same for jobs that are quiet, over several turns */
	struct {
		struct slots uploads, polls, downloads;
	} slots;
	struct ratelimits ratelimits;
	struct durations durations;
	struct budget budget;
	struct warning warning;
	struct announcer announcer;
	struct recovery recovery;
};

/* Commits everything that changed, then does what the new states ask for. 0 or -errno: nothing was
 * committed, and it is tried again later. */
int engine_commit(struct engine *engine);
/* Calls timer->fire(engine, timer) in so many ms; again replaces. */
void engine_set_timer(struct engine *engine, struct timer *timer, int64_t delay_ms);
struct job *job_of_timer(struct timer *timer);
/* The engine is to end: nothing new is begun. */
bool engine_is_stopping(const struct engine *engine);
/* How long kinofs has been able to look at what happens, without a pause (a suspended machine, a
 * stopped process): what happened meanwhile may still be on its way to the inbox. ms. */
int64_t engine_awake_ms(struct engine *engine);

#endif

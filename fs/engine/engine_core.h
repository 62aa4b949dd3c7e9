/*
 * engine_core.h - what the parts of the engine share. Everything here belongs
 * to the engine thread, but for the inbox.
 *
 *   engine.c   the loop: inbox, timers, commit, act
 *   tell.c     events and notes, after a commit
 *   drop.c     settling: from changed files to a quiet drop
 *   waiting.c  jobs that wait for a file of any name
 *   judge.c    from a quiet drop to what is to be done (assemble.c reads its files)
 *   table.c    the jobs in memory
 *   submit.c   upload and create, behind the rate limit (gate.h) and the caps (budget.h)
 *   follow.c   polling
 *   fetch.c    download, check, publish
 *   command.c  the user's orders
 *   recover.c  what a start finds
 */
#ifndef KINOFS_ENGINE_ENGINE_CORE_H
#define KINOFS_ENGINE_ENGINE_CORE_H

#include "fs/base/clock.h"
#include "fs/engine/budget.h"
#include "fs/engine/engine.h"
#include "fs/engine/inbox.h"
#include "fs/engine/moves.h"
#include "fs/engine/ratelimit.h"
#include "fs/engine/slots.h"
#include "fs/engine/writing.h"
#include "fs/input/files.h"
#include "fs/journal/job.h"
#include "fs/journal/journal.h"
#include "fs/mount/publish.h"
#include "spec/place.h"

#include <pthread.h>
#include <stdatomic.h>

struct intake {
	struct inbox *inbox;
	const struct model_set *models;
	int store_fd, heartbeat_fd;
	struct writing *writing;
	/* A job is being judged, waits, or was rejected with its pictures, so any file may be
	 * for it. Set before its files are looked at: a file closed before that is seen there, one
	 * closed later is told. */
	atomic_bool awaiting;
};

struct control {
	struct inbox *inbox;
};

struct engine {
	struct engine_setup setup;
	const struct config *config;
	struct journal *journal;
	struct http *http;
	struct mount *mount;
	struct publisher *publisher;
	struct tree tree;          /* the store's tree */
	struct folder_names names; /* of the folder looked at last, in this turn of the loop */
	struct moves moves;
	struct intake intake;
	struct control control;
	struct inbox inbox;
	struct timers timers;
	struct job_list changed; /* to be committed … */
	struct job_list acting;  /* … and then acted on */
	struct timer commit_retry, rest;
	bool rested; /* since the last message */
	void *jobs;  /* tsearch tree by model, dir, stem: the newest take, older ones behind it */
	void *ids;   /* tsearch tree by id: every job that has one */
	void *drops; /* tsearch tree by model, dir, stem */
	struct lane uploads, polls, downloads;
	struct gate *gates; /* list */
	struct budget budget;
	int events_fd;
	pthread_t thread, scanner;
	bool running, scanning;
	_Atomic bool stop_scan;
	bool stopping;
};

/* engine.c */
/* Commits the job's row with the next commit, then calls next (or what was already to come). */
void engine_touch(struct engine *engine, struct job *job, job_action *next);

/* table.c */
void engine_keep(struct engine *engine, struct job *job);    /* puts it into the tree of jobs */
void engine_release(struct engine *engine, struct job *job); /* takes it out and frees it */
/* Deletes its row with the next commit, then frees it. */
void engine_delete(struct engine *engine, struct job *job);
void engine_keep_id(struct engine *engine, struct job *job); /* it has an id now */
/* The takes of `old` become those of `new`, a row not judged yet, which goes away. 0 or -errno:
 * nothing has changed. */
int engine_adopt(struct engine *engine, struct job *old, struct job *new);
struct job *engine_find(struct engine *engine, const char *model, const char *dir,
	const char *stem); /* the newest take in memory, which need not be the newest; or NULL */
struct job *engine_find_id(struct engine *engine, int64_t id);
/* The newest take, from memory or the journal (then it is kept in memory); one that was about to
 * be deleted stays. NULL: none, *error 0; or *error -errno. */
struct job *engine_load(
	struct engine *engine, const char *model, const char *dir, const char *stem, int *error);
/* One that has ended, and was only brought into memory to be looked at, leaves it again. */
void engine_put_back(struct engine *engine, struct job *job);
void engine_attach(struct engine *engine, struct job *job); /* model and provider */
/* The newest takes in memory that are in this state (JOB_STATES: all takes, any state), as a list
 * the caller frees; how many. */
size_t engine_list(struct engine *engine, enum job_state state, struct job ***list);
bool engine_has(struct engine *engine, enum job_state state); /* the newest take of any job */
/* Whether the journal knows the job; keeps nothing in memory. */
bool engine_knows(struct engine *engine, const char *model, const char *dir, const char *stem);
/* Stops whatever it is doing: transfer, timer, lane, gate. */
void engine_idle(struct engine *engine, struct job *job);

/* engine.c */
void engine_set_timer(struct engine *engine, struct timer *timer, int64_t delay_ms);
struct job *job_of_timer(struct timer *timer);
/* The only setter of a state: changes, commits, then acts. problem and advice are copied. */
void job_set_state(struct engine *engine, struct job *job, enum job_state state,
	const char *problem, const char *advice);
void job_hold(struct engine *engine, struct job *job, enum job_hold hold, const char *problem,
	const char *advice);

/* Pause before try number `tries` (from 1): first_ms doubled each time, at most limit_ms, ±10 %. */
int64_t pause_ms(unsigned int tries, int64_t first_ms, int64_t limit_ms);

/* tell.c */
/* One line in events.jsonl, unless the log knows this state. */
void tell_event(struct engine *engine, struct job *job);
/* Brings the note in out/ up to the state: one note at a time, none when all is well. */
void tell_note(struct engine *engine, struct job *job);
/* Removes the note from out/; the next tell_note() brings it back. */
void tell_no_note(struct engine *engine, struct job *job);

/* drop.c */
void drop_changed(struct engine *engine, const char *path);
void drop_removed(struct engine *engine, const char *path);
void drop_moved(struct engine *engine, const char *from, const char *to);
void drop_found(struct engine *engine, const char *path, bool last_moment);
/* Judges a job's files anew once quiet; `now`: at once. */
void drop_touch(
	struct engine *engine, const char *model, const char *dir, const char *stem, bool now);
/* A job that was settling when the last run ended settles again. */
void drop_resume(struct engine *engine, struct job *job);
/* It is not judged any more, whatever changed before this. */
void drop_end(struct engine *engine, const struct job *job);
void drops_free(struct engine *engine);

/* submit.c */
void enter_held(struct engine *engine, struct job *job);
void enter_queued(struct engine *engine, struct job *job);
void enter_uploading(struct engine *engine, struct job *job);
void enter_submitting(struct engine *engine, struct job *job);
void work_upload(struct engine *engine, struct job *job);
void work_create(struct engine *engine, struct job *job);
/* The engine ends before the request of a job was begun. */
void submit_unsent(struct engine *engine, struct job *job);

/* follow.c */
void enter_running(struct engine *engine, struct job *job);
void work_poll(struct engine *engine, struct job *job);

/* fetch.c */
void enter_downloading(struct engine *engine, struct job *job);
void work_download(struct engine *engine, struct job *job);
void fetch_published(struct engine *engine, int64_t id, int error);
/* The result links of a poll become outputs. */
int fetch_plan(struct job *job, const struct poll_answer *answer);
/* The provider does not know the task any more: tries the links again, while they may live. */
void fetch_not_known(struct engine *engine, struct job *job, const char *words);
void fetch_refreshed(struct engine *engine, struct job *job, const struct poll_answer *answer);

/* command.c */
int command_run(struct engine *engine, const char *line, char **answer);
int command_forget(
	struct engine *engine, const char *model, const char *dir, const char *stem, char **answer);

/* recover.c */
int recover_load(struct engine *engine);
void recover_scan(struct engine *engine); /* starts the look through the tree */
void recover_end(struct engine *engine);  /* ends it */

#endif

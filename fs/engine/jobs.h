/*
 * jobs.h - the set of jobs in memory, and the one place that changes a job:
 * those that have not ended, and those that are being looked at. Engine thread.
 *
 * A change marks the job's row; jobs_commit() writes all marked rows in one
 * transaction and only then acts on them, so every change is durable before it
 * has an effect (fs/README.md 2, invariant 2). Three writes go beside it, each
 * in a transaction of its own: jobs_forget(), and uploads and generations, which
 * are no jobs.
 */
#ifndef KINOFS_ENGINE_JOBS_H
#define KINOFS_ENGINE_JOBS_H

#include "fs/engine/timer.h"
#include "fs/journal/journal.h"
#include "fs/net/http.h"
#include "fs/net/provider.h"

#include <sys/queue.h>

struct engine;
struct job;
struct making;
struct places;
struct ratelimit;

/* What to do with a job once its row is committed. */
typedef void job_action(struct engine *engine, struct job *job);

struct job {
	struct job_row
		row; /* read by all; changed through the functions below, or by the part of
	                the engine whose state the job is in, which then calls job_update() */
	const struct model *model; /* NULL: its model file is gone */
	const struct provider *provider;
	struct engine *engine;
	struct jobs *jobs; /* the set it is in */

	/* Of the part that works on it now (submit, poll, fetch). */
	struct timer timer;
	int64_t began_ms; /* when its task did, clock_steady_ms() */
	int64_t ran_ms; /* how old its task was when it was last said to run; 0: not asked yet, -1:
	                   its age is not known */
	int64_t not_known_since_ms; /* the provider says so, and nothing else; steady, 0: no */
	unsigned int tries;         /* that failed in a row, for the pause before the next */
	unsigned int nothing;       /* how often the task was done and named no result */
	struct http_transfer *transfer;
	bool by_name; /* the user asked for it, so it waits for no editor; lost by a crash */
	struct making *making; /* a frame that it waits for, or NULL (frames.h) */
	int at;                /* the result in work, by number; -1: none */
	int part_fd;           /* the file being downloaded, -1 */
	struct places *places; /* it waits for one of these, or has one; or NULL (slots.h) */
	bool waits_for_slot;
	struct ratelimit *ratelimit; /* whose turn it waits for, or has; or NULL (ratelimit.h) */
	int turn;                    /* -1: it waits */
	TAILQ_ENTRY(job) queue_entry;

	/* jobs.c's and table.c's own. */
	struct {
		job_action *next; /* after the commit */
		bool changed, acting, deleting, told, becomes_shown, shown_again, in_ids, in_orders;
		bool ended; /* anew: it had not, or for other reasons */
		bool note_stale,
			note_unsure;      /* its words are others; nobody knows what stands there */
		enum job_note shown_note; /* what the host was last told */
		enum job_state logged;    /* as the log has it (logbook.h) */
		enum job_hold logged_hold;
		struct job_key left;   /* the name it had before this commit; model NULL: none */
		bool left_note;        /* and its note stood there */
		int64_t event;         /* the number of the next one that is told of it */
		unsigned int pins;     /* of struct takes: it must not go */
		struct naming *naming; /* its pictures, as they are found (named.h) */
		size_t nnaming;
		struct job *older; /* the next take of the same name */
		struct job *same_order;
		TAILQ_ENTRY(job) changed_entry, acting_entry;
	} set;
};

TAILQ_HEAD(job_list, job);

struct jobs_hooks {
	job_action *enter[JOB_STATES]; /* once it is durable that the job has this state */
	/* The job leaves a state for another (or the set, to JOB_STATES): ends what goes on. */
	void (*abort)(struct engine *engine, struct job *job, enum job_state to);
	/* A change is durable: announce it. */
	job_action *committed;
	/* The job gets another name, or is forgotten: its note in out/ goes. */
	job_action *renaming;
};

struct jobs {
	struct engine *engine;
	struct journal *journal;
	const struct model_set *models;
	const struct jobs_hooks *hooks;
	struct job_list changed, acting;
	void *by_name, *by_id, *by_order, *by_picture; /* tsearch trees, table.h and named.h */
	size_t waiting;                                /* takes in this state */
};

void jobs_init(struct jobs *jobs, struct engine *engine, struct journal *journal,
	const struct model_set *models, const struct jobs_hooks *hooks);
/* Frees every job; nothing is committed. */
void jobs_clear(struct jobs *jobs);

/* Jobs that were found; they stay in memory until takes_clear(). Nothing is committed before. */
struct takes {
	struct job **item;
	size_t count, room;
	struct rows forgotten; /* of them only their orders are known */
};

/* Brings a row into the set, which takes it over. NULL: no memory, and the row is freed. */
struct job *jobs_add(struct jobs *jobs, struct job_row *row);
/* A new take of a job, the newest of the takes found (or the first): not committed, not shown
 * yet. NULL: no memory, logged. */
struct job *jobs_add_take(struct jobs *jobs, const struct job_key *key, const struct takes *takes);
struct job *jobs_find_id(struct jobs *jobs, int64_t id);
/* Every take of a job, newest first, from memory and the journal. 0 or -errno; takes_clear() in any
 * case. */
int jobs_takes(struct jobs *jobs, const struct job_key *key, struct takes *takes);
/* Every take of this order, of any job. */
int jobs_same_order(struct jobs *jobs, const char *order, struct takes *takes);
/* Every take that was made of files that say this, of any job. */
int jobs_same_files(struct jobs *jobs, const char *fingerprint, struct takes *takes);
/* One more of them. 0 or -ENOMEM. */
int takes_add(struct takes *takes, struct job *job);
/* Those that have ended, and were brought into memory only to be looked at, leave it again. */
void takes_clear(struct takes *takes);
/* The takes in memory that are in this state (JOB_STATES: any). Without memory some are left out.
 */
void jobs_list(struct jobs *jobs, enum job_state state, struct takes *takes);
/* The takes in memory that name this picture. Without memory some are left out. */
void jobs_naming(struct jobs *jobs, const char *path, struct takes *takes);
/* Whether there is a job of this name; true also when the journal cannot be read, so that nothing
 * looks new. */
bool jobs_knows(struct jobs *jobs, const struct job_key *key);

/* The only setter of a state. problem and advice are copied. A transition that is not in job.c's
 * table is a bug: it is logged and not made. */
void job_set_state(struct job *job, enum job_state state, const char *problem, const char *advice);
void job_hold(struct job *job, enum job_hold hold, const char *problem, const char *advice);
/* The row was changed: it is committed and announced. */
void job_update(struct job *job);
/* The row was changed; then this is done (NULL: what was to come anyway). Not announced. */
void job_commit_then(struct job *job, job_action *next);
/* Says what stands in the way, if it is not said already. */
void job_say(struct job *job, const char *problem, const char *advice);
/* The order is set here only, for it is how jobs are found. NULL: none. */
int job_set_order(struct job *job, const char *order);
/* It becomes the take its job's files stand for. All takes of the job must be in memory. */
void job_show(struct job *job);
/* Its files have another name now, or it another number among the takes. 0 or -ENOMEM. */
int job_move(struct job *job, const struct job_key *key, int take);
/* Its row goes with the next commit, then the job. */
void job_delete(struct job *job);
/* An ended job leaves memory, unless something is still to be done with it. */
void job_release(struct job *job);
/* Ends whatever is under way for it. */
void job_abort(struct job *job);

/* Every take of a job is forgotten, durably, before this returns. 0 or -errno: nothing is. */
int jobs_forget(struct jobs *jobs, const struct job_key *key, int64_t at_ms);

/* Commits everything that changed, then acts; until nothing changes any more. 0 or -errno: nothing
 * was committed, and the caller tries again later. */
int jobs_commit(struct jobs *jobs);
/* The same without acting, when the engine ends. */
int jobs_commit_last(struct jobs *jobs);

#endif

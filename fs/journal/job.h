/*
 * job.h - one take of a job, and the states it goes through.
 *
 * A job is known by model, folder and stem; each time it is submitted is a
 * take, and a take is what a struct job is: one row of the journal. Newer
 * takes do not wait for older ones. At most one row of a job, its newest, is
 * not submitted yet; new bytes change that row, and make a new one otherwise.
 *
 *   waiting      for files, or settling. Nothing was sent.
 *   held         complete, but must not go: no key, over a cap, found at start. Nothing was sent.
 *   queued       goes as soon as the rate limit lets it. Nothing was sent.
 *   uploading    its pictures are on their way (free of charge). Nothing was ordered.
 *   submitting   the create request may be on the wire. Found at start: unknown.
 *   running      the provider accepted it; the task id is in the journal.
 *   downloading  the provider is done; results are fetched, checked, published.
 *   done         every result is in out/. An end.
 *   rejected     the spec can never be valid. Nothing was sent. An end, until the files change.
 *   failed       the provider said no, or failed. An end.
 *   unknown      the answer to the create was lost: it may cost money. An end, for us.
 *   cancelled    withdrawn before it was submitted. An end.
 *
 * job_set_state() is the only setter. It marks the job as changed; the engine
 * commits all changed jobs in one transaction and only then acts on their new
 * states, so every transition is durable before it has an effect.
 */
#ifndef KINOFS_JOURNAL_JOB_H
#define KINOFS_JOURNAL_JOB_H

#include "fs/engine/timer.h"
#include "fs/net/http.h"
#include "fs/net/provider.h"
#include "spec/model.h"

#include <stdint.h>
#include <sys/queue.h>

enum job_state {
	JOB_WAITING,
	JOB_HELD,
	JOB_QUEUED,
	JOB_UPLOADING,
	JOB_SUBMITTING,
	JOB_RUNNING,
	JOB_DOWNLOADING,
	JOB_DONE,
	JOB_REJECTED,
	JOB_FAILED,
	JOB_UNKNOWN,
	JOB_CANCELLED,
	JOB_STATES,
};

/* Why a job is held; what makes it go on by itself. */
enum job_hold {
	HOLD_NONE,
	HOLD_KEY,      /* no key: when kinofs is mounted with one */
	HOLD_CAP,      /* over a cap: when the day or month turns, or the cap allows */
	HOLD_PROVIDER, /* key refused, balance, quota: tried again with growing pauses */
	HOLD_FOUND,    /* in the tree at start, unknown to the journal: only by release */
	HOLD_JOB_CAP,  /* dearer than credits_per_job: only by release or a higher cap */
};

enum job_note { NOTE_NONE, NOTE_WAITING, NOTE_HELD, NOTE_ERROR };

struct engine;
struct gate;
struct job;
struct lane;

/* What to do with a job once its row is committed. */
typedef void job_action(struct engine *engine, struct job *job);

struct job {
	/* The row. Text is printable (text_printable); times are wall-clock ms, 0: not yet. */
	int64_t id; /* 0: no row yet */
	char *model_id, *dir, *stem;
	int take; /* 1, 2, … */
	enum job_state state;
	enum job_hold hold;
	enum job_note note; /* the note in out/ */
	bool settling;      /* its files changed; they will be judged when quiet */
	bool removed;       /* its inputs were removed after it was submitted */
	bool released;      /* the user asked for it: release (no cap stops it), or retry (until it
	                       is judged: the same bytes count as new) */
	char *fingerprint;  /* of the files it was made from; NULL: not judged yet */
	char *came_from;    /* while settling: the job a file of it was until a rename, or NULL */
	char *request;      /* the body; in memory only until it is committed */
	cJSON *pictures;    /* [{"field", "path", "sha256", "bytes", "type", "url"?}] or NULL */
	cJSON *outputs;     /* [{"url", "part"?, "file"?, "bytes"?, "published"?}] or NULL */
	double estimate, spent; /* credits; NAN: not known */
	char *task;
	char *provider_state;
	int progress;  /* percent, -1: not said */
	char *problem; /* what is wrong or waited for, a line each */
	char *advice;  /* what to do next */
	int64_t created_ms, submitted_ms, accepted_ms, finished_ms, changed_ms;
	int64_t links_until_ms; /* when the result links may die */

	/* The engine's, while the job is in memory. */
	struct engine *engine;
	const struct model *model; /* NULL: its model file is gone */
	const struct provider *provider;
	struct timer timer;
	job_action *next; /* after the commit; set with `changed` */
	bool changed;
	unsigned int tries; /* that failed in a row, for the pause before the next */
	struct http_transfer *transfer;
	int part_fd;       /* the file being downloaded, -1 */
	struct lane *lane; /* it waits in or works under, or NULL */
	bool in_lane_queue;
	struct gate *gate;        /* whose turn it waits for, or whose slot it has, or NULL */
	int gate_slot;            /* -1: waiting */
	bool told;                /* the event log knows this state */
	bool acting;              /* committed; its action is about to run */
	bool note_stale;          /* the text of the note changed, not its kind */
	bool doomed;              /* the next commit deletes its row */
	enum job_note shown_note; /* what the publisher was last told */
	struct job *older;        /* an earlier take, also in memory */
	bool in_ids;
	bool refreshed; /* dead links: the task was asked for them last, not the links' own
	                   service */
	TAILQ_ENTRY(job) lane_entry;
	TAILQ_ENTRY(job) changed_entry;
	TAILQ_ENTRY(job) acting_entry;
};

TAILQ_HEAD(job_list, job);

/* Strings are copied. NULL: no memory. */
struct job *job_new(const char *model_id, const char *dir, const char *stem);
void job_free(struct job *job);

/* Whether nothing was sent yet that could cost money: new bytes replace it. */
bool job_state_is_open(enum job_state state);
/* Whether it has ended: nothing more happens by itself. */
bool job_state_is_end(enum job_state state);
const char *job_state_name(enum job_state state);
/* -1: no such state. */
int job_state_parse(const char *name);
bool job_may_become(enum job_state from, enum job_state to);

/* "summer/beach": what the user calls it. The caller frees. */
char *job_name(const struct job *job);

/* Replaces a string member by a copy of text (NULL: by NULL). Out of memory keeps nothing. */
void job_set_text(char **member, const char *text);

#endif

/*
 * job.h - one take of a job, as the journal keeps it, and the states it goes
 * through.
 *
 * A job is known by model, folder and stem (struct job_key); each time it is
 * submitted is a take, and a take is one row of the journal. Newer takes do not
 * wait for older ones. At most one row of a job, its newest, is not submitted
 * yet; new files change that row, and make a new one otherwise.
 *
 *   waiting      for files, or settling. Nothing was sent.
 *   held         complete, but must not go (enum job_hold says why). Nothing was sent.
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
 * Beside the state stands `settling`: the job's files changed and are to be
 * judged once they are quiet. It is durable, so that a crash forgets no drop;
 * nothing of a settling job is sent. The engine's settle.c sets it, on the
 * newest row of the job; who judges the job, or does what the user ordered for
 * it, clears it.
 *
 * What would be sent is the row's `order` (spec/order.h): two rows of one order
 * would pay for the same twice. `fingerprint` is the same over what the job's
 * own files say, without defaults.json, so that a change of the defaults alone
 * makes no saved file look new.
 */
#ifndef KINOFS_JOURNAL_JOB_H
#define KINOFS_JOURNAL_JOB_H

#include "spec/local.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* Why a job is held, and what makes it go on. The numbers stand in journals. */
enum job_hold {
	HOLD_NONE = 0,
	HOLD_KEY = 1,            /* no key: when kinofs is mounted with one */
	HOLD_CAP = 2,            /* over a cap: when the day or month turns, or the cap allows */
	HOLD_PROVIDER = 3,       /* key refused, balance, quota: tried again with growing pauses */
	HOLD_UNTIL_RELEASED = 4, /* may have been paid for elsewhere, or be half a file: only by
	                            release, or a save. In a row that waits, is rejected or
	                            settles: so it will be held once it could go */
	HOLD_JOB_CAP = 5,        /* dearer than credits_per_job: only by release or a higher cap */
	HOLD_COPY = 6,           /* the order of another job: release, retry, or a save; or that
	                            job's files go away, and it takes the job over */
	HOLD_PRICE = 7,          /* its price is not known, and there is a cap: only by release */
	HOLD_READ_ONLY = 8,      /* mounted read-only: when it is not any more */
	HOLD_GONE = 9, /* of a cancelled job: no user cancelled it, its files were removed */
};

/* The note beside the results that tells of the job. The numbers stand in journals. */
enum job_note { NOTE_NONE, NOTE_WAITING, NOTE_HELD, NOTE_ERROR, NOTE_RUNNING, NOTES };

struct job_key {
	const char *model, *dir, *stem; /* dir: below the model directory, "" at its top */
};

/* Where a result is on its way; fetch.h has the transitions. */
enum output_state {
	OUTPUT_LINKED,    /* to be fetched; a part of it may be there */
	OUTPUT_NAMED,     /* whole and durable in incoming/; `file` is the name it gets */
	OUTPUT_PUBLISHED, /* it had that name; what the user does with it since is theirs */
	OUTPUT_LOST,      /* given up: `problem` says why */
};

/* Of a running job, in place of its progress: the provider does not know its task, or has had no
 * end for it for more than a day. It may be forgotten, or ordered again. The number stands in
 * journals. */
#define PROGRESS_STUCK (-2)

struct output {
	enum output_state state;
	char *url;
	char *file;       /* relative to the mount, or NULL */
	char *type;       /* suffix of what it turned out to be, or NULL */
	int64_t bytes;    /* once all of it is durable; else 0 */
	int64_t promised; /* how long it is, as the server said; 0: it did not */
	int64_t kept;    /* so much of the part is durable, of the version `validator` stands for */
	char *validator; /* fs/net/http.h; NULL: none */
	bool is_still;   /* a frame that goes with a video: a picture */
	int tries;       /* that failed in a row */
	int64_t dead_ms; /* how long its link has answered without giving the file, while kinofs
	                    was there to see it */
	int64_t moov;    /* of a film that is to be marked (fs/engine/marking.h): where that box
	                    begins, of `bytes` bytes as it came; else 0 */
	char *came, *is; /* SHA-256 of the file before and after that; NULL: not taken */
	char *unmarked;  /* why it is the same; NULL: it is marked, or was not to be */
	char *other;     /* what it is, when that is not what the model promises: "image/png" */
	char *problem;   /* what is in the way, or was when it was lost */
	/* not in the journal; all zero at first */
	struct {
		char *link;       /* instead of url, from a service for links; NULL: none */
		int64_t due_ms;   /* when it is worked on again, clock_steady_ms() */
		int64_t asked_ms; /* when its link was last found to give no file, 0: never */
		int64_t have;     /* so much of the part is good, if `opened` */
		int64_t furthest; /* how far a transfer ever came */
		int64_t ended_at; /* where a transfer ended of which the server marked no end */
		int64_t need;     /* room on the disk that it waits for */
		int unknown;      /* how often something arrived that no type is known of */
		int64_t sync_at; /* what `syncing` makes durable; 0: that does not count any more */
		bool opened, stale, whole, syncing, marking;
		bool shown;    /* it was renamed into out/, but is not durable there */
		bool answered; /* the provider did, since it was last tried */
	} now;
};

/* Text is printable (text_printable); times are wall-clock ms, 0: not yet. */
struct job_row {
	int64_t id; /* 0: no row yet */
	char *model_id, *dir, *stem;
	int take; /* 1, 2, … */
	enum job_state state;
	enum job_hold hold;
	enum job_note note; /* what stands in out/, or is about to */
	bool shown;         /* it is the take its job's files stand for: jobs/NAME.json shows it */
	bool settling;
	bool asked;    /* the user asked for another take (retry): the same order counts as new */
	bool released; /* the user let it go: no hold but a missing key stops it */
	int more; /* how many takes follow this one, each made when the one before was accepted */
	char *fingerprint, *order; /* NULL: not judged yet, or not to be judged (see above) */
	char *seen;    /* what its files looked like when judged (look.h), NULL: not known, "": it
	                  was made from the journal, not from files */
	char *request; /* the body as judged; NULL once it is in the journal */
	struct picture *picture;
	size_t npictures;
	struct output *output; /* not NULL: the provider is done and is paid */
	size_t noutputs;
	double estimate, spent; /* credits; NAN: not known */
	char *task;
	char *provider_state;
	int progress;  /* percent, -1: not said, PROGRESS_STUCK */
	char *problem; /* what is wrong or waited for, a line each */
	char *advice;  /* what to do next */
	int64_t created_ms, submitted_ms, accepted_ms, finished_ms, changed_ms;
	int64_t links_until_ms; /* when the result links may die */
	int64_t saved_ms;       /* when the user last saved one of the job's files */
	char *rights;           /* of its files, on a mount that others use too (fs/base/rights.h),
	                           NULL: not known, so they are the mount owner's */
	int64_t forgotten_ms;   /* when its record was removed: only its order and its cost stay */
	const char *damaged;    /* what of it could not be read, for it is damaged; NULL: all was */
};

/* A row not in the journal yet, waiting, take 1. Strings are copied. NULL: no memory. */
struct job_row *job_row_new(const struct job_key *key);
/* What it holds, not the row itself. */
void job_row_clear(struct job_row *row);
void job_row_free(struct job_row *row);

static inline struct job_key job_key_of(const struct job_row *row)
{
	return (struct job_key){row->model_id, row->dir, row->stem};
}
int job_key_compare(const struct job_key *a, const struct job_key *b);

void outputs_free(struct output *output, size_t count);

/* Whether nothing was sent yet that could cost money: new files replace it. */
bool job_state_is_open(enum job_state state);
/* Whether it has ended: nothing more happens by itself. */
bool job_state_is_end(enum job_state state);
/* Whether it was sent and did not fail, so that its order is not to be sent again. */
bool job_state_is_paid(enum job_state state);
/* Whether it is running, but nobody can say that it will ever end. */
bool job_is_stuck(const struct job_row *row);
const char *job_state_name(enum job_state state);
/* -1: no such state. */
int job_state_parse(const char *name);
bool job_may_become(enum job_state from, enum job_state to);

/* "summer/beach": what the user calls it. The caller frees. */
char *job_name(const struct job_row *row);

/* Replaces a string member by a copy of text (NULL: by NULL). Out of memory keeps nothing. */
void job_set_text(char **member, const char *text);

#endif

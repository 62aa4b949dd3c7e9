/*
 * settle.h - from a changed file to a quiet job. A job whose files change is
 * marked as settling, durably, so that a crash forgets no drop; when nothing of
 * it has changed for the settle time it is judged (judge.h). Engine thread.
 */
#ifndef KINOFS_ENGINE_SETTLE_H
#define KINOFS_ENGINE_SETTLE_H

#include "fs/engine/timer.h"
#include "spec/model.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct job_key;

struct settling {
	struct timer timer;
	const struct model *model;
	char *dir, *stem;
	bool batch;         /* a .jsonl: its lines are the jobs */
	int64_t saved_ms;   /* when something of it was saved last (wall) */
	bool found;         /* at start, and not saved since */
	int64_t changed_ms; /* when something of it changed last, clock_steady_ms() */
	int64_t delay_ms;   /* how long it is to be left alone since */
	bool judged;        /* it was, and will be looked at again without a change */
};

struct settle {
	void *tree;           /* tsearch: every struct settling */
	struct timers timers; /* theirs: many may be due at once, and others must not wait */
	/* Judges a quiet job, or the lines of a batch: 0, or in how many ms to look again. */
	int64_t (*judge)(struct engine *engine, const struct settling *settling);
};

void settle_free(struct engine *engine);

/* One of the job's files changed: saved at this time (wall ms), or only removed or renamed (0). */
void settle_soon(struct engine *engine, const struct job_key *key, int64_t saved_ms);
/* The same when the file was renamed into place, and so is whole: just long enough for a burst of
 * renames (an editor's, rsync's) to be one change. */
void settle_renamed(struct engine *engine, const struct job_key *key, int64_t saved_ms);
/* It is to be judged anew, at once, for another reason than a change of its own files. */
void settle_now(struct engine *engine, const struct job_key *key);
/* It was found at start as the journal does not know it: new, or sent before and changed since.
 * What its files are judged to be will be held. The mark of that is HOLD_UNTIL_RELEASED in the
 * newest row, even of one that was sent; a save takes it away. */
void settle_found(struct engine *engine, const struct job_key *key);
/* A batch changed: its lines are looked at when it is quiet. */
void settle_batch(struct engine *engine, const struct job_key *key, int64_t saved_ms);
/* Whether it, or the batch of this name, settles for a save that the mount told of. */
bool settle_was_saved(struct engine *engine, const struct job_key *key, bool batch);
/* What it was judged without is there now. */
void settle_look_again(struct engine *engine, const struct job_key *key);
/* It is not to be judged any more, whatever changed before this. */
void settle_stop(struct engine *engine, const struct job_key *key);
/* Its newest row, which said durably that it settles, was deleted or has another name now: marks
 * another one, if it still settles. */
void settle_mark_again(struct engine *engine, const struct job_key *key);
/* The engine ends: a batch has no row that could say that it settles, so those that do are looked
 * at now, and the rows of their lines say it. */
void settle_end(struct engine *engine);
/* Whether something is to be judged. */
bool settle_is_empty(const struct settle *settle);

#endif

/*
 * fetch.h - from result links to files in out/. Engine thread.
 *
 * The results of a job are independent of each other: each has its state, its tries, its pause and
 * its end, durable in the job's row (struct output). The job works on whichever is due next.
 *
 *   linked     its link is known. It is downloaded into incoming/ (download.h), and gone on with
 *              where that is safe (part.h). Whole, checked and synced it gets a name, which is
 *              noted:
 *   named      the publisher renames it into place, never over anything (deliver.h). Taken names
 *              make it named anew; a part that is lost makes it linked again.
 *   published  it had its name in out/.
 *   lost       its link gave no file for too long: given up.
 *
 * The part file leaves incoming/ only by that rename, so after a crash a file of that name, and no
 * part file, means: published.
 *
 * Once every result has come to an end the job is done, with a note of what was lost or is of
 * another kind than the model promises; or it has failed, if nothing came.
 */
#ifndef KINOFS_ENGINE_FETCH_H
#define KINOFS_ENGINE_FETCH_H

#include "fs/engine/jobs.h"

/* The result links of a poll become outputs; a list of none says that it was made all the same
 * (job.h). 0 or -ENOMEM. */
int fetch_plan(struct job *job, const struct poll_answer *answer);
/* Goes on with the result that is due, or waits until one is. */
void enter_downloading(struct engine *engine, struct job *job);

/* What that result is to be, a mask of enum result_kind: what the model makes, or a picture that
 * goes with a video. */
unsigned int fetch_promised(const struct job *job, size_t number);

/* For those who do the work (relink, download, deliver): it is done on job->at. */

/* What it came to is committed, then the job goes on. */
void fetch_next(struct job *job);

enum trouble {
	TROUBLE_HERE,   /* the disk, memory, the publisher */
	TROUBLE_LINE,   /* it broke off */
	TROUBLE_SILENT, /* nothing came: the host's fault if the provider answers meanwhile, else
	                   the line's */
	TROUBLE_SERVER, /* it answered, but not with the file */
	TROUBLE_DEAD,   /* the link is dead, or leads to something else: a fresh one is asked for */
	TROUBLE_WASTED, /* bytes came, and none of them are of use */
};
/* The result is tried again after a pause, or given up. words: what is wrong; NULL: no memory. */
void fetch_later(struct engine *engine, struct job *job, enum trouble trouble, const char *words);
/* It waits until there is room for so many bytes. */
void fetch_when_room(struct engine *engine, struct job *job, int64_t bytes, int64_t there);
/* It made progress: what went wrong before does not count any more. */
void fetch_gains(struct output *output);

#endif

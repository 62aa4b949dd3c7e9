/*
 * gallery.h - the takes that gallery.html shows: what goes on and what changed
 * last, and a month at a time what is older. Read a hundred at a time, so that
 * nobody waits for the lock of the view while many are told. Any thread.
 */
#ifndef KINOFS_JOURNAL_GALLERY_H
#define KINOFS_JOURNAL_GALLERY_H

#include "fs/journal/job.h"

struct view;

struct gallery_take {
	struct job_row *row;
	char *request;       /* the body as it was judged, or NULL */
	int64_t expected_ms; /* of a running one: when it should be there, wall clock; 0: not known
	                      */
};

/* Called without the lock. take belongs to the caller, who may change its row. 0, or -errno, which
 * ends it and is returned. */
typedef int gallery_each(void *context, struct gallery_take *take);

/* Every take that has not ended, then the jobs that ended last, a few hundred at most. *since_ms:
 * all that have ended since then were told; 0: all there are. 0, -ENOMEM, -EIO. */
int gallery_now(struct view *view, gallery_each *each, void *context, int64_t *since_ms);
/* Every take that was ordered in a month (202611, spending.h), and every job that came to its end
 * in it without an order, each once. The same results. */
int gallery_month(struct view *view, int month, gallery_each *each, void *context);

/* Which state of the journal there is: another number after each change; -1: cannot be told. */
int64_t gallery_version(struct view *view);

#endif

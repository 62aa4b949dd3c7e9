/* view_inside.h - what a view is, for the files that are one: view.c, spending.c, gallery.c. */
#ifndef KINOFS_JOURNAL_VIEW_INSIDE_H
#define KINOFS_JOURNAL_VIEW_INSIDE_H

#include "fs/journal/statements.h"
#include "fs/journal/tally.h"
#include "spec/model.h"

#include <cjson/cJSON.h>
#include <pthread.h>

struct view {
	pthread_mutex_t lock; /* held over one query; the innermost lock of any thread */
	struct journal journal;
	const struct model_set *models;
	/* What was asked of it last (spending.c), and the state of the journal it is of. */
	struct {
		int month; /* 0: none */
		int64_t version;
		cJSON *orders;
	} spent;
	/* What was ordered before a month (tally.c). */
	struct {
		int month; /* 0: none */
		struct tallies orders;
	} past;
};

/* Which state of the journal this is: another one whenever the engine has committed something; -1:
 * cannot be told. Under the lock. */
int64_t view_version(struct view *view);

#endif

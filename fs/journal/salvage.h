/*
 * salvage.h - what can be read of a damaged journal goes into a new one. The
 * damaged one is kept, byte for byte, as journal.db.damaged-DATE, with its log.
 * A take whose row is gone but is named by an index comes back as far as it was
 * read, in a state that no row may have: the engine sets it aside with a note
 * (recover.h). Of what is known nothing but that it was there, it is assumed that
 * it was paid for today, and that it was dear. For main, before the journal is
 * opened.
 */
#ifndef KINOFS_JOURNAL_SALVAGE_H
#define KINOFS_JOURNAL_SALVAGE_H

#include <stdint.h>

#include "spec/model.h"

struct salvage {
	char *kept;                /* the path of the damaged journal; the caller frees */
	int64_t read, aside, gone; /* takes: whole; in part; of which nothing is known */
};

/* path: of the journal. 0; or -errno, and nothing was changed: -EBADMSG, nothing can be read. */
int salvage(const char *path, const struct model_set *models, struct salvage *result);
/* Ends what a salvage that was cut off had begun; also when there was none. 0 or -errno. */
int salvage_finish(const char *path);

#endif

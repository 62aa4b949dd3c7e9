/*
 * owner.h - whose a job is, on a mount that others use too (access.h): its
 * record, its results and orders about it follow the rights of its files.
 * Elsewhere nothing of this is done. Engine thread.
 */
#ifndef KINOFS_ENGINE_OWNER_H
#define KINOFS_ENGINE_OWNER_H

#include "fs/base/rights.h"
#include "fs/engine/jobs.h"

struct job_files;

/* What the files were found to allow ("": nothing is known, so it stays as it was). */
void owner_set(struct job *job, const char *rights);
/* Looks at the files of a job about which nothing is known yet. */
void owner_look(struct engine *engine, struct job *job);
/* The owner or the mode of a file has changed. path: relative to the mount. */
void owner_changed(struct engine *engine, const char *path);
/* Whether who saved the files may read all that is to be sent: 1, 0, or -errno. */
int owner_may_read(struct engine *engine, const struct job *job, const struct job_files *files);

/* Whether somebody may read (4), or change (2), the files of a job. asker NULL: nobody in
 * particular asks, who may all. */
bool owner_allows(const struct engine *engine, const struct job *job, const struct person *asker,
	mode_t want);
/* Whether whoever may see the one job may see the other. */
bool owner_shares(
	const struct engine *engine, const struct job_row *with, const struct job_row *row);

#endif

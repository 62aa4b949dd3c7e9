/*
 * apply.h - the second half of judging a job (judge.h): writes what its files
 * were found to be into its row, and sets the state that follows. Engine thread.
 */
#ifndef KINOFS_ENGINE_APPLY_H
#define KINOFS_ENGINE_APPLY_H

#include "fs/engine/identity.h"
#include "fs/engine/settle.h"

/* One look at a job. The judge owns it, and clears it when the job is judged. */
struct judging {
	struct engine *engine;
	const struct settling *settling;
	struct job_key key;
	struct takes own;         /* of this job, newest first */
	struct takes same;        /* of any job, with the order of these files */
	struct assembly assembly; /* the files, read */
};

/* job: a row that was not sent yet. It becomes rejected, waiting, held or queued, and takes the
 * pictures of the assembly over. 0, in how many ms to look again (a picture may follow), or -errno:
 * then it still settles. */
int64_t apply(struct judging *judging, struct job *job, const struct identification *id);

#endif

/*
 * identity.h - whether an order was sent already, and what became of it: the
 * rule by which the same order is paid for once (fs/README.md 2, invariant 6).
 * It changes nothing; judge.c does what follows. Engine thread.
 */
#ifndef KINOFS_ENGINE_IDENTITY_H
#define KINOFS_ENGINE_IDENTITY_H

#include "fs/engine/jobs.h"
#include "fs/input/assemble.h"

/* What the files of a quiet job turn out to be. `take` is the row that they were compared with. */
enum identity {
	IDENTITY_NEW,       /* an order that was not sent: order it. take: NULL, or a row of another
	                       job that was withdrawn because its files left, which are here now */
	IDENTITY_UNDER_WAY, /* the same as take, the job's row that was not sent yet: it goes on */
	IDENTITY_SENT,      /* the same as take, which was sent for this job: order nothing */
	IDENTITY_ENDED,     /* the same as take of this job, which failed or was cancelled after the
	                       files were saved last: order nothing */
	IDENTITY_MOVED,     /* the order of take, of another job, whose files are not at their place
	                       any more: they were moved here, and the job with them */
	IDENTITY_COPY,      /* the order of take, of another job, whose files are at their place:
	                       hold it */
	IDENTITY_FORGOTTEN, /* the order of a job whose record was removed after the files were
	                       saved last: hold it */
};

struct identification {
	enum identity is;
	struct job *take;
	int sent;  /* how many takes of this job were sent for this order, those still to be made
	              (row.more) among them; compared with "takes" */
	bool over; /* one of them failed or was cancelled, and nobody has saved the files since */
	bool held; /* it was held until released under the name that its files left: so it stays */
};

/* A held copy that nobody has saved since it was held: it stays one of the order it was held for,
 * whatever the defaults have become, as long as another job has that order. NULL: the job is none.
 */
struct job *resting_copy(const struct takes *own, const struct assembly *assembly);

/* own: the takes of the job; same: jobs_same_order() of its order, empty when it has none.
 * 0, or -errno when something cannot be looked at now: then nothing follows. */
int identify(struct engine *engine, const struct takes *own, const struct takes *same,
	const struct assembly *assembly, struct identification *id);

/* The row of a job that is not sent yet, among its takes: the newest, or NULL. */
struct job *open_take(const struct takes *takes);
/* When the user last saved one of the job's files: wall ms, 0: not known. */
int64_t takes_saved_ms(const struct takes *takes);

#endif

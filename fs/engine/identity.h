/*
 * identity.h - whether an order was sent already, and what became of it: the
 * rule by which the same order is paid for once (fs/README.md 2, invariant 6).
 * It changes nothing; judge.c does what follows. Engine thread.
 */
#ifndef KINOFS_ENGINE_IDENTITY_H
#define KINOFS_ENGINE_IDENTITY_H

#include "fs/engine/jobs.h"
#include "fs/input/assemble.h"

/* What a quiet job's files are, `take` being the one it is said of. */
enum identity {
	IDENTITY_NEW,       /* an order nobody sent. take: NULL, or another job's row that was
	                       withdrawn when its files left for here */
	IDENTITY_UNDER_WAY, /* what the job's row that was not sent yet is: it goes on */
	IDENTITY_SENT,      /* what this take of the job was sent for */
	IDENTITY_ENDED,     /* what this take of the job failed with, or was cancelled with, and
	                       nobody has saved the files since */
	IDENTITY_MOVED,     /* what this take of another job is, whose files are here now */
	IDENTITY_COPY,      /* what this take of another job is, whose files are where they were */
	IDENTITY_FORGOTTEN, /* what was sent by a job that the user has forgotten, and nobody has
	                       saved the files since */
};

struct identification {
	enum identity is;
	struct job *take;
	struct job *copied; /* under way as a held copy: of this one, or NULL */
	int sent;  /* how many takes of the job were sent for this order, or follow one that was */
	bool over; /* one of them failed or was cancelled, and nobody has saved the files since */
	bool held; /* a row with this order was held until released when its files left */
};

/* The takes of the order that the files would send; but a copy that is held stays one of the order
 * it was held for until somebody saves it, whatever the defaults have become, if that is known at
 * all. Also the takes made of files that said the same by other defaults, and have left. 0 or
 * -errno; takes_clear() in any case. */
int find_same_order(struct engine *engine, const struct takes *own, const struct assembly *assembly,
	struct takes *same);

/* own: the takes of the job; same: those of find_same_order(). 0, or -errno when something cannot
 * be looked at now: then nothing follows. */
int identify(struct engine *engine, const struct takes *own, const struct takes *same,
	const struct assembly *assembly, struct identification *id);

/* The take of another job that has this order, sent or about to be, while no own take was sent for
 * it: with other defaults, more takes of a job may be what another has ordered. NULL: none. */
struct job *ordered_elsewhere(const struct takes *own, const struct takes *same, const char *order);

/* The row of a job that is not sent yet, among its takes: the newest, or NULL. */
struct job *open_take(const struct takes *takes);
/* When the user last saved one of the job's files. */
int64_t takes_saved_ms(const struct takes *takes);

#endif

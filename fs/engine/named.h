/*
 * named.h - by which pictures jobs.c finds jobs in memory: each file that comes
 * is looked up among those that jobs name. Engine thread.
 */
#ifndef KINOFS_ENGINE_NAMED_H
#define KINOFS_ENGINE_NAMED_H

#include "fs/engine/jobs.h"

/* That a job names a picture. */
struct naming {
	struct job *job;
	struct named *named;
	LIST_ENTRY(naming) entry; /* of the same picture */
};

/* The job is found by the pictures of its row, and by what their links lead to, which are not to be
 * changed until named_remove(). Without memory it is not found by some; logged. */
void named_add(struct jobs *jobs, struct job *job);
void named_remove(struct jobs *jobs, struct job *job);
/* The first of those that name the picture, or NULL; LIST_NEXT() leads on. */
struct naming *named_find(const struct jobs *jobs, const char *path);

#endif

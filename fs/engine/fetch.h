/*
 * fetch.h - from result links to files in out/. Engine thread.
 *
 * Each result goes through these states (enum output_state, durable in the
 * job's row):
 *
 *   linked     its link is known. It is downloaded into incoming/, resumed where it broke off,
 *              checked and fsynced; then it gets a name, which is noted:
 *   named      the publisher renames it into place, never over anything. Taken names make it
 *              named anew; a part that is lost makes it linked again.
 *   published  it had its name in out/.
 *
 * The part file leaves incoming/ only by that rename, so after a crash a file
 * of that name, and no part file, means: published.
 */
#ifndef KINOFS_ENGINE_FETCH_H
#define KINOFS_ENGINE_FETCH_H

#include "fs/net/provider.h"

#include <stdint.h>

struct engine;
struct job;

/* Goes on with the first result that is not published. */
void enter_downloading(struct engine *engine, struct job *job);
/* The job has a slot of downloads: goes on with that result. */
void fetch_download(struct engine *engine, struct job *job);
/* The publisher's answer about the job with this id: 0, or -errno. */
void fetch_published(struct engine *engine, int64_t id, int error);
/* The result links of a poll become outputs. 0 or -ENOMEM. */
int fetch_plan(struct job *job, const struct poll_answer *answer);
/* The provider does not know the task any more: tries the links again, while they may live. */
void fetch_not_known(struct engine *engine, struct job *job, const char *words);
/* The provider gave the links anew. */
void fetch_refreshed(struct job *job, const struct poll_answer *answer);

#endif

/*
 * part.h - what of a result is in incoming/ so far. Engine thread.
 *
 * After a loss of power a file has the length it was given and zeros where its bytes were not on
 * the disk yet. So a part that is found at a start counts as far as the journal says that it was
 * synced (`kept`), and is cut there; what was written since is fetched again. In one run all that
 * was written counts (`now.have`).
 *
 * It is gone on with only if the server's file is still the one that it is a part of, by length
 * and validator (RFC 9110, 13.1.5); else it is begun anew. The journal must not say of the older
 * bytes that they are durable once newer ones are written over them: who begins anew commits
 * part_forget() first.
 */
#ifndef KINOFS_ENGINE_PART_H
#define KINOFS_ENGINE_PART_H

#include "fs/engine/jobs.h"

/* Its name in incoming/. number: of the result, from 0. The caller frees. NULL: no memory. */
char *part_name(const struct job *job, int number);
/* Opens it to go on at *at, behind which nothing is left; 0: from its start. A descriptor or
 * -errno; -ESTALE: it is to be begun anew, and that is to be committed first. */
int part_open(struct engine *engine, struct job *job, int number, int64_t *at);
/* Opens it as it is, to read and to write. A descriptor or -errno. */
int part_open_whole(struct engine *engine, const struct job *job, int number);
/* How long it is, or -errno (-ENOENT: it is not there). */
int64_t part_bytes(struct engine *engine, const struct job *job, int number);
/* Whether a download may go on where it is. */
bool part_may_go_on(const struct output *output);
/* What was fetched does not count any more. Not committed. */
void part_forget(struct output *output);
/* Gives its bytes on the disk back. */
void part_remove(struct engine *engine, const struct job *job, int number);

/* Makes the parts durable that can be gone on with at the next start; their rows are to be
 * committed then. Takes as long as the disk does: when the engine ends. */
void part_keep_all(struct engine *engine);

#endif

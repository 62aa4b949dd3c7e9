/*
 * editors.h - half-written prompts are not paid for: a job that an editor has a
 * file of open waits until that is closed, or the user lets it go. What was
 * ordered already, or is asked for by an order of the user's, waits for nobody.
 * Engine thread.
 */
#ifndef KINOFS_ENGINE_EDITORS_H
#define KINOFS_ENGINE_EDITORS_H

#include "fs/engine/jobs.h"
#include "fs/input/files.h"
#include "spec/place.h"

/* If an editor has one of these files open the job waits, and says for whom. False: none has. */
bool editors_wait(struct engine *engine, struct job *job, const struct job_files *files);
/* A name is gone that is no file of a job: if it is an editor's lock, what waited goes on. */
void editors_closed(struct engine *engine, const struct place *place, const char *path);

#endif

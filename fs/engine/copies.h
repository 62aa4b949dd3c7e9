/*
 * copies.h - a copy is a job that is held because another job, whose files are
 * still at their place, has the same order (HOLD_COPY). Engine thread.
 */
#ifndef KINOFS_ENGINE_COPIES_H
#define KINOFS_ENGINE_COPIES_H

#include "fs/engine/jobs.h"

/* Holds `job` as a copy of `of`: its note names that one and its result, and says what to do. */
void copies_hold(struct job *job, const struct job *of);
/* Of a held copy: its note names this one, which may be another than before. */
void copies_name(struct job *copy, const struct job *of);
/* The files of `job` are gone or say something else: a copy of it may take it over, so all of its
 * copies are judged anew. */
void copies_judge(struct engine *engine, const struct job *job);
/* `job` has ended: the notes of its copies say how, and where its result is. */
void copies_tell(struct engine *engine, const struct job *job);

#endif

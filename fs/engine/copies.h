/*
 * copies.h - jobs that are held because another one has their order. Engine
 * thread.
 */
#ifndef KINOFS_ENGINE_COPIES_H
#define KINOFS_ENGINE_COPIES_H

#include "fs/engine/jobs.h"

/* Holds a job as a copy of another: the note names it, its video, and the ways on. */
void copies_hold(struct job *job, const struct job *of);
/* The same words for a job that is held as a copy already. */
void copies_say(struct job *copy, const struct job *of);
/* The files of a job have gone or changed: a copy may take the job over, so all are judged anew. */
void copies_judge(struct engine *engine, const struct job *job);
/* A job has ended: the notes of its copies say so, and where its video is. */
void copies_tell(struct engine *engine, const struct job *job);

#endif

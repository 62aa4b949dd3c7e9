/* pictures.h - the pictures that stand in a job's row, changed here only: it is found by them.
 * Engine thread. */
#ifndef KINOFS_ENGINE_PICTURES_H
#define KINOFS_ENGINE_PICTURES_H

#include "fs/engine/jobs.h"
#include "fs/input/assemble.h"

/* The job's pictures become those of the assembly, which loses them; where the same bytes were
 * uploaded to is kept. */
void pictures_take(struct job *job, struct assembly *assembly);
/* The same pictures as another job's, each to be looked up or uploaded again. 0 or -ENOMEM. */
int pictures_copy(struct job *to, const struct job *from);

#endif

/* pictures.h - the pictures that stand in a job's row. Engine thread. */
#ifndef KINOFS_ENGINE_PICTURES_H
#define KINOFS_ENGINE_PICTURES_H

#include "fs/input/assemble.h"
#include "fs/journal/job.h"

/* The row's pictures become those of the assembly, which loses them; where the same bytes were
 * uploaded to is kept. */
void pictures_take(struct job_row *row, struct assembly *assembly);
/* The same pictures as another row's, each to be looked up or uploaded again. 0 or -ENOMEM. */
int pictures_copy(struct job_row *to, const struct job_row *from);
/* Whether the row names the picture. */
bool pictures_name(const struct job_row *row, const char *path);

#endif

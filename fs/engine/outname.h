/* outname.h - the name a result gets in out/. Engine thread. */
#ifndef KINOFS_ENGINE_OUTNAME_H
#define KINOFS_ENGINE_OUTNAME_H

#include "fs/engine/jobs.h"

/* Whether nothing has this path in the mount. */
bool outname_is_free(struct engine *engine, const char *path);
/* The first free one of cat.mp4, cat.2.mp4, cat.3.mp4 …; cat-2.mp4 … for further results (number
 * counts from 0). type: the suffix. The caller frees. NULL: none is free, or no memory. */
char *outname_free(struct engine *engine, const struct job *job, int number, const char *type);

#endif

/*
 * outname.h - the name a result, or a note, gets in out/. Engine thread.
 *
 * A name that is too long for a folder is cut (place_fit()). No link below out/ is followed, as it
 * may lead anywhere: where a link, or a file, stands in place of the job's folder "summer", the
 * name is "summer~cat.mp4" in the folder above.
 */
#ifndef KINOFS_ENGINE_OUTNAME_H
#define KINOFS_ENGINE_OUTNAME_H

#include "fs/engine/jobs.h"

/* Whether nothing has this path in the mount. */
bool outname_is_free(struct engine *engine, const char *path);
/* Where a file of this job belongs whose name ends in tail (".error.txt"). The caller frees. NULL:
 * no memory, or out/ of the model is itself no folder. */
char *outname_path(struct engine *engine, const struct job *job, const char *tail);
/* The first free one of cat.mp4, cat.2.mp4, cat.3.mp4 …; cat-2.mp4 … for further results (number
 * counts from 0). type: the suffix. The caller frees. NULL: none is free, or no memory. */
char *outname_free(struct engine *engine, const struct job *job, int number, const char *type);

/* Of the name of a result, without its suffix, the job's: "a" of "a.2" and "a-2", one ending at a
 * time. false: none is left. */
bool outname_cut_number(char *stem);

#endif

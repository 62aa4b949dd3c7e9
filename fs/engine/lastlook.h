/*
 * lastlook.h - looks at a job's files that end in a word about money: whether
 * they can be judged now, whether what was judged is still what is there,
 * whether a take's files still stand where it was ordered from. What cannot be
 * looked at is neither gone nor new. Engine thread.
 */
#ifndef KINOFS_ENGINE_LASTLOOK_H
#define KINOFS_ENGINE_LASTLOOK_H

#include "fs/engine/jobs.h"
#include "fs/input/assemble.h"

/* Whether somebody is still writing one of these files, or a scratch copy that may become one. */
bool files_are_busy(struct engine *engine, const struct job_files *files);
bool pictures_are_busy(struct engine *engine, const struct picture *picture, size_t npictures);
/* Whether a file of the job was being written when kinofs ended, and nobody has closed it. */
bool files_are_cut_off(struct engine *engine, const struct assembly *assembly);

/* Whether the files of a take's name still say what it was ordered for: 1, 0, or -errno. */
int is_at_place(struct engine *engine, const struct job *job);

/* Right before a request may go: whether nobody writes, and everything is as it was judged. 1, 0:
 * it must be judged anew, or -errno: that cannot be seen now. */
int is_as_judged(struct engine *engine, const struct job *job);

#endif

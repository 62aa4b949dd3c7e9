/*
 * lastlook.h - looks at a job's files on which money depends: can they be judged
 * now, are they still what was judged (fs/README.md 2, invariant 12), are a
 * take's files still where it was ordered from (invariant 6)? A file that cannot
 * be looked at is neither gone nor new: that is an error, from which nothing
 * follows. Engine thread.
 */
#ifndef KINOFS_ENGINE_LASTLOOK_H
#define KINOFS_ENGINE_LASTLOOK_H

#include "fs/engine/jobs.h"
#include "fs/input/assemble.h"

/* Whether somebody is still writing a file, or what symbolic links lead to from it; also when that
 * cannot be seen. */
bool file_is_written(struct engine *engine, const char *path);
/* Whether somebody is still writing one of these files, or a scratch copy that may become one. */
bool files_are_busy(struct engine *engine, const struct job_files *files);
bool pictures_are_busy(struct engine *engine, const struct picture *picture, size_t npictures);
/* Whether a file of the job was being written when kinofs was killed, so that it may be half of
 * what was meant (writing.h). */
bool files_are_cut_off(struct engine *engine, const struct assembly *assembly);

/* Whether a row is of these files, whatever the defaults were, or of their order. */
bool row_is_of(const struct job_row *row, const struct assembly *assembly);
/* Whether the files of a take's name still say what it was ordered for: 1, 0, or -errno. */
int is_at_place(struct engine *engine, const struct job *job);

/* Right before a request may go: 1: nobody writes, and the files and defaults.json are the ones
 * that were judged; 0: it must be judged anew; -errno: that cannot be seen now. */
int is_as_judged(struct engine *engine, const struct job *job);

#endif

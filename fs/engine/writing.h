/*
 * writing.h - which files have a writer, for the run after a crash: a file whose
 * writer never closed it may be half of what was meant, and is not to be paid
 * for by itself. Kept in the file `writing` beside the journal, which is memory shared with
 * the page cache: a killed process loses nothing of it, and it costs no system
 * call. Any thread may call; one lock inside.
 */
#ifndef KINOFS_ENGINE_WRITING_H
#define KINOFS_ENGINE_WRITING_H

#include <stdbool.h>
#include <sys/types.h>

struct writing;

/* NULL: the reason is logged. */
struct writing *writing_open(int journal_fd);
void writing_close(struct writing *writing);

/* A file has one more writer: a number for writing_ended(), or -1 when too many have one. */
int writing_began(struct writing *writing, ino_t ino);
void writing_ended(struct writing *writing, int number);
/* Whether it had a writer when an earlier run was killed, and nobody has written to it since. Of
 * this run's writers one that just closed it may still be among those who write: it is whole. */
bool writing_was_cut_off(struct writing *writing, ino_t ino);

#endif

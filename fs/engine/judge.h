/*
 * judge.h - decides what is to be done with a job whose files are quiet: an
 * order that was sent costs nothing, a new one becomes a take, files that are
 * gone withdraw what was not sent (fs/README.md 2, invariant 6). It reads the
 * files, asks identity.h what they are, and leaves the row to apply.h, follow.h
 * or copies.h. Engine thread.
 */
#ifndef KINOFS_ENGINE_JUDGE_H
#define KINOFS_ENGINE_JUDGE_H

#include <stdint.h>

struct engine;
struct settling;

/* Judges a job's files and does what follows. 0, or in how many ms to look again: someone still
 * writes one of them, they cannot be looked at, the journal cannot be read (the row says so), a
 * picture may follow. */
int64_t judge(struct engine *engine, const struct settling *settling);

#endif

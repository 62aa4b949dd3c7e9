/*
 * judge.h - from a quiet job to what is to be done: the same order costs
 * nothing, another is a new take, files that are gone withdraw what was not
 * sent. Engine thread.
 */
#ifndef KINOFS_ENGINE_JUDGE_H
#define KINOFS_ENGINE_JUDGE_H

#include <stdint.h>

struct engine;
struct settling;

/* Judges a job's files and does what follows. 0, or in how many ms to look again: someone still
 * writes one of them, they cannot be looked at, the journal cannot be read, a picture may follow.
 */
int64_t judge(struct engine *engine, const struct settling *settling);

#endif

/* drop.h - a job whose files changed and that is waiting to be quiet. For drop.c, judge.c and
 * waiting.c. */
#ifndef KINOFS_DROP_H
#define KINOFS_DROP_H

#include "fs/job/engine_core.h"
#include "fs/job/files.h"

struct drop {
	struct timer timer;
	const struct model *model;
	char *dir, *stem;
	bool renamed; /* a file of it went to another name, and was not removed since */
	bool batch;   /* a .jsonl: its lines are the jobs */
};

/* Judges the drop's files and does what follows from them. false: someone is still writing one of
 * them, the journal cannot be read, or there was no memory: judge again later. */
bool drop_judge(struct engine *engine, const struct drop *drop);

/* A file has come: judges the jobs that may be waiting for it. */
void waiting_touch(struct engine *engine, const struct place *place, const char *path);

#endif

/* drop.h - a job whose files changed and that is waiting to be quiet. For drop.c, drop_move.c,
 * judge.c and waiting.c. */
#ifndef KINOFS_ENGINE_SETTLE_H
#define KINOFS_ENGINE_SETTLE_H

#include "fs/engine/engine_core.h"
#include "fs/input/files.h"

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

/* NULL: the job has no such drop. */
struct drop *drop_find(struct engine *engine, const struct model *model, const char *dir,
	const char *stem, bool batch);
/* A file has these bytes now, and is judged when it has been left alone for so long. */
void drop_changed_after(struct engine *engine, const char *path, int64_t settle_ms);
/* Judges every line of a batch, and every job of a line it had before; found: at start. */
void drop_touch_lines(struct engine *engine, const struct model *model, const char *dir,
	const char *stem, int lines, bool found);

static inline bool is_job_file(const struct place *place)
{
	return place->role >= ROLE_SPEC && place->role <= ROLE_LAST_FRAME;
}

/* A file has come: judges the jobs that may be waiting for it. */
void waiting_touch(struct engine *engine, const struct place *place, const char *path);

#endif

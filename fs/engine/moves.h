/*
 * moves.h - the renames of the last moments, newest last, so that a file that
 * was renamed again before anyone looked is still known by its first name.
 * For the engine's thread.
 */
#ifndef KINOFS_ENGINE_MOVES_H
#define KINOFS_ENGINE_MOVES_H

#include <stddef.h>

#define MOVES_KEPT 256

struct moves {
	struct move {
		char *from, *to; /* a file or a folder; paths relative to the mount */
	} kept[MOVES_KEPT];
	size_t count; /* all so far; the last MOVES_KEPT are kept */
};

/* Without memory it is not noted. */
void moves_note(struct moves *moves, const char *from, const char *to);
/* What path was before the newest rename, of it or of a folder above it, older than *age (at first
 * moves->count), which becomes that rename's age. The caller frees. NULL: nothing else. */
char *moves_before(const struct moves *moves, const char *path, size_t *age);
void moves_clear(struct moves *moves);

#endif

#include "fs/engine/moves.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void forget(struct move *move)
{
	free(move->from);
	free(move->to);
	*move = (struct move){0};
}

void moves_note(struct moves *moves, const char *from, const char *to)
{
	struct move *move = &moves->kept[moves->count++ % MOVES_KEPT];

	forget(move);
	move->from = strdup(from);
	move->to = strdup(to);
	if (!move->from || !move->to)
		forget(move);
}

char *moves_before(const struct moves *moves, const char *path, size_t *age)
{
	while (*age > 0 && *age + MOVES_KEPT > moves->count) {
		const struct move *move = &moves->kept[--*age % MOVES_KEPT];
		size_t length = move->to ? strlen(move->to) : 0;
		char *before;

		if (!length || strncmp(path, move->to, length) ||
			(path[length] && path[length] != '/'))
			continue;
		return asprintf(&before, "%s%s", move->from, path + length) < 0 ? NULL : before;
	}
	return NULL;
}

void moves_clear(struct moves *moves)
{
	for (size_t i = 0; i < MOVES_KEPT; i++)
		forget(&moves->kept[i]);
}

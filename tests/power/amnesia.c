/*
 * amnesia.c - a power cut, from the record of what was done (record.c):
 *
 *   amnesia cut LOG LOSS SEED              the folders of the record, into a legal state
 *   amnesia each LOG DIR SEED EVERY LOSS…  each loss, every EVERYth step ("all": where it differs):
 *                                          DIR/0, DIR/1, … are what the folders may be; prints
 *                                          "STEP LOSS SEED", and goes on after a line on stdin.
 *                                          Last comes what is there.
 */
#include "tests/power/states.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_op(FILE *log, struct op *op, char **data)
{
	size_t bytes;

	if (fread(op, sizeof(*op), 1, log) != 1)
		return false;
	bytes = (size_t)op->name + op->name2 + op->bytes;
	*data = realloc(*data, bytes + 1);
	if (!*data || fread(*data, 1, bytes, log) != bytes)
		abort();
	(*data)[bytes] = '\0';
	return true;
}

static enum loss loss_of(const char *name)
{
	for (int i = 0; i < LOSSES; i++)
		if (!strcmp(loss_names[i], name))
			return (enum loss)i;
	(void)fprintf(stderr, "no such loss: %s\n", name);
	exit(2);
}

static int cut(FILE *log, enum loss loss, uint64_t seed)
{
	struct states *states = states_new();
	struct op op;
	char *data = NULL;

	while (read_op(log, &op, &data))
		states_add(states, &op, data);
	states_make(states, loss, seed, NULL);
	states_free(states);
	free(data);
	return 0;
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *where)
{
	(void)info;
	(void)flag;
	(void)where;
	return remove(path);
}

static void one_state(
	const struct states *states, char *const *to, long step, enum loss loss, uint64_t seed)
{
	char line[16];

	for (int i = 0; to[i]; i++)
		(void)nftw(to[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
	states_make(states, loss, seed, to);
	(void)printf("%ld %s %llu\n", step, loss_names[loss], (unsigned long long)seed);
	(void)fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(1);
}

/* With everything lost that was not synced, other steps leave what the step before left. */
static bool is_new(const struct op *op)
{
	return op->kind == OP_SYNC || op->kind == OP_SEND || op->kind == OP_NOTE ||
	       op->kind == OP_BEGIN;
}

static int each(FILE *log, const char *directory, uint64_t seed, long every, char **loss)
{
	struct states *states = states_new();
	struct op op;
	char *data = NULL, to[4][PATH_MAX], *path[5] = {NULL};
	long step = -1;

	for (int i = 0; i < 4; i++)
		(void)snprintf(to[i], sizeof(to[i]), "%s/%d", directory, i);
	for (int roots = 0; read_op(log, &op, &data);) {
		states_add(states, &op, data);
		if (op.kind == OP_ROOT) {
			path[roots] = to[roots];
			roots++;
		}
		step += op.kind == OP_BEGIN || step >= 0;
		for (int i = 0; step >= 0 && loss[i]; i++) {
			enum loss kind = loss_of(loss[i]);

			if (kind == LOSS_ALL ? is_new(&op) : step % every == 0)
				one_state(states, path, step, kind,
					seed + (uint64_t)step * 64 + (uint64_t)i);
		}
	}
	one_state(states, path, step, LOSS_NONE, seed); /* as it is */
	states_free(states);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	FILE *log = argc > 4 ? fopen(argv[2], "re") : NULL;

	if (log && !strcmp(argv[1], "cut") && argc == 5)
		return cut(log, loss_of(argv[3]), strtoull(argv[4], NULL, 10));
	if (log && !strcmp(argv[1], "each") && argc > 6)
		return each(log, argv[3], strtoull(argv[4], NULL, 10), strtol(argv[5], NULL, 10),
			argv + 6);
	(void)fprintf(stderr, "usage: amnesia cut LOG LOSS SEED\n"
			      "       amnesia each LOG DIR SEED EVERY LOSS...\n");
	return 2;
}

/* files.c - removing what a run has made. */
#include "contrib/simulator/sim.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
	(void)about, (void)kind, (void)where;
	return remove(path);
}

void remove_tree(const char *path)
{
	if (nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0)
		(void)fprintf(stderr, "kinofs-sim: %s: %s\n", path, strerror(errno));
}

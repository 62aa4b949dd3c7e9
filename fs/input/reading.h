/* reading.h - a job while assemble() reads it; for assemble.c and media_read.c only. */
#ifndef KINOFS_INPUT_READING_H
#define KINOFS_INPUT_READING_H

#include "fs/input/assemble.h"

#include <stdio.h>

/* The texts live as long as the specs built from them are wanted. */
struct reading {
	const struct tree *tree;
	const struct model *model;
	struct assembly *assembly;
	char *json, *prompt, *defaults, *folder;
	struct spec_source source;
	FILE *bytes,
		*seen; /* what the digests are taken from; memory streams, checked when closed */
};

/* Reads the files that the spec names, into the assembly's pictures. 0 or -errno. */
int reading_media(struct reading *reading);

#endif

/*
 * picture.h - files somebody gave us: uploads and the pictures inside requests; films and sound,
 * too, are kept as such.
 *
 * A picture is counted: the table of uploads and each task that will draw it hold a reference, so
 * an upload can be replaced while a task still uses the older bytes. All under sim.lock.
 */
#ifndef KINOFS_CONTRIB_SIMULATOR_PICTURE_H
#define KINOFS_CONTRIB_SIMULATOR_PICTURE_H

#include "contrib/simulator/sim.h"

struct picture {
	unsigned int references;
	char name[24]; /* of its file below sim.directory: p and 16 hex digits */
	size_t bytes;
	const char *mime;    /* application/octet-stream: not a type we know */
	const char *demuxer; /* ffmpeg's name for the type, NULL: not a picture to draw */
	int width, height;
};

/* Stores the bytes; NULL when the disk refuses. The caller has one reference. */
struct picture *picture_store(const void *bytes, size_t count);
struct picture *picture_ref(struct picture *picture);
void picture_unref(struct picture *picture); /* NULL is fine */
char *picture_path(const struct picture *picture);

/* For state.c: what there is to know but the bytes, and back. NULL: they are gone, or no memory. */
cJSON *picture_json(const struct picture *picture);
struct picture *picture_restore(const cJSON *json);
bool picture_is_known(const char *name); /* of its file */

#endif

/*
 * picture.h - files somebody gave us: uploads and the pictures inside requests.
 *
 * A picture is counted: the table of uploads and each task that will draw it hold a reference, so
 * an upload can be replaced while a task still uses the older bytes. All under sim.lock.
 */
#ifndef KINOFS_CONTRIB_SIMULATOR_PICTURE_H
#define KINOFS_CONTRIB_SIMULATOR_PICTURE_H

#include "contrib/simulator/sim.h"

struct picture {
	unsigned int references;
	char name[24]; /* of its file below sim.directory */
	size_t bytes;
	const char *mime;    /* application/octet-stream: not a picture we know */
	const char *demuxer; /* ffmpeg's name for the type, NULL likewise */
	int width, height;
};

/* Stores the bytes; NULL when the disk refuses. The caller has one reference. */
struct picture *picture_store(const void *bytes, size_t count);
struct picture *picture_ref(struct picture *picture);
void picture_unref(struct picture *picture); /* NULL is fine */
char *picture_path(const struct picture *picture);

#endif

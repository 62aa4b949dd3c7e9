/*
 * local.h - a local file that a request names, as it was when its job was
 * judged. Pure; the memory belongs to whoever holds it.
 */
#ifndef KINOFS_SPEC_LOCAL_H
#define KINOFS_SPEC_LOCAL_H

#include <stddef.h>
#include <stdint.h>

struct picture {
	char *field;         /* of the request */
	char *path;          /* relative to the mount */
	char *sha256, *type; /* of its bytes; NULL: it is not there yet */
	int64_t bytes;
	char *url; /* where it was uploaded, or NULL */
};

/* An array of them. */
void pictures_free(struct picture *picture, size_t count);

#endif

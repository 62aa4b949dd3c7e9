/*
 * provenance.h - a film in MP4 or MOV says what it is: that a model made it, which, at whose
 * service, by which task. Said twice, for tools keep one or the other: as XMP, in a uuid box at the
 * end, and as keys in moov. Nothing is encoded anew and nothing that is there moves: a moov box
 * with the keys is appended, and the old one becomes free where it stands (ISO/IEC
 * 14496-12, 8.1.2).
 *
 * What a file says of itself already stays as it is, and a file with a C2PA manifest is left alone:
 * that signs its bytes. Of one in fragments the moov stays, for they go by its place.
 *
 * Any thread may call; one at a time for a file.
 */
#ifndef KINOFS_NET_PROVENANCE_H
#define KINOFS_NET_PROVENANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is said: UTF-8. */
struct provenance {
	const char *provider, *model, *task;
	const char *prompt, *parameters; /* NULL: not said */
	bool simulated;                  /* no model made it: it was drawn for a test */
};

/* What is to be done to a file. */
struct marks {
	int64_t moov; /* where the box begins that becomes free; 0: none does */
	uint8_t *tail;
	size_t bytes;     /* to be appended; 0: nothing is to be done */
	const char *left; /* and why; static */
};

/* Reads a file of so many bytes that result_check() found whole, and changes nothing. 0 or -errno;
 * marks_clear() in any case. */
int provenance_plan(int fd, int64_t bytes, const struct provenance *says, struct marks *marks);
void marks_clear(struct marks *marks);

/* Does it; not durable. 0 or -errno: it may be half done. */
int provenance_write(int fd, int64_t bytes, const struct marks *marks);
/* The file as it came, of so many bytes, whatever of any marks is written; moov: where that box
 * begins, as result_check() said. 0 or -errno. */
int provenance_undo(int fd, int64_t bytes, int64_t moov);

#endif

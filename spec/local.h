/*
 * local.h - a local file that a request names, as it was when its job was
 * judged. Pure; the memory belongs to whoever holds it.
 */
#ifndef KINOFS_SPEC_LOCAL_H
#define KINOFS_SPEC_LOCAL_H

#include <stddef.h>
#include <stdint.h>

/* Which picture of a film is meant, where a picture is wanted: "a.mp4#last". */
enum film_frame { FRAME_NONE, FRAME_FIRST, FRAME_LAST };

/* "first", "last"; NULL: none. */
const char *film_frame_name(enum film_frame frame);
/* The other way; NULL and any other word: none. */
enum film_frame film_frame_parse(const char *name);
/* The mark at the end of what a spec names, which *length then does not count any more. */
enum film_frame film_frame_take(const char *text, size_t *length);

/* A frame, made to be sent. */
struct still {
	int fd;
	int64_t bytes;
	char sha256[65];
};

void still_free(struct still *still);

struct picture {
	char *field; /* where in the request: address.h */
	char *path;  /* relative to the mount */
	char **way;  /* where path leads through symbolic links: those met after it, and last the
	                file, if it is in the mount; relative to the mount */
	size_t nway; /* 0: there is no link in it */
	char *sha256, *type; /* of its bytes; NULL: it is not there yet */
	int64_t bytes;
	double seconds; /* of a film or sound; 0: not known */
	char *url;      /* where it was uploaded, or NULL */
	/* Not FRAME_NONE: the file is a film. Then `sha256` stands for the film and the frame
	 * together, whatever bytes the frame is made into, and `type` is what it is made into. */
	enum film_frame frame;
	struct still *still; /* that frame, while the job is being sent; not in the journal */
};

/* An array of them. */
void pictures_free(struct picture *picture, size_t count);

#endif

/*
 * film.h - a film of which one frame is sent in place of a picture. Any thread
 * may call.
 */
#ifndef KINOFS_INPUT_FILM_H
#define KINOFS_INPUT_FILM_H

#include "fs/base/digest.h"
#include "spec/local.h"
#include "spec/problem.h"

#include <stdbool.h>

#define FILM_TAKE_MS 60000 /* a run of ffmpeg may last */

/* Judges by its content whether the file in fd is a whole film of which a frame can be taken. 0 or
 * -errno. */
int film_check(int fd, const char *path, int64_t bytes, struct problems *problems);

/* What this frame of the film with this digest is known by, whatever ffmpeg makes of it. 0 or
 * -ENOMEM. */
int film_digest(const char *film, enum film_frame frame, char hex[DIGEST_HEX_BYTES]);

/* What the picture is known by that is made of that frame to fit: where something else fits, it is
 * another. 0 or -ENOMEM. */
int film_still_digest(
	const char *frame, bool png, bool jpeg, int64_t limit, char hex[DIGEST_HEX_BYTES]);

struct film_order {
	int fd; /* of the film */
	enum film_frame frame;
	bool png, jpeg; /* what the picture may be; the first that fits the limit */
	int64_t limit;  /* bytes it may have */
	int stop_fd;    /* readable: it is not wanted any more; -1: there is none */
};

/*
 * Has ffmpeg take the frame; the last is the last that can be decoded, of the very end where that
 * can be found at once. *type (static): of what was made. *words: why it was not, the last line
 * that ffmpeg said, printable; the caller frees.
 * 0, and *still is the caller's; -ENOENT: there is no ffmpeg; -ETIMEDOUT; -ECANCELED; -EBADMSG: the
 * film cannot be read; -EFBIG: no picture of it is within the limit; or -errno.
 */
int film_take(
	const struct film_order *order, struct still **still, const char **type, char **words);

#endif

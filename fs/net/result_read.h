/*
 * result_read.h - a finished download as its checks read it: here and there, or in a row. Private
 * to fs/net/result*.c; one thread at a time.
 */
#ifndef KINOFS_NET_RESULT_READ_H
#define KINOFS_NET_RESULT_READ_H

#include "fs/net/result.h"

#include <stddef.h>

#define READER_BYTES (64 * 1024)
/* In a row. No picture or sound that is checked so is larger; one that is, is believed. */
#define READER_MOST (128LL << 20)

struct reader {
	int fd;
	int64_t bytes;    /* of the file */
	const char **why; /* what is wrong with it; static */
	int64_t at;       /* what is in buffer, and how much */
	size_t have;
	uint8_t buffer[READER_BYTES];
};

/* All that read return 0, -EBADMSG with *why, or -errno of a failed read. */

/* Says why it is broken. Returns -EBADMSG. */
int reader_bad(struct reader *in, const char *why);
/* Exactly count bytes; a file that ends before is broken, not unreadable. */
int reader_copy(struct reader *in, void *to, size_t count, int64_t at);
/* The same where they lie, until the next call; count is at most READER_BYTES. For what is read in
 * a row: it reads ahead. */
int reader_look(struct reader *in, int64_t at, size_t count, const uint8_t **bytes);
/* As many as are left to look at, at most READER_BYTES and at least `least`. */
int reader_rest(struct reader *in, int64_t at, size_t least, const uint8_t **bytes, size_t *count);

/* Checks the structure; may change what result says. */
typedef int result_checker(struct reader *in, struct result *result);

/* result_film.c */
result_checker check_film, check_boxed_still, check_segment, check_riff;
/* result_picture.c */
result_checker check_gif, check_png, check_jpeg, check_webp;
/* result_sound.c */
result_checker check_frames, check_wav, check_ogg;
/* result_flac.c */
result_checker check_flac;

/* Whether bytes begin as an MP3 does: with two frames of MPEG sound, which libmagic does not know
 * in each version, or with a tag, behind which it does not look when that is long. */
bool sound_begins(const uint8_t *bytes, size_t have);

#endif

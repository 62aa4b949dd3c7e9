/* result.h - what a finished download is, and whether it is whole. Any thread may call. */
#ifndef KINOFS_NET_RESULT_H
#define KINOFS_NET_RESULT_H

#include "spec/makes.h"

#include <stdbool.h>
#include <stdint.h>

struct result {
	unsigned int kinds; /* what it may stand for: a mask of enum result_kind. A GIF is a video
	                       and a picture; what cannot be checked (AVI, TIFF …) is nothing */
	bool known;         /* libmagic knows what it is */
	const char *suffix; /* of its file name: "mp4"; static */
	char type[64];      /* as libmagic has it; audio/ in place of video/ for sound alone */
	double seconds;     /* it lasts, of MP4, MOV, M4A, WAV, FLAC, MP3 and AAC; 0: not known */
	int64_t moov;       /* where this box begins, of MP4 and MOV; 0: it is neither */
};

/*
 * Judges a finished download by content: libmagic's type, then the structure of its format, to its
 * end. A cut is seen wherever in the file it is, but for formats that say nothing of where they
 * end: MP3 and AAC cut between two frames (unless an MP3's first frame tells its length), and what
 * was streamed by who did not know its length then (WebM, WAV; FLAC between two frames).
 *
 *   videos    MP4, MOV: every box whole, moov with a film track, mdat; WebM, Matroska: the segment
 *             is whole and has a film track; GIF: every block, to the trailer
 *   pictures  PNG: every chunk, to IEND, and in the first 4 MiB the CRCs of those that no picture
 *             is without; JPEG: every segment, to EOI; WebP: every chunk; AVIF, HEIC: every box
 *   sound     MP3, AAC: every frame; WAV: the data chunk; M4A, and WebM without a film track: as
 *             above; FLAC: the last frame, by its CRCs and its number; Ogg: every page, to the last
 *
 * Of other kinds only the type is known.
 *
 * 0; -EBADMSG with *why (static): broken, or a page of words, which is what servers send in place
 * of a file; or -errno of a failed read. Reads no more of the file than it must, at most 128 MiB of
 * it in a row, and leaves the file offset alone.
 */
int result_check(int fd, int64_t bytes, struct result *result, const char **why);

#endif

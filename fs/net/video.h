/* video.h - is this file the whole, playable video it should be? Any thread may call. */
#ifndef KINOFS_NET_VIDEO_H
#define KINOFS_NET_VIDEO_H

#include <stdint.h>

/*
 * Judges a finished download by content: libmagic's type, and for ISO media
 * (MP4, MOV) the boxes: ftyp first, moov with a track, mdat, every box whole, the
 * last one ending where the file ends; for WebM and GIF that their end is there.
 * On success *suffix is the file name extension for what it is ("mp4", "webm",
 * "mov", "gif", "mkv"; static) and 0 comes back; else -EBADMSG with *why (static)
 * saying what is wrong, or -errno of a failed read. Reads at most some 64 KiB and
 * the box headers, and leaves the file offset alone.
 */
int video_check(int fd, int64_t bytes, const char **suffix, const char **why);

#endif

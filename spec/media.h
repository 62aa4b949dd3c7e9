/*
 * media.h - what bytes are, by libmagic, never by name. Any thread may call:
 * one libmagic cookie behind a mutex, opened when first needed.
 */
#ifndef KINOFS_SPEC_MEDIA_H
#define KINOFS_SPEC_MEDIA_H

#include <stddef.h>

/* Opens libmagic's database unless it is open. 0 or -errno, logged, and never that of a file that
 * is not there: before a picture is refused for its type, it must be known that types can be told.
 */
int media_open(void);

/* The MIME type ("image/png", "video/mp4") into type; "application/octet-stream" when unknown or
 * libmagic's database cannot be read. The first 64 KiB of a file are enough. 0, or -ENOMEM: it is
 * not known for want of memory. */
int media_type(const void *bytes, size_t have, char type[64]);

/* Gives libmagic's memory back; the next media_type() opens it again. For idle times. */
void media_release(void);

#endif

/*
 * parts.h - a request body in parts, made as it is sent: texts, and files in
 * base64, so that no picture is held in memory. Private to fs/net; engine
 * thread only.
 */
#ifndef KINOFS_NET_PARTS_H
#define KINOFS_NET_PARTS_H

#include "fs/net/http.h"

struct parts;

/* Takes the parts over, whatever it returns. NULL: no memory. */
struct parts *parts_new(struct http_part *part, size_t count);
void parts_free(struct parts *parts);
/* The length of the whole body. */
int64_t parts_bytes(const struct parts *parts);
/* The next bytes, at most room; how many, 0 at the end. -ESTALE: a file is not the one promised,
 * which is known before its last bytes are given away; or -errno. */
ssize_t parts_read(struct parts *parts, char *buffer, size_t room);

#endif

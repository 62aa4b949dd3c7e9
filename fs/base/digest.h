/* digest.h - SHA-256 (libcrypto), to recognise the same bytes. Any thread may call. */
#ifndef KINOFS_BASE_DIGEST_H
#define KINOFS_BASE_DIGEST_H

#include <stddef.h>

#define DIGEST_HEX_BYTES 65 /* 64 digits and NUL */

void digest_bytes(const void *bytes, size_t count, char hex[DIGEST_HEX_BYTES]);
/* The whole file behind fd, from its start; the file offset is not used. 0 or -errno. */
int digest_fd(int fd, char hex[DIGEST_HEX_BYTES]);

#endif

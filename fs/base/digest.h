/* digest.h - SHA-256 (libcrypto), to recognise the same bytes. Any thread may call. */
#ifndef KINOFS_BASE_DIGEST_H
#define KINOFS_BASE_DIGEST_H

#include <stddef.h>

#define DIGEST_HEX_BYTES 65 /* 64 digits and NUL */

/* 0 or -ENOMEM. */
int digest_bytes(const void *bytes, size_t count, char hex[DIGEST_HEX_BYTES])
	__attribute__((warn_unused_result));
/* The whole file behind fd, from its start; the file offset is not used. 0 or -errno. */
int digest_fd(int fd, char hex[DIGEST_HEX_BYTES]);

/* Of bytes that come piece by piece. */
struct digest;
struct digest *digest_begin(void); /* NULL: no memory */
void digest_add(struct digest *digest, const void *bytes, size_t count);
/* Frees it (NULL: nothing); hex NULL: it is not wanted any more. */
void digest_end(struct digest *digest, char hex[DIGEST_HEX_BYTES]);

#endif

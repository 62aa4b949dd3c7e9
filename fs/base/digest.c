#include "fs/base/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

static void to_hex(const unsigned char *digest, unsigned int bytes, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned int i = 0; i < bytes; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[2 * bytes] = '\0';
}

int digest_bytes(const void *bytes, size_t count, char hex[DIGEST_HEX_BYTES])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length;

	if (!EVP_Digest(bytes, count, digest, &length, EVP_sha256(), NULL))
		return -ENOMEM;
	to_hex(digest, length, hex);
	return 0;
}

/* struct digest is libcrypto's, under a name of ours. */
static EVP_MD_CTX *context_of(struct digest *digest)
{
	return (EVP_MD_CTX *)digest;
}

struct digest *digest_begin(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL))
		return (struct digest *)context;
	EVP_MD_CTX_free(context);
	return NULL;
}

void digest_add(struct digest *digest, const void *bytes, size_t count)
{
	(void)EVP_DigestUpdate(context_of(digest), bytes, count); /* fails only on misuse */
}

void digest_end(struct digest *digest, char hex[DIGEST_HEX_BYTES])
{
	unsigned char bytes[EVP_MAX_MD_SIZE] = {0};
	unsigned int length = 32;

	if (digest && hex) {
		(void)EVP_DigestFinal_ex(context_of(digest), bytes, &length); /* as above */
		to_hex(bytes, 32, hex);
	}
	EVP_MD_CTX_free(context_of(digest));
}

int digest_fd(int fd, char hex[DIGEST_HEX_BYTES])
{
	char buffer[65536];
	off_t offset = 0;
	ssize_t got;
	struct digest *digest = digest_begin();

	if (!digest)
		return -ENOMEM;
	while ((got = pread(fd, buffer, sizeof(buffer), offset)) > 0) {
		digest_add(digest, buffer, (size_t)got);
		offset += got;
	}
	digest_end(digest, hex);
	return got < 0 ? -errno : 0;
}

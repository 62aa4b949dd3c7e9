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

void digest_bytes(const void *bytes, size_t count, char hex[DIGEST_HEX_BYTES])
{
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};
	unsigned int length = 32;

	(void)EVP_Digest(
		bytes, count, digest, &length, EVP_sha256(), NULL); /* fails only on misuse */
	to_hex(digest, 32, hex);
}

int digest_fd(int fd, char hex[DIGEST_HEX_BYTES])
{
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};
	unsigned int length = 32;
	char buffer[65536];
	off_t offset = 0;
	ssize_t got;
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (!context)
		return -ENOMEM;
	(void)EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	while ((got = pread(fd, buffer, sizeof(buffer), offset)) > 0) {
		(void)EVP_DigestUpdate(context, buffer, (size_t)got);
		offset += got;
	}
	(void)EVP_DigestFinal_ex(context, digest, &length);
	EVP_MD_CTX_free(context);
	if (got < 0)
		return -errno;
	to_hex(digest, 32, hex);
	return 0;
}

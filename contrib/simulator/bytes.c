/* bytes.c - time, randomness, digests, base64 and the length of text. */
#include "contrib/simulator/sim.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

double now_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void random_bytes(void *bytes, size_t count)
{
	if (RAND_bytes(bytes, (int)count) != 1) {
		(void)fputs("kinofs-sim: no random numbers\n", stderr);
		abort();
	}
}

void to_hex(const void *bytes, size_t digits, char *hex)
{
	static const char digit[] = "0123456789abcdef";
	const unsigned char *at = bytes;

	for (size_t i = 0; i < digits; i++)
		hex[i] = digit[i % 2 ? at[i / 2] & 15 : at[i / 2] >> 4];
	hex[digits] = '\0';
}

void random_hex(char *hex, size_t digits)
{
	unsigned char bytes[32];

	random_bytes(bytes, sizeof(bytes));
	to_hex(bytes, digits, hex);
}

void sha256_hex(const void *bytes, size_t count, char hex[HEX_SHA256])
{
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};

	(void)EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL); /* fails only on misuse */
	to_hex(digest, 64, hex);
}

void sign_hex(const char *text, char hex[41])
{
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};

	(void)HMAC(EVP_sha1(), sim.key, sizeof(sim.key), (const unsigned char *)text, strlen(text),
		digest, NULL); /* fails only on misuse */
	to_hex(digest, 40, hex);
}

unsigned char *base64_bytes(const char *text, size_t *ret_count)
{
	size_t length = strlen(text);
	size_t padding = 0;
	unsigned char *bytes;

	if (!length || length % 4 || length > SIM_BODY_BYTES)
		return NULL;
	bytes = malloc(length / 4 * 3 + 1);
	if (!bytes)
		return NULL;
	if (EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length) < 0) {
		free(bytes);
		return NULL;
	}
	while (padding < 2 && text[length - 1 - padding] == '=')
		padding++;
	*ret_count = length / 4 * 3 - padding;
	return bytes;
}

long text_length(const char *text)
{
	mbstate_t state = {0};

	return (long)mbsrtowcs(NULL, &text, 0, &state);
}

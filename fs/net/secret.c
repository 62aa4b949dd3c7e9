#include "fs/net/secret.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define KEY_CHARS   16
#define BACKSLASHES 16 /* JSON inside JSON doubles them: four levels deep */

static int hex_digit(char digit)
{
	if (isdigit((unsigned char)digit))
		return digit - '0';
	return isxdigit((unsigned char)digit) ? tolower((unsigned char)digit) - 'a' + 10 : -1;
}

static bool is_hex_of(const char *at, size_t digits, char wanted)
{
	unsigned int value = 0;

	for (size_t i = 0; i < digits; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return false;
		value = value * 16 + (unsigned int)digit;
	}
	return value < 128 && tolower((int)value) == tolower((unsigned char)wanted);
}

/* How many of these bytes spell this character; 0: none. */
static size_t spelling(const char *at, size_t have, char wanted)
{
	size_t slashes = 0;

	if (!have)
		return 0;
	if (tolower((unsigned char)*at) == tolower((unsigned char)wanted))
		return 1;
	if (*at == '%' && have >= 3 && is_hex_of(at + 1, 2, wanted))
		return 3;
	while (slashes < have && slashes < BACKSLASHES && at[slashes] == '\\')
		slashes++;
	if (slashes && have > slashes && wanted == '/' && at[slashes] == '/')
		return slashes + 1;
	if (slashes && have >= slashes + 5 && at[slashes] == 'u' &&
		is_hex_of(at + slashes + 1, 4, wanted))
		return slashes + 5;
	return 0;
}

/* How many of these bytes spell the whole key; 0: they do not. */
static size_t spelled(const char *text, size_t have, const char *key)
{
	size_t at = 0, length;

	for (; *key; key++, at += length) {
		length = spelling(text + at, have - at, *key);
		if (!length)
			return 0;
	}
	return at;
}

void secret_hide(char *text, size_t bytes, const char *key)
{
	size_t length;

	if (!text || !key || strlen(key) < KEY_CHARS)
		return;
	for (size_t at = 0; at < bytes; at += length ? length : 1) {
		length = spelled(text + at, bytes - at, key);
		memset(text + at, '*', length);
	}
}

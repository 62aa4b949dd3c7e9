#include "spec/text.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/quote.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

size_t text_bad_utf8(const char *text, size_t bytes)
{
	uint32_t code;
	size_t length;
	size_t at = 0;

	while (at < bytes && (length = utf8_char(text + at, bytes - at, &code)) > 0)
		at += length;
	return at;
}

size_t text_chars(const char *text)
{
	size_t chars = 0;

	for (; *text; text++)
		chars += ((unsigned char)*text & 0xc0) != 0x80;
	return chars;
}

bool text_blank(const char *text)
{
	size_t left = strlen(text);
	uint32_t code;
	size_t length;

	for (; (length = utf8_char(text, left, &code)) > 0; text += length, left -= length) {
		/* Unicode's own white space, which a CJK keyboard types (U+3000) */
		bool space = code == ' ' || (code >= '\t' && code <= '\r') || code == 0x85 ||
		             code == 0xa0 || (code >= 0x2000 && code <= 0x200b) || code == 0x2028 ||
		             code == 0x2029 || code == 0x202f || code == 0x3000 || code == 0xfeff;

		if (!space)
			return false;
	}
	return left == 0;
}

void text_print(char *out, size_t room, const char *text, size_t bytes, size_t max_chars)
{
	static const char replacement[] = "\xef\xbf\xbd", more[] = "…";
	size_t cut = 0; /* where the last character that leaves place for "…" ends */
	size_t used = 0, chars = 0;

	for (size_t at = 0, taken; at < bytes; at += taken) {
		uint32_t code = 0;
		size_t length = taken = utf8_char(text + at, bytes - at, &code);
		const char *from = text + at;

		if (taken == 0) {
			taken = 1;
			from = replacement;
			length = sizeof(replacement) - 1;
		} else if (utf8_is_control(code)) {
			from = " ";
			length = 1;
		}
		if (chars == max_chars || used + length + sizeof(more) > room) {
			(void)snprintf(out + cut, room - cut, "%s", max_chars ? more : "");
			return;
		}
		cut = used;
		memcpy(out + used, from, length);
		used += length;
		chars++;
	}
	out[used] = '\0';
}

char *text_printable(const char *text, size_t bytes, size_t max_chars)
{
	size_t chars = bytes < max_chars ? bytes : max_chars;
	size_t room = 4 * chars + 8; /* the longest character has 4 bytes; "…" and NUL */
	char *copy = malloc(room);

	if (copy)
		text_print(copy, room, text, bytes, max_chars);
	return copy;
}

const char *text_value(const cJSON *value, char shown[TEXT_SHOWN_BYTES])
{
	if (cJSON_IsString(value)) {
		shown[0] = '"';
		text_print(shown + 1, TEXT_SHOWN_BYTES - 2, value->valuestring,
			strlen(value->valuestring), TEXT_SHOWN_CHARS);
		strncat(shown, "\"", TEXT_SHOWN_BYTES - strlen(shown) - 1);
	} else if (cJSON_IsNumber(value)) {
		(void)snprintf(shown, TEXT_SHOWN_BYTES, "%.*g",
			fabs(value->valuedouble) < 1e15 ? 15 : 17, value->valuedouble);
	} else {
		(void)snprintf(shown, TEXT_SHOWN_BYTES, "%s",
			cJSON_IsTrue(value)     ? "true"
			: cJSON_IsFalse(value)  ? "false"
			: cJSON_IsNull(value)   ? "null"
			: cJSON_IsArray(value)  ? "a list"
			: cJSON_IsObject(value) ? "an object"
						: "nothing");
	}
	return shown;
}

char *text_list(const cJSON *values)
{
	char shown[TEXT_SHOWN_BYTES];
	const cJSON *value;
	char *list = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&list, &bytes);

	if (!out)
		return NULL;
	cJSON_ArrayForEach (value, values) {
		(void)fprintf(out, "%s%s", value == values->child ? "" : ", ",
			text_value(value, shown)); /* the stream tells */
	}
	return stream_text(out, &list);
}

size_t text_distance(const char *a, const char *b)
{
	enum { LONGEST = 64 };
	size_t row[LONGEST + 1];
	size_t na = strlen(a), nb = strlen(b);

	if (na > LONGEST || nb > LONGEST)
		return SIZE_MAX;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t corner = row[0]; /* the cell above and to the left */

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			bool same = tolower((unsigned char)a[i - 1]) ==
			            tolower((unsigned char)b[j - 1]);
			size_t change = corner + !same;
			size_t drop = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

			corner = row[j];
			row[j] = change < drop ? change : drop;
		}
	}
	return row[nb];
}

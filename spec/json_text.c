#include "spec/json_text.h"

#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "spec/text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define NUMBER_BYTES 60 /* cJSON 1.7 reads numbers through a buffer of 64 */

/* A reader that builds nothing: each function moves `at` past one thing, or notes what it wanted
 * there and returns false. */
struct scanner {
	const char *start, *at, *end;
	const char *wanted;
	int depth;
};

static bool scan_value(struct scanner *in);

static bool wanted(struct scanner *in, const char *what)
{
	if (!in->wanted)
		in->wanted = what;
	return false;
}

static void skip_space(struct scanner *in)
{
	while (in->at < in->end && strchr(" \t\r\n", *in->at))
		in->at++;
}

static bool take(struct scanner *in, char c)
{
	if (in->at == in->end || *in->at != c)
		return false;
	in->at++;
	return true;
}

static bool scan_word(struct scanner *in, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0)
		return wanted(in, "a value (a text stands in double quotes)");
	in->at += length;
	return true;
}

static bool scan_digits(struct scanner *in)
{
	const char *first = in->at;

	while (in->at < in->end && *in->at >= '0' && *in->at <= '9')
		in->at++;
	return in->at > first || wanted(in, "a digit");
}

static bool scan_number(struct scanner *in)
{
	const char *first = in->at;

	(void)take(in, '-'); /* optional */
	if (!take(in, '0') && !scan_digits(in))
		return false;
	if (take(in, '.') && !scan_digits(in))
		return false;
	if (take(in, 'e') || take(in, 'E')) {
		if (!take(in, '+'))
			(void)take(in, '-'); /* optional */
		if (!scan_digits(in))
			return false;
	}
	if (in->at - first <= NUMBER_BYTES)
		return true;
	in->at = first;
	return wanted(in, "a number of at most 60 digits");
}

/* The four hexadecimal digits of \uXXXX; -1: there are none. */
static int hex4(const struct scanner *in)
{
	int value = 0;

	if (in->end - in->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit = in->at[i] ? strchr(digits, in->at[i]) : NULL;

		if (!digit)
			return -1;
		value = value << 4 | (int)((digit - digits) & 15);
	}
	return value;
}

/* Behind a backslash. */
static bool scan_escape(struct scanner *in)
{
	int code, low;

	if (in->at < in->end && *in->at && strchr("\"\\/bfnrt", *in->at)) {
		in->at++;
		return true;
	}
	if (!take(in, 'u'))
		return wanted(in, "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
	code = hex4(in);
	if (code < 0)
		return wanted(in, "four hexadecimal digits behind \\u");
	if (code == 0)
		return wanted(in, "any character but NUL (\\u0000), which no text may hold");
	if (code >= 0xdc00 && code <= 0xdfff)
		return wanted(in, "the first half of a surrogate pair (\\ud800 to \\udbff)");
	in->at += 4;
	if (code < 0xd800 || code > 0xdbff)
		return true;
	if (take(in, '\\') && take(in, 'u') && (low = hex4(in)) >= 0xdc00 && low <= 0xdfff) {
		in->at += 4;
		return true;
	}
	return wanted(in, "the second half of a surrogate pair (\\udc00 to \\udfff)");
}

static bool scan_string(struct scanner *in, const char *what)
{
	const char *first = in->at;

	if (!take(in, '"'))
		return wanted(in, what);
	while (in->at < in->end && *in->at != '"') {
		if ((unsigned char)*in->at < 0x20)
			return wanted(in, "no line break, tab or control character in a text "
					  "(write \\n, \\t)");
		if (*in->at++ == '\\' && !scan_escape(in))
			return false;
	}
	if (take(in, '"'))
		return true;
	in->at = first;
	return wanted(in, "a closing quote of the text that begins here");
}

static bool scan_members(struct scanner *in)
{
	skip_space(in);
	if (take(in, '}'))
		return true;
	do {
		skip_space(in);
		if (!scan_string(in, "a field name in double quotes"))
			return false;
		skip_space(in);
		if (!take(in, ':'))
			return wanted(in, "\":\" behind the field name");
		if (!scan_value(in))
			return false;
		skip_space(in);
	} while (take(in, ','));
	return take(in, '}') || wanted(in, "\",\" or \"}\"");
}

static bool scan_items(struct scanner *in)
{
	skip_space(in);
	if (take(in, ']'))
		return true;
	do {
		if (!scan_value(in))
			return false;
		skip_space(in);
	} while (take(in, ','));
	return take(in, ']') || wanted(in, "\",\" or \"]\"");
}

static bool scan_value(struct scanner *in)
{
	bool whole;

	skip_space(in);
	switch (in->at < in->end ? *in->at : '\0') {
	case '{':
	case '[':
		if (in->depth == LIMIT_JSON_DEPTH)
			return wanted(in, "fewer objects and lists inside each other (at most 32)");
		in->depth++;
		whole = *in->at++ == '{' ? scan_members(in) : scan_items(in);
		in->depth--;
		return whole;
	case '"': return scan_string(in, "a text");
	case 't': return scan_word(in, "true");
	case 'f': return scan_word(in, "false");
	case 'n': return scan_word(in, "null");
	case '-':
	case '0' ... '9': return scan_number(in);
	default: return wanted(in, "a value (a text stands in double quotes)");
	}
}

static bool scan_document(struct scanner *in)
{
	if (!scan_value(in))
		return false;
	skip_space(in);
	return in->at == in->end || wanted(in, "nothing more");
}

static void report_slip(const struct scanner *in, const char *file, struct problems *problems)
{
	char found[64];
	const char *rest = in->at;
	size_t line = 1, column = 1;

	for (const char *c = in->start; c < in->at; c++) {
		if (*c == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*c & 0xc0) != 0x80) {
			column++;
		}
	}
	while (rest < in->end && (rest == in->at || !strchr(" \t\r\n,:", *rest)))
		rest++;
	text_print(found, sizeof(found), in->at, (size_t)(rest - in->at), 12);
	problems_add_in(problems, file, NULL, "not JSON: line %zu, column %zu: found %s, wanted %s",
		line, column,
		in->at == in->end                    ? "the end of the file"
		: *in->at == '\n' || *in->at == '\r' ? "a line break"
						     : found,
		in->wanted);
}

static void report_twice(const cJSON *object, const char *file, struct problems *problems)
{
	size_t count = 0;

	for (const cJSON *item = object->child; item; item = item->next) {
		if (cJSON_IsObject(item))
			report_twice(item, file, problems);
		if (json_get(object, item->string) != item)
			problems_add_in(problems, file, item->string,
				"is given twice; keep the one you mean");
		if (++count > LIMIT_JSON_KEYS) {
			problems_add_in(problems, file, NULL,
				"more than %d fields; nothing takes so many", LIMIT_JSON_KEYS);
			return;
		}
	}
}

int utf8_check(const char **text, size_t *bytes, size_t limit, const char *file, const char *field,
	struct problems *problems)
{
	size_t bad;
	const char *nul;

	if (*bytes > limit) {
		problems_add_in(
			problems, file, field, "%zu bytes; the limit is %zu", *bytes, limit);
		return -EINVAL;
	}
	if (*bytes >= 2 &&
		(memcmp(*text, "\xff\xfe", 2) == 0 || memcmp(*text, "\xfe\xff", 2) == 0)) {
		problems_add_in(problems, file, field, "is UTF-16; save it as UTF-8");
		return -EINVAL;
	}
	bad = text_bad_utf8(*text, *bytes);
	if (bad < *bytes) {
		problems_add_in(problems, file, field,
			"not UTF-8: byte %zu is 0x%02x; save it as UTF-8", bad,
			(unsigned char)(*text)[bad]);
		return -EINVAL;
	}
	nul = *bytes ? memchr(*text, '\0', *bytes) : NULL;
	if (nul) {
		problems_add_in(problems, file, field, "holds a NUL character at byte %zu",
			(size_t)(nul - *text));
		return -EINVAL;
	}
	if (*bytes >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
		*text += 3;
		*bytes -= 3;
	}
	return 0;
}

int json_read(const char *text, size_t bytes, size_t limit, const char *file,
	struct problems *problems, cJSON **json)
{
	struct scanner in;

	if (utf8_check(&text, &bytes, limit, file, NULL, problems))
		return -EINVAL;
	in = (struct scanner){.start = text, .at = text, .end = text + bytes};
	if (!scan_document(&in)) {
		report_slip(&in, file, problems);
		return -EINVAL;
	}
	*json = cJSON_ParseWithLength(text, bytes);
	if (!*json)
		return -ENOMEM; /* the text is sound: nothing else is left */
	if (cJSON_IsObject(*json))
		report_twice(*json, file, problems);
	return 0;
}

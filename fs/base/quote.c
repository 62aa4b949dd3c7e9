#include "fs/base/quote.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"

#include <ctype.h>
#include <string.h>

size_t utf8_char(const char *at, size_t have, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char lead = have ? (unsigned char)at[0] : 0xff;
	size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint32_t value = length < 2 ? lead : lead & (0x7fU >> length);

	if (length == 0 || length > have || lead > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if (((unsigned char)at[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | ((unsigned char)at[i] & 0x3f);
	}
	if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*code = value;
	return length;
}

bool utf8_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061c ||
	       (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

/* AS_JSON: what is printed is JSON already. */
enum how { AS_NAME, AS_LINE, AS_LINES, AS_UTF8, AS_JSON };

static void print_bytes(FILE *out, const char *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		(void)fprintf(out, "\\x%02x", (unsigned char)from[i]); /* the stream tells */
}

static void print_char(FILE *out, const char *from, size_t length, uint32_t code, enum how how)
{
	bool shown = how == AS_UTF8 || how == AS_JSON || !utf8_is_control(code) ||
	             (code == '\n' && how == AS_LINES);

	if (code == '\\' && how == AS_NAME)
		(void)fputs("\\\\", out);
	else if (how == AS_JSON && code >= 0x7f && utf8_is_control(code)) /* below U+10000, all */
		(void)fprintf(out, "\\u%04x", code);
	else if (shown)
		(void)fwrite(from, 1, length, out);
	else
		print_bytes(out, from, length);
}

/* How many bytes stand for themselves, however they are printed: most of any text. */
static size_t plain_length(const char *text)
{
	size_t length = 0;

	while (text[length] >= ' ' && text[length] < 0x7f && text[length] != '\\')
		length++;
	return length;
}

static char *print(const char *text, enum how how)
{
	size_t left = strlen(text), bytes = 0, length;
	char *made = NULL;
	FILE *out = open_memstream(&made, &bytes);
	uint32_t code;

	if (!out)
		return NULL;
	for (; left; text += length, left -= length) {
		length = plain_length(text);
		if (length) {
			(void)fwrite(text, 1, length, out); /* the stream tells */
			continue;
		}
		length = utf8_char(text, left, &code);
		if (length) {
			print_char(out, text, length, code, how);
			continue;
		}
		length = 1;
		if (how == AS_UTF8)
			(void)fputs("\xef\xbf\xbd", out);
		else if (how == AS_JSON)
			(void)fputc(*text, out);
		else
			print_bytes(out, text, length);
	}
	return stream_text(out, &made);
}

char *quote_name(const char *name)
{
	return print(name, AS_NAME);
}

char *quote_line(const char *text)
{
	return print(text, AS_LINE);
}

char *quote_lines(const char *text)
{
	return print(text, AS_LINES);
}

static bool is_alphanumeric(char byte)
{
	return isascii((unsigned char)byte) && isalnum((unsigned char)byte);
}

char *quote_link(const char *path)
{
	size_t bytes = 0;
	char *made = NULL;
	FILE *out = open_memstream(&made, &bytes);

	for (; out && *path; path++)
		if (is_alphanumeric(*path) || strchr("-._~/", *path))
			(void)fputc(*path, out); /* the stream tells */
		else
			(void)fprintf(out, "%%%02X", (unsigned char)*path);
	return out ? stream_text(out, &made) : NULL;
}

static bool is_plain_word(const char *path)
{
	for (const char *at = path; *at; at++)
		if (!is_alphanumeric(*at) && !strchr("-._/+,:@%", *at))
			return false;
	return *path;
}

char *quote_shell(const char *path)
{
	AUTO_FREE char *shown = quote_name(path);
	bool escaped = shown && strlen(shown) != strlen(path) && strstr(shown, "\\x");
	size_t bytes = 0;
	char *made = NULL;
	FILE *out;

	if (!shown || is_plain_word(path))
		return shown ? strdup(path) : NULL;
	out = open_memstream(&made, &bytes);
	if (!out)
		return NULL;
	(void)fputs(escaped ? "$'" : "'", out); /* the stream tells, here and below */
	for (const char *at = escaped ? shown : path; *at; at++)
		if (*at == '\'')
			(void)fputs(escaped ? "\\'" : "'\\''", out);
		else
			(void)fputc(*at, out);
	(void)fputc('\'', out);
	return stream_text(out, &made);
}

static int hex_digit(char digit)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = digit ? strchr(digits, tolower((unsigned char)digit)) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* The byte an escape stands for, or -1; *text is left behind it. */
static int unescape(const char **text)
{
	const char *at = *text;
	int high, low;

	*text += 1;
	if (*at == '\\' || *at == '"')
		return (unsigned char)*at;
	high = *at == 'x' ? hex_digit(at[1]) : -1;
	low = high < 0 ? -1 : hex_digit(at[2]);
	*text += 2;
	return low < 0 || high + low == 0 ? -1 : high * 16 + low;
}

char *unquote_name(const char *quoted)
{
	AUTO_FREE char *name = malloc(strlen(quoted) + 1);
	size_t bytes = 0;

	while (name && *quoted) {
		int byte = (unsigned char)*quoted++;

		if (byte == '\\')
			byte = unescape(&quoted);
		if (byte < 0) {
			errno = EINVAL;
			return NULL;
		}
		name[bytes++] = (char)byte;
	}
	if (name)
		name[bytes] = '\0';
	return TAKE(name);
}

/* ------------------------------------------------------------------ JSON */

static bool is_utf8(const char *text)
{
	size_t left = strlen(text), length;
	uint32_t code;

	for (; (length = utf8_char(text, left, &code)) > 0; text += length)
		left -= length;
	return left == 0;
}

static bool is_bad(const cJSON *item)
{
	return cJSON_IsString(item) && !is_utf8(item->valuestring);
}

/* What tells the bytes of a string or of a list of strings; NULL: nothing need be told. */
static cJSON *quoted(const cJSON *item)
{
	const cJSON *inner;
	bool bad = is_bad(item);
	AUTO_FREE char *text = bad ? quote_name(item->valuestring) : NULL;
	cJSON *list;

	if (!cJSON_IsArray(item))
		return text ? cJSON_CreateString(text) : NULL;
	cJSON_ArrayForEach (inner, item)
		bad = bad || is_bad(inner);
	list = bad ? cJSON_CreateArray() : NULL;
	cJSON_ArrayForEach (inner, item) {
		AUTO_FREE char *one =
			list && cJSON_IsString(inner) ? quote_name(inner->valuestring) : NULL;

		if (list)
			cJSON_AddItemToArray(
				list, one ? cJSON_CreateString(one) : cJSON_CreateNull());
	}
	return list;
}

static void make_utf8(cJSON *item)
{
	char *text = is_bad(item) ? print(item->valuestring, AS_UTF8) : NULL;

	if (text) {
		(void)cJSON_SetValuestring(item, text);
		free(text);
	}
}

void quote_json(cJSON *json)
{
	cJSON *item, *next;

	for (item = json ? json->child : NULL; item; item = next) {
		cJSON *told = cJSON_IsObject(json) ? quoted(item) : NULL;
		AUTO_FREE char *key = told ? format("%s_quoted", item->string) : NULL;

		next = item->next; /* what is added comes behind, and is UTF-8 */
		quote_json(item);
		make_utf8(item);
		if (!key || !cJSON_AddItemToObject(json, key, told))
			cJSON_Delete(told);
	}
}

/* In JSON whatever is not ASCII stands in a string, so that it can be escaped there. */
char *quote_json_print(const cJSON *json, bool formatted)
{
	AUTO_FREE char *text = formatted ? cJSON_Print(json) : cJSON_PrintUnformatted(json);

	return text ? print(text, AS_JSON) : NULL;
}

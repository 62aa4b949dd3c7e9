/* caption.c - a prompt as lines that fit below a picture. */
#include "contrib/simulator/render.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* Next character of UTF-8 text as one to draw: white space, controls and stray bytes are blanks. */
static wchar_t next_character(const char **text)
{
	mbstate_t state = {0};
	wchar_t character;
	size_t used = mbrtowc(&character, *text, strlen(*text), &state);

	if (used == 0 || used > 8) {
		*text += 1;
		return L' ';
	}
	*text += used;
	return iswspace((wint_t)character) || wcwidth(character) < 0 ? L' ' : character;
}

/* How much of text fits into a line: to the last blank, or mid-word when there is none. */
static size_t line_bytes(const char *text, int columns)
{
	const char *at = text;
	const char *blank = NULL;
	int width = 0;

	while (*at) {
		const char *before = at;
		wchar_t character = next_character(&at);

		if (character == L' ')
			blank = before;
		width += wcwidth(character);
		if (width > columns)
			return (size_t)((blank && blank > text ? blank : before) - text);
	}
	return (size_t)(at - text);
}

static void put_line(FILE *stream, const char *line, size_t bytes)
{
	const char *at = line;
	bool is_blank = true; /* drops leading blanks, joins the others */

	while (at < line + bytes) {
		wchar_t character = next_character(&at);
		char text[MB_LEN_MAX + 1] = "";

		if (character == L' ' && is_blank)
			continue;
		is_blank = character == L' ';
		(void)snprintf(text, sizeof(text), "%lc", (wint_t)character);
		(void)fputs(text, stream);
	}
}

char *caption_wrap(const char *text, int columns, int lines)
{
	char *caption = NULL;
	size_t size;
	FILE *stream = open_memstream(&caption, &size);

	if (!stream)
		return NULL;
	for (int line = 0; *text && line < lines; line++) {
		bool is_last = line == lines - 1;
		size_t bytes = line_bytes(text, columns);
		bool is_cut = is_last && text[bytes];

		if (is_cut)
			bytes = line_bytes(text, columns - 1);
		if (!bytes)
			bytes = strlen(text); /* a column narrower than a character */
		if (line)
			(void)fputc('\n', stream);
		put_line(stream, text, bytes);
		if (is_cut)
			(void)fputs("\xe2\x80\xa6", stream);
		text += bytes;
		text += strspn(text, " \t\r\n");
	}
	if (fclose(stream) != 0) {
		free(caption);
		return NULL;
	}
	return caption;
}

unsigned int caption_rare(const char *text)
{
	while (*text) {
		wchar_t character = next_character(&text);

		/* Up to Cyrillic, and the general punctuation. */
		if ((unsigned int)character >= 0x530 && (unsigned int)character >> 8 != 0x20)
			return (unsigned int)character;
	}
	return 0;
}

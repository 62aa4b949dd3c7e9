#include "fs/cli/screen.h"

#include "fs/base/quote.h"

#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define WIDTH_LEAST 20 /* of less nothing sensible can be made */

void screen_look(int fd, struct screen *screen)
{
	const char *never = getenv("NO_COLOR"), *kind = getenv("TERM");
	struct winsize size = {0};

	*screen = (struct screen){.is_terminal = isatty(fd)};
	if (!screen->is_terminal)
		return;
	/* what is printed is UTF-8, whatever the locale; without it wcwidth(3) knows only ASCII */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	screen->colours = (!never || !*never) && kind && strcmp(kind, "dumb") != 0;
	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return;
	screen->width = size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
	screen->height = size.ws_row;
}

/* Of a character; *text is left behind it. */
static int take_char(const char **text)
{
	uint32_t code = 0;
	size_t length = utf8_char(*text, strlen(*text), &code);
	int width = length ? wcwidth((wchar_t)code) : 1;

	*text += length ? length : 1;
	return width < 0 ? 1 : width;
}

int screen_columns(const char *text)
{
	int columns = 0;

	while (*text)
		columns += take_char(&text);
	return columns;
}

void screen_put_cut(FILE *out, const char *text, int columns)
{
	int left = screen_columns(text);

	if (columns < 1 || left <= columns) {
		(void)fputs(text, out); /* the stream tells */
		return;
	}
	while (left > columns - 1)
		left -= take_char(&text);
	(void)fprintf(out, "…%s", text);
}

void screen_set_colour(FILE *out, const struct screen *screen, const char *colour)
{
	if (screen->colours)
		(void)fprintf(out, "\033[%sm", colour ? colour : "0");
}

void screen_put_coloured(
	FILE *out, const struct screen *screen, const char *colour, const char *text)
{
	screen_set_colour(out, screen, colour);
	(void)fputs(text, out);
	screen_set_colour(out, screen, NULL);
}

/* Of the first word of a text, and where it ends. */
static int word_columns(const char *text, const char **end)
{
	int columns = 0;

	while (*text && *text != ' ')
		columns += take_char(&text);
	*end = text;
	return columns;
}

void screen_put_wrapped(FILE *out, const struct screen *screen, int indent, const char *text)
{
	const int least = WIDTH_LEAST / 2, left = screen->width - indent;
	const int room = !screen->width ? INT_MAX : left < least ? least : left;
	int at = 0;

	(void)fprintf(out, "%*s", indent, "");
	while (*text) {
		const char *end;
		const int columns = word_columns(text, &end);

		if (at && columns >= room - at) {
			(void)fprintf(out, "\n%*s", indent, "");
			at = 0;
		} else if (at) {
			(void)fputc(' ', out);
			at++;
		}
		while (text < end) { /* a word that is longer than a line is broken, too */
			const char *from = text;
			const int width = take_char(&text);

			if (width > room - at) {
				(void)fprintf(out, "\n%*s", indent, "");
				at = 0;
			}
			(void)fwrite(from, 1, (size_t)(text - from), out);
			at += width;
		}
		text += strspn(text, " ");
	}
	(void)fputc('\n', out);
}

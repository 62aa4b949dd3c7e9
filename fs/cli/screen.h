/*
 * screen.h - what output looks like on a terminal: how wide it is, whether it
 * may have colours, text cut and wrapped to its width. Elsewhere nothing is cut
 * and nothing coloured. Text is printable UTF-8 (fs/base/quote.h). The main thread.
 */
#ifndef KINOFS_CLI_SCREEN_H
#define KINOFS_CLI_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

struct screen {
	bool is_terminal;
	bool colours;      /* not if NO_COLOR says so (no-color.org), nor on a dumb one */
	int width, height; /* 0: no end */
};

/* Of a terminal as it is now; call it again to learn that it was resized. */
void screen_look(int fd, struct screen *screen);

/* The columns that a text takes. */
int screen_columns(const char *text);

/* The last so many columns of a text, with "…" before them if that is not all; columns < 1: all. Of
 * a path its end tells more than its beginning. */
void screen_put_cut(FILE *out, const char *text, int columns);

/* The same within colour, a parameter of SGR (console_codes(4)), if there are colours. */
void screen_put_coloured(
	FILE *out, const struct screen *screen, const char *colour, const char *text);

/* A paragraph and its end of line: broken between words, and longer ones in them, to the
 * width, each line indented. */
void screen_put_wrapped(FILE *out, const struct screen *screen, int indent, const char *text);

/* From here on in this colour; NULL: in none. */
void screen_set_colour(FILE *out, const struct screen *screen, const char *colour);

#endif

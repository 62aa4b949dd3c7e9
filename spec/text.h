/*
 * text.h - UTF-8 and the wording of values, shared by the checks. Pure, any thread.
 */
#ifndef KINOFS_SPEC_TEXT_H
#define KINOFS_SPEC_TEXT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Offset of the first byte that is not valid UTF-8, or bytes when there is none. */
size_t text_bad_utf8(const char *text, size_t bytes);

/* Characters of valid UTF-8. */
size_t text_chars(const char *text);

/* Only white space, or nothing. */
bool text_blank(const char *text);

#define TEXT_SHOWN_CHARS 60
#define TEXT_SHOWN_BYTES (4 * TEXT_SHOWN_CHARS + 8)

/* A value as a message shows it: JSON, shortened, printable; returns shown. */
const char *text_value(const cJSON *value, char shown[TEXT_SHOWN_BYTES]);

/* Makes the words of a server or a file fit for a terminal: a copy in which control and
 * text-direction characters are spaces and invalid UTF-8 is U+FFFD, at most max_chars characters
 * long, with "…" as the last one when it was cut. The caller frees. NULL: no memory. */
char *text_printable(const char *text, size_t bytes, size_t max_chars);

/* Like text_printable(), into out[room]. */
void text_print(char *out, size_t room, const char *text, size_t bytes, size_t max_chars);

/* The values of an array as `"6", "10"`. The caller frees. NULL: no memory. */
char *text_list(const cJSON *values);

/* Edit distance of two names, ignoring case. SIZE_MAX for names that are too long to be
 * misspellings. */
size_t text_distance(const char *a, const char *b);

#endif

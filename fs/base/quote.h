/*
 * quote.h - names and words of any bytes as text that can be shown, and names
 * back again. Pure, any thread. The caller frees; NULL: no memory.
 */
#ifndef KINOFS_BASE_QUOTE_H
#define KINOFS_BASE_QUOTE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the UTF-8 character at `at`, and its code point. 0: have is 0, or the bytes are bad. */
size_t utf8_char(const char *at, size_t have, uint32_t *code);

/* What a terminal would obey instead of showing: C0, DEL, C1, line and paragraph separators, and
 * the marks that reorder text (Unicode TR36, "bidirectional text spoofing"). */
bool utf8_is_control(uint32_t code);

/* A name as `ls -b` shows it, but with spaces: each byte of a control character, or of what is no
 * UTF-8, as \xHH, a backslash as \\. */
char *quote_name(const char *name);
/* The bytes of a quoted name. NULL also, with errno EINVAL, for what no name is quoted as. */
char *unquote_name(const char *quoted);

/* The same of whole sentences, in which backslashes stay: of one line, or with line breaks kept. */
char *quote_line(const char *text);
char *quote_lines(const char *text);

/* A path as one word of a POSIX shell's command line; where it has bytes that a terminal would obey
 * or that are no UTF-8, as $'…' of bash, zsh and of POSIX 2024. */
char *quote_shell(const char *path);
/* A path as a relative link (RFC 3986): every byte but letters, digits and "-._~/" as %HH. */
char *quote_link(const char *path);

/* Makes JSON of what may hold names: a string that is no UTF-8 gets U+FFFD for each bad byte, and a
 * member KEY_quoted beside it that tells its bytes (quote_name()); so does a list of strings. */
void quote_json(cJSON *json);
/* Printed so that a terminal shows it: control characters of any kind as \uHHHH. */
char *quote_json_print(const cJSON *json, bool formatted);

#endif

/* format.h - text into a new string. Any thread may call. */
#ifndef KINOFS_BASE_FORMAT_H
#define KINOFS_BASE_FORMAT_H

#include <stddef.h>
#include <stdio.h>

/* The caller frees. NULL: no memory; unlike with asprintf(3) there is then nothing undefined. */
char *format(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* The bytes, with a NUL behind them; strndup(3) would end at one that is among them. The caller
 * frees; NULL: no memory. */
char *copy_bytes(const char *bytes, size_t count);

/* Closes a stream of open_memstream(3), whose text is taken over. The caller frees. NULL: there was
 * no memory for some byte of it, which fclose(3) alone does not tell. */
char *stream_text(FILE *stream, char **text);

#endif

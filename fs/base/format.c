#include "fs/base/format.h"

#include "fs/base/cleanup.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

char *format(const char *text, ...)
{
	va_list arguments;
	char *made;
	int length;

	va_start(arguments, text);
	length = vasprintf(&made, text, arguments);
	va_end(arguments);
	return length < 0 ? NULL : made;
}

char *copy_bytes(const char *bytes, size_t count)
{
	char *copy = malloc(count + 1);

	if (!copy)
		return NULL;
	(void)memcpy(copy, bytes, count);
	copy[count] = '\0';
	return copy;
}

char *stream_text(FILE *stream, char **text)
{
	bool lost = ferror(stream);

	if (fclose(stream) == 0 && !lost)
		return TAKE(*text);
	free(TAKE(*text));
	return NULL;
}

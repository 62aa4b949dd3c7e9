#include "fs/input/batch.h"

#include "fs/base/cleanup.h"
#include "fs/base/limits.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define NUMBER_DIGITS 4

bool batch_of(const char *job, char **stem, int *line)
{
	const char *dash = strrchr(job, '-');
	size_t digits = dash ? strlen(dash + 1) : 0;

	if (!dash || dash == job || digits < NUMBER_DIGITS || digits > NUMBER_DIGITS + 2 ||
		strspn(dash + 1, "0123456789") != digits)
		return false;
	*line = (int)strtol(dash + 1, NULL, 10); /* six digits at most */
	*stem = strndup(job, (size_t)(dash - job));
	return *stem && *line > 0;
}

char *batch_job(const char *stem, int line)
{
	char *job;

	return asprintf(&job, "%s-%0*d", stem, NUMBER_DIGITS, line) < 0 ? NULL : job;
}

bool batch_next_line(const char **rest, const char *end, struct batch_line *line)
{
	const char *stop;

	if (*rest >= end)
		return false;
	stop = memchr(*rest, '\n', (size_t)(end - *rest));
	if (!stop)
		stop = end;
	line->text = *rest;
	*rest = stop + 1;
	while (stop > line->text && isspace((unsigned char)stop[-1]))
		stop--;
	line->bytes = (size_t)(stop - line->text);
	return true;
}

/* Reads the file and finds one line in it (0: none is wanted); says how many there are. */
static int look(const struct tree *tree, const char *path, int wanted, char **text,
	struct batch_line *found)
{
	size_t bytes;
	int error = tree_read(tree, path, LIMIT_BATCH_BYTES, text, &bytes);
	const char *rest;
	struct batch_line line;
	int count = 0;

	if (error)
		return error;
	if (bytes > LIMIT_BATCH_BYTES)
		return -EFBIG;
	rest = *text;
	while (count < LIMIT_BATCH_LINES && batch_next_line(&rest, *text + bytes, &line))
		if (++count == wanted)
			*found = line;
	return count;
}

int batch_lines(const struct tree *tree, const char *path)
{
	AUTO_FREE char *text = NULL;

	return look(tree, path, 0, &text, NULL);
}

int batch_read_line(const struct tree *tree, const char *path, int line, char **text, size_t *bytes)
{
	AUTO_FREE char *all = NULL;
	struct batch_line found = {NULL, 0};
	int count = look(tree, path, line, &all, &found);

	if (count < 0)
		return count;
	if (!found.bytes)
		return -ENOENT;
	*text = strndup(found.text, found.bytes);
	*bytes = found.bytes;
	return *text ? 0 : -ENOMEM;
}

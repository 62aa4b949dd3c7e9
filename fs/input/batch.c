#include "fs/input/batch.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/input/listing.h"
#include "fs/input/look.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define NUMBER_DIGITS 4
#define TICK_MS       100

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

void batch_kept_clear(struct batch_kept *kept)
{
	free(kept->path);
	free(kept->text);
	free(kept->line);
	*kept = (struct batch_kept){0};
}

static int read_lines(struct batch_kept *kept, size_t bytes)
{
	const char *rest = kept->text;
	struct batch_line line;

	while (kept->count < LIMIT_BATCH_LINES &&
		batch_next_line(&rest, kept->text + bytes, &line)) {
		if (ARRAY_ROOM(kept->line, kept->count, kept->room) < 0)
			return -ENOMEM;
		kept->line[kept->count++] = line;
	}
	return 0;
}

/* Reads it, unless it is kept and looks as it did. 0 or -errno, with nothing kept. */
static int keep(const struct tree *tree, const char *path, struct batch_kept *kept)
{
	char seen[DIGEST_HEX_BYTES];
	size_t bytes = 0;
	int error = look_at(tree, &path, 1, seen);

	if (!error && kept->path && !strcmp(kept->path, path) && !strcmp(kept->seen, seen))
		return 0;
	batch_kept_clear(kept);
	if (!error)
		error = tree_read(tree, path, LIMIT_BATCH_BYTES, &kept->text, &bytes);
	if (!error && bytes > LIMIT_BATCH_BYTES)
		error = -EFBIG;
	if (!error)
		error = read_lines(kept, bytes);
	if (!error)
		kept->path = strdup(path);
	if (!error && !kept->path)
		error = -ENOMEM;
	if (error)
		batch_kept_clear(kept);
	else
		memcpy(kept->seen, seen, sizeof(seen));
	return error;
}

/* A file that changed a moment ago may change again and look the same: it is not kept. */
static bool is_at_rest(const struct tree *tree, const char *path)
{
	struct stat info;

	return tree_stat_end(tree, path, &info) == 0 &&
	       info.st_ctim.tv_sec * INT64_C(1000) + info.st_ctim.tv_nsec / 1000000 + TICK_MS <
	               clock_wall_ms();
}

/* Where the batch is kept from one look to the next, if it is. */
static struct batch_kept *kept_of(const struct tree *tree, const char *path, struct batch_kept *own)
{
	return tree->listings && is_at_rest(tree, path) ? &tree->listings->batch : own;
}

int batch_lines(const struct tree *tree, const char *path)
{
	struct batch_kept own = {0};
	struct batch_kept *kept = kept_of(tree, path, &own);
	int error = keep(tree, path, kept);
	int count = error ? error : (int)kept->count; /* LIMIT_BATCH_LINES at most */

	batch_kept_clear(&own);
	return count;
}

int batch_read_line(const struct tree *tree, const char *path, int line, char **text, size_t *bytes)
{
	struct batch_kept own = {0};
	struct batch_kept *kept = kept_of(tree, path, &own);
	int error = keep(tree, path, kept);
	const struct batch_line *found = NULL;

	if (!error && (size_t)line <= kept->count)
		found = &kept->line[line - 1];
	if (!error && (!found || !found->bytes))
		error = -ENOENT;
	if (!error) {
		*text = copy_bytes(found->text, found->bytes);
		*bytes = found->bytes;
		error = *text ? 0 : -ENOMEM;
	}
	batch_kept_clear(&own);
	return error;
}

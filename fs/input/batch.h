/*
 * batch.h - a .jsonl file is a batch: each line a spec, line 3 of list.jsonl
 * the spec of the job list-0003. Any thread may call.
 */
#ifndef KINOFS_INPUT_BATCH_H
#define KINOFS_INPUT_BATCH_H

#include "fs/base/digest.h"
#include "fs/input/tree.h"

/* Whether a job of this name may be a line of a batch: the batch's stem (the caller frees) and the
 * line, from 1. */
bool batch_of(const char *job, char **stem, int *line);
/* "list-0003"; the caller frees. NULL: no memory. */
char *batch_job(const char *stem, int line);

struct batch_line {
	const char *text;
	size_t bytes; /* without the line's end, or white space before it */
};

/* The next line of a text, from *rest on; false: there is none. */
bool batch_next_line(const char **rest, const char *end, struct batch_line *line);

/* The batch read last, for as long as it looks the same: each of its lines is a job. Begins as {0}.
 */
struct batch_kept {
	char *path; /* NULL: none */
	char *text;
	char seen[DIGEST_HEX_BYTES]; /* look.h, before it was read */
	struct batch_line *line;
	size_t count, room;
};
void batch_kept_clear(struct batch_kept *kept);

/* A line as text of its own; the caller frees. 0, -ENOENT for a line that is blank or not there,
 * or -errno. */
int batch_read_line(
	const struct tree *tree, const char *path, int line, char **text, size_t *bytes);
/* How many lines there are, at most LIMIT_BATCH_LINES; or -errno. */
int batch_lines(const struct tree *tree, const char *path);
#endif

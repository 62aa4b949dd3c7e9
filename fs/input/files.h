/*
 * files.h - a job's files on disk: which there are, and what they say. Reads
 * the store underneath, never the mount. Any thread may call.
 */
#ifndef KINOFS_INPUT_FILES_H
#define KINOFS_INPUT_FILES_H

#include "fs/base/digest.h"
#include "fs/input/listing.h"
#include "spec/place.h"
#include "spec/spec.h"

#include <stdint.h>

/* Where the files are. Paths are relative to the mount; fd is the folder they lead from once their
 * first `skip` bytes are taken off (0: the tree itself). The folder listed last is kept in names
 * (NULL: none is), and read again once the owner has cleared it. */
struct tree {
	int fd;
	size_t skip;
	struct folder_names *names;
};

/* Paths are relative to the mount; NULL: there is none. */
struct job_files {
	char *spec, *prompt, *first_frame, *last_frame, *defaults;
	char *batch, *line; /* the .jsonl the job is a line of, and that line: its spec */
	size_t line_bytes;
	int count;                 /* of the spec, wherever it stands, prompt and frames */
	struct problems ambiguous; /* two files for one purpose */
};

/* Looks for the files of a job by name. 0 or -ENOMEM. files_clear() it in any case. */
int files_find(const struct tree *tree, const struct model *model, const char *dir,
	const char *stem, struct job_files *files);
void files_clear(struct job_files *files);

/* Opens a folder of the tree for listing; never follows a link. A descriptor, or -errno. */
int files_open_folder(const struct tree *tree, const char *path);
/* Opens a file of the tree for reading; never follows a link. A descriptor, or -errno: -ENOENT,
 * -EISDIR for what is no regular file. */
int files_open(const struct tree *tree, const char *path, int64_t *bytes);
/* The whole file, NUL-terminated, at most limit bytes and one more (so that *bytes > limit tells a
 * file that is too long). The caller frees. 0 or -errno. */
int files_read(const struct tree *tree, const char *path, size_t limit, char **text, size_t *bytes);

/* Judges whether the picture in fd, whose head was read, is whole (spec_check_whole). Its end not
 * being readable is no problem of its own. */
void files_check_whole(int fd, const char *path, const char *head, size_t have, int64_t bytes,
	struct problems *problems);

/* What a job's files make. */
struct assembly {
	struct job_files files;
	struct spec spec;
	struct problems problems, missing;
	cJSON *pictures;                    /* [{"field", "path", "sha256", "bytes", "type"}] */
	char fingerprint[DIGEST_HEX_BYTES]; /* of the user's bytes, not of their names */
};

/* Reads and judges a job. 0 or -ENOMEM; what is wrong with a file is a problem, not an error.
 * assembly_clear() it in any case. */
int assemble(const struct tree *tree, const struct model *model, const char *dir, const char *stem,
	struct assembly *assembly);
void assembly_clear(struct assembly *assembly);

#endif

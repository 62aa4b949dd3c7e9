/*
 * assemble.h - a job's files, read and judged as a whole. Any thread may call,
 * with a tree whose listing is its own.
 */
#ifndef KINOFS_INPUT_ASSEMBLE_H
#define KINOFS_INPUT_ASSEMBLE_H

#include "fs/base/digest.h"
#include "fs/base/rights.h"
#include "fs/input/files.h"
#include "spec/local.h"
#include "spec/spec.h"

/* What a job's files make. */
struct assembly {
	struct job_files files;
	struct spec spec;
	struct problems problems, missing;
	struct picture *picture; /* that the spec names; without sha256 where one is missing */
	size_t npictures;
	char order[DIGEST_HEX_BYTES];       /* spec/order.h; "" with problems or missing files */
	char fingerprint[DIGEST_HEX_BYTES]; /* job.h; of the bytes when the spec is not sound */
	char bytes[DIGEST_HEX_BYTES]; /* of the files as they are: a fingerprint of format 2 */
	char rights[RIGHTS_BYTES];    /* access.h; "" where the tree is not shared */
	char seen[DIGEST_HEX_BYTES];  /* look.h, of the files before they were read, and which
	                                 an editor has open */
};

/* Reads and judges a job. 0 or -errno: it cannot be looked at, from which nothing follows
 * (-EINPROGRESS: not yet, a picture is being hashed). What is
 * wrong with a file is a problem, not an error. assembly_clear() it in any case. */
int assemble(const struct tree *tree, const struct model *model, const char *dir, const char *stem,
	struct assembly *assembly);
void assembly_clear(struct assembly *assembly);

/* What the files of the assembly, and these pictures, look like now: its `seen` when nothing has
 * changed. 0 or -errno. */
int assembly_look(const struct tree *tree, const struct job_files *files,
	const struct picture *picture, size_t npictures, char hex[DIGEST_HEX_BYTES]);

/* Judges whether the file in fd, whose head was read, is whole (spec_check_whole). Its end not
 * being readable is no problem of its own. */
void media_check_whole(int fd, const char *path, const char *head, size_t have, int64_t bytes,
	struct problems *problems);

#endif

/*
 * access.h - whose a job is, on a mount that others may use too: what rights its
 * files have in common, and whether who saved it may read all that it is made
 * of. Any thread may call, with a tree whose listing is its own.
 */
#ifndef KINOFS_INPUT_ACCESS_H
#define KINOFS_INPUT_ACCESS_H

#include "fs/base/rights.h"
#include "fs/input/files.h"
#include "spec/local.h"

/*
 * The job is of who owns its spec, else its batch, its prompt, its picture. rights: what he, his
 * group and others may do with all of its files and pictures; "" when they are gone. problems (may
 * be NULL): a line for each that he may not read. 1, 0 when there is one, or -errno when it cannot
 * be looked at.
 */
int access_judge(const struct tree *tree, const struct job_files *files,
	const struct picture *picture, size_t npictures, struct problems *problems,
	char rights[RIGHTS_BYTES]);

#endif

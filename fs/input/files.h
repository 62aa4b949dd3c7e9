/*
 * files.h - which files a job has, by their names. Any thread may call, with a
 * tree whose listing is its own.
 */
#ifndef KINOFS_INPUT_FILES_H
#define KINOFS_INPUT_FILES_H

#include "fs/input/tree.h"
#include "spec/place.h"
#include "spec/problem.h"

/* Paths are relative to the mount; NULL: there is none. */
struct job_files {
	char *spec, *prompt, *first_frame, *last_frame, *defaults;
	char *batch, *line; /* the .jsonl the job is a line of, and that line: its spec */
	size_t line_bytes;
	int count;                 /* of the spec, wherever it stands, prompt and frames */
	struct problems ambiguous; /* two files for one purpose */
	char **under_way;          /* files like NAME.png.part, which may become files of the job */
	size_t nunder_way, room;
};

/* Looks for the files of a job by name. 0, or -errno when it cannot be looked. files_clear() it in
 * any case. */
int files_find(const struct tree *tree, const struct model *model, const char *dir,
	const char *stem, struct job_files *files);
void files_clear(struct job_files *files);

/* The files that are there, as a list of at most FILES_MAX paths that files keeps; how many. */
#define FILES_MAX 6
size_t files_list(const struct job_files *files, const char *path[FILES_MAX]);

#endif

/*
 * files.h - which files a job has, by their names. Any thread may call, with a
 * tree whose listing is its own.
 */
#ifndef KINOFS_INPUT_FILES_H
#define KINOFS_INPUT_FILES_H

#include "fs/base/limits.h"
#include "fs/input/tree.h"
#include "spec/place.h"
#include "spec/problem.h"
#include "spec/spec.h"

/* Paths are relative to the mount; NULL: there is none. */
struct job_files {
	char *spec, *prompt, *defaults;
	struct spec_beside *beside; /* pictures, films and sounds, in no order */
	size_t nbeside, beside_room;
	char *batch, *line; /* the .jsonl the job is a line of, and that line: its spec */
	size_t line_bytes;
	int count;  /* of the spec, wherever it stands, prompt and media, and what is astray */
	int astray; /* texts that are symbolic links to no file in the mount */
	struct problems ambiguous; /* these, defaults that are, and two files for one purpose */
	/* Files like NAME.png.part, which may become files of the job; and those like .NAME.txt.swp
	 * by which an editor says that it has a file of the job open (editor.h). */
	struct paths {
		char **item;
		size_t count, room;
	} under_way, locks;
};

/* Looks for the files of a job by name. 0, or -errno when it cannot be looked. files_clear() it in
 * any case. */
int files_find(const struct tree *tree, const struct model *model, const char *dir,
	const char *stem, struct job_files *files);
void files_clear(struct job_files *files);

/* The files that are there, as a list of at most FILES_MAX paths that files keeps; how many. */
#define FILES_MAX (4 + LIMIT_MEDIA)
size_t files_list(const struct job_files *files, const char *path[FILES_MAX]);

#endif

/* notes.c - at rest, out/ holds the note of each job that has something to say, and no other. */
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/journal/record.h"
#include "tests/sim/sim.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum job_note note_of_name(const char *name)
{
	for (enum job_note note = NOTE_NONE + 1; note < NOTES; note++) {
		AUTO_FREE char *tail = format(".%s.txt", record_note_suffix(note));
		const char *at =
			strlen(name) > strlen(tail) ? name + strlen(name) - strlen(tail) : "";

		if (!strcmp(at, tail))
			return note;
	}
	return NOTE_NONE;
}

static char *path_of_note(const struct job_row *row, enum job_note note)
{
	return format("%s/out/%s%s%s.%s.txt", row->model_id, row->dir, *row->dir ? "/" : "",
		row->stem, record_note_suffix(note));
}

static bool is_wanted(struct job_row *const *rows, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++) {
		const enum job_note note = record_note(rows[i]);
		AUTO_FREE char *wanted = NULL;

		if (rows[i]->forgotten_ms || !rows[i]->shown || note == NOTE_NONE)
			continue;
		wanted = path_of_note(rows[i], note);
		if (!strcmp(wanted, path))
			return true;
	}
	return false;
}

static void check_folder(struct job_row *const *rows, size_t count, const char *path)
{
	int fd = openat(sim.tree_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		AUTO_FREE char *within = path_join(path, entry->d_name);

		if (*entry->d_name == '.')
			continue;
		if (entry->d_type == DT_DIR)
			check_folder(rows, count, within);
		else if (note_of_name(entry->d_name) != NOTE_NONE &&
			 !is_wanted(rows, count, within + strlen("./")))
			failed("note: nothing says %s any more", within);
	}
	if (folder)
		(void)closedir(folder);
}

void notes_check(struct job_row *const *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const enum job_note note = record_note(rows[i]);
		AUTO_FREE char *wanted = NULL;

		if (rows[i]->forgotten_ms || !rows[i]->shown || note == NOTE_NONE)
			continue;
		wanted = path_of_note(rows[i], note);
		if (faccessat(sim.tree_fd, wanted, F_OK, 0) < 0)
			failed("note: %s is not there", wanted);
	}
	check_folder(rows, count, ".");
}

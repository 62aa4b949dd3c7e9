#include "fs/input/files.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/input/batch.h"
#include "fs/input/listing.h"

#include <errno.h>
#include <string.h>

/* Whether there is a regular file: 1, 0, or -errno when that cannot be seen. */
static int is_file(const struct tree *tree, const char *path)
{
	struct stat info;
	int error = tree_stat(tree, path, &info);

	if (error)
		return tree_is_absence(error) ? 0 : error;
	return S_ISREG(info.st_mode);
}

/* Notes the file as the one for its purpose. */
static int note_file(const char *path, char **found, struct problems *ambiguous)
{
	if (*found) {
		problems_add(ambiguous, path_last(path),
			"two files for one purpose: this one and %s; keep one of them",
			path_last(*found));
		return 0;
	}
	*found = strdup(path);
	return *found ? 0 : -ENOMEM;
}

static int note_under_way(struct job_files *files, char *path)
{
	if (ARRAY_ROOM(files->under_way, files->nunder_way, files->room) < 0) {
		free(path);
		return -ENOMEM;
	}
	files->under_way[files->nunder_way++] = path;
	return 0;
}

/* Where in files a file of this role belongs, or NULL. */
static char **slot_of(struct job_files *files, enum role role)
{
	switch (role) {
	case ROLE_SPEC: return &files->spec;
	case ROLE_PROMPT: return &files->prompt;
	case ROLE_FIRST_FRAME: return &files->first_frame;
	case ROLE_LAST_FRAME: return &files->last_frame;
	case ROLE_BATCH: return &files->batch;
	default: return NULL;
	}
}

static int note_role(const struct tree *tree, const char *folder, const struct listed *listed,
	struct job_files *files)
{
	AUTO_FREE char *path = path_join(folder, listed->name);
	int there = path ? is_file(tree, path) : -ENOMEM;

	if (there <= 0)
		return there;
	if (listed->under_way)
		return note_under_way(files, TAKE(path));
	return note_file(path, slot_of(files, listed->role), &files->ambiguous);
}

/* The files of this stem: the batches among them, or the others. */
static int note_stem(const struct tree *tree, const struct listing *listing, const char *stem,
	bool is_batch, struct job_files *files)
{
	size_t count;
	const struct listed *listed = listing_find(listing, stem, &count);
	int error = 0;

	for (size_t i = 0; i < count && !error; i++)
		if ((listed[i].role == ROLE_BATCH) == is_batch)
			error = note_role(tree, listing->folder, &listed[i], files);
	return error;
}

static int list(const struct tree *tree, struct listing *listing, const char *folder, bool at_top)
{
	int fd;

	if (listing_is_of(listing, folder))
		return 0;
	fd = tree_open_folder(tree, folder);
	if (fd < 0 && !tree_is_absence(fd))
		return fd;
	return listing_read(listing, folder, at_top, fd);
}

/* The names are listed, not guessed: marks and suffixes may be in any mix of capitals. */
static int look_through(const struct tree *tree, const struct model *model, const char *dir,
	const char *stem, const char *batch, struct job_files *files)
{
	struct listing own = {0};
	struct listing *listing = tree->listing ? tree->listing : &own;
	AUTO_FREE char *folder = path_join(model->id, dir);
	int error = folder ? list(tree, listing, folder, !*dir) : -ENOMEM;

	if (!error)
		error = note_stem(tree, listing, stem, false, files);
	if (!error && batch)
		error = note_stem(tree, listing, batch, true, files);
	listing_clear(&own);
	return error;
}

/* The nearest defaults.json: in the job's folder, or above it up to the model directory. */
static int find_defaults(
	const struct tree *tree, const struct model *model, const char *dir, char **found)
{
	AUTO_FREE char *folder = strdup(dir);

	while (folder) {
		AUTO_FREE char *path = place_path(model, AREA_INPUT, folder, "defaults", "json");
		int there = path ? is_file(tree, path) : -ENOMEM;
		char *slash = strrchr(folder, '/');

		if (there < 0)
			return there;
		if (there) {
			*found = TAKE(path);
			return 0;
		}
		if (!*folder)
			return 0;
		*(slash ? slash : folder) = '\0';
	}
	return -ENOMEM;
}

/* A job without a spec of its own may be a line of a batch. */
static int find_line(const struct tree *tree, int line, struct job_files *files)
{
	int error = 0;

	if (files->batch && !files->spec)
		error = batch_read_line(tree, files->batch, line, &files->line, &files->line_bytes);
	return error == -EFBIG || tree_is_absence(error) ? 0 : error;
}

int files_find(const struct tree *tree, const struct model *model, const char *dir,
	const char *stem, struct job_files *files)
{
	AUTO_FREE char *batch = NULL;
	int line = 0;
	int error = find_defaults(tree, model, dir, &files->defaults);

	if (!batch_of(stem, &batch, &line))
		free(TAKE(batch));
	if (!error)
		error = look_through(tree, model, dir, stem, batch, files);
	if (!error)
		error = find_line(tree, line, files);
	files->count = (files->spec || files->line) + !!files->prompt + !!files->first_frame +
	               !!files->last_frame;
	return error;
}

size_t files_list(const struct job_files *files, const char *path[FILES_MAX])
{
	const char *const all[FILES_MAX] = {files->spec, files->prompt, files->first_frame,
		files->last_frame, files->defaults, files->batch};
	size_t count = 0;

	for (size_t i = 0; i < FILES_MAX; i++)
		if (all[i])
			path[count++] = all[i];
	return count;
}

void files_clear(struct job_files *files)
{
	free(files->spec);
	free(files->prompt);
	free(files->first_frame);
	free(files->last_frame);
	free(files->defaults);
	free(files->batch);
	free(files->line);
	for (size_t i = 0; i < files->nunder_way; i++)
		free(files->under_way[i]);
	free(files->under_way);
	problems_clear(&files->ambiguous);
	*files = (struct job_files){0};
}

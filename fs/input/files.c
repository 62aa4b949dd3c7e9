#include "fs/input/files.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/input/batch.h"
#include "fs/input/listing.h"

#include <errno.h>
#include <string.h>

/* Whether there is a regular file, or a link to one or to nothing (*astray: why not), as locks
 * of editors are: 1, 0, or
 * -errno when that cannot be seen. */
static int is_file(const struct tree *tree, const char *path, int *astray)
{
	struct stat info;
	int error = tree_stat_end(tree, path, &info);

	*astray = 0;
	if (!error)
		return S_ISREG(info.st_mode);
	if (!tree_is_absence(error))
		return error;
	if (error == -EISDIR || tree_stat(tree, path, &info) != 0 || !S_ISLNK(info.st_mode))
		return 0;
	*astray = error;
	return 1;
}

/* A text that is a link to nothing is none of the job, but the job is there, and says so. */
static void note_astray(const char *path, int error, struct job_files *files)
{
	const char *why = tree_why_astray(error);

	problems_add(&files->ambiguous, path_last(path), "%s",
		why ? why
		    : "is a symbolic link to no file of yours in the mount; make it again when there is one");
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

static int paths_add(struct paths *paths, char *path)
{
	if (ARRAY_ROOM(paths->item, paths->count, paths->room) < 0) {
		free(path);
		return -ENOMEM;
	}
	paths->item[paths->count++] = path;
	return 0;
}

static void paths_clear(struct paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->item[i]);
	free(paths->item);
}

/* Notes a file beside the spec, unless another has its place. */
static int note_beside(struct job_files *files, const struct named *as, char *path)
{
	for (size_t i = 0; i < files->nbeside; i++) {
		struct spec_beside *other = &files->beside[i];

		if (other->slot == as->slot && other->number == as->number &&
			other->is_end == as->is_end) {
			int error = note_file(path, &other->path, &files->ambiguous);

			free(path);
			return error;
		}
	}
	if (files->nbeside == LIMIT_MEDIA) {
		problems_add(&files->ambiguous, path_last(path), "one job has at most %d files",
			LIMIT_MEDIA);
		free(path);
		return 0;
	}
	if (ARRAY_ROOM(files->beside, files->nbeside, files->beside_room) < 0) {
		free(path);
		return -ENOMEM;
	}
	files->beside[files->nbeside++] =
		(struct spec_beside){path, as->slot, as->number, as->is_end};
	return 0;
}

static int note_role(const struct tree *tree, const char *folder, const struct listed *listed,
	struct job_files *files)
{
	AUTO_FREE char *path = path_join(folder, listed->name);
	int astray = 0;
	int there = path ? is_file(tree, path, &astray) : -ENOMEM;

	if (there <= 0)
		return there;
	if (listed->under_way || listed->locks)
		return paths_add(listed->locks ? &files->locks : &files->under_way, TAKE(path));
	if (astray && (listed->as.role == ROLE_SPEC || listed->as.role == ROLE_PROMPT)) {
		note_astray(path, astray, files);
		files->astray++;
		return 0;
	}
	switch (listed->as.role) {
	case ROLE_SPEC: return note_file(path, &files->spec, &files->ambiguous);
	case ROLE_PROMPT: return note_file(path, &files->prompt, &files->ambiguous);
	case ROLE_BATCH: return note_file(path, &files->batch, &files->ambiguous);
	case ROLE_MEDIA: return note_beside(files, &listed->as, TAKE(path));
	default: return 0;
	}
}

/* The files of this stem: the batches among them, or the others. */
static int note_stem(const struct tree *tree, const struct listing *listing, const char *stem,
	bool is_batch, struct job_files *files)
{
	size_t count;
	const struct listed *listed = listing_find(listing, stem, &count);
	int error = 0;

	for (size_t i = 0; i < count && !error; i++)
		if ((listed[i].as.role == ROLE_BATCH) == is_batch)
			error = note_role(tree, listing->folder, &listed[i], files);
	return error;
}

static int list(const struct tree *tree, const struct model *model, struct listing *listing,
	const char *folder, bool at_top)
{
	int fd;

	if (listing_is_of(listing, folder))
		return 0;
	fd = tree_open_folder(tree, folder);
	if (fd < 0 && !tree_is_absence(fd))
		return fd;
	return listing_read(listing, model, folder, at_top, fd);
}

/* The names are listed, not guessed: marks and suffixes may be in any mix of capitals. */
static int look_through(const struct tree *tree, const struct model *model, const char *dir,
	const char *stem, const char *batch, struct job_files *files)
{
	struct listing own = {0};
	struct listing *listing = &own;
	AUTO_FREE char *folder = path_join(model->id, dir);
	int error;

	if (folder && tree->listings)
		listing = listings_of(tree->listings, folder);
	error = folder ? list(tree, model, listing, folder, !*dir) : -ENOMEM;
	if (!error)
		error = note_stem(tree, listing, stem, false, files);
	if (!error && batch)
		error = note_stem(tree, listing, batch, true, files);
	listing_clear(&own);
	return error;
}

/* The nearest defaults.json: in the job's folder, or above it up to the model directory. */
static int find_defaults(const struct tree *tree, const struct model *model, const char *dir,
	struct job_files *files)
{
	AUTO_FREE char *folder = strdup(dir);

	while (folder) {
		AUTO_FREE char *path = place_path(model, AREA_INPUT, folder, "defaults", ".json");
		int astray = 0;
		int there = path ? is_file(tree, path, &astray) : -ENOMEM;
		char *slash = strrchr(folder, '/');

		if (there < 0)
			return there;
		if (astray)
			note_astray(path, astray, files);
		else if (there)
			files->defaults = TAKE(path);
		if (there)
			return 0;
		if (!*folder)
			return 0;
		*(slash ? slash : folder) = '\0';
	}
	return -ENOMEM;
}

/* A job without a spec of its own may be a line of a batch. Where the batch is astray, the job of
 * the first one says so. */
static int find_line(const struct tree *tree, int line, struct job_files *files)
{
	int error = 0, astray = 0;

	if (files->batch && !files->spec)
		error = batch_read_line(tree, files->batch, line, &files->line, &files->line_bytes);
	if (line == 1 && error && tree_is_absence(error) && is_file(tree, files->batch, &astray) &&
		astray) {
		note_astray(files->batch, astray, files);
		files->astray++;
	}
	return error == -EFBIG || tree_is_absence(error) ? 0 : error;
}

int files_find(const struct tree *tree, const struct model *model, const char *dir,
	const char *stem, struct job_files *files)
{
	AUTO_FREE char *batch = NULL;
	int line = 0;
	int error = find_defaults(tree, model, dir, files);

	if (!batch_of(stem, &batch, &line))
		free(TAKE(batch));
	if (!error)
		error = look_through(tree, model, dir, stem, batch, files);
	if (!error)
		error = find_line(tree, line, files);
	files->count = (files->spec || files->line) + !!files->prompt + (int)files->nbeside +
	               files->astray;
	return error;
}

size_t files_list(const struct job_files *files, const char *path[FILES_MAX])
{
	const char *const texts[] = {files->spec, files->prompt};
	const char *const around[] = {files->defaults, files->batch};
	size_t count = 0;

	for (size_t i = 0; i < COUNT(texts); i++)
		if (texts[i])
			path[count++] = texts[i];
	for (size_t i = 0; i < files->nbeside; i++)
		path[count++] = files->beside[i].path;
	for (size_t i = 0; i < COUNT(around); i++)
		if (around[i])
			path[count++] = around[i];
	return count;
}

void files_clear(struct job_files *files)
{
	free(files->spec);
	free(files->prompt);
	for (size_t i = 0; i < files->nbeside; i++)
		free(files->beside[i].path);
	free(files->beside);
	free(files->defaults);
	free(files->batch);
	free(files->line);
	paths_clear(&files->under_way);
	paths_clear(&files->locks);
	problems_clear(&files->ambiguous);
	*files = (struct job_files){0};
}

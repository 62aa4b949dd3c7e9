#include "fs/job/files.h"

#include "spec/cleanup.h"
#include "spec/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Every way place.h reads a picture's mark and type, as they are written in practice. A folder may
 * hold 100,000 files, so names are tried, not listed. */
static const char *const marks[] = {".end", "_end", "-end", ".last", "_last", ".tail"};
static const char *const types[] = {
	"png", "jpg", "jpeg", "webp", "PNG", "JPG", "JPEG", "WEBP", "Png", "Jpg", "Jpeg", "Webp"};
static const char *const spec_types[] = {"json", "JSON", "Json"};
static const char *const prompt_types[] = {"txt", "TXT", "Txt"};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The path from tree->fd, or NULL when it is not below it. */
static const char *below(const struct tree *tree, const char *path)
{
	return strlen(path) > tree->skip ? path + tree->skip : NULL;
}

static bool is_file(const struct tree *tree, const char *path)
{
	const char *stored = below(tree, path);
	struct stat info;

	return stored && fstatat(tree->fd, stored, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISREG(info.st_mode);
}

/* Notes the file STEM MARK . TYPE, if it is there, as the one for its purpose. */
static int try_name(const struct tree *tree, const struct place *job, const char *mark, const char *type,
	char **found, struct problems *ambiguous)
{
	AUTO_FREE char *stem = NULL, *path = NULL;

	if (asprintf(&stem, "%s%s", job->stem, mark) < 0)
		return -ENOMEM;
	path = place_path(job->model, AREA_INPUT, job->dir, stem, type);
	if (!path)
		return -ENOMEM;
	if (!is_file(tree, path))
		return 0;
	if (*found)
		problems_add(ambiguous, strrchr(path, '/') + 1,
			"two files for one purpose: this one and %s; keep one of them",
			strrchr(*found, '/') + 1);
	else
		*found = TAKE(path);
	return 0;
}

static int try_types(const struct tree *tree, const struct place *job, const char *mark,
	const char *const *type, size_t count, char **found, struct problems *ambiguous)
{
	int error = 0;

	for (size_t i = 0; i < count && !error; i++)
		error = try_name(tree, job, mark, type[i], found, ambiguous);
	return error;
}

/* The nearest defaults.json: in the job's folder, or above it up to the model directory. */
static int find_defaults(
	const struct tree *tree, const struct model *model, const char *dir, char **found)
{
	AUTO_FREE char *folder = strdup(dir);

	while (folder) {
		AUTO_FREE char *path =
			place_path(model, AREA_INPUT, folder, "defaults", "json");
		char *slash = strrchr(folder, '/');

		if (!path)
			return -ENOMEM;
		if (is_file(tree, path)) {
			*found = TAKE(path);
			return 0;
		}
		if (!*folder)
			return 0;
		*(slash ? slash : folder) = '\0';
	}
	return -ENOMEM;
}

int files_find(const struct tree *tree, const struct model *model, const char *dir, const char *stem,
	struct job_files *files)
{
	union { /* struct place owns its names; this one only lends them */
		const char *in;
		char *out;
	} dir_name = {dir}, stem_name = {stem};
	const struct place job = {.model = model, .dir = dir_name.out, .stem = stem_name.out};
	struct problems *twice = &files->ambiguous;
	int error = find_defaults(tree, model, dir, &files->defaults);

	if (!error)
		error = try_types(tree, &job, "", spec_types, COUNT(spec_types), &files->spec,
			twice);
	if (!error)
		error = try_types(tree, &job, "", prompt_types, COUNT(prompt_types),
			&files->prompt, twice);
	if (!error)
		error = try_types(
			tree, &job, "", types, COUNT(types), &files->first_frame, twice);
	for (size_t i = 0; i < COUNT(marks) && !error; i++)
		error = try_types(tree, &job, marks[i], types, COUNT(types),
			&files->last_frame, twice);
	files->count = !!files->spec + !!files->prompt + !!files->first_frame + !!files->last_frame;
	return error;
}

void files_clear(struct job_files *files)
{
	free(files->spec);
	free(files->prompt);
	free(files->first_frame);
	free(files->last_frame);
	free(files->defaults);
	problems_clear(&files->ambiguous);
	*files = (struct job_files){0};
}

int files_open(const struct tree *tree, const char *path, int64_t *bytes)
{
	const char *stored = below(tree, path);
	AUTO_FD int fd = -1;
	struct stat info;
	int result;

	if (!stored)
		return -ENOENT;
	/* O_NONBLOCK: a fifo of that name must not stop the engine */
	fd = openat(tree->fd, stored, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) < 0)
		return -errno;
	if (!S_ISREG(info.st_mode))
		return -EISDIR;
	*bytes = info.st_size;
	result = fd;
	fd = -1;
	return result;
}

int files_read(const struct tree *tree, const char *path, size_t limit, char **text, size_t *bytes)
{
	int64_t size;
	AUTO_FD int fd = files_open(tree, path, &size);
	AUTO_FREE char *buffer = NULL;
	size_t room, done = 0;
	ssize_t got = 0;

	if (fd < 0)
		return fd;
	room = size > (int64_t)limit ? limit + 1 : (size_t)size;
	buffer = malloc(room + 1);
	if (!buffer)
		return -ENOMEM;
	while (done < room && (got = pread(fd, buffer + done, room - done, (off_t)done)) > 0)
		done += (size_t)got;
	if (got < 0)
		return -errno;
	buffer[done] = '\0';
	*text = TAKE(buffer);
	*bytes = done;
	return 0;
}

#include "fs/input/files.h"

#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "fs/input/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* The path from tree->fd, or NULL when it is not below it. */
static const char *below(const struct tree *tree, const char *path)
{
	return strlen(path) > tree->skip ? path + tree->skip : NULL;
}

/* What stands in the way of opening a folder that is no folder. */
static int folder_error(int at, const char *name)
{
	int error = -errno;
	struct stat info;

	if (error == -ENOTDIR && fstatat(at, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISLNK(info.st_mode))
		error = -ELOOP;
	return error;
}

/* Opens below the tree, through no symbolic link on the way: what a job is made of lies in the
 * mount. -errno; -ELOOP: there is a link. (Not openat2(2), which containers and valgrind refuse.)
 */
static int open_below(const struct tree *tree, const char *path, int flags)
{
	const char *stored = below(tree, path);
	AUTO_FREE char *copy = stored ? strdup(stored) : NULL;
	AUTO_FD int at = openat(tree->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *rest = copy;
	int fd;

	if (!copy)
		return stored ? -ENOMEM : -ENOENT;
	for (char *slash; (slash = strchr(rest, '/')); rest = slash + 1) {
		*slash = '\0';
		fd = openat(at, rest, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return folder_error(at, rest);
		cleanup_fd(&at);
		at = fd;
	}
	fd = openat(at, rest, flags | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? folder_error(at, rest) : fd;
}

static bool is_file(const struct tree *tree, const char *path)
{
	AUTO_FD int fd = open_below(tree, path, O_PATH);
	struct stat info;

	return fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

/* Notes the file as the one for its purpose. */
static int note_file(const char *path, char **found, struct problems *ambiguous)
{
	if (*found) {
		problems_add(ambiguous, strrchr(path, '/') + 1,
			"two files for one purpose: this one and %s; keep one of them",
			strrchr(*found, '/') + 1);
		return 0;
	}
	*found = strdup(path);
	return *found ? 0 : -ENOMEM;
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
	AUTO_FREE char *path = NULL;

	if (asprintf(&path, "%s/%s", folder, listed->name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (!is_file(tree, path))
		return 0;
	return note_file(path, slot_of(files, listed->role), &files->ambiguous);
}

/* The files of this stem: the batches among them, or the others. */
static int note_stem(const struct tree *tree, const struct folder_names *names, const char *stem,
	bool is_batch, struct job_files *files)
{
	size_t count;
	const struct listed *listed = names_find(names, stem, &count);
	int error = 0;

	for (size_t i = 0; i < count && !error; i++)
		if ((listed[i].role == ROLE_BATCH) == is_batch)
			error = note_role(tree, names->folder, &listed[i], files);
	return error;
}

/* The names are listed, not guessed: marks and suffixes may be in any mix of capitals. */
static int look_through(const struct tree *tree, const struct model *model, const char *dir,
	const char *stem, const char *batch, struct job_files *files)
{
	struct folder_names own = {0};
	struct folder_names *names = tree->names ? tree->names : &own;
	AUTO_FREE char *folder = NULL;
	int error = 0, fd;

	if (asprintf(&folder, "%s%s%s", model->id, *dir ? "/" : "", dir) < 0) {
		folder = NULL;
		return -ENOMEM;
	}
	if (!names_is_of(names, folder)) {
		fd = files_open_folder(tree, folder);
		error = fd == -ENOMEM ? fd : names_read(names, folder, !*dir, fd);
	}
	if (!error)
		error = note_stem(tree, names, stem, false, files);
	if (!error && batch)
		error = note_stem(tree, names, batch, true, files);
	names_clear(&own);
	return error;
}

/* The nearest defaults.json: in the job's folder, or above it up to the model directory. */
static int find_defaults(
	const struct tree *tree, const struct model *model, const char *dir, char **found)
{
	AUTO_FREE char *folder = strdup(dir);

	while (folder) {
		AUTO_FREE char *path = place_path(model, AREA_INPUT, folder, "defaults", "json");
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

/* A job without a spec of its own may be a line of a batch. */
static int find_line(const struct tree *tree, int line, struct job_files *files)
{
	int error = 0;

	if (files->batch && !files->spec)
		error = batch_read_line(tree, files->batch, line, &files->line, &files->line_bytes);
	return error == -ENOMEM ? error : 0; /* what cannot be read is not there */
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

void files_clear(struct job_files *files)
{
	free(files->spec);
	free(files->prompt);
	free(files->first_frame);
	free(files->last_frame);
	free(files->defaults);
	free(files->batch);
	free(files->line);
	problems_clear(&files->ambiguous);
	*files = (struct job_files){0};
}

int files_open_folder(const struct tree *tree, const char *path)
{
	return below(tree, path) ? open_below(tree, path, O_RDONLY | O_DIRECTORY)
	                         : openat(tree->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int files_open(const struct tree *tree, const char *path, int64_t *bytes)
{
	/* O_NONBLOCK: a fifo of that name must not stop the engine */
	AUTO_FD int fd = open_below(tree, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat info;
	int result;

	if (fd < 0)
		return fd;
	if (fstat(fd, &info) < 0)
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

/*
 * drop_move.c - renames. A rename into place needs no guess whether the file is
 * whole, so its settle time is short: just enough for a burst of renames (an
 * editor's, rsync's) to become one job, and to let a picture follow its prompt.
 * A job whose files have another name now keeps its takes.
 */
#include "fs/engine/settle.h"

#include "fs/base/cleanup.h"
#include "fs/input/batch.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define RENAME_SETTLE_DIVISOR 8 /* of the settle time: 250 ms of 2 s */

/* The file is still there under another name (the trash, a scratch name): the same bytes back under
 * the old one cost nothing. */
static void went_away(struct engine *engine, const char *from)
{
	struct place place = {0};
	struct drop *drop = NULL;

	if (place_of(engine->setup.models, from, &place) == 0 && is_job_file(&place))
		drop = drop_find(engine, place.model, place.dir, place.stem, false);
	if (drop)
		drop->renamed = true;
	place_clear(&place);
}

/* What the job of a file was called that had this path before: "DIR/STEM", or NULL when the journal
 * knows no such job of the model. line: of a batch, else 0. The caller frees. */
static char *name_before(
	struct engine *engine, const struct model *model, const char *path, int line)
{
	struct place place = {0};
	AUTO_FREE char *stem = NULL;
	struct job *job = NULL;
	char *name = NULL;
	int error;

	if (place_of(engine->setup.models, path, &place) == 0 && place.model == model && place.stem)
		stem = line ? batch_job(place.stem, line) : strdup(place.stem);
	if (stem)
		job = engine_load(engine, model->id, place.dir, stem, &error);
	if (job && job->came_from)
		name = strdup(job->came_from); /* renamed again before it was judged */
	else if (job && job->fingerprint && asprintf(&name, "%s/%s", place.dir, stem) < 0)
		name = NULL;
	if (job)
		engine_put_back(engine, job);
	place_clear(&place);
	return name;
}

/* Notes in a job's row which job it was until its files were renamed from this path. Of renames in
 * a row, also by way of a scratch name, the first counts. */
static void came_from(struct engine *engine, const struct model *model, const char *dir,
	const char *stem, const char *from, int line)
{
	AUTO_FREE char *path = strdup(from);
	AUTO_FREE char *name = NULL;
	size_t age = engine->moves.count;
	struct job *job;
	int error;

	while (path && !(name = name_before(engine, model, path, line))) {
		char *before = moves_before(&engine->moves, path, &age);

		free(path);
		path = before;
	}
	job = name ? engine_load(engine, model->id, dir, stem, &error) : NULL;
	if (!job)
		return;
	job_set_text(&job->came_from, name);
	engine_touch(engine, job, NULL);
}

/* A renamed batch is whole, so its lines can be told at once what they were. */
static void moved_batch(
	struct engine *engine, const struct place *new, const char *from, const char *to)
{
	int lines = batch_lines(&engine->tree, to);

	drop_touch_lines(engine, new->model, new->dir, new->stem, lines < 0 ? 0 : lines, false);
	for (int line = 1; line <= lines; line++) {
		AUTO_FREE char *stem = batch_job(new->stem, line);

		if (stem)
			came_from(engine, new->model, new->dir, stem, from, line);
	}
}

static void moved_file(struct engine *engine, const char *from, const char *to)
{
	struct place place = {0};

	drop_removed(engine, from);
	went_away(engine, from);
	drop_changed_after(engine, to, engine->config->settle_ms / RENAME_SETTLE_DIVISOR);
	if (place_of(engine->setup.models, to, &place) < 0)
		return; /* said already */
	if (place.role == ROLE_BATCH)
		moved_batch(engine, &place, from, to);
	else if (is_job_file(&place))
		came_from(engine, place.model, place.dir, place.stem, from, 0);
	place_clear(&place);
}

static void moved(struct engine *engine, const char *from, const char *to);

/* Tells of every file below a folder that has come to a new place. */
static void moved_files(struct engine *engine, const char *from, const char *to)
{
	AUTO_FREE char *stored = NULL;
	struct dirent *entry;
	DIR *dir;
	int fd;

	if (asprintf(&stored, "tree/%s", to) < 0)
		return;
	fd = openat(
		engine->setup.store_fd, stored, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		cleanup_fd(&fd);
		return;
	}
	while ((entry = readdir(dir))) {
		AUTO_FREE char *old = NULL, *new = NULL;

		if (*entry->d_name != '.' && asprintf(&old, "%s/%s", from, entry->d_name) >= 0 &&
			asprintf(&new, "%s/%s", to, entry->d_name) >= 0)
			moved(engine, old, new);
	}
	(void)closedir(dir); /* nothing was written */
}

static void moved(struct engine *engine, const char *from, const char *to)
{
	AUTO_FREE char *stored = NULL;
	struct stat info;

	if (asprintf(&stored, "tree/%s", to) < 0 ||
		fstatat(engine->setup.store_fd, stored, &info, AT_SYMLINK_NOFOLLOW) < 0) {
		drop_removed(engine, from); /* it has moved on already */
		return;
	}
	if (S_ISDIR(info.st_mode))
		moved_files(engine, from, to);
	else
		moved_file(engine, from, to);
}

void drop_moved(struct engine *engine, const char *from, const char *to)
{
	moved(engine, from, to);
	moves_note(&engine->moves, from, to);
}

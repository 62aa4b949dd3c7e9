#include "fs/engine/changes.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/limits.h"
#include "fs/base/log.h"
#include "fs/base/path.h"
#include "fs/engine/core.h"
#include "fs/engine/waiting.h"
#include "fs/input/batch.h"
#include "fs/input/files.h"
#include "spec/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

static bool is_job_file(const struct place *place)
{
	return place->role >= ROLE_SPEC && place->role <= ROLE_LAST_FRAME;
}

/* Of a place below a model directory; else there is no model. */
static struct job_key key_of(const struct place *place)
{
	return (struct job_key){place->model ? place->model->id : NULL, place->dir, place->stem};
}

/* ------------------------------------------------------------------ batches */

struct lines {
	struct engine *engine;
	const struct job_key *batch;
	int count;           /* lines that are there */
	int64_t saved_ms;    /* when the batch was */
	bool found, changed; /* at start */
};

/* At start: a job the journal does not know, or whose files changed while nothing was mounted. What
 * was not sent yet is judged anew at every start (recover.c). */
static void found_job(struct engine *engine, const struct job_key *key, bool changed)
{
	struct takes takes;
	bool found = jobs_takes(&engine->jobs, key, &takes) == 0 &&
	             (!takes.count || (changed && !job_state_is_open(takes.item[0]->row.state)));

	takes_clear(&takes);
	if (found)
		settle_found(engine, key);
}

static void settle_line(struct lines *lines, int line)
{
	AUTO_FREE char *stem = batch_job(lines->batch->stem, line);
	const struct job_key key = {lines->batch->model, lines->batch->dir, stem};

	if (!stem)
		return; /* saved again, it is met again */
	if (!lines->found)
		settle_renamed(lines->engine, &key, lines->saved_ms);
	else
		found_job(lines->engine, &key, lines->changed);
}

/* A job the journal knows: of a line that is gone, perhaps. */
static void note_gone(void *context, const char *stem)
{
	struct lines *lines = context;
	AUTO_FREE char *batch = NULL;
	int line;

	if (batch_of(stem, &batch, &line) && !strcmp(batch, lines->batch->stem) &&
		line > lines->count && line <= LIMIT_BATCH_LINES)
		lines->count = line;
}

/* Every line of a batch, and every job of a line it had before; found: at start, where what is gone
 * is none of our business. */
static void settle_lines(struct lines *lines)
{
	if (!lines->found &&
		journal_each_line(lines->engine->jobs.journal, lines->batch, note_gone, lines) < 0)
		log_error("the journal cannot be read; save %s.jsonl again", lines->batch->stem);
	for (int line = 1; line <= lines->count; line++)
		settle_line(lines, line);
}

/* The .jsonl of a batch, or NULL (*error 0: there is none); the caller frees. */
static char *batch_path(struct engine *engine, const struct settling *settling, int *error)
{
	AUTO_FREE char *first = batch_job(settling->stem, 1);
	struct job_files files = {0};
	char *path = NULL;

	*error = first ? files_find(&engine->tree, settling->model, settling->dir, first, &files)
	               : -ENOMEM;
	if (!*error)
		path = TAKE(files.batch);
	files_clear(&files);
	return path;
}

int64_t changes_judge_batch(struct engine *engine, const struct settling *settling)
{
	const struct job_key key = {settling->model->id, settling->dir, settling->stem};
	const int64_t again_ms = engine->setup.config->settle_ms + 100;
	int error;
	AUTO_FREE char *path = batch_path(engine, settling, &error);
	int count = path ? batch_lines(&engine->tree, path) : 0;
	struct lines lines = {.engine = engine,
		.batch = &key,
		.count = count < 0 ? 0 : count,
		.saved_ms = settling->saved_ms};

	if (error || (path && engine->host.is_written(engine->host.context, path)))
		return again_ms;
	if (count == -EFBIG)
		log_warn("%s is too large for a batch", path);
	else if (count < 0 && !tree_is_absence(count))
		return again_ms;
	settle_lines(&lines);
	return 0;
}

/* ------------------------------------------------------------------ saves and removals */

static void saved(struct engine *engine, const char *path, int64_t at_ms, bool renamed)
{
	struct place place;
	struct job_key key;

	if (place_of(engine->setup.models, path, &place) < 0) {
		log_error("no memory to look after %s; save it again", path);
		return;
	}
	key = key_of(&place);
	if (is_job_file(&place) && renamed)
		settle_renamed(engine, &key, at_ms);
	else if (is_job_file(&place))
		settle_soon(engine, &key, at_ms);
	else if (place.role == ROLE_BATCH)
		settle_batch(engine, &key, at_ms);
	waiting_came(engine, &place, path);
	place_clear(&place);
}

void changes_saved(struct engine *engine, const char *path, int64_t at_ms)
{
	saved(engine, path, at_ms, false);
}

void changes_removed(struct engine *engine, const char *path)
{
	struct place place;
	struct job_key key;

	if (place_of(engine->setup.models, path, &place) < 0)
		return; /* the next start sees that it is gone */
	key = key_of(&place);
	/* only a job that is known can lose a file; an editor's probe makes none */
	if (is_job_file(&place) && jobs_knows(&engine->jobs, &key))
		settle_soon(engine, &key, 0);
	else if (place.role == ROLE_BATCH)
		settle_batch(engine, &key, 0);
	else if (place.role == ROLE_DEFAULTS)
		waiting_came(engine, &place, path);
	place_clear(&place);
}

/* ------------------------------------------------------------------ renames */

/* When the bytes of a file that has another name now were saved: a scratch file that was just
 * written and renamed into place is a save, an old file is not. An old time may have been given to
 * a new file (cp -p, rsync), so the time it was made counts too. */
static int64_t written_ms(const struct engine *engine, const char *path)
{
	struct statx info;
	int64_t written, born = 0;

	if (statx(engine->tree.fd, path, AT_SYMLINK_NOFOLLOW, STATX_MTIME | STATX_BTIME, &info) < 0)
		return 0;
	written = info.stx_mtime.tv_sec * 1000 + info.stx_mtime.tv_nsec / 1000000;
	if (info.stx_mask & STATX_BTIME)
		born = info.stx_btime.tv_sec * 1000 + info.stx_btime.tv_nsec / 1000000;
	return written > born ? written : born;
}

static void moved(struct engine *engine, const char *from, const char *to);

/* Every file below a folder that has come to a new place. */
static void moved_files(struct engine *engine, const char *from, const char *to)
{
	int fd = tree_open_folder(&engine->tree, to);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!folder) {
		cleanup_fd(&fd);
		return; /* it has moved on, and that is told too */
	}
	while ((entry = readdir(folder))) {
		AUTO_FREE char *old = NULL, *new = NULL;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		old = path_join(from, entry->d_name);
		new = path_join(to, entry->d_name);
		if (old && new)
			moved(engine, old, new);
	}
	(void)closedir(folder); /* nothing was written */
}

/* The folder has moved on before anybody looked, and where its files are now is told by the next
 * rename; what was not sent yet of the jobs that were in it is to be withdrawn. */
static void left_behind(struct engine *engine, const char *from)
{
	struct takes takes;

	jobs_list(&engine->jobs, JOB_STATES, &takes);
	for (size_t i = 0; i < takes.count; i++) {
		const struct job_key key = job_key_of(&takes.item[i]->row);
		AUTO_FREE char *folder = path_join(key.model, key.dir);

		if (job_state_is_open(takes.item[i]->row.state) && folder &&
			path_within(folder, from))
			settle_soon(engine, &key, 0);
	}
	takes_clear(&takes);
}

static void moved(struct engine *engine, const char *from, const char *to)
{
	struct stat info;
	int error = tree_stat(&engine->tree, to, &info);

	if (!error && S_ISDIR(info.st_mode)) {
		moved_files(engine, from, to);
		return;
	}
	if (error)
		left_behind(engine, from);
	changes_removed(engine, from);
	saved(engine, to, written_ms(engine, to), true);
}

void changes_moved(struct engine *engine, const char *from, const char *to)
{
	moved(engine, from, to);
}

/* ------------------------------------------------------------------ found at start */

static void found_batch(
	struct engine *engine, const struct place *place, const char *path, enum found how)
{
	const struct job_key key = key_of(place);
	struct lines lines = {.engine = engine,
		.batch = &key,
		.count = batch_lines(&engine->tree, path),
		.found = true,
		.changed = how == FOUND_CHANGED};

	if (how == FOUND_LAST_MOMENT)
		settle_batch(engine, &key, written_ms(engine, path));
	else
		settle_lines(&lines);
}

void changes_found(struct engine *engine, const char *path, enum found how)
{
	struct place place;
	struct job_key key;

	if (place_of(engine->setup.models, path, &place) < 0)
		return; /* met again at the next start */
	key = key_of(&place);
	if (place.role == ROLE_BATCH)
		found_batch(engine, &place, path, how);
	else if (is_job_file(&place) && how == FOUND_LAST_MOMENT)
		settle_renamed(engine, &key, written_ms(engine, path)); /* or saved */
	else if (is_job_file(&place))
		found_job(engine, &key, how == FOUND_CHANGED);
	place_clear(&place);
}

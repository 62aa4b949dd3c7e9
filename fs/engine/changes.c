#include "fs/engine/changes.h"

#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "fs/base/log.h"
#include "fs/base/path.h"
#include "fs/engine/core.h"
#include "fs/engine/editors.h"
#include "fs/engine/lastlook.h"
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
	return place->role >= ROLE_SPEC && place->role <= ROLE_MEDIA;
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

static bool is_judged_at_start(const struct job_row *row)
{
	return job_state_is_open(row->state) && row->state != JOB_REJECTED;
}

/* At start: a job the journal does not know, or whose files changed while nothing was mounted. What
 * was not sent yet is judged anew at every start (recover.c), but for what was rejected. */
static void found_job(struct engine *engine, const struct job_key *key, bool changed)
{
	struct takes takes;
	bool found = jobs_takes(&engine->jobs, key, &takes) == 0 &&
	             (!takes.count || (changed && !is_judged_at_start(&takes.item[0]->row)));

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

/* How many jobs there are of a batch that has so many lines, or that could not be read for this
 * error: of a link that leads nowhere there is one, to say so. */
static int lines_of(int count)
{
	return count >= 0 ? count : tree_is_absence(count);
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
		.count = lines_of(count),
		.saved_ms = settling->saved_ms};

	if (error || (path && file_is_written(engine, path)))
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
	else if (place.role == ROLE_NONE)
		editors_closed(engine, &place, path);
	place_clear(&place);
}

/* ------------------------------------------------------------------ renames */

/* A folder on its way through; `outer` goes on when it is done. A file made in it meanwhile may be
 * met here, too: that is told behind this, and judged after that. */
struct moved_folder {
	DIR *names;
	char *from, *to;
	struct moved_folder *outer;
};

static void moved_file(struct engine *engine, const char *from, const char *to)
{
	changes_removed(engine, from);
	/* a scratch file that was just written and renamed into place is a save, an old file is not
	 */
	saved(engine, to, tree_saved_ms(&engine->tree, to), true);
}

static void leave_folder(struct engine *engine)
{
	struct moved_folder *folder = engine->moving;

	engine->moving = folder->outer;
	if (folder->names)
		(void)closedir(folder->names); /* nothing was written */
	free(folder->from);
	free(folder->to);
	free(folder);
}

/* The names in it come one by one, by changes_go_on(). */
static void enter_folder(struct engine *engine, const char *from, const char *to)
{
	struct moved_folder *folder = calloc(1, sizeof(*folder));
	int fd;

	if (!folder) {
		log_error("no memory to look after %s; the next start does", to);
		return;
	}
	folder->outer = engine->moving;
	engine->moving = folder;
	folder->from = strdup(from);
	folder->to = strdup(to);
	fd = tree_open_folder(&engine->tree, to);
	folder->names = fd < 0 ? NULL : fdopendir(fd);
	if (folder->names && folder->from && folder->to)
		return;
	if (!folder->names)
		cleanup_fd(&fd); /* it has moved on, and that is told too */
	leave_folder(engine);
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
		enter_folder(engine, from, to);
		return;
	}
	if (error)
		left_behind(engine, from);
	moved_file(engine, from, to);
}

void changes_moved(struct engine *engine, const char *from, const char *to)
{
	moved(engine, from, to);
}

bool changes_go_on(struct engine *engine)
{
	struct moved_folder *folder = engine->moving;
	const struct dirent *entry = folder ? readdir(folder->names) : NULL;
	AUTO_FREE char *old = NULL, *new = NULL;

	if (!folder)
		return false;
	if (!entry) {
		leave_folder(engine);
		return true;
	}
	if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
		return true;
	old = path_join(folder->from, entry->d_name);
	new = path_join(folder->to, entry->d_name);
	if (!old || !new)
		log_error("no memory to look after %s; the next start does", entry->d_name);
	else if (entry->d_type == DT_REG)
		moved_file(engine, old, new);
	else
		moved(engine, old, new);
	return true;
}

void changes_drop(struct engine *engine)
{
	while (engine->moving)
		leave_folder(engine);
}

/* ------------------------------------------------------------------ found at start */

static void found_batch(
	struct engine *engine, const struct place *place, const char *path, enum found how)
{
	const struct job_key key = key_of(place);
	struct lines lines = {.engine = engine,
		.batch = &key,
		.count = lines_of(batch_lines(&engine->tree, path)),
		.found = true,
		.changed = how == FOUND_CHANGED};

	if (how == FOUND_LAST_MOMENT)
		settle_batch(engine, &key, 0);
	else
		settle_lines(&lines);
}

void changes_found(struct engine *engine, const char *path, enum found how)
{
	struct place place;
	struct job_key key;
	bool told;

	if (place_of(engine->setup.models, path, &place) < 0)
		return; /* met again at the next start */
	key = key_of(&place);
	/* the clock that files are stamped by may be behind, or set back: what was told is no find
	 */
	told = (place.role == ROLE_BATCH || is_job_file(&place)) &&
	       settle_was_saved(engine, &key, place.role == ROLE_BATCH);
	if (place.role == ROLE_BATCH && !told)
		found_batch(engine, &place, path, how);
	else if (is_job_file(&place) && !told && how == FOUND_LAST_MOMENT)
		settle_renamed(engine, &key, 0); /* saved or touched: no save of what was sent */
	else if (is_job_file(&place) && !told)
		found_job(engine, &key, how == FOUND_CHANGED);
	place_clear(&place);
}

#include "fs/engine/intake.h"

#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "fs/base/log.h"
#include "fs/base/path.h"
#include "fs/base/read.h"
#include "fs/engine/engine.h"
#include "fs/engine/inbox.h"
#include "fs/engine/writing.h"
#include "fs/input/assemble.h"
#include "fs/input/batch.h"
#include "fs/input/film.h"
#include "fs/journal/lastrun.h"
#include "spec/kind.h"
#include "spec/media.h"
#include "spec/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

struct intake {
	struct inbox *inbox;
	const struct model_set *models;
	int heartbeat_fd;
	struct writing *writing;
	atomic_bool awaiting; /* a job is being judged, waits, or was rejected with its pictures */
};

struct intake *intake_new(struct inbox *inbox, const struct engine_setup *setup)
{
	struct intake *intake = calloc(1, sizeof(*intake));

	if (!intake) {
		log_error("no memory");
		return NULL;
	}
	intake->inbox = inbox;
	intake->models = setup->models;
	atomic_init(&intake->awaiting, true);
	intake->heartbeat_fd = openat(
		setup->store_fd, setup->last->heartbeat, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (intake->heartbeat_fd < 0)
		log_error("cannot write in the store: %s", strerror(errno));
	else
		intake->writing = writing_open(setup->journal_fd);
	if (intake->writing)
		return intake;
	intake_free(intake);
	return NULL;
}

void intake_free(struct intake *intake)
{
	if (!intake)
		return;
	cleanup_fd(&intake->heartbeat_fd);
	writing_close(intake->writing);
	free(intake);
}

void intake_await(struct intake *intake, bool any)
{
	atomic_store(&intake->awaiting, any);
}

bool intake_is_cut_off(struct intake *intake, ino_t ino)
{
	return writing_was_cut_off(intake->writing, ino);
}

/*
 * The file's time is the heartbeat of a run (fs/README.md 2, invariant 11): a drop
 * that a crash kept from the journal was the last thing the run saw, so its
 * change time is close to it. Costs one system call, and none while idle.
 */
static void heartbeat(struct intake *intake)
{
	if (futimens(intake->heartbeat_fd, NULL) < 0)
		log_warn("heartbeat: %s", strerror(errno));
}

static void tell(struct intake *intake, enum message_kind kind, const char *from, const char *to,
	int64_t at_ms)
{
	int error;

	heartbeat(intake);
	error = inbox_post_text(intake->inbox, kind, from, to, at_ms);
	if (error == -ENOMEM)
		log_error("no memory to look after %s; save it again", from);
	/* -ESHUTDOWN: the next start finds it in the tree */
}

/* Whether the name of a file is one of a job, or (is_folder: it may be one) it may hold such files.
 */
static bool may_start(struct intake *intake, const char *path, bool is_folder)
{
	struct place place;
	bool may = true;

	if (place_of(intake->models, path, &place) == 0)
		may = place.area == AREA_INPUT && (is_folder || place.role != ROLE_NONE);
	place_clear(&place);
	return may;
}

void intake_changed(struct intake *intake, const char *path, int64_t at_ms)
{
	if (atomic_load(&intake->awaiting) || may_start(intake, path, false))
		tell(intake, MESSAGE_CHANGED, path, NULL, at_ms);
}

/* No drop, so without a heartbeat. */
void intake_owner(struct intake *intake, const char *path)
{
	if (may_start(intake, path, false)) /* what is not told now is found out at the next save */
		(void)inbox_post_text(intake->inbox, MESSAGE_OWNER, path, NULL, 0);
}

/* Whether the name is that of an editor's lock, for the end of which a job may be waiting. */
static bool is_lock(struct intake *intake, const char *path)
{
	struct place place;
	bool is = atomic_load(&intake->awaiting) && *path_last(path) == '.' &&
	          place_of(intake->models, path, &place) == 0;

	if (!is)
		return false;
	is = place.area == AREA_INPUT &&
	     name_role_locked(place.model, path_last(path), !*place.dir).role != ROLE_NONE;
	place_clear(&place);
	return is;
}

void intake_removed(struct intake *intake, const char *path, int64_t at_ms)
{
	if (may_start(intake, path, false) || is_lock(intake, path))
		tell(intake, MESSAGE_REMOVED, path, NULL, at_ms);
}

void intake_moved(struct intake *intake, const char *from, const char *to, int64_t at_ms)
{
	if (atomic_load(&intake->awaiting) || may_start(intake, from, true) ||
		may_start(intake, to, true))
		tell(intake, MESSAGE_MOVED, from, to, at_ms);
}

int intake_writing(struct intake *intake, ino_t ino)
{
	return writing_began(intake->writing, ino);
}

void intake_written(struct intake *intake, int number)
{
	writing_ended(intake->writing, number);
}

/* ------------------------------------------------------------------ at close(2) */

static int check_media(
	const struct place *place, const char *path, int fd, struct problems *problems)
{
	const struct model_field *field = place->slot ? place->slot->field : NULL;
	char head[4096]; /* a picture's type is told by far less */
	struct stat info;
	size_t suffix;
	ssize_t have = pread(fd, head, sizeof(head), 0);

	if (have < 0 || fstat(fd, &info) < 0)
		return -errno;
	if (media_open() < 0)
		return -EIO; /* its type cannot be told now */
	if (!field) {
		problems_add(problems, path, "this model takes no such picture");
		return 0;
	}
	if (!(field->media & MEDIA_FILM) &&
		media_kind_of_name(path, strlen(path), &suffix) == MEDIA_FILM)
		return film_check(fd, path, info.st_size, problems);
	media_check_whole(fd, path, head, (size_t)have, info.st_size, problems);
	return spec_check_media(field, path, head, (size_t)have, (size_t)info.st_size, problems);
}

/* One text judged by itself: nothing is missing yet, anything else is wrong for ever. */
static int check_text(
	const struct place *place, const char *text, size_t bytes, struct problems *problems)
{
	AUTO_FREE char *folder = NULL;
	struct spec_source source = {.stem = place->stem};
	struct spec spec = {0};
	int error;

	if (asprintf(&folder, "%s%s%s", place->model->id, *place->dir ? "/" : "", place->dir) < 0)
		return -ENOMEM;
	source.dir = folder;
	if (place->role == ROLE_PROMPT) {
		source.prompt = text;
		source.prompt_bytes = bytes;
	} else {
		source.json = text;
		source.json_bytes = bytes;
	}
	error = spec_build(place->model, &source, &spec, problems, NULL);
	spec_clear(&spec);
	return error;
}

/* A batch is as good as its worst line. */
static int check_lines(
	const struct place *place, const char *text, size_t bytes, struct problems *problems)
{
	const char *rest = text;
	struct batch_line line;
	int error = 0;

	while (!error && batch_next_line(&rest, text + bytes, &line))
		if (line.bytes)
			error = check_text(place, line.text, line.bytes, problems);
	return error;
}

static int check_file(const struct place *place, int fd, struct problems *problems)
{
	size_t limit = place->role == ROLE_BATCH ? LIMIT_BATCH_BYTES : LIMIT_SPEC_BYTES;
	AUTO_FREE char *text = NULL;
	size_t bytes = 0;
	int error = lseek(fd, 0, SEEK_SET) < 0 ? -errno : read_whole(fd, limit, &text, &bytes);

	if (error)
		return error;
	return place->role == ROLE_BATCH ? check_lines(place, text, bytes, problems)
	                                 : check_text(place, text, bytes, problems);
}

bool intake_checks(struct intake *intake, const char *path)
{
	return may_start(intake, path, false);
}

int intake_check(struct intake *intake, const char *path, int fd)
{
	struct problems problems = {0};
	struct place place;
	struct stat info;
	int error = 0;
	bool bad;

	if (fstat(fd, &info) < 0 || info.st_size == 0 || place_of(intake->models, path, &place) < 0)
		return 0; /* not known to be bad; the settled job is judged in any case */
	if (place.role == ROLE_MEDIA)
		error = check_media(&place, path, fd, &problems);
	else if (place.role != ROLE_NONE && place.role != ROLE_DEFAULTS)
		error = check_file(&place, fd, &problems);
	bad = !error && problems.count > 0; /* after an error, as above */
	problems_clear(&problems);
	place_clear(&place);
	return bad ? -EINVAL : 0;
}

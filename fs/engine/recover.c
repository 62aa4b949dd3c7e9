/*
 * What a start finds. The journal's unfinished jobs go on where they were,
 * but for a create that was under way: its answer is lost, so it is unknown.
 * Then, beside the running engine, the tree is looked through for files the
 * journal does not know; they are held, unless they were dropped in the last
 * moments of a run that crashed (drop_found).
 */
#include "fs/engine/engine_core.h"

#include "fs/base/cleanup.h"
#include "fs/base/log.h"
#include "fs/journal/lastrun.h"
#include "fs/journal/view.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define CRASH_MOMENTS_MS   10000       /* how long "the final moments" of a run are */
#define CRASH_SLACK_MS     1000        /* the file system's clock runs behind ours by a tick */
#define RATE_PERIOD_MAX_MS (60 * 1000) /* of any provider's rate limit */

/* The rate limit counts what was sent just before this start. */
static void remember_create(void *context, struct job *job)
{
	struct engine *engine = context;
	struct gate *gate;

	engine_attach(engine, job);
	gate = job->provider ? gate_of(engine, job) : NULL;
	if (gate && job->submitted_ms > clock_wall_ms() - gate->period_ms)
		gate_remember(gate);
	job_free(job);
}

/* A journal that was put back may not know that this was paid for: only the user lets it go. */
static void hold_restored(struct engine *engine, struct job *job)
{
	job->hold = HOLD_FOUND;
	if (job->state != JOB_WAITING)
		job_hold(engine, job, HOLD_FOUND,
			"The journal was restored, and may not know that this job was submitted.",
			"If it was not, let it go: kinofs release PATH (or save it again).");
	else
		engine_touch(engine, job, NULL);
}

/* There may be a key now, or a higher cap: both are looked at again before it is sent. */
static bool this_start_may_end(enum job_hold hold)
{
	return hold == HOLD_KEY || hold == HOLD_JOB_CAP;
}

/* Its provider is not known either. */
static void wait_for_model(struct engine *engine, struct job *job)
{
	job_set_text(&job->problem, "Its model file is gone, so it cannot be asked after.");
	job_set_text(&job->advice,
		"The task is not lost: put the model file back and mount kinofs again.");
	job->told = false;
	engine_touch(engine, job, NULL);
}

static void resume_state(struct engine *engine, struct job *job)
{
	static const char lost[] =
		"kinofs ended while the request was under way, so its answer is lost.";
	static const char look[] = "Look at the provider's own list of tasks. If there is none for "
				   "this, order it again: kinofs retry PATH";

	if (job->state == JOB_SUBMITTING)
		job_set_state(engine, job, JOB_UNKNOWN, lost, look);
	else if (job_state_is_open(job->state) && engine->setup.last->restored)
		hold_restored(engine, job);
	else if (job->state == JOB_QUEUED || job->state == JOB_UPLOADING ||
		 (job->state == JOB_HELD && this_start_may_end(job->hold)))
		job_set_state(engine, job, JOB_QUEUED, NULL, NULL);
	else if (!job->model && !job_state_is_open(job->state) && !job_state_is_end(job->state))
		wait_for_model(engine, job);
	else if (!job_state_is_end(job->state))
		job_set_state(engine, job, job->state, job->problem, job->advice);
}

static void resume(void *context, struct job *job)
{
	struct engine *engine = context;
	bool settling = job->settling;

	engine_keep(engine, job);
	resume_state(engine, job);
	if (settling)
		drop_resume(engine, job);
}

int recover_load(struct engine *engine)
{
	int error = journal_each_since(
		engine->journal, clock_wall_ms() - RATE_PERIOD_MAX_MS, remember_create, engine);

	return error ? error : journal_each_live(engine->journal, resume, engine);
}

/* ------------------------------------------------------------------ the look through the tree */

/* Whether the file was changed in the last moments of a run that crashed. */
static bool is_last_moment(const struct engine *engine, const struct stat *info)
{
	int64_t changed = (int64_t)info->st_ctim.tv_sec * 1000 + info->st_ctim.tv_nsec / 1000000;
	int64_t crash = engine->setup.last->crash_ms;

	return crash && changed > crash - CRASH_MOMENTS_MS && changed < crash + CRASH_SLACK_MS;
}

/* A name in an open folder; path is its path in the mount. */
static void found(struct engine *engine, int folder, const char *name, const char *path)
{
	union { /* posting copies */
		const char *in;
		char *out;
	} first = {path};
	struct message message = {.kind = MESSAGE_FOUND, .first = first.out};
	struct place place;
	struct stat info;

	if (place_of(engine->setup.models, path, &place) < 0)
		return; /* met again at the next start */
	if (place.area == AREA_INPUT && place.role != ROLE_NONE &&
		fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
		info.st_size > 0) {
		message.number = is_last_moment(engine, &info);
		if (message.number ||
			!view_knows(engine->setup.view, place.model->id, place.dir, place.stem))
			(void)inbox_post(&engine->inbox, &message); /* as above */
	}
	place_clear(&place);
}

/* Folders still to be looked through, by their paths in the mount. */
struct folders {
	char **path;
	size_t count, room;
};

static void add_folder(struct folders *folders, const char *path)
{
	char *copy = strdup(path);

	if (folders->count == folders->room) {
		size_t room = folders->room ? 2 * folders->room : 16;
		char **grown = reallocarray(folders->path, room, sizeof(*grown));

		if (!grown)
			free(TAKE(copy));
		else
			folders->path = grown, folders->room = room;
	}
	if (copy) /* else what is in it is met at the next start */
		folders->path[folders->count++] = copy;
}

static bool is_folder(int at, const struct dirent *entry)
{
	struct stat info;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(at, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

/* Whether drops into the folder are jobs: not in out/, however many videos it holds. */
static bool holds_drops(struct engine *engine, const char *path)
{
	AUTO_FREE char *within = NULL;
	struct place place = {0};
	bool holds;

	if (asprintf(&within, "%s/x", path) < 0) {
		within = NULL;
		return false;
	}
	holds = place_of(engine->setup.models, within, &place) == 0 && place.area == AREA_INPUT;
	place_clear(&place);
	return holds;
}

static void look_through(struct engine *engine, struct folders *folders, const char *path)
{
	int fd = files_open_folder(&engine->tree, path);
	DIR *names = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!names) {
		cleanup_fd(&fd);
		return; /* gone since it was listed */
	}
	while (!engine->stop_scan && (entry = readdir(names))) {
		AUTO_FREE char *inside = NULL;

		if (*entry->d_name == '.' || asprintf(&inside, "%s/%s", path, entry->d_name) < 0)
			inside = NULL;
		else if (!is_folder(fd, entry))
			found(engine, fd, entry->d_name, inside);
		else if (holds_drops(engine, inside))
			add_folder(folders, inside);
	}
	(void)closedir(names); /* nothing was written */
}

static void *scan(void *argument)
{
	struct engine *engine = argument;
	struct folders folders = {0};

	for (size_t i = 0; i < engine->setup.models->count; i++)
		add_folder(&folders, engine->setup.models->item[i]->id);
	while (folders.count) {
		AUTO_FREE char *path = folders.path[--folders.count];

		if (!engine->stop_scan)
			look_through(engine, &folders, path);
	}
	free(folders.path);
	return NULL;
}

void recover_scan(struct engine *engine)
{
	engine->scanning = pthread_create(&engine->scanner, NULL, scan, engine) == 0;
	if (!engine->scanning)
		log_warn("the tree was not looked through for new files");
}

void recover_end(struct engine *engine)
{
	engine->stop_scan = true;
	if (engine->scanning)
		(void)pthread_join(engine->scanner, NULL); /* fails only for a thread not there */
	engine->scanning = false;
}

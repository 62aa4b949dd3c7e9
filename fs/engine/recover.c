#include "fs/engine/recover.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/base/path.h"
#include "fs/engine/changes.h"
#include "fs/engine/core.h"
#include "fs/engine/lastlook.h"
#include "fs/journal/lastrun.h"
#include "fs/journal/view.h"
#include "spec/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#define CRASH_MOMENTS_MS   10000       /* how long "the final moments" of a run are */
#define CRASH_SLACK_MS     1000        /* the file system's clock runs behind ours by a tick */
#define RATE_PERIOD_MAX_MS (60 * 1000) /* of any provider's rate limit */

/* ------------------------------------------------------------------ the journal's jobs */

/* The rate limit counts what was sent just before this start. */
static void remember_create(void *context, struct job_row *row)
{
	struct engine *engine = context;
	const struct model *model = models_find(engine->setup.models, row->model_id);
	const struct job job = {
		.model = model, .provider = model ? provider_find(model->provider) : NULL};

	if (job.provider)
		ratelimit_remember(&engine->ratelimits, &job, row->submitted_ms);
	job_row_free(row);
}

/* A journal that was put back may not know that this was paid for: only the user lets it go. */
static void hold_restored(struct job *job)
{
	job->row.hold = HOLD_UNTIL_RELEASED;
	if (job->row.state != JOB_WAITING)
		job_hold(job, HOLD_UNTIL_RELEASED,
			"The journal was restored, or the store copied, so it may not know that this "
			"job was submitted.",
			"If it was not, let it go: kinofs release PATH (or save it again).");
	else
		job_update(job);
}

/* What may have changed with this start: a key, a cap, a price, the mount. All of it is looked at
 * again before the job is sent. */
static bool this_start_may_end(enum job_hold hold)
{
	return hold == HOLD_KEY || hold == HOLD_JOB_CAP || hold == HOLD_PRICE ||
	       hold == HOLD_READ_ONLY;
}

/* Its files are to be judged, by what the journal knows. Not as saved after a loss of power: what
 * the disk has of them may be half of it, and nothing says who was writing. */
static void judge_again(struct engine *engine, const struct job *job)
{
	const struct job_key key = job_key_of(&job->row);

	if (engine->setup.last->rebooted)
		settle_found(engine, &key);
	else if (job->row.settling)
		settle_soon(engine, &key, 0);
	else
		settle_now(engine, &key);
}

/* The crash may have come between the removal of the files that it is a copy of and its turn. */
static bool may_be_no_copy(const struct engine *engine, const struct job *job)
{
	const struct last_run *last = engine->setup.last;

	return job->row.state == JOB_HELD && job->row.hold == HOLD_COPY && last->crash_ms &&
	       !last->rebooted;
}

static void resume_open(struct engine *engine, struct job *job)
{
	bool from_journal = job->row.seen && !*job->row.seen;

	/* its files may have changed while nothing was mounted */
	if (job->model && !from_journal &&
		(job->row.settling || job->row.state == JOB_WAITING ||
			may_be_no_copy(engine, job) || is_as_judged(engine, job) <= 0))
		judge_again(engine, job);
	if (engine->setup.last->restored)
		hold_restored(job);
	else if (job->row.state == JOB_QUEUED || job->row.state == JOB_UPLOADING ||
		 (job->row.state == JOB_HELD && this_start_may_end(job->row.hold)))
		job_set_state(job, JOB_QUEUED, NULL, NULL);
	else if (!job_state_is_end(job->row.state))
		job_set_state(job, job->row.state, job->row.problem, job->row.advice);
}

static void resume_sent(struct engine *engine, struct job *job)
{
	static const char lost[] =
		"kinofs ended while the request was under way, so its answer is lost.";
	static const char look[] = "Look at the provider's own list of tasks. If there is none for "
				   "this, order it again: kinofs retry PATH";
	const struct job_key key = job_key_of(&job->row);

	if (job->row.settling && job->model && engine->setup.last->restored)
		settle_found(engine, &key); /* what it settles for may have been paid for */
	else if (job->row.settling && job->model)
		judge_again(engine, job);
	if (job->row.state == JOB_SUBMITTING)
		job_set_state(job, JOB_UNKNOWN, lost, look);
	else if (job_state_is_end(job->row.state) && !job->row.damaged)
		job_release(job);
	else if (!job->model &&
		 !job_state_is_end(job->row.state)) /* its provider is not known either */
		job_say(job, "Its model file is gone, so it cannot be asked after.",
			"The task is not lost: put the model file back and mount kinofs again.");
	else
		job_set_state(job, job->row.state, job->row.problem, job->row.advice);
}

static void resume(void *context, struct job_row *row)
{
	struct engine *engine = context;
	struct job *job = jobs_find_id(&engine->jobs, row->id);

	if (job) /* it came in with another take of its name, and may have changed since */
		job_row_free(row);
	else
		job = jobs_add(&engine->jobs, row);
	if (job && job->row.damaged)
		log_error("journal: the %s of %s/%s/%s take %d cannot be read; it is set aside",
			job->row.damaged, job->row.model_id, job->row.dir, job->row.stem,
			job->row.take);
	if (!job)
		log_error("no memory for a job of the journal; it goes on at the next start");
	else if (job_state_is_open(job->row.state))
		resume_open(engine, job);
	else
		resume_sent(engine, job);
}

int recover_load(struct engine *engine)
{
	struct journal *journal = engine->jobs.journal;
	int64_t now = clock_wall_ms();
	int error = journal_each_since(journal, now - RATE_PERIOD_MAX_MS, remember_create, engine);

	engine->recovery.began_ms =
		engine->setup.last->began_ms ? engine->setup.last->began_ms : now;
	engine->recovery.files_behind_ms = now - engine->recovery.began_ms;
	error = error ? error : journal_each_unfinished(journal, resume, engine);
	return error ? error : announce_owed(engine);
}

/* ------------------------------------------------------------------ the look through the tree */

static int64_t changed_ms(const struct stat *info)
{
	return (int64_t)info->st_ctim.tv_sec * 1000 + info->st_ctim.tv_nsec / 1000000;
}

/* Whether the file was changed in the last moments of a run that crashed. */
static bool is_last_moment(const struct last_run *last, int64_t changed)
{
	return last->crash_ms && changed > last->crash_ms - CRASH_MOMENTS_MS &&
	       changed < last->crash_ms + CRASH_SLACK_MS;
}

static bool is_known(const struct engine *engine, const struct place *place)
{
	return view_knows(engine->setup.view, place->model->id, place->dir, place->stem);
}

/* What a file of this place, changed at this time, is to the engine; false: nothing new. */
static bool is_news(
	struct engine *engine, const struct place *place, int64_t changed, enum found *how)
{
	const struct last_run *last = engine->setup.last;

	if (changed > engine->recovery.began_ms)
		return false; /* the mount tells of it */
	*how = FOUND_LAST_MOMENT;
	if (is_last_moment(last, changed) && !last->rebooted)
		return true;
	*how = FOUND_CHANGED; /* or the journal, of which nobody knows what it has not seen */
	if (last->restored || is_last_moment(last, changed) ||
		(last->seen_until_ms && changed > last->seen_until_ms))
		return true;
	*how = FOUND_UNKNOWN;
	return !is_known(engine, place);
}

/* A name in an open folder; path is its path in the mount. */
static void found(struct engine *engine, int folder, const char *name, const char *path)
{
	struct place place;
	struct stat info;
	enum found how;

	if (place_of(engine->setup.models, path, &place) < 0)
		return; /* met again at the next start */
	if (place.area == AREA_INPUT && place.role != ROLE_NONE &&
		fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		(S_ISREG(info.st_mode) || S_ISLNK(info.st_mode)) &&
		is_news(engine, &place, changed_ms(&info), &how) &&
		(info.st_size > 0 || is_known(engine, &place)))
		/* not taken, it is met again at the next start */
		(void)inbox_post_text(&engine->inbox, MESSAGE_FOUND, path, NULL, how);
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

	if (!copy || ARRAY_ROOM(folders->path, folders->count, folders->room) < 0)
		free(copy); /* what is in it is met at the next start */
	else
		folders->path[folders->count++] = copy;
}

static bool is_folder(int at, const struct dirent *entry)
{
	struct stat info;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(at, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

/* Whether drops into the folder are jobs: not in out/, however many results it holds. */
static bool holds_drops(struct engine *engine, const char *path)
{
	AUTO_FREE char *within = path_join(path, "x");
	struct place place = {0};
	bool holds = within && place_of(engine->setup.models, within, &place) == 0 &&
	             place.area == AREA_INPUT;

	place_clear(&place);
	return holds;
}

static void look_through(struct engine *engine, struct folders *folders, const char *path)
{
	int fd = tree_open_folder(&engine->tree, path);
	DIR *names = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!names) {
		cleanup_fd(&fd);
		return; /* gone since it was listed */
	}
	while (!engine->recovery.stop && (entry = readdir(names))) {
		AUTO_FREE char *inside =
			*entry->d_name == '.' ? NULL : path_join(path, entry->d_name);

		if (!inside)
			continue;
		if (!is_folder(fd, entry))
			found(engine, fd, entry->d_name, inside);
		else if (holds_drops(engine, inside))
			add_folder(folders, inside);
	}
	(void)closedir(names); /* nothing was written */
}

void recover_look_through(struct engine *engine)
{
	struct folders folders = {0};

	for (size_t i = 0; i < engine->setup.models->count; i++)
		add_folder(&folders, engine->setup.models->item[i]->id);
	while (folders.count) {
		AUTO_FREE char *path = folders.path[--folders.count];

		if (!engine->recovery.stop)
			look_through(engine, &folders, path);
	}
	free(folders.path);
}

static void *scan(void *argument)
{
	recover_look_through(argument);
	return NULL;
}

void recover_scan(struct engine *engine)
{
	struct recovery *recovery = &engine->recovery;

	recovery->scanning = pthread_create(&recovery->scanner, NULL, scan, engine) == 0;
	if (!recovery->scanning)
		log_warn("the tree was not looked through for new files");
}

void recover_end(struct engine *engine)
{
	struct recovery *recovery = &engine->recovery;

	recovery->stop = true;
	if (recovery->scanning) /* the join fails only for a thread that is not there */
		(void)pthread_join(recovery->scanner, NULL);
	recovery->scanning = false;
}

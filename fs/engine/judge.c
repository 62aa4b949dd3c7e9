/*
 * From a quiet drop to what is to be done: the same bytes cost nothing, new
 * bytes are a new take, files that are gone withdraw what was not sent.
 */
#include "fs/engine/settle.h"

#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/input/batch.h"
#include "fs/mount/mount.h"
#include "spec/price.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

static bool is_busy(struct engine *engine, const struct job_files *files)
{
	const char *const path[] = {files->spec, files->prompt, files->first_frame,
		files->last_frame, files->defaults, files->batch};

	for (size_t i = 0; i < sizeof(path) / sizeof(*path); i++)
		if (path[i] && mount_is_being_written(engine->mount, path[i]))
			return true;
	return false;
}

static bool pictures_busy(struct engine *engine, const struct spec *spec)
{
	for (size_t i = 0; i < spec->npictures; i++)
		if (mount_is_being_written(engine->mount, spec->picture[i].path))
			return true;
	return false;
}

static bool is_cut_off(struct engine *engine, const char *path)
{
	struct stat info;

	return path && fstatat(engine->tree.fd, path, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
	       writing_goes_on(engine->intake.writing, info.st_ino);
}

/* Whether kinofs ended while a file was being written: nobody is writing it now (is_busy()), and
 * nobody has closed it. */
static bool are_cut_off(struct engine *engine, const struct assembly *assembly)
{
	const struct job_files *files = &assembly->files;
	const char *const path[] = {files->spec, files->prompt, files->first_frame,
		files->last_frame, files->defaults, files->batch};
	bool cut_off = false;

	for (size_t i = 0; i < sizeof(path) / sizeof(*path); i++)
		cut_off = cut_off || is_cut_off(engine, path[i]);
	for (size_t i = 0; i < assembly->spec.npictures; i++)
		cut_off = cut_off || is_cut_off(engine, assembly->spec.picture[i].path);
	return cut_off;
}

/* The newest take that was submitted: in memory, or copied from the journal into *copy (freed by
 * the caller). 0 or -errno. */
static int newest_submitted(
	struct engine *engine, struct job *newest, struct job **submitted, struct job **copy)
{
	struct job *job = newest;
	int error;

	while (job && !job->submitted_ms)
		job = job->older;
	*submitted = job;
	if (job == newest)
		return 0;
	/* one that has ended may be newer than one that is under way */
	*copy = journal_newest_submitted(
		engine->journal, newest->model_id, newest->dir, newest->stem, &error);
	if (*copy && (!job || (*copy)->take > job->take))
		*submitted = *copy;
	return error;
}

/* No longer settling; a job that has ended leaves memory again. */
static void quiet(struct engine *engine, struct job *job)
{
	job->settling = false;
	job_set_text(&job->came_from, NULL);
	job->told = false;
	engine_touch(engine, job, job_state_is_end(job->state) ? engine_release : NULL);
}

/* Its files are gone. */
static void withdraw(struct engine *engine, const struct drop *drop, struct job *job)
{
	if (!job_state_is_open(job->state)) {
		job->removed |= !drop->renamed; /* dropped again, it is another take */
		quiet(engine, job);
		return;
	}
	if (!job->fingerprint || job->state == JOB_WAITING || job->state == JOB_REJECTED) {
		engine_delete(engine, job);
		return;
	}
	job->settling = false;
	job_set_state(engine, job, JOB_CANCELLED, "Its files were removed before it was submitted.",
		NULL);
}

/* The same bytes as the last take: they cost nothing, unless that take failed or its files were
 * removed in between. */
static bool is_paid(const struct job *submitted, const char *fingerprint)
{
	return submitted && submitted->fingerprint && !submitted->removed &&
	       submitted->state != JOB_FAILED && !strcmp(submitted->fingerprint, fingerprint);
}

/*
 * Lines of a batch move when one is put in above them: a line costs nothing while as many takes of
 * the batch have its bytes as there are such lines. 1, 0, or -errno.
 */
static int is_paid_twin(
	struct engine *engine, const struct job *job, const struct assembly *assembly)
{
	AUTO_FREE char *stem = NULL;
	int line, twins, paid;

	if (!assembly->files.line || !batch_of(job->stem, &stem, &line))
		return 0;
	twins = batch_twins(&engine->tree, assembly->files.batch, line);
	if (twins < 0)
		return twins;
	paid = journal_count_twins(
		engine->journal, job->model_id, job->dir, stem, assembly->fingerprint);
	return paid < 0 ? paid : twins > 0 && paid >= twins;
}

/* Whether nothing is to be paid for these files. 1, 0, or -errno: not known. */
static int costs_nothing(struct engine *engine, struct job *newest, const struct assembly *assembly)
{
	struct job *submitted, *copy = NULL;
	int result;

	if (job_state_is_open(newest->state) && newest->released) /* asked for by retry */
		return 0;
	result = newest_submitted(engine, newest, &submitted, &copy);
	if (!result)
		result = is_paid(submitted, assembly->fingerprint)
		                 ? 1
		                 : is_paid_twin(engine, newest, assembly);
	job_free(copy);
	return result;
}

/* Cuts "summer/sea/beach" into "summer/sea" and "beach". NULL: not such a name. */
static const char *split_name(char *name)
{
	char *slash = strrchr(name, '/');

	if (!slash)
		return NULL;
	*slash = '\0';
	return slash + 1;
}

/* The job this one was until its files were renamed: a file of it had that job's name before, and
 * that job has the same bytes and no files any more. NULL: there is none, or *error -errno. */
static struct job *renamed_from(
	struct engine *engine, struct job *job, const char *fingerprint, int *error)
{
	AUTO_FREE char *dir = NULL;
	struct job_files files = {0};
	const char *stem;
	struct job *old;
	bool gone;

	*error = 0;
	if (!job->came_from || job->fingerprint || job->take > 1)
		return NULL;
	dir = strdup(job->came_from);
	if (!dir) {
		*error = -ENOMEM;
		return NULL;
	}
	stem = split_name(dir);
	old = stem ? engine_load(engine, job->model_id, dir, stem, error) : NULL;
	if (!old || old == job)
		return NULL;
	*error = files_find(&engine->tree, job->model, dir, stem, &files);
	gone = !*error && files.count == 0;
	files_clear(&files);
	if (gone && old->fingerprint && !strcmp(old->fingerprint, fingerprint))
		return old;
	engine_put_back(engine, old);
	return NULL;
}

/* ------------------------------------------------------------------ pictures by themselves */

static bool names_picture(const struct job *job, const char *path)
{
	const cJSON *picture;

	cJSON_ArrayForEach (picture, job->pictures) {
		const char *named = json_text(picture, "path");

		if (named && !strcmp(named, path))
			return true;
	}
	return false;
}

/* Whether a spec of another name uses this picture, which is then no job of its own. */
static bool is_named_elsewhere(struct engine *engine, const struct job *job, const char *path)
{
	struct job **list;
	size_t count = engine_list(engine, JOB_STATES, &list);
	bool named = false;

	for (size_t i = 0; i < count && !named; i++)
		named = (strcmp(list[i]->dir, job->dir) != 0 ||
				strcmp(list[i]->stem, job->stem) != 0) &&
		        !list[i]->doomed && names_picture(list[i], path);
	free(list);
	return named || journal_names_picture(engine->journal, job, path);
}

static bool is_only_a_picture(
	struct engine *engine, const struct job *job, const struct job_files *files)
{
	if (files->spec || files->line || files->prompt)
		return false;
	return (!files->first_frame || is_named_elsewhere(engine, job, files->first_frame)) &&
	       (!files->last_frame || is_named_elsewhere(engine, job, files->last_frame));
}

/* The pictures a job names may be waiting for a prompt as jobs of their own: they are none. */
static void settle_named_pictures(struct engine *engine, const struct job *job)
{
	const cJSON *picture;

	cJSON_ArrayForEach (picture, job->pictures) {
		const char *path = json_text(picture, "path");
		struct place place = {0};
		struct job *other = NULL;

		if (path && place_of(engine->setup.models, path, &place) == 0 && place.stem)
			other = engine_find(engine, place.model->id, place.dir, place.stem);
		if (other && other != job && other->state == JOB_WAITING && !other->settling)
			drop_touch(engine, other->model_id, other->dir, other->stem, true);
		place_clear(&place);
	}
}

/* ------------------------------------------------------------------ what follows */

static void set_pictures(struct job *job, cJSON **pictures)
{
	cJSON_Delete(job->pictures);
	job->pictures = TAKE(*pictures);
}

static bool set_request(struct job *job, const cJSON *body)
{
	struct price price = price_estimate(job->model, body);

	job->estimate = price.known ? price.credits : NAN;
	free(job->request);
	job->request = cJSON_PrintUnformatted(body);
	return job->request;
}

/* Writes what was judged into the job's row and moves it on. false: no memory. */
static bool apply(struct engine *engine, struct job *job, struct assembly *assembly)
{
	AUTO_FREE char *lines = NULL;
	bool found = job->hold == HOLD_FOUND;
	bool cut_off = !job->released && are_cut_off(engine, assembly);

	job_set_text(&job->fingerprint, assembly->fingerprint);
	if (!job->fingerprint) /* without it the same bytes would cost again */
		return false;
	job_set_text(&job->came_from, NULL);
	set_pictures(job, &assembly->pictures);
	settle_named_pictures(engine, job);
	job->settling = job->released = false;
	job->tries = 0;
	if (assembly->problems.count) {
		lines = problems_text(&assembly->problems);
		job_set_state(engine, job, JOB_REJECTED, lines,
			"Correct it and save it again; README.txt in the model's folder lists what "
			"is allowed.");
		return true;
	}
	if (assembly->missing.count) {
		lines = problems_text(&assembly->missing);
		job_set_state(engine, job, JOB_WAITING, lines,
			"It goes on by itself when everything is there.");
		return true;
	}
	if (!set_request(job, assembly->spec.body)) {
		job_set_state(
			engine, job, JOB_REJECTED, "No memory for the request.", "Save it again.");
		return true;
	}
	if (cut_off)
		job_hold(engine, job, HOLD_FOUND,
			"It was being written when kinofs ended, so it may not be whole.",
			"Save it again. If it is whole, let it go: kinofs release PATH.");
	else if (found)
		job_hold(engine, job, HOLD_FOUND,
			"It was found in the folder when kinofs started, and the journal does not "
			"know it, so it may have been paid for already.",
			"If it is new, let it go: kinofs release PATH (or save it again).");
	else
		job_set_state(engine, job, JOB_QUEUED, NULL, NULL);
	return true;
}

/* The row the new bytes go into: the one not submitted yet, or a new take. */
static struct job *row_for(struct engine *engine, struct job *newest)
{
	struct job *job;

	if (job_state_is_open(newest->state))
		return newest;
	job = job_new(newest->model_id, newest->dir, newest->stem);
	if (!job)
		return NULL;
	job->take = newest->take + 1;
	job->created_ms = clock_wall_ms();
	job->note = newest->note; /* still shown; replaced by the next state's */
	engine_keep(engine, job);
	newest->note = newest->shown_note = NOTE_NONE;
	quiet(engine, newest);
	return job;
}

static void same_as_before(struct engine *engine, struct job *newest)
{
	if (job_state_is_open(newest->state))
		engine_delete(engine, newest); /* back to what was paid for */
	else
		quiet(engine, newest);
}

/* Whether the row is on its way with these very bytes. A job that was held because it was found at
 * start, and then saved, has lost its hold and is not. */
static bool is_under_way(const struct job *job, const char *fingerprint)
{
	if (!job->fingerprint || strcmp(job->fingerprint, fingerprint))
		return false;
	return (job->state == JOB_HELD && job->hold != HOLD_NONE) || job->state == JOB_QUEUED ||
	       job->state == JOB_UPLOADING;
}

/* What was to be sent while it settled was set aside (work_create()). */
static void go_on(struct engine *engine, struct job *job)
{
	if ((job->state == JOB_QUEUED || job->state == JOB_UPLOADING) && !job->lane && !job->gate)
		job_set_state(engine, job, JOB_QUEUED, job->problem, NULL);
}

static bool adopt(struct engine *engine, struct job *old, struct job *newest)
{
	if (engine_adopt(engine, old, newest) < 0)
		return false;
	old->removed = false; /* its files are here */
	job_set_text(&old->came_from, NULL);
	if (old->state == JOB_HELD && old->hold == HOLD_NONE)
		old->hold = HOLD_FOUND; /* another name lets nothing go */
	go_on(engine, old);
	return true;
}

/* Files that are there, judged against what the journal knows. false: try again later. */
static bool compare(struct engine *engine, struct job *newest, struct assembly *assembly)
{
	int paid = costs_nothing(engine, newest, assembly);
	struct job *job;
	int error;

	if (paid < 0)
		return false; /* nothing looks new because it cannot be read */
	if (paid) {
		same_as_before(engine, newest);
		return true;
	}
	job = renamed_from(engine, newest, assembly->fingerprint, &error);
	if (error)
		return false;
	if (job)
		return adopt(engine, job, newest);
	if (is_under_way(newest, assembly->fingerprint)) {
		quiet(engine, newest);
		go_on(engine, newest);
		return true;
	}
	job = row_for(engine, newest);
	return job && apply(engine, job, assembly);
}

bool drop_judge(struct engine *engine, const struct drop *drop)
{
	int error;
	struct job *newest = engine_load(engine, drop->model->id, drop->dir, drop->stem, &error);
	struct assembly assembly = {0};
	bool judged = true;

	if (!newest)
		return !error; /* renamed away with its files */
	if (assemble(&engine->tree, drop->model, drop->dir, drop->stem, &assembly) < 0 ||
		is_busy(engine, &assembly.files) || pictures_busy(engine, &assembly.spec))
		judged = false;
	else if (assembly.files.count == 0 || is_only_a_picture(engine, newest, &assembly.files))
		withdraw(engine, drop, newest);
	else
		judged = compare(engine, newest, &assembly);
	assembly_clear(&assembly);
	return judged;
}

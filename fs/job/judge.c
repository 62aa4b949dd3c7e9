/*
 * From a quiet drop to what is to be done: the same bytes cost nothing, new
 * bytes are a new take, files that are gone withdraw what was not sent.
 */
#include "fs/job/drop.h"

#include "fs/base/json.h"
#include "fs/job/batch.h"
#include "fs/mount/mount.h"
#include "spec/cleanup.h"
#include "spec/price.h"

#include <errno.h>
#include <math.h>
#include <string.h>

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

/* The newest take that was submitted: in memory, or copied from the journal into *copy (freed by
 * the caller). */
static struct job *newest_submitted(struct engine *engine, struct job *newest, struct job **copy)
{
	int error;

	for (struct job *job = newest; job; job = job->older)
		if (job->submitted_ms)
			return job;
	*copy = journal_newest_submitted(
		engine->journal, newest->model_id, newest->dir, newest->stem, &error);
	return *copy;
}

/* No longer settling; a job that has ended leaves memory again. */
static void quiet(struct engine *engine, struct job *job)
{
	job->settling = false;
	job->told = false;
	engine_touch(engine, job, job_state_is_end(job->state) ? engine_release : NULL);
}

/* Its files are gone. */
static void withdraw(struct engine *engine, struct job *job)
{
	if (!job_state_is_open(job->state)) {
		job->removed = true; /* dropped again, it is another take */
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
 * the batch have its bytes as there are such lines.
 */
static bool is_paid_twin(
	struct engine *engine, const struct job *job, const struct assembly *assembly)
{
	AUTO_FREE char *stem = NULL;
	int line, twins;

	if (!assembly->files.line || !batch_of(job->stem, &stem, &line))
		return false;
	twins = batch_twins(&engine->tree, assembly->files.batch, line);
	return twins > 0 && journal_count_twins(engine->journal, job->model_id, job->dir, stem,
				    assembly->fingerprint) >= twins;
}

/* The job this one was until its files were renamed: a file of it had that job's name before, and
 * that job has the same bytes and no files any more. NULL: there is none. */
static struct job *renamed_from(
	struct engine *engine, const struct drop *drop, struct job *job, const char *fingerprint)
{
	struct job_files files = {0};
	struct job *old;
	bool gone;

	if (!drop->from_stem || job->fingerprint || job->take > 1)
		return NULL;
	old = engine_load(engine, drop->model->id, drop->from_dir, drop->from_stem);
	if (!old || !old->fingerprint || strcmp(old->fingerprint, fingerprint))
		return NULL;
	gone = files_find(&engine->tree, drop->model, drop->from_dir, drop->from_stem, &files) ==
	               0 &&
	       files.count == 0;
	files_clear(&files);
	return gone ? old : NULL;
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

/* Writes what was judged into the job's row and moves it on. */
static void apply(struct engine *engine, struct job *job, struct assembly *assembly)
{
	AUTO_FREE char *lines = NULL;
	bool found = job->hold == HOLD_FOUND;

	set_pictures(job, &assembly->pictures);
	settle_named_pictures(engine, job);
	job->settling = false;
	job_set_text(&job->fingerprint, assembly->fingerprint);
	if (assembly->problems.count) {
		lines = problems_text(&assembly->problems);
		job_set_state(engine, job, JOB_REJECTED, lines,
			"Correct it and save it again; README.txt in the model's folder lists what "
			"is "
			"allowed.");
		return;
	}
	if (assembly->missing.count) {
		lines = problems_text(&assembly->missing);
		job_set_state(engine, job, JOB_WAITING, lines,
			"It goes on by itself when everything is there.");
		return;
	}
	if (!set_request(job, assembly->spec.body)) {
		job_set_state(
			engine, job, JOB_REJECTED, "No memory for the request.", "Save it again.");
		return;
	}
	if (found)
		job_hold(engine, job, HOLD_FOUND,
			"It was found in the folder when kinofs started, and the journal does not "
			"know "
			"it, so it may have been paid for already.",
			"If it is new, let it go: kinofs release PATH (or save it again).");
	else
		job_set_state(engine, job, JOB_QUEUED, NULL, NULL);
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

/* Files that are there, judged against what the journal knows. false: try again later. */
static bool compare(struct engine *engine, const struct drop *drop, struct job *newest,
	struct assembly *assembly)
{
	struct job *copy = NULL;
	struct job *submitted = newest_submitted(engine, newest, &copy);
	bool asked = job_state_is_open(newest->state) && newest->released; /* by retry */
	bool paid = !asked && (is_paid(submitted, assembly->fingerprint) ||
				      is_paid_twin(engine, newest, assembly));
	struct job *job;

	job_free(copy);
	if (paid) {
		same_as_before(engine, newest);
		return true;
	}
	job = renamed_from(engine, drop, newest, assembly->fingerprint);
	if (job)
		return engine_adopt(engine, job, newest) == 0;
	if (is_under_way(newest, assembly->fingerprint)) {
		quiet(engine, newest);
		if (newest->state != JOB_HELD && !newest->lane && !newest->gate)
			job_set_state(engine, newest, JOB_QUEUED, NULL, NULL);
		return true;
	}
	job = row_for(engine, newest);
	if (!job)
		return false;
	job->released = false;
	apply(engine, job, assembly);
	return true;
}

bool drop_judge(struct engine *engine, const struct drop *drop)
{
	struct job *newest = engine_load(engine, drop->model->id, drop->dir, drop->stem);
	struct assembly assembly = {0};
	bool judged = true;

	if (!newest)
		return true; /* renamed away with its files */
	if (assemble(&engine->tree, drop->model, drop->dir, drop->stem, &assembly) < 0 ||
		is_busy(engine, &assembly.files) || pictures_busy(engine, &assembly.spec))
		judged = false;
	else if (assembly.files.count == 0 || is_only_a_picture(engine, newest, &assembly.files))
		withdraw(engine, newest);
	else
		judged = compare(engine, drop, newest, &assembly);
	assembly_clear(&assembly);
	return judged;
}

#include "fs/engine/apply.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/quote.h"
#include "fs/config/config.h"
#include "fs/engine/chain.h"
#include "fs/engine/copies.h"
#include "fs/engine/core.h"
#include "fs/engine/editors.h"
#include "fs/engine/lastlook.h"
#include "fs/engine/owner.h"
#include "fs/engine/pictures.h"
#include "fs/journal/lastrun.h"
#include "spec/address.h"
#include "spec/place.h"
#include "spec/price.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static bool names(const struct job_row *row, const char *path)
{
	for (size_t i = 0; i < row->npictures; i++) {
		const struct picture *picture = &row->picture[i];

		if (!strcmp(picture->path, path))
			return true;
		for (size_t j = 0; j < picture->nway; j++)
			if (!strcmp(picture->way[j], path))
				return true;
	}
	return false;
}

/* A picture that a job names may be waiting for a prompt as a job of its own: it is none. It is
 * told once, as it may name one of this job's in turn. */
static void judge_named(const struct judging *judging, const struct job *job, const char *path)
{
	struct place place = {0};
	struct takes takes = {0};

	if (names(&job->row, path))
		return;
	if (place_of(judging->engine->setup.models, path, &place) == 0 && place.stem) {
		const struct job_key key = {place.model->id, place.dir, place.stem};

		if (job_key_compare(&key, &judging->key) != 0 &&
			jobs_takes(&judging->engine->jobs, &key, &takes) == 0 && takes.count &&
			takes.item[0]->row.state == JOB_WAITING && !takes.item[0]->row.settling)
			settle_now(judging->engine, &key);
	}
	takes_clear(&takes);
	place_clear(&place);
}

/* Before they are the row's (pictures.h). */
static void judge_named_pictures(const struct judging *judging, const struct job *job)
{
	for (size_t i = 0; i < judging->assembly.npictures; i++) {
		const struct picture *picture = &judging->assembly.picture[i];

		judge_named(judging, job, picture->path);
		for (size_t j = 0; j < picture->nway; j++)
			judge_named(judging, job, picture->way[j]);
	}
}

/* What the files are known by. 0 or -ENOMEM: without it, they would cost again. */
static int set_identity(struct job *job, const struct assembly *assembly)
{
	job_set_text(&job->row.fingerprint, assembly->fingerprint);
	job_set_text(&job->row.seen, assembly->seen);
	if (!job->row.fingerprint || !job->row.seen)
		return -ENOMEM;
	return job_set_order(job, *assembly->order ? assembly->order : NULL);
}

/* By its pictures, films and sounds, which are the row's by now. */
static int set_request(struct job *job, const cJSON *body)
{
	struct price price = price_estimate(job->model, body, job->row.picture, job->row.npictures);

	job->row.estimate = price.known ? price.credits : NAN;
	free(job->row.request);
	job->row.request = cJSON_PrintUnformatted(body);
	return job->row.request ? 0 : -ENOMEM;
}

/* What may be put beside a prompt but need not be; NULL: nothing, or something must be. */
static const struct model_slot *optional_slot(const struct model *model)
{
	const struct model_slot *optional = NULL;

	for (size_t i = 0; i < model->nslot; i++) {
		if (model->slot[i].field->required)
			return NULL;
		if (!optional && !*model->slot[i].mark)
			optional = &model->slot[i];
	}
	return optional;
}

/* A prompt by itself, in a model whose picture is optional, may get one yet; a spec, even {}, says
 * that there is none. In how many ms it goes without; 0: now. */
static int64_t wait_for_picture(const struct judging *judging)
{
	const struct job_files *files = &judging->assembly.files;
	const struct model *model = judging->settling->model;
	const struct model_slot *slot = optional_slot(model);
	int64_t quiet_ms = clock_steady_ms() - judging->settling->changed_ms;
	int64_t left_ms = judging->engine->setup.config->settle_alone_ms - quiet_ms;

	if (!slot || files->spec || files->line || files->nbeside || left_ms < 0)
		return 0;
	if (address_get(spec_input(model, judging->assembly.spec.body), slot->field->address))
		return 0; /* the defaults say which */
	return left_ms + 1;
}

static void say_picture_may_follow(struct job *job, int64_t left_ms)
{
	static const char advice[] =
		"To order it without a picture at once, put a file with {} in it beside it, of the "
		"same name but ending in .json.";
	time_t until = (time_t)((clock_wall_ms() + left_ms) / 1000);
	AUTO_FREE char *problem = NULL, *stem = quote_name(job->row.stem);
	struct tm parts = {0};
	char text[16];

	(void)localtime_r(&until, &parts);                      /* cannot fail for the present */
	(void)strftime(text, sizeof(text), "%H:%M:%S", &parts); /* always fits */
	problem =
		!stem ? NULL
		      : format("a picture may follow: until %s it waits for %s.png (or .jpg, .webp), then "
			       "it is ordered without one",
				text, stem);
	if (job->row.state == JOB_WAITING)
		job_say(job, problem, advice);
	else
		job_set_state(job, JOB_WAITING, problem, advice);
}

/* The hold that an order nobody has sent before may have all the same; false: none. */
static bool hold_new(const struct judging *judging, struct job *job, bool held)
{
	if (files_are_cut_off(judging->engine, &judging->assembly))
		job_hold(job, HOLD_UNTIL_RELEASED,
			"It was being written when kinofs ended, so it may not be whole.",
			"Save it again. If it is whole, let it go: kinofs release PATH.");
	else if (held && judging->engine->setup.last->rebooted)
		job_hold(job, HOLD_UNTIL_RELEASED,
			"It was found in the folder when kinofs started after the machine had gone "
			"down, so it may be half a file, or paid for already.",
			"If it is whole and new, let it go: kinofs release PATH (or save it "
			"again).");
	else if (held)
		job_hold(job, HOLD_UNTIL_RELEASED,
			"It was found in the folder when kinofs started, and the journal does not "
			"know it as it is now, so it may have been paid for already.",
			"If it is new, let it go: kinofs release PATH (or save it again).");
	else
		return false;
	return true;
}

/* What to do about what is wrong. Whether a text behind a link is saved, nobody is told. */
static const char *how_to_correct(const struct judging *judging)
{
	const struct job_files *files = &judging->assembly.files;
	const char *const texts[] = {files->spec, files->prompt, files->batch, files->defaults};
	struct stat info;

	for (size_t i = 0; i < COUNT(texts); i++)
		if (texts[i] && tree_stat(&judging->engine->tree, texts[i], &info) == 0 &&
			S_ISLNK(info.st_mode))
			return "Correct it, and make the link again that leads to it (ln -sf); "
			       "README.txt in the model's folder lists what is allowed.";
	return "Correct it and save it again; README.txt in the model's folder lists what is "
	       "allowed.";
}

int64_t apply(struct judging *judging, struct job *job, const struct identification *id)
{
	struct assembly *assembly = &judging->assembly;
	bool asked = job->row.asked;
	bool found = id->held || job->row.hold == HOLD_UNTIL_RELEASED;
	/* who asks for it again does not mean what may be half a file */
	bool held = found && (!asked || judging->engine->setup.last->rebooted);
	/* what was let go stays so when only the defaults are others now */
	bool released = job->row.released && job->row.fingerprint &&
	                !strcmp(job->row.fingerprint, assembly->fingerprint);
	int64_t alone_ms = 0;
	AUTO_FREE char *lines = NULL;

	if (set_identity(job, assembly) < 0)
		return -ENOMEM;
	judge_named_pictures(judging, job);
	pictures_take(job, assembly);
	owner_set(job, assembly->rights);
	/* until that comes, or a file of its own says something else (settle.c) */
	job->row.asked = asked && assembly->missing.count && !assembly->problems.count;
	job->row.settling = job->by_name = false;
	job->row.released = released;
	job->row.hold = held ? HOLD_UNTIL_RELEASED : HOLD_NONE; /* also while it waits */
	if (!asked)
		job->row.more = assembly->spec.takes - id->sent - 1;
	job->tries = 0;
	if (assembly->problems.count) {
		lines = problems_text(&assembly->problems);
		job_set_state(job, JOB_REJECTED, lines, how_to_correct(judging));
	} else if (assembly->missing.count) {
		chain_wait(judging->engine, job, &assembly->missing);
	} else if (set_request(job, assembly->spec.body) < 0) {
		return -ENOMEM;
	} else if (id->is == IDENTITY_COPY && !asked) {
		copies_hold(job, id->take);
	} else if (id->is == IDENTITY_FORGOTTEN && !asked) {
		job_hold(job, HOLD_UNTIL_RELEASED,
			"The same was ordered before, by a job whose record was removed.",
			"To order it again, save it again or let it go: kinofs release PATH.");
	} else if (!asked && !held && !released &&
		   editors_wait(judging->engine, job, &assembly->files)) {
		alone_ms = 0; /* it is told when that is closed */
	} else if (!asked && !released && (alone_ms = wait_for_picture(judging)) > 0) {
		say_picture_may_follow(job, alone_ms);
	} else if (!hold_new(judging, job, held)) {
		job_set_state(job, JOB_QUEUED, NULL, NULL);
	}
	return alone_ms;
}

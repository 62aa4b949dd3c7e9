/* upload.c - the pictures of a job go to the provider's upload host, which is free of charge. */
#include "fs/engine/submit.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/quote.h"
#include "fs/config/config.h"
#include "fs/engine/backoff.h"
#include "fs/engine/core.h"
#include "fs/engine/frames.h"
#include "fs/engine/made.h"
#include "fs/engine/uploads.h"
#include "fs/input/film.h"
#include "spec/kind.h"
#include "spec/media_field.h"

#include <errno.h>
#include <string.h>

#define REUSE_MS   (12 * 3600 * 1000LL) /* fs/net/API.md 3: links live 24 hours or 3 days */
#define TIMEOUT_MS (10 * 60 * 1000)
#define TRIES      8
#define FIRST_MS   5000
#define LIMIT_MS   (5 * 60 * 1000)

struct picture *upload_next(const struct job *job)
{
	for (size_t i = 0; job->provider->uploads && i < job->row.npictures; i++)
		if (!job->row.picture[i].url)
			return &job->row.picture[i];
	return NULL;
}

/* What its upload is known by: its bytes, which of a frame are not made yet. 0 or -ENOMEM. */
static int upload_digest(
	const struct job *job, const struct picture *picture, char hex[DIGEST_HEX_BYTES])
{
	const struct model_field *field = model_field(job->model, picture->field);

	if (picture->frame && field)
		return film_still_digest(picture->sha256, media_takes(field, "image/png"),
			media_takes(field, "image/jpeg"), (int64_t)media_limit(field), hex);
	(void)snprintf(hex, DIGEST_HEX_BYTES, "%s", picture->sha256); /* of the same size */
	return 0;
}

static char *known_link(struct engine *engine, const struct job *job, const struct picture *picture)
{
	char hex[DIGEST_HEX_BYTES];

	if (upload_digest(job, picture, hex) < 0)
		return NULL; /* it is uploaded once more */
	return journal_upload(engine->jobs.journal,
		config_account(engine->setup.config, job->provider)->upload_url, hex,
		clock_wall_ms() - REUSE_MS);
}

void upload_drop_old_links(struct engine *engine, struct job *job)
{
	for (size_t i = 0; i < job->row.npictures; i++) {
		struct picture *picture = &job->row.picture[i];
		AUTO_FREE char *url = picture->url ? known_link(engine, job, picture) : NULL;

		if (!url)
			free(TAKE(picture->url));
	}
}

void upload_forget_links(struct engine *engine, const struct job *job)
{
	const char *host = config_account(engine->setup.config, job->provider)->upload_url;

	for (size_t i = 0; job->provider->uploads && i < job->row.npictures; i++) {
		const struct picture *picture = &job->row.picture[i];
		char hex[DIGEST_HEX_BYTES];

		if (picture->url && picture->sha256 && upload_digest(job, picture, hex) == 0)
			/* not done, it is logged; it dies one day */
			(void)journal_forget_upload(engine->jobs.journal, host, hex, picture->url);
	}
}

/* The task that made a file in some out/. The caller frees. NULL: it is not known. */
static char *task_of_result(struct engine *engine, const char *path)
{
	struct takes takes;
	struct job *take;
	int error = made_find(engine, path, &takes, &take);
	char *task = !error && take && take->row.task ? strdup(take->row.task) : NULL;

	takes_clear(&takes);
	return task;
}

/* The file stands for the task that made it, and is not sent. */
static void name_task(struct engine *engine, struct job *job, struct picture *picture)
{
	AUTO_FREE char *problem = NULL;

	picture->url = task_of_result(engine, picture->path);
	if (picture->url) {
		job_set_state(job, JOB_QUEUED, NULL, NULL);
		return;
	}
	problem = format("%s: no job here is known to have made %s", picture->field, picture->path);
	job_set_state(job, JOB_REJECTED, problem,
		"Name a video where kinofs put it, in some out/, or give the id of its task (\"task\" in "
		"its jobs/NAME.json); then save this again.");
}

void submit_upload(struct engine *engine, struct job *job)
{
	struct picture *picture = upload_next(job);
	const struct model_field *field = model_field(job->model, picture->field);

	if (field && field->is_job) {
		name_task(engine, job, picture);
		return;
	}
	/* the same bytes went there not long ago */
	picture->url = known_link(engine, job, picture);
	job_set_state(job, picture->url ? JOB_QUEUED : JOB_UPLOADING, NULL, NULL);
}

static void upload_again(void *context, struct timer *timer)
{
	struct engine *engine = context;

	slots_enter(&engine->slots.uploads, job_of_timer(timer), true);
}

static void failed(struct engine *engine, struct job *job, const struct upload_answer *answer)
{
	if (answer->verdict == UPLOAD_BLOCKED) {
		job->tries++;
		job_hold(job, HOLD_PROVIDER, answer->words, answer->advice);
	} else if (answer->verdict == UPLOAD_RETRY && ++job->tries < TRIES) {
		slots_leave(job);
		job->timer.fire = upload_again;
		engine_set_timer(engine, &job->timer, backoff_ms(job->tries, FIRST_MS, LIMIT_MS));
	} else if (answer->verdict == UPLOAD_RETRY) {
		job_hold(job, HOLD_PROVIDER, answer->words,
			"The picture could not be uploaded; it is tried again later.");
	} else {
		job_set_state(job, JOB_FAILED, answer->words, answer->advice);
	}
}

/* There is nothing by which it could be judged anew. */
static void hold_without_files(struct job *job)
{
	AUTO_FREE char *name = NULL, *problem = NULL;

	for (size_t i = 0; i < job->row.npictures && !name; i++)
		if (!job->row.picture[i].url)
			name = quote_name(job->row.picture[i].path);
	problem = format("It is ordered again without its files, and %s is not there as it was.",
		name ?: "one that it needs");
	job->tries++;
	job_hold(job, HOLD_PROVIDER, problem,
		"Put the files of the job back; it goes on by itself within half an hour then, or "
		"at once: kinofs retry PATH");
}

void upload_look_again(struct engine *engine, struct job *job)
{
	const struct job_key key = job_key_of(&job->row);

	hashing_clear(engine->hashing);
	job_abort(job);
	if (job->row.seen && !*job->row.seen)
		hold_without_files(job);
	else
		settle_now(engine, &key);
}

static void uploaded(void *context, const struct http_reply *reply)
{
	struct job *job = context;
	struct engine *engine = job->engine;
	struct upload_answer answer = {0};
	struct picture *picture = upload_next(job);
	char hex[DIGEST_HEX_BYTES];

	job->transfer = NULL;
	if (reply->unfinished) { /* it is not what was judged */
		upload_look_again(engine, job);
		return;
	}
	job->provider->read_upload(reply, &answer);
	atomic_fetch_add(
		&engine->figures->uploads[provider_index(job->provider)][answer.verdict], 1);
	if (answer.verdict == UPLOAD_OK) {
		/* a lost note of it only costs another upload, which is free */
		if (upload_digest(job, picture, hex) == 0)
			(void)journal_put_upload(engine->jobs.journal,
				config_account(engine->setup.config, job->provider)->upload_url,
				hex, answer.url, clock_wall_ms());
		picture->url = TAKE(answer.url);
		job->tries = 0;
		job_set_state(job, JOB_QUEUED, NULL, NULL);
	} else {
		failed(engine, job, &answer);
	}
	upload_answer_clear(&answer);
}

static void start(struct engine *engine, struct job *job, const struct picture *picture, int fd)
{
	const struct account *account = config_account(engine->setup.config, job->provider);
	AUTO_FREE char *url = job->provider->upload_url(account);
	const char *bytes = picture->still ? picture->still->sha256 : picture->sha256;
	/* named by its bytes: the host overwrites a file of the same name (fs/net/API.md 3) */
	AUTO_FREE char *name = format("%s.%s", bytes, strchr(picture->type, '/') + 1);
	struct http_field field[UPLOAD_FIELDS];
	struct http_request request = {.url = url,
		.bearer = account->key,
		.form_fd = fd,
		.form_mime = picture->type,
		.form_file_name = name,
		.form_sha256 = bytes,
		.form_field = field,
		.form_fields = job->provider->upload_form(name, field),
		.sink_fd = -1,
		.timeout_ms = TIMEOUT_MS};
	struct upload_answer answer = {.verdict = UPLOAD_BLOCKED,
		.advice = "Check the upload URL in the configuration: it must be https."};
	int error = -ENOMEM;

	if (url && name)
		error = http_start(engine->http, &request, uploaded, job, &job->transfer);
	if (!error)
		return;
	job->transfer = NULL;
	if (error == -ESTALE) { /* it is being saved anew */
		upload_look_again(engine, job);
		return;
	}
	answer.words = strdup("The upload could not be started.");
	failed(engine, job, &answer);
	upload_answer_clear(&answer);
}

void enter_uploading(struct engine *engine, struct job *job)
{
	const struct picture *picture = upload_next(job);
	AUTO_FD int fd = -1;
	int64_t bytes;

	/* a key that is gone since it was queued leads to the hold for want of one */
	if (!picture || !config_account(engine->setup.config, job->provider)->key) {
		job_set_state(job, JOB_QUEUED, NULL, NULL);
		return;
	}
	if (!frames_are_ready(engine, job))
		return;
	if (!picture->still)
		fd = tree_open(&engine->tree, picture->path, &bytes);
	if (fd < 0 && !picture->still) {
		upload_look_again(engine, job);
		return;
	}
	start(engine, job, picture, picture->still ? picture->still->fd : fd);
}

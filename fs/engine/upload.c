/* upload.c - the pictures of a job go to the provider's upload host, which is free of charge. */
#include "fs/engine/submit.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/digest.h"
#include "fs/base/format.h"
#include "fs/config/config.h"
#include "fs/engine/backoff.h"
#include "fs/engine/core.h"
#include "fs/engine/uploads.h"

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

static char *known_link(struct engine *engine, const struct job *job, const struct picture *picture)
{
	return journal_upload(engine->jobs.journal,
		config_account(engine->setup.config, job->provider)->upload_url, picture->sha256,
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

void submit_upload(struct engine *engine, struct job *job)
{
	struct picture *picture = upload_next(job);

	/* the same bytes went there not long ago */
	picture->url = known_link(engine, job, picture);
	job_set_state(job, picture->url ? JOB_QUEUED : JOB_UPLOADING, NULL, NULL);
}

static void upload_again(void *context, struct timer *timer)
{
	struct engine *engine = context;

	slots_enter(&engine->slots.uploads, job_of_timer(timer));
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

static void uploaded(void *context, const struct http_reply *reply)
{
	struct job *job = context;
	struct engine *engine = job->engine;
	struct upload_answer answer = {0};
	struct picture *picture = upload_next(job);

	job->transfer = NULL;
	job->provider->read_upload(reply, &answer);
	if (answer.verdict == UPLOAD_OK) {
		/* a lost note of it only costs another upload, which is free */
		(void)journal_put_upload(engine->jobs.journal,
			config_account(engine->setup.config, job->provider)->upload_url,
			picture->sha256, answer.url, clock_wall_ms());
		picture->url = TAKE(answer.url);
		job->tries = 0;
		job_set_state(job, JOB_QUEUED, NULL, NULL);
	} else {
		failed(engine, job, &answer);
	}
	upload_answer_clear(&answer);
}

/* The picture as it was when the job was judged: an open file, or -errno (-ESTALE: changed). */
static int open_picture(struct engine *engine, const struct picture *picture)
{
	char hex[DIGEST_HEX_BYTES];
	int64_t bytes;
	AUTO_FD int fd = tree_open(&engine->tree, picture->path, &bytes);
	int error = fd < 0 ? fd : digest_fd(fd, hex);

	if (!error && strcmp(hex, picture->sha256) != 0)
		error = -ESTALE;
	return error ? error : TAKE_FD(fd);
}

static void start(struct engine *engine, struct job *job, const struct picture *picture, int fd)
{
	const struct account *account = config_account(engine->setup.config, job->provider);
	AUTO_FREE char *url = job->provider->upload_url(account);
	/* named by its bytes: the host overwrites a file of the same name (fs/net/API.md 3) */
	AUTO_FREE char *name = format("%s.%s", picture->sha256, strchr(picture->type, '/') + 1);
	struct http_field field[UPLOAD_FIELDS];
	struct http_request request = {.url = url,
		.bearer = account->key,
		.form_fd = fd,
		.form_mime = picture->type,
		.form_file_name = name,
		.form_field = field,
		.form_fields = job->provider->upload_form(name, field),
		.sink_fd = -1,
		.timeout_ms = TIMEOUT_MS};
	struct upload_answer answer = {.verdict = UPLOAD_BLOCKED,
		.advice = "Check the upload URL in the configuration: it must be https."};

	if (url && name && http_start(engine->http, &request, uploaded, job, &job->transfer) == 0)
		return;
	job->transfer = NULL;
	answer.words = strdup("The upload could not be started.");
	failed(engine, job, &answer);
	upload_answer_clear(&answer);
}

void enter_uploading(struct engine *engine, struct job *job)
{
	const struct picture *picture = upload_next(job);
	const struct job_key key = job_key_of(&job->row);
	int fd;

	if (!picture) {
		job_set_state(job, JOB_QUEUED, NULL, NULL);
		return;
	}
	fd = open_picture(engine, picture);
	if (fd < 0) { /* it is not what was judged */
		job_abort(job);
		settle_now(engine, &key);
		return;
	}
	start(engine, job, picture, fd);
	cleanup_fd(&fd);
}

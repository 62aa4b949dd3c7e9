/*
 * From queued to accepted: upload what must be uploaded, wait for the turn,
 * send the create request once, and read the answer by the provider's table.
 * design.md section 2, invariants 1 to 3, are kept here and in http.h (`once`).
 */
#include "fs/engine/engine_core.h"

#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/base/log.h"
#include "fs/engine/body.h"
#include "fs/input/files.h"
#include "spec/spec.h"

#include <errno.h>
#include <string.h>

#define UPLOAD_REUSE_MS   (12 * 3600 * 1000LL) /* design.md 3: links live 24 hours or 3 days */
#define UPLOAD_TIMEOUT_MS (10 * 60 * 1000)
#define UPLOAD_TRIES      8
#define CREATE_TIMEOUT_MS (120 * 1000)
#define LATER_FIRST_MS    5000
#define LATER_LIMIT_MS    (5 * 60 * 1000)
#define BLOCKED_FIRST_MS  (60 * 1000)
#define BLOCKED_LIMIT_MS  (30 * 60 * 1000)
#define CAP_CHECK_MS      (10 * 60 * 1000)

/* The first picture that still needs an upload, or NULL. */
static cJSON *next_upload(const struct job *job)
{
	cJSON *picture;

	cJSON_ArrayForEach (picture, job->pictures) {
		if (job->provider->uploads && !json_text(picture, "url"))
			return picture;
	}
	return NULL;
}

/* ------------------------------------------------------------------ held */

/* A held job's time has come; one that is over a cap stays held while it still is. */
static void try_again(void *context, struct timer *timer)
{
	struct engine *engine = context;
	struct job *job = job_of_timer(timer);
	AUTO_FREE char *problem = NULL;
	const char *advice;

	if (job->hold == HOLD_CAP &&
		budget_check(&engine->budget, engine->journal, &engine->config->caps, job, &problem,
			&advice) != HOLD_NONE)
		enter_held(engine, job);
	else
		job_set_state(engine, job, JOB_QUEUED, NULL, NULL);
}

void enter_held(struct engine *engine, struct job *job)
{
	job->timer.fire = try_again;
	if (job->hold == HOLD_PROVIDER)
		engine_set_timer(engine, &job->timer,
			pause_ms(job->tries, BLOCKED_FIRST_MS, BLOCKED_LIMIT_MS));
	else if (job->hold == HOLD_CAP)
		engine_set_timer(engine, &job->timer, CAP_CHECK_MS);
}

static void hold_without_key(struct engine *engine, struct job *job)
{
	AUTO_FREE char *problem = NULL, *advice = NULL;

	if (asprintf(&problem, "There is no API key for %s.", job->provider->title) < 0 ||
		asprintf(&advice,
			"Set %s (or name a key file in the configuration) and mount kinofs again; "
			"the job then goes on by itself.",
			job->provider->key_variables[0]) < 0)
		advice = NULL; /* the state says it */
	job_hold(engine, job, HOLD_KEY, problem, advice);
}

/* Links of earlier uploads that may have died since are asked for anew. */
static void drop_old_links(struct engine *engine, struct job *job)
{
	const char *host = config_account(engine->config, job->provider)->upload_url;
	cJSON *picture;

	cJSON_ArrayForEach (picture, job->pictures) {
		AUTO_FREE char *url = NULL;

		if (!json_text(picture, "url"))
			continue;
		url = journal_upload(engine->journal, host, json_text(picture, "sha256"),
			clock_wall_ms() - UPLOAD_REUSE_MS);
		if (!url)
			cJSON_DeleteItemFromObjectCaseSensitive(picture, "url");
	}
}

/* ------------------------------------------------------------------ queued */

void enter_queued(struct engine *engine, struct job *job)
{
	struct gate *gate;

	if (!job->model) {
		job_hold(engine, job, HOLD_FOUND, "Its model file is gone.",
			"Put the model file back, mount again, and: kinofs release PATH");
		return;
	}
	if (!config_account(engine->config, job->provider)->key) {
		hold_without_key(engine, job);
		return;
	}
	drop_old_links(engine, job);
	if (next_upload(job)) {
		lane_enter(engine, &engine->uploads, job);
		return;
	}
	gate = gate_of(engine, job);
	if (gate)
		gate_enter(engine, gate, job);
	else
		log_error("no memory to queue job %lld", (long long)job->id);
}

/* ------------------------------------------------------------------ uploads */

void work_upload(struct engine *engine, struct job *job)
{
	const struct account *account = config_account(engine->config, job->provider);
	AUTO_FREE char *url = NULL;
	cJSON *picture = next_upload(job);

	/* the same bytes went there not long ago */
	url = journal_upload(engine->journal, account->upload_url, json_text(picture, "sha256"),
		clock_wall_ms() - UPLOAD_REUSE_MS);
	if (url) {
		cJSON_AddStringToObject(picture, "url", url);
		job_set_state(engine, job, JOB_QUEUED, NULL, NULL);
		return;
	}
	job_set_state(engine, job, JOB_UPLOADING, NULL, NULL);
}

static void upload_again(void *context, struct timer *timer)
{
	struct engine *engine = context;

	lane_enter(engine, &engine->uploads, job_of_timer(timer));
}

static void upload_failed(
	struct engine *engine, struct job *job, const struct upload_answer *answer)
{
	if (answer->verdict == UPLOAD_BLOCKED) {
		job->tries++;
		job_hold(engine, job, HOLD_PROVIDER, answer->words, answer->advice);
	} else if (answer->verdict == UPLOAD_RETRY && ++job->tries < UPLOAD_TRIES) {
		lane_leave(engine, job);
		job->timer.fire = upload_again;
		engine_set_timer(
			engine, &job->timer, pause_ms(job->tries, LATER_FIRST_MS, LATER_LIMIT_MS));
	} else if (answer->verdict == UPLOAD_RETRY) {
		job_hold(engine, job, HOLD_PROVIDER, answer->words,
			"The picture could not be uploaded; it is tried again later.");
	} else {
		job_set_state(engine, job, JOB_FAILED, answer->words, answer->advice);
	}
}

static void uploaded(void *context, const struct http_reply *reply)
{
	struct job *job = context;
	struct engine *engine = job->engine;
	struct upload_answer answer = {0};
	cJSON *picture = next_upload(job);

	job->transfer = NULL;
	job->provider->read_upload(reply, &answer);
	if (answer.verdict == UPLOAD_OK) {
		/* a lost note of it only costs another upload, which is free */
		(void)journal_put_upload(engine->journal,
			config_account(engine->config, job->provider)->upload_url,
			json_text(picture, "sha256"), answer.url, clock_wall_ms());
		cJSON_AddStringToObject(picture, "url", answer.url);
		job->tries = 0;
		job_set_state(engine, job, JOB_QUEUED, NULL, NULL);
	} else {
		upload_failed(engine, job, &answer);
	}
	upload_answer_clear(&answer);
}

/* The picture as it was when the job was judged: an open file, or -errno (-ESTALE: changed). */
static int open_picture(struct engine *engine, const cJSON *picture)
{
	char hex[DIGEST_HEX_BYTES];
	int64_t bytes;
	int fd = files_open(&engine->tree, json_text(picture, "path"), &bytes);
	int error;

	if (fd < 0)
		return fd;
	error = digest_fd(fd, hex);
	if (!error && strcmp(hex, json_text(picture, "sha256")) != 0)
		error = -ESTALE;
	if (error) {
		cleanup_fd(&fd);
		return error;
	}
	return fd;
}

static void start_upload(struct engine *engine, struct job *job, cJSON *picture, int fd)
{
	const struct account *account = config_account(engine->config, job->provider);
	AUTO_FREE char *url = job->provider->upload_url(account);
	AUTO_FREE char *name = NULL;
	const char *type = json_text(picture, "type");
	struct http_field field[UPLOAD_FIELDS];
	struct http_request request = {.bearer = account->key,
		.form_fd = fd,
		.form_mime = type,
		.form_field = field,
		.sink_fd = -1,
		.timeout_ms = UPLOAD_TIMEOUT_MS};
	struct upload_answer answer = {0};

	/* named by its bytes: the host overwrites a file of the same name (api.md 3) */
	if (asprintf(&name, "%s.%s", json_text(picture, "sha256"), strchr(type, '/') + 1) < 0)
		name = NULL;
	request.url = url;
	request.form_file_name = name;
	request.form_fields = job->provider->upload_form(name, field);
	if (url && name && http_start(engine->http, &request, uploaded, job, &job->transfer) == 0)
		return;
	job->transfer = NULL;
	answer.verdict = UPLOAD_BLOCKED;
	answer.words = strdup("The upload could not be started.");
	answer.advice = "Check the upload URL in the configuration: it must be https.";
	upload_failed(engine, job, &answer);
	upload_answer_clear(&answer);
}

/* The files are not what was judged: judge them again. */
static void judge_again(struct engine *engine, struct job *job)
{
	engine_idle(engine, job);
	drop_touch(engine, job->model_id, job->dir, job->stem, true);
}

void enter_uploading(struct engine *engine, struct job *job)
{
	cJSON *picture = next_upload(job);
	int fd;

	if (!picture) {
		job_set_state(engine, job, JOB_QUEUED, NULL, NULL);
		return;
	}
	fd = open_picture(engine, picture);
	if (fd < 0) {
		judge_again(engine, job);
		return;
	}
	start_upload(engine, job, picture, fd);
	cleanup_fd(&fd);
}

/* ------------------------------------------------------------------ create */

/* Its turn has come. */
void work_create(struct engine *engine, struct job *job)
{
	AUTO_FREE char *problem = NULL, *request = NULL;
	const char *advice = NULL;
	enum job_hold hold = HOLD_NONE;

	if (job->settling) { /* its files changed; who judges them lets it go on (judge.c) */
		engine_idle(engine, job);
		return;
	}
	if (!job->released)
		hold = budget_check(&engine->budget, engine->journal, &engine->config->caps, job,
			&problem, &advice);
	if (hold != HOLD_NONE) {
		job_hold(engine, job, hold, problem, advice);
		return;
	}
	request = journal_request(engine->journal, job->id);
	job->request = body_record(job, request);
	if (!job->request) {
		judge_again(engine, job);
		return;
	}
	job->submitted_ms = clock_wall_ms();
	budget_add(&engine->budget, job);
	job_set_state(engine, job, JOB_SUBMITTING, NULL, NULL); /* keeps its slot of the gate */
}

/* The request was surely not accepted. */
static void take_back(struct engine *engine, struct job *job)
{
	budget_take_back(&engine->budget, job);
	job->submitted_ms = 0;
}

void submit_unsent(struct engine *engine, struct job *job)
{
	if (job->state != JOB_SUBMITTING || job->transfer)
		return;
	take_back(engine, job);
	job_set_state(engine, job, JOB_QUEUED, NULL, NULL);
}

static void send_later(struct engine *engine, struct job *job, const struct create_answer *answer)
{
	int64_t pause = pause_ms(++job->tries, LATER_FIRST_MS, LATER_LIMIT_MS);

	if (answer->retry_after_ms > pause)
		pause = answer->retry_after_ms;
	if (job->gate)
		gate_pause(job->gate, pause);
	take_back(engine, job);
	job_set_state(engine, job, JOB_QUEUED, answer->words, NULL);
}

/* "Validation Error (code 422)": the number is what a user can look up. */
static void add_code(struct create_answer *answer)
{
	char *words;

	if (!answer->words || !answer->code || answer->code == 200 ||
		asprintf(&words, "%s (code %d)", answer->words, answer->code) < 0)
		return;
	free(answer->words);
	answer->words = words;
}

static void created(void *context, const struct http_reply *reply)
{
	struct job *job = context;
	struct engine *engine = job->engine;
	struct create_answer answer = {0};

	job->transfer = NULL;
	job->provider->read_create(reply, &answer);
	add_code(&answer);
	switch (answer.verdict) {
	case CREATE_ACCEPTED:
		free(job->task);
		job->task = TAKE(answer.task); /* not a copy, which could fail */
		job->accepted_ms = clock_wall_ms();
		job_set_state(engine, job, JOB_RUNNING, NULL, NULL);
		break;
	case CREATE_LATER: send_later(engine, job, &answer); break;
	case CREATE_BLOCKED:
		/* the others of this account would fare no better: one asks, then the rest */
		if (job->gate)
			gate_pause(job->gate,
				pause_ms(job->tries + 1, LATER_FIRST_MS, LATER_LIMIT_MS));
		take_back(engine, job);
		job->tries++;
		job_hold(engine, job, HOLD_PROVIDER, answer.words, answer.advice);
		break;
	case CREATE_REFUSED:
		budget_take_back(&engine->budget, job);
		job->spent = 0;
		job_set_state(engine, job, JOB_FAILED, answer.words, answer.advice);
		break;
	case CREATE_UNKNOWN:
		job_set_state(engine, job, JOB_UNKNOWN, answer.words, answer.advice);
		break;
	}
	create_answer_clear(&answer);
}

/* The intent is durable now: send it, once. */
void enter_submitting(struct engine *engine, struct job *job)
{
	const struct account *account = config_account(engine->config, job->provider);
	AUTO_FREE char *url = job->provider->create_url(account, job->model);
	AUTO_FREE char *request_text = journal_request(engine->journal, job->id);
	struct http_request request = {.url = url,
		.bearer = account->key,
		.form_fd = -1,
		.sink_fd = -1,
		.once = true,
		.timeout_ms = CREATE_TIMEOUT_MS};
	int error;

	request.body = body_to_send(&engine->tree, job, request_text);
	if (!url || !request.body) {
		/* a picture changed in this moment, or no memory: nothing was sent */
		take_back(engine, job);
		job_set_state(engine, job, JOB_QUEUED, NULL, NULL);
		judge_again(engine, job);
		free(request.body);
		return;
	}
	request.body_bytes = strlen(request.body);
	error = http_start(engine->http, &request, created, job, &job->transfer);
	if (error) {
		job->transfer = NULL;
		take_back(engine, job);
		job->tries++;
		job_hold(engine, job, HOLD_PROVIDER, "The request could not be started.",
			"Check the provider's URL in the configuration: it must be https.");
	}
}

/*
 * From result links to files in out/. Each result is downloaded into
 * incoming/, resumed where it broke off, checked, fsynced, given a name that
 * is noted in the journal, and renamed into place by the publisher. The part
 * file leaves incoming/ only by that rename, so after a crash a file of that
 * name, and no part file, means: published.
 */
#include "fs/engine/engine_core.h"

#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "fs/base/log.h"
#include "fs/net/video.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define RETRY_FIRST_MS     2000
#define RETRY_LIMIT_MS     (2 * 60 * 1000)
#define REFRESH_TIMEOUT_MS (60 * 1000)
#define TAKES_MAX          10000 /* cat.10000.mp4 */
/* api.md 1.4: results live 24 hours or 14 days, the documents disagree. A link that is dead after
 * the longer of the two stays dead. */
#define LINKS_LIVE_AT_MOST_MS (15 * 24 * 3600 * 1000LL)

/* False: no memory, and the key is gone. */
static bool set_text(cJSON *object, const char *key, const char *text)
{
	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	return cJSON_AddStringToObject(object, key, text) != NULL;
}

static bool is_published(const cJSON *output)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(output, "published"));
}

/* The first result that is not in out/ yet, or NULL; its number, from 0. */
static cJSON *next_output(const struct job *job, int *number)
{
	cJSON *output;

	*number = 0;
	cJSON_ArrayForEach (output, job->outputs) {
		if (!is_published(output))
			return output;
		++*number;
	}
	return NULL;
}

static char *part_name(const struct job *job, int number)
{
	char *name;

	if (asprintf(&name, "%lld-%d.part", (long long)job->id, number) < 0)
		return NULL;
	return name;
}

static void set_links_until(struct job *job, const struct poll_answer *answer)
{
	int64_t lifetime =
		answer->lifetime_ms > 0 ? answer->lifetime_ms : job->provider->link_lifetime_ms;

	job->links_until_ms = clock_wall_ms() + lifetime;
}

int fetch_plan(struct job *job, const struct poll_answer *answer)
{
	cJSON *outputs = cJSON_CreateArray();

	for (size_t i = 0; i < answer->nurl; i++) {
		cJSON *output = cJSON_CreateObject();

		if (!cJSON_AddStringToObject(output, "url", answer->url[i]) ||
			!cJSON_AddItemToArray(outputs, output)) {
			cJSON_Delete(outputs);
			return -ENOMEM;
		}
	}
	cJSON_Delete(job->outputs);
	job->outputs = outputs;
	set_links_until(job, answer);
	return 0;
}

/* ------------------------------------------------------------------ pauses */

static void download_due(void *context, struct timer *timer)
{
	enter_downloading(context, job_of_timer(timer));
}

/* A fresh link from the provider's own service for that (kie.ai's download-url, api.md 4). */
static void link_refreshed(void *context, const struct http_reply *reply)
{
	struct job *job = context;
	struct engine *engine = job->engine;
	AUTO_FREE char *url = NULL;
	int number;

	job->transfer = NULL;
	url = job->provider->read_refresh(reply);
	if (url) /* without one it is asked for again */
		(void)set_text(next_output(job, &number), "url", url);
	enter_downloading(engine, job);
}

static bool ask_for_link(struct engine *engine, struct job *job)
{
	const struct account *account = config_account(engine->config, job->provider);
	AUTO_FREE char *url = NULL;
	struct http_request request = {.bearer = account->key,
		.form_fd = -1,
		.sink_fd = -1,
		.timeout_ms = REFRESH_TIMEOUT_MS};
	int number;

	if (!job->provider->refresh_url || !account->key)
		return false;
	url = job->provider->refresh_url(account);
	request.url = url;
	request.body = job->provider->refresh_body(json_text(next_output(job, &number), "url"));
	if (!url || !request.body) {
		free(request.body);
		return false;
	}
	request.body_bytes = strlen(request.body);
	if (http_start(engine->http, &request, link_refreshed, job, &job->transfer) == 0)
		return true;
	job->transfer = NULL;
	return false;
}

/* The links may have died: asks for the task again, and every other time for a new link. */
static void refresh_due(void *context, struct timer *timer)
{
	struct engine *engine = context;
	struct job *job = job_of_timer(timer);

	job->refreshed = !job->refreshed;
	if (job->refreshed || !ask_for_link(engine, job))
		lane_enter(engine, &engine->polls, job);
}

/* Tries the download again after a pause; through the provider when the links may have died. */
static void try_later(struct engine *engine, struct job *job, const char *problem, bool refresh)
{
	lane_leave(engine, job);
	if (refresh && clock_wall_ms() - job->accepted_ms > LINKS_LIVE_AT_MOST_MS) {
		job_set_state(engine, job, JOB_FAILED, problem,
			"The video was made and paid for, but the provider no longer has it.");
		return;
	}
	if (!job->problem || strcmp(job->problem, problem) != 0) {
		job_set_text(&job->problem, problem);
		job_set_text(&job->advice,
			"The video is paid for; its download is tried again until it works or the "
			"link dies (links_live_until).");
		job->told = false;
		engine_touch(engine, job, NULL);
	}
	job->timer.fire = refresh ? refresh_due : download_due;
	engine_set_timer(
		engine, &job->timer, pause_ms(++job->tries, RETRY_FIRST_MS, RETRY_LIMIT_MS));
}

void fetch_not_known(struct engine *engine, struct job *job, const char *words)
{
	try_later(engine, job, words ? words : "The provider does not know the task.", false);
}

void fetch_refreshed(struct engine *engine, struct job *job, const struct poll_answer *answer)
{
	cJSON *output;
	size_t i = 0;

	cJSON_ArrayForEach (output, job->outputs) {
		if (i < answer->nurl && !is_published(output))
			(void)set_text(output, "url", answer->url[i]); /* as above */
		i++;
	}
	set_links_until(job, answer);
	engine_touch(engine, job, enter_downloading);
}

/* ------------------------------------------------------------------ publish */

static bool name_is_free(struct engine *engine, const char *path)
{
	AUTO_FREE char *stored = NULL;
	struct stat info;

	return asprintf(&stored, "tree/%s", path) >= 0 &&
	       fstatat(engine->setup.store_fd, stored, &info, AT_SYMLINK_NOFOLLOW) < 0 &&
	       errno == ENOENT;
}

/* The first free one of cat.mp4, cat.2.mp4, cat.3.mp4 …; cat-2.mp4 … for further results. */
static char *free_name(struct engine *engine, const struct job *job, int number, const char *type)
{
	for (int take = 1; take < TAKES_MAX; take++) {
		AUTO_FREE char *stem = NULL, *path = NULL;
		char nth[16] = "", result[16] = "";

		if (take > 1)
			(void)snprintf(nth, sizeof(nth), ".%d", take); /* fits */
		if (number > 0)
			(void)snprintf(result, sizeof(result), "-%d", number + 1); /* fits */
		if (asprintf(&stem, "%s%s%s", job->stem, nth, result) < 0)
			return NULL;
		path = place_path(job->model, AREA_OUT, job->dir, stem, type);
		if (!path)
			return NULL;
		if (name_is_free(engine, path))
			return TAKE(path);
	}
	return NULL;
}

static void published(void *context, int64_t id, int error)
{
	struct engine *engine = context;
	const struct message message = {.kind = MESSAGE_PUBLISHED, .number = id, .error = error};

	/* not taken once the engine has ended: the next start finds the part file gone */
	(void)inbox_post(&engine->inbox, &message);
}

static void post_output(struct engine *engine, struct job *job)
{
	int number;
	cJSON *output = next_output(job, &number);
	struct publish_order order = {.kind = PUBLISH_FILE,
		.source = part_name(job, number),
		.target = strdup(json_text(output, "file")),
		.done = published,
		.context = engine,
		.number = job->id};

	if (order.source && order.target && publisher_post(engine->publisher, &order) == 0)
		return;
	free(order.source);
	free(order.target);
	try_later(engine, job, "The video could not be handed to the publisher.", false);
}

/* Gives a finished result its name; renames once the name is durable. */
static void name_output(struct engine *engine, struct job *job, cJSON *output, int number)
{
	AUTO_FREE char *path = free_name(engine, job, number, json_text(output, "type"));

	if (!path) {
		try_later(engine, job, "No name is free for the video in out/.", false);
		return;
	}
	if (!set_text(output, "file", path)) {
		try_later(engine, job, "out of memory", false);
		return;
	}
	engine_touch(engine, job, post_output);
}

static void output_is_there(struct engine *engine, struct job *job, cJSON *output)
{
	cJSON_DeleteItemFromObjectCaseSensitive(output, "published");
	cJSON_AddTrueToObject(output, "published");
	job->tries = 0;
	engine_touch(engine, job, enter_downloading);
}

/* Neither where it was made nor where it was to be: fetched again, which costs nothing. The name
 * goes first, durably, as it would make a part of a video look whole. */
static void output_is_lost(struct engine *engine, struct job *job, cJSON *output)
{
	cJSON_DeleteItemFromObjectCaseSensitive(output, "file");
	engine_touch(engine, job, enter_downloading);
}

void fetch_published(struct engine *engine, int64_t id, int error)
{
	struct job *job = engine_find_id(engine, id);
	cJSON *output;
	int number;

	if (!job || job->state != JOB_DOWNLOADING)
		return;
	output = next_output(job, &number);
	if (!output)
		return;
	if (!error) {
		output_is_there(engine, job, output);
	} else if (error == -EEXIST) {
		name_output(engine, job, output, number);
	} else {
		log_warn("%s: cannot publish: %s", json_text(output, "file"), strerror(-error));
		cJSON_DeleteItemFromObjectCaseSensitive(output, "file");
		engine_touch(engine, job, NULL);
		try_later(engine, job, "The video could not be put into out/.", false);
	}
}

/* ------------------------------------------------------------------ download */

/* Opens the part file. A descriptor or -errno; *bytes: what is there already. */
static int open_part(struct engine *engine, struct job *job, int number, int64_t *bytes)
{
	AUTO_FREE char *name = part_name(job, number);
	AUTO_FREE char *path = NULL;
	AUTO_FD int fd = -1;
	struct stat info;
	int result;

	if (!name || asprintf(&path, "incoming/%s", name) < 0)
		return -ENOMEM;
	fd = openat(engine->setup.store_fd, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || fstat(fd, &info) < 0)
		return -errno;
	*bytes = info.st_size;
	result = fd;
	fd = -1;
	return result;
}

static bool part_exists(struct engine *engine, struct job *job, int number)
{
	AUTO_FREE char *name = part_name(job, number);
	AUTO_FREE char *path = NULL;

	return !name || asprintf(&path, "incoming/%s", name) < 0 ||
	       faccessat(engine->setup.store_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       errno != ENOENT;
}

/* Everything arrived: is it a video? Then make it durable and give it a name. */
static void check_part(struct engine *engine, struct job *job, cJSON *output, int number)
{
	AUTO_FREE char *problem = NULL;
	const char *suffix = NULL, *why = NULL;
	struct stat info = {0};
	int error = fstat(job->part_fd, &info) < 0
	                    ? -errno
	                    : video_check(job->part_fd, info.st_size, &suffix, &why);

	if (!error && fsync(job->part_fd) < 0)
		error = -errno;
	if (!error && !set_text(output, "type", suffix))
		error = -ENOMEM;
	if (error) {
		if (error == -EBADMSG)
			(void)!ftruncate(job->part_fd, 0); /* else the check fails again */
		if (asprintf(&problem, "What was downloaded cannot be used: %s.",
			    why ? why : strerror(-error)) < 0)
			problem = NULL;
		/* a link may lead to an error page: ask for it anew as well */
		try_later(engine, job, problem ? problem : "out of memory", error == -EBADMSG);
		return;
	}
	cleanup_fd(&job->part_fd);
	job->part_fd = -1;
	cJSON_DeleteItemFromObjectCaseSensitive(output, "bytes");
	cJSON_AddNumberToObject(output, "bytes", (double)info.st_size);
	job_set_text(&job->problem, NULL);
	job_set_text(&job->advice, NULL);
	name_output(engine, job, output, number);
}

static void downloaded(void *context, const struct http_reply *reply)
{
	struct job *job = context;
	struct engine *engine = job->engine;
	AUTO_FREE char *problem = NULL;
	int number;
	cJSON *output = next_output(job, &number);
	bool expired = reply->status == 401 || reply->status == 403 || reply->status == 404 ||
	               reply->status == 410;
	int length;

	job->transfer = NULL;
	lane_leave(engine, job);
	if (reply->result == CURLE_OK && (reply->status == 200 || reply->status == 206)) {
		check_part(engine, job, output, number);
		return;
	}
	if (reply->status == 416 || reply->result == CURLE_RANGE_ERROR)
		(void)!ftruncate(job->part_fd, 0); /* what is there is no part of it: begin again */
	if (reply->result != CURLE_OK)
		length = asprintf(&problem, "The download broke off: %s.", reply->error);
	else
		length = asprintf(&problem, "The result link answered HTTP %ld.", reply->status);
	try_later(engine, job, length < 0 ? "The download failed." : problem, expired);
}

/* When the last run ended, or when it could not be published. */
static bool may_be_whole(const struct job *job, const cJSON *output, int64_t bytes)
{
	double whole = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(output, "bytes"));

	return bytes > 0 && (job->tries == 0 || (double)bytes == whole);
}

void work_download(struct engine *engine, struct job *job)
{
	struct http_request request = {
		.form_fd = -1, .follow = true, .sink_limit = LIMIT_VIDEO_BYTES};
	const char *suffix, *why;
	int number;
	cJSON *output = next_output(job, &number);
	int64_t bytes = 0;
	int fd = open_part(engine, job, number, &bytes);

	if (fd < 0) {
		log_error("incoming: %s", strerror(-fd));
		try_later(engine, job, "The video cannot be stored.", false);
		return;
	}
	cleanup_fd(&job->part_fd);
	job->part_fd = fd;
	if (may_be_whole(job, output, bytes) && video_check(fd, bytes, &suffix, &why) == 0) {
		lane_leave(engine, job);
		check_part(engine, job, output, number);
		return;
	}
	request.url = json_text(output, "url");
	request.sink_fd = fd;
	request.resume_at = bytes;
	if (http_start(engine->http, &request, downloaded, job, &job->transfer) == 0)
		return;
	job->transfer = NULL;
	try_later(engine, job, "The result link is not usable.", true);
}

void enter_downloading(struct engine *engine, struct job *job)
{
	int number;
	cJSON *output = next_output(job, &number);

	if (!output)
		job_set_state(engine, job, JOB_DONE, NULL, NULL);
	else if (!json_text(output, "file"))
		lane_enter(engine, &engine->downloads, job);
	else if (part_exists(engine, job, number))
		post_output(engine, job);
	else if (!name_is_free(engine, json_text(output, "file")))
		output_is_there(engine, job, output); /* renamed just before the last run ended */
	else
		output_is_lost(engine, job, output);
}

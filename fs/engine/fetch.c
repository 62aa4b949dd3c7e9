#include "fs/engine/fetch.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/base/log.h"
#include "fs/config/config.h"
#include "fs/engine/backoff.h"
#include "fs/engine/core.h"
#include "fs/engine/outname.h"
#include "fs/net/video.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define RETRY_FIRST_MS     2000
#define RETRY_LIMIT_MS     (2 * 60 * 1000)
#define REFRESH_TIMEOUT_MS (60 * 1000)
/* fs/net/API.md 1.4: results live 24 hours or 14 days, the documents disagree. A link that is dead
 * after the longer of the two stays dead. */
#define LINKS_LIVE_AT_MOST_MS (15 * 24 * 3600 * 1000LL)

/* The first result that is not in out/ yet, or NULL; its number, from 0. */
static struct output *next_output(struct job *job, int *number)
{
	for (*number = 0; (size_t)*number < job->row.noutputs; ++*number)
		if (job->row.output[*number].state != OUTPUT_PUBLISHED)
			return &job->row.output[*number];
	return NULL;
}

static char *part_name(const struct job *job, int number)
{
	return format("%lld-%d.part", (long long)job->row.id, number);
}

static char *part_path(const struct job *job, int number)
{
	return format("incoming/%lld-%d.part", (long long)job->row.id, number);
}

static void set_links_until(struct job *job, const struct poll_answer *answer)
{
	int64_t lifetime =
		answer->lifetime_ms > 0 ? answer->lifetime_ms : job->provider->link_lifetime_ms;

	job->row.links_until_ms = clock_wall_ms() + lifetime;
}

int fetch_plan(struct job *job, const struct poll_answer *answer)
{
	struct output *output = calloc(answer->nurl + 1, sizeof(*output));

	if (!output)
		return -ENOMEM;
	for (size_t i = 0; i < answer->nurl; i++) {
		output[i].url = strdup(answer->url[i]);
		if (!output[i].url) {
			outputs_free(output, i);
			return -ENOMEM;
		}
	}
	outputs_free(job->row.output, job->row.noutputs);
	job->row.output = output;
	job->row.noutputs = answer->nurl;
	set_links_until(job, answer);
	return 0;
}

/* ------------------------------------------------------------------ pauses */

static void download_due(void *context, struct timer *timer)
{
	enter_downloading(context, job_of_timer(timer));
}

/* A fresh link from the provider's own service for that (kie.ai's download-url, fs/net/API.md 4).
 */
static void link_refreshed(void *context, const struct http_reply *reply)
{
	struct job *job = context;
	AUTO_FREE char *url = NULL;
	struct output *output;
	int number;

	job->transfer = NULL;
	url = job->provider->read_refresh(reply);
	output = next_output(job, &number);
	if (url && output) { /* without one it is asked for again */
		free(output->url);
		output->url = TAKE(url);
	}
	enter_downloading(job->engine, job);
}

static bool ask_for_link(struct engine *engine, struct job *job)
{
	const struct account *account = config_account(engine->setup.config, job->provider);
	AUTO_FREE char *url = NULL;
	struct http_request request = {.bearer = account->key,
		.form_fd = -1,
		.sink_fd = -1,
		.timeout_ms = REFRESH_TIMEOUT_MS};
	int number;
	const struct output *output = next_output(job, &number);

	if (!job->provider->refresh_url || !account->key)
		return false;
	url = job->provider->refresh_url(account);
	request.url = url;
	request.body = job->provider->refresh_body(output->url);
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
		slots_enter(&engine->slots.polls, job);
}

/* Tries the download again after a pause; through the provider when the links may have died. */
static void try_later(struct engine *engine, struct job *job, const char *problem, bool refresh)
{
	slots_leave(job);
	if (refresh && clock_wall_ms() - job->row.accepted_ms > LINKS_LIVE_AT_MOST_MS) {
		job_set_state(job, JOB_FAILED, problem,
			"The video was made and paid for, but the provider no longer has it.");
		return;
	}
	job_say(job, problem ? problem : "out of memory",
		"The video is paid for; its download is tried again until it works or the link dies "
		"(links_live_until).");
	job->timer.fire = refresh ? refresh_due : download_due;
	engine_set_timer(
		engine, &job->timer, backoff_ms(++job->tries, RETRY_FIRST_MS, RETRY_LIMIT_MS));
}

void fetch_not_known(struct engine *engine, struct job *job, const char *words)
{
	try_later(engine, job, words ? words : "The provider does not know the task.", false);
}

void fetch_refreshed(struct job *job, const struct poll_answer *answer)
{
	for (size_t i = 0; i < job->row.noutputs && i < answer->nurl; i++) {
		struct output *output = &job->row.output[i];
		char *url = output->state == OUTPUT_PUBLISHED ? NULL : strdup(answer->url[i]);

		if (url) { /* else the old one is tried again */
			free(output->url);
			output->url = url;
		}
	}
	set_links_until(job, answer);
	job_commit_then(job, enter_downloading);
}

/* ------------------------------------------------------------------ publish */

static void published(void *context, int64_t id, int error)
{
	struct engine *engine = context;

	/* not taken once the engine has ended: the next start finds the part file gone */
	(void)inbox_post(&engine->inbox,
		&(struct message){.kind = MESSAGE_PUBLISHED, .number = id, .error = error});
}

static void publish(struct engine *engine, struct job *job)
{
	int number;
	const struct output *output = next_output(job, &number);
	struct publish_order order = {.kind = PUBLISH_FILE,
		.source = part_name(job, number),
		.target = strdup(output->file),
		.done = published,
		.context = engine,
		.number = job->row.id};

	if (order.source && order.target && engine->host.publish(engine->host.context, &order) == 0)
		return;
	free(order.source);
	free(order.target);
	try_later(engine, job, "The video could not be handed to the publisher.", false);
}

/* linked, or named when that name was taken → named: renamed once the name is durable. */
static void name_output(struct engine *engine, struct job *job, struct output *output, int number)
{
	char *path = outname_free(engine, job, number, output->type);

	if (!path) {
		try_later(engine, job, "No name is free for the video in out/.", false);
		return;
	}
	free(output->file);
	output->file = path;
	output->state = OUTPUT_NAMED;
	job_commit_then(job, publish);
}

/* named → published */
static void output_is_there(struct job *job, struct output *output)
{
	output->state = OUTPUT_PUBLISHED;
	job->tries = 0;
	job_commit_then(job, enter_downloading);
}

/* named → linked: neither where it was made nor where it was to be, it is fetched again, which
 * costs nothing. The name goes first, durably, as it would make a part of a video look whole. */
static void output_is_lost(struct job *job, struct output *output)
{
	free(TAKE(output->file));
	output->state = OUTPUT_LINKED;
	job_commit_then(job, enter_downloading);
}

void fetch_published(struct engine *engine, int64_t id, int error)
{
	struct job *job = jobs_find_id(&engine->jobs, id);
	struct output *output;
	int number;

	if (!job || job->row.state != JOB_DOWNLOADING)
		return;
	output = next_output(job, &number);
	if (!output || output->state != OUTPUT_NAMED)
		return;
	if (!error) {
		output_is_there(job, output);
	} else if (error == -EEXIST) {
		name_output(engine, job, output, number);
	} else {
		log_warn("%s: cannot publish: %s", output->file, strerror(-error));
		free(TAKE(output->file));
		output->state = OUTPUT_LINKED;
		job_commit_then(job, NULL);
		try_later(engine, job, "The video could not be put into out/.", false);
	}
}

/* ------------------------------------------------------------------ download */

/* Opens the part file. A descriptor or -errno; *bytes: what is there already. */
static int open_part(struct engine *engine, struct job *job, int number, int64_t *bytes)
{
	AUTO_FREE char *path = part_path(job, number);
	AUTO_FD int fd = -1;
	struct stat info;

	if (!path)
		return -ENOMEM;
	fd = openat(engine->setup.store_fd, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || fstat(fd, &info) < 0)
		return -errno;
	*bytes = info.st_size;
	return TAKE_FD(fd);
}

static bool part_exists(struct engine *engine, struct job *job, int number)
{
	AUTO_FREE char *path = part_path(job, number);

	return !path || faccessat(engine->setup.store_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       errno != ENOENT;
}

/* A download that cannot be used as it is. */
static void refuse_part(struct engine *engine, struct job *job, int error, const char *why)
{
	AUTO_FREE char *problem =
		format("What was downloaded cannot be used: %s.", why ? why : strerror(-error));

	if (error == -EBADMSG)
		(void)!ftruncate(job->part_fd, 0); /* else the check fails again */
	/* a link may lead to an error page: ask for it anew as well */
	try_later(engine, job, problem, error == -EBADMSG);
}

/* Everything arrived: is it a video? Then make it durable and give it a name. */
static void check_part(struct engine *engine, struct job *job, struct output *output, int number)
{
	const char *suffix = NULL, *why = NULL;
	struct stat info = {0};
	int error = fstat(job->part_fd, &info) < 0
	                    ? -errno
	                    : video_check(job->part_fd, info.st_size, &suffix, &why);

	if (!error && fsync(job->part_fd) < 0)
		error = -errno;
	if (!error) {
		job_set_text(&output->type, suffix);
		error = output->type ? 0 : -ENOMEM;
	}
	if (error) {
		refuse_part(engine, job, error, why);
		return;
	}
	cleanup_fd(&job->part_fd);
	output->bytes = info.st_size;
	job_set_text(&job->row.problem, NULL);
	job_set_text(&job->row.advice, NULL);
	name_output(engine, job, output, number);
}

static void downloaded(void *context, const struct http_reply *reply)
{
	struct job *job = context;
	struct engine *engine = job->engine;
	AUTO_FREE char *problem = NULL;
	int number;
	struct output *output = next_output(job, &number);
	bool expired = reply->status == 401 || reply->status == 403 || reply->status == 404 ||
	               reply->status == 410;

	job->transfer = NULL;
	slots_leave(job);
	if (reply->result == CURLE_OK && (reply->status == 200 || reply->status == 206)) {
		check_part(engine, job, output, number);
		return;
	}
	if (reply->status == 416 || reply->result == CURLE_RANGE_ERROR)
		(void)!ftruncate(job->part_fd, 0); /* what is there is no part of it: begin again */
	problem = reply->result != CURLE_OK
	                  ? format("The download broke off: %s.", reply->error)
	                  : format("The result link answered HTTP %ld.", reply->status);
	try_later(engine, job, problem, expired);
}

/* When the last run ended, or when it could not be published. */
static bool may_be_whole(const struct job *job, const struct output *output, int64_t bytes)
{
	return bytes > 0 && (job->tries == 0 || bytes == output->bytes);
}

void fetch_download(struct engine *engine, struct job *job)
{
	struct http_request request = {
		.form_fd = -1, .follow = true, .sink_limit = LIMIT_VIDEO_BYTES};
	const char *suffix, *why;
	int number;
	struct output *output = next_output(job, &number);
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
		slots_leave(job);
		check_part(engine, job, output, number);
		return;
	}
	request.url = output->url;
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
	struct output *output = next_output(job, &number);

	if (!output)
		job_set_state(job, JOB_DONE, NULL, NULL);
	else if (output->state == OUTPUT_LINKED)
		slots_enter(&engine->slots.downloads, job);
	else if (part_exists(engine, job, number))
		publish(engine, job);
	else if (!outname_is_free(engine, output->file))
		output_is_there(job, output); /* renamed just before the last run ended */
	else
		output_is_lost(job, output);
}

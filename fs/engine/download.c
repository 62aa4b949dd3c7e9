#include "fs/engine/download.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/base/log.h"
#include "fs/engine/core.h"
#include "fs/engine/deliver.h"
#include "fs/engine/fetch.h"
#include "fs/engine/part.h"
#include "fs/engine/space.h"
#include "fs/net/result.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define KEEP_EVERY_MS (30 * 1000)
#define KEEP_BYTES    (16LL << 20)
#define TRY_MS        (10 * 60 * 1000LL) /* then it goes to the end of the queue */
#define TRY_DOUBLINGS 6
#define UNKNOWN_TIMES 5 /* what no type is known of may be a broken answer */

static struct output *in_work(struct job *job)
{
	return &job->row.output[job->at];
}

/* ------------------------------------------------------------------ while it comes */

/* Only the very file that the part is of goes on where the part ends. */
static bool is_same_file(const struct output *output, const struct http_file *file)
{
	return file->validator && output->validator && file->length == output->promised &&
	       strcmp(file->validator, output->validator) == 0;
}

static int begins(void *context, const struct http_file *file)
{
	struct job *job = context;
	struct engine *engine = job->engine;
	struct output *output = in_work(job);
	int64_t there, more = file->length - file->start;

	if (output->now.have > 0 ? file->start == 0 || !is_same_file(output, file) : file->start)
		return -ESTALE;
	if (!file->start) {
		output->promised = file->length > 0 ? file->length : 0;
		job_set_text(&output->validator, file->validator);
	}
	if (more > 0 &&
		!space_take(engine->setup.store_fd, job->part_fd, file->start, more, &there))
		return -ENOSPC;
	return 0;
}

/* So that a start after a loss of power need not begin a large file anew. */
static void keep_some(void *context, struct timer *timer)
{
	struct job *job = job_of_timer(timer);
	struct output *output = in_work(job);
	struct stat info;

	if (part_may_go_on(output) && fstat(job->part_fd, &info) == 0 &&
		info.st_size - output->kept >= KEEP_BYTES)
		deliver_keep(context, job, info.st_size);
	engine_set_timer(context, timer, KEEP_EVERY_MS);
}

/* ------------------------------------------------------------------ when it ended */

/* It is another file now, or what came is of no use. */
static void begin_anew(
	struct engine *engine, struct job *job, enum trouble trouble, const char *words)
{
	part_forget(in_work(job));
	(void)!ftruncate(job->part_fd, 0); /* its bytes go back */
	cleanup_fd(&job->part_fd);
	fetch_later(engine, job, trouble, words);
}

static void unusable(struct engine *engine, struct job *job, int error, const char *why)
{
	AUTO_FREE char *words =
		format("What was downloaded cannot be used: %s.", why ? why : strerror(-error));

	if (error == -EBADMSG) /* a link may lead to an error page: a fresh one is asked for */
		begin_anew(engine, job, TROUBLE_DEAD, words);
	else
		fetch_later(engine, job, TROUBLE_HERE, words);
}

/* Only films in boxes are. */
static bool is_to_be_marked(const struct engine *engine, const struct result *result)
{
	return engine->setup.config->provenance != PROVENANCE_OFF && result->kinds & RESULT_VIDEO;
}

/* All the bytes are there: what are they? */
static void arrived(struct engine *engine, struct job *job)
{
	struct output *output = in_work(job);
	struct result result = {0};
	const char *why = NULL;
	int error = result_check(job->part_fd, output->now.have, &result, &why);

	if (error == 0 && !result.known && ++output->now.unknown < UNKNOWN_TIMES) {
		why = "It is nothing that is known";
		error = -EBADMSG;
	}
	if (error) {
		unusable(engine, job, error, why);
		return;
	}
	job_set_text(&output->other,
		result.kinds & fetch_promised(job, (size_t)job->at) ? NULL : result.type);
	job_set_text(&output->type, result.suffix);
	output->moov = is_to_be_marked(engine, &result) ? result.moov : 0;
	job_set_text(&output->problem, NULL);
	cleanup_fd(&job->part_fd);
	output->now.whole = true;
	deliver_whole(engine, job);
}

/* The server sent what it wanted to. Is that all? */
static void ended(struct engine *engine, struct job *job, const struct http_reply *reply)
{
	struct output *output = in_work(job);
	AUTO_FREE char *words = NULL;
	int64_t before = output->now.ended_at;

	if (output->promised && output->now.have != output->promised) {
		words = format("The server sent %lld of %lld bytes.", (long long)output->now.have,
			(long long)output->promised);
		fetch_later(engine, job, TROUBLE_LINE, words);
		return;
	}
	output->now.ended_at = output->now.have;
	/* a connection that ends without such a mark may have broken: not twice at the same byte */
	if (!reply->end_marked && before != output->now.have)
		begin_anew(engine, job, TROUBLE_LINE,
			"The connection ended, and the server had not said how long the file is.");
	else
		arrived(engine, job);
}

static void no_room(struct engine *engine, struct job *job)
{
	struct output *output = in_work(job);
	int64_t there, bytes = output->promised;

	part_forget(output);
	(void)!ftruncate(job->part_fd, 0);
	cleanup_fd(&job->part_fd);
	part_remove(engine, job, job->at);
	(void)space_is_there(engine->setup.store_fd, 0, &there);
	if (bytes)
		fetch_when_room(engine, job, bytes, there);
	else
		fetch_later(engine, job, TROUBLE_WASTED,
			"The disk of the store became full, and the server had not said how long "
			"the file is.");
}

static bool is_dead(long status)
{
	return status == 401 || status == 403 || status == 404 || status == 410;
}

static void broke_off(struct engine *engine, struct job *job, const struct http_reply *reply)
{
	AUTO_FREE char *words = format("The download broke off: %s.", reply->error);
	struct output *output = in_work(job);

	bool is_further = part_may_go_on(output) && output->now.have > output->now.furthest;

	if (is_further) {
		output->now.furthest = output->now.have;
		fetch_gains(output);
		deliver_keep(engine, job, output->now.have);
	}
	fetch_later(engine, job,
		is_further             ? TROUBLE_LINE
		: reply->received == 0 ? TROUBLE_SILENT
				       : TROUBLE_WASTED,
		words);
}

static void failed(struct engine *engine, struct job *job, const struct http_reply *reply)
{
	AUTO_FREE char *words = format("The result link answered HTTP %ld.", reply->status);

	fetch_later(engine, job, is_dead(reply->status) ? TROUBLE_DEAD : TROUBLE_SERVER, words);
}

static bool is_full(int error)
{
	return error == -ENOSPC || error == -EDQUOT;
}

static enum figure_download end_of(const struct http_reply *reply)
{
	if (reply->result != CURLE_OK)
		return DOWNLOAD_BROKEN;
	return reply->status == 200 || reply->status == 206 ? DOWNLOAD_WHOLE : DOWNLOAD_REFUSED;
}

static void downloaded(void *context, const struct http_reply *reply)
{
	struct job *job = context;
	struct engine *engine = job->engine;
	struct output *output = in_work(job);

	job->transfer = NULL;
	timer_clear(&engine->timers, &job->timer);
	slots_leave(job);
	figures_downloaded(engine->figures, end_of(reply), reply->received);
	if (reply->received > 0)
		output->now.have = (reply->resumed ? output->now.have : 0) + reply->received;
	if (reply->local_error == -ESTALE || reply->result == CURLE_RANGE_ERROR ||
		(reply->status == 416 && output->now.have > 0))
		begin_anew(engine, job, TROUBLE_WASTED,
			"The server has another file there now; it is fetched from its start.");
	else if (is_full(reply->local_error))
		no_room(engine, job);
	else if (reply->result == CURLE_WRITE_ERROR)
		fetch_later(engine, job, TROUBLE_HERE, reply->error);
	else if (reply->result == CURLE_FILESIZE_EXCEEDED)
		begin_anew(engine, job, TROUBLE_WASTED, reply->error);
	else if (reply->result != CURLE_OK)
		broke_off(engine, job, reply);
	else if (reply->status == 200 || reply->status == 206)
		ended(engine, job, reply);
	else
		failed(engine, job, reply);
}

/* ------------------------------------------------------------------ begun */

static void cannot_begin(struct engine *engine, struct job *job, int error)
{
	AUTO_FREE char *words = format("It cannot be stored: %s.", strerror(-error));

	if (error == -ESTALE) { /* the journal must know first (part.h) */
		slots_leave(job);
		part_forget(in_work(job));
		fetch_next(job);
		return;
	}
	log_error("incoming: %s", strerror(-error));
	fetch_later(engine, job, TROUBLE_HERE, words);
}

/* One that would have to begin anew gets more time with each try, so that it comes one day. */
static int64_t time_for(const struct output *output)
{
	int tries = output->tries < TRY_DOUBLINGS ? output->tries : TRY_DOUBLINGS;

	return TRY_MS << tries;
}

void download(struct engine *engine, struct job *job)
{
	struct output *output = in_work(job);
	struct http_request request = {.url = output->now.link ?: output->url,
		.form_fd = -1,
		.follow = true,
		.sink_limit = LIMIT_VIDEO_BYTES,
		.begin = begins,
		.timeout_ms = time_for(output)};
	int error;

	cleanup_fd(&job->part_fd);
	job->part_fd = part_open(engine, job, job->at, &request.resume_at);
	if (job->part_fd < 0) {
		cannot_begin(engine, job, job->part_fd);
		return;
	}
	request.sink_fd = job->part_fd;
	request.validator = output->validator;
	error = http_start(engine->http, &request, downloaded, job, &job->transfer);
	if (error < 0) {
		job->transfer = NULL;
		fetch_later(engine, job, error == -EINVAL ? TROUBLE_DEAD : TROUBLE_HERE,
			"The result link is not usable.");
		return;
	}
	job->timer.fire = keep_some;
	engine_set_timer(engine, &job->timer, KEEP_EVERY_MS);
}

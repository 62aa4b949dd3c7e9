#include "fs/engine/frames.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/base/quote.h"
#include "fs/engine/core.h"
#include "fs/engine/submit.h"
#include "fs/engine/uploads.h"
#include "fs/input/film.h"
#include "spec/kind.h"
#include "spec/media_field.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

/* A frame to be made. */
struct making {
	struct film_order order;
	char *sha256;    /* of the picture: the film and the frame that were judged */
	struct job *job; /* that waits; NULL: none does any more. Engine thread only */
	int error;       /* film_take(); -ESTALE: it is not the film that was judged */
	struct still *still;
	const char *type;
	char *words;
	STAILQ_ENTRY(making) entry;
};
STAILQ_HEAD(makings, making);

struct frames {
	struct inbox *inbox;
	pthread_t thread;
	bool may_run, running;
	int stop_fd;          /* readable: the thread is to end */
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t more;
	bool stop;
	struct makings wanted, made;
};

/* ------------------------------------------------------------------ making one */

static void making_free(struct making *making)
{
	cleanup_fd(&making->order.fd);
	still_free(making->still);
	free(making->sha256);
	free(making->words);
	free(making);
}

/* Whether the film was the one that was judged. */
static int compare(const struct making *making)
{
	char film[DIGEST_HEX_BYTES], hex[DIGEST_HEX_BYTES];
	int error = digest_fd(making->order.fd, film);

	if (!error)
		error = film_digest(film, making->order.frame, hex);
	return !error && strcmp(hex, making->sha256) != 0 ? -ESTALE : error;
}

static void make(struct making *making)
{
	int error;

	making->error = film_take(&making->order, &making->still, &making->type, &making->words);
	if (making->error && making->error != -EBADMSG && making->error != -EFBIG)
		return;
	error = compare(making);
	if (error)
		making->error = error;
}

static struct making *next_wanted(struct frames *frames)
{
	struct making *making;

	pthread_mutex_lock(&frames->lock);
	while (!frames->stop && STAILQ_EMPTY(&frames->wanted))
		pthread_cond_wait(&frames->more, &frames->lock);
	making = frames->stop ? NULL : STAILQ_FIRST(&frames->wanted);
	if (making)
		STAILQ_REMOVE_HEAD(&frames->wanted, entry);
	pthread_mutex_unlock(&frames->lock);
	return making;
}

static void *work(void *argument)
{
	struct frames *frames = argument;
	struct making *making;

	while ((making = next_wanted(frames))) {
		make(making);
		pthread_mutex_lock(&frames->lock);
		STAILQ_INSERT_TAIL(&frames->made, making, entry);
		pthread_mutex_unlock(&frames->lock);
		/* its job would wait for ever; someone else will free some memory */
		while (inbox_post_text(frames->inbox, MESSAGE_FRAMED, NULL, NULL, 0) == -ENOMEM)
			(void)usleep(10000);
	}
	return NULL;
}

/* ------------------------------------------------------------------ asking for one */

/* The first picture that must be made now. NULL: none. */
static struct picture *next_picture(const struct job *job)
{
	struct picture *picture = job->provider->uploads ? upload_next(job) : NULL;

	if (job->provider->uploads)
		return picture && picture->frame && !picture->still ? picture : NULL;
	for (size_t i = 0; i < job->row.npictures; i++) {
		picture = &job->row.picture[i];
		if (picture->frame && !picture->still && !picture->url)
			return picture;
	}
	return NULL;
}

/* 0 or -errno. */
static int making_new(
	struct engine *engine, struct job *job, const struct picture *picture, struct making **made)
{
	const struct model_field *field = model_field(job->model, picture->field);
	struct making *making;
	int64_t bytes;
	int error = 0;

	if (!field) /* any more, in the model's file of today */
		return -ESTALE;
	making = calloc(1, sizeof(*making));
	if (!making)
		return -ENOMEM;
	making->job = job;
	making->sha256 = strdup(picture->sha256);
	making->order = (struct film_order){.fd = tree_open(&engine->tree, picture->path, &bytes),
		.frame = picture->frame,
		.png = media_takes(field, "image/png"),
		.jpeg = media_takes(field, "image/jpeg"),
		.limit = (int64_t)media_limit(field),
		.stop_fd = engine->frames->stop_fd};
	if (making->order.fd < 0)
		error = -ESTALE;
	else if (!making->sha256)
		error = -ENOMEM;
	*made = error ? NULL : making;
	if (error)
		making_free(making);
	return error;
}

/* Whether the thread does it; else it is to be done here. */
static bool hand_over(struct frames *frames, struct making *making)
{
	if (!frames->running && frames->may_run)
		frames->running = pthread_create(&frames->thread, NULL, work, frames) == 0;
	if (!frames->running)
		return false;
	pthread_mutex_lock(&frames->lock);
	STAILQ_INSERT_TAIL(&frames->wanted, making, entry);
	pthread_cond_signal(&frames->more);
	pthread_mutex_unlock(&frames->lock);
	making->job->making = making;
	return true;
}

/* ------------------------------------------------------------------ what came of it */

/* "the last frame of hailuo/x/out/a.mp4"; the caller frees. */
static char *name_of(const struct job *job, const struct making *making)
{
	const char *path = "a film";
	AUTO_FREE char *shown = NULL;

	for (size_t i = 0; i < job->row.npictures; i++)
		if (job->row.picture[i].sha256 &&
			!strcmp(job->row.picture[i].sha256, making->sha256))
			path = job->row.picture[i].path;
	shown = quote_name(path);
	return format("the %s frame of %s", film_frame_name(making->order.frame), shown ?: "");
}

static void hold(struct job *job, const char *problem, const char *advice)
{
	job->tries++;
	job_hold(job, HOLD_PROVIDER, problem, advice);
}

/* Nothing was sent, so nothing is paid, whatever the reason. */
static void give_up(struct engine *engine, struct job *job, const struct making *making)
{
	AUTO_FREE char *name = name_of(job, making), *problem = NULL;

	switch (making->error) {
	case -ESTALE: upload_look_again(engine, job); break;
	case -EBADMSG:
		problem = format("ffmpeg cannot read %s: %s", name, making->words ?: "");
		job_set_state(job, JOB_REJECTED, problem,
			"If the film does not play either, put a whole one there; else put a picture "
			"in its place. Then save this again.");
		break;
	case -EFBIG:
		problem = format("%s is larger, as a picture, than the %.4g MB that are allowed",
			name, (double)making->order.limit / (1 << 20));
		job_set_state(job, JOB_REJECTED, problem,
			"Put a smaller film there, or a picture in its place; then save this again.");
		break;
	case -ENOENT:
		problem =
			format("It needs %s, which ffmpeg takes, and that is not installed.", name);
		hold(job, problem,
			"Install ffmpeg (Debian, Ubuntu: apt install ffmpeg). The job goes on by itself "
			"within half an hour then, or at once: kinofs retry PATH");
		break;
	case -ETIMEDOUT:
		problem = format("ffmpeg was stopped: it had not made %s within %d seconds.", name,
			FILM_TAKE_MS / 1000);
		hold(job, problem, "It is tried again by itself; at once: kinofs retry PATH");
		break;
	default:
		problem = format("%s could not be made: %s.", name, strerror(-making->error));
		hold(job, problem, "It is tried again by itself; at once: kinofs retry PATH");
		break;
	}
}

/* Whether there was a frame; it is the job's now. */
static bool finish(struct engine *engine, struct job *job, struct making *making)
{
	const bool made = !making->error;

	if (!made)
		give_up(engine, job, making);
	for (size_t i = 0; i < job->row.npictures && making->still; i++) {
		struct picture *picture = &job->row.picture[i];

		if (picture->frame && !picture->still && picture->sha256 &&
			!strcmp(picture->sha256, making->sha256)) {
			picture->still = TAKE(making->still);
			job_set_text(&picture->type, making->type);
		}
	}
	making_free(making);
	return made;
}

bool frames_are_ready(struct engine *engine, struct job *job)
{
	const struct picture *picture;
	struct making *making;
	int error;

	while (!job->making && (picture = next_picture(job))) {
		error = making_new(engine, job, picture, &making);
		if (error == -ESTALE)
			upload_look_again(engine, job);
		else if (error)
			hold(job, "There was no memory for it.", "It is tried again by itself.");
		if (error || hand_over(engine->frames, making))
			return false;
		make(making);
		if (!finish(engine, job, making))
			return false;
	}
	return !job->making;
}

static struct making *next_made(struct frames *frames)
{
	struct making *making;

	pthread_mutex_lock(&frames->lock);
	making = STAILQ_FIRST(&frames->made);
	if (making)
		STAILQ_REMOVE_HEAD(&frames->made, entry);
	pthread_mutex_unlock(&frames->lock);
	return making;
}

void frames_came(struct engine *engine)
{
	struct making *making;

	while ((making = next_made(engine->frames))) {
		struct job *job = making->job;

		if (!job) {
			making_free(making);
			continue;
		}
		job->making = NULL;
		if (!finish(engine, job, making))
			continue;
		if (job->row.state == JOB_UPLOADING)
			enter_uploading(engine, job);
		else
			submit_create(engine, job);
	}
}

/* ------------------------------------------------------------------ not wanted any more */

/* One that is being made is thrown away when it comes. */
static void forget(struct frames *frames, struct making *making)
{
	struct making *other;

	making->job = NULL;
	pthread_mutex_lock(&frames->lock);
	STAILQ_FOREACH(other, &frames->wanted, entry)
	if (other == making)
		break;
	if (other)
		STAILQ_REMOVE(&frames->wanted, making, making, entry);
	pthread_mutex_unlock(&frames->lock);
	if (other)
		making_free(making);
}

void frames_drop(struct job *job)
{
	if (job->making)
		forget(job->engine->frames, TAKE(job->making));
	for (size_t i = 0; i < job->row.npictures; i++)
		still_free(TAKE(job->row.picture[i].still));
}

void frames_give_up(struct engine *engine)
{
	struct takes takes;

	jobs_list(&engine->jobs, JOB_STATES, &takes);
	for (size_t i = 0; i < takes.count; i++)
		if (takes.item[i]->making)
			job_abort(takes.item[i]);
	takes_clear(&takes);
}

/* ------------------------------------------------------------------ life */

struct frames *frames_new(struct inbox *inbox)
{
	struct frames *frames = calloc(1, sizeof(*frames));

	if (!frames)
		return NULL;
	frames->inbox = inbox;
	frames->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (frames->stop_fd < 0) {
		free(frames);
		return NULL;
	}
	pthread_mutex_init(&frames->lock, NULL);
	pthread_cond_init(&frames->more, NULL);
	STAILQ_INIT(&frames->wanted);
	STAILQ_INIT(&frames->made);
	return frames;
}

void frames_start(struct frames *frames)
{
	frames->may_run = true;
}

void frames_stop(struct frames *frames)
{
	frames->may_run = false;
	if (!frames->running)
		return;
	pthread_mutex_lock(&frames->lock);
	frames->stop = true;
	pthread_cond_signal(&frames->more);
	pthread_mutex_unlock(&frames->lock);
	if (eventfd_write(frames->stop_fd, 1) < 0)
		log_warn("ffmpeg is waited for: %s", strerror(errno));
	(void)pthread_join(frames->thread, NULL); /* fails only for a thread not there */
	frames->running = false;
}

void frames_free(struct frames *frames)
{
	struct making *making;

	if (!frames)
		return;
	STAILQ_CONCAT(&frames->made, &frames->wanted);
	while ((making = next_made(frames)))
		making_free(making);
	cleanup_fd(&frames->stop_fd);
	pthread_cond_destroy(&frames->more);
	pthread_mutex_destroy(&frames->lock);
	free(frames);
}

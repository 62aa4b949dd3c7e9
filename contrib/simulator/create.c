/* create.c - from a checked job to a running task: find its pictures, hold its price, start it. */
#include "contrib/simulator/api.h"
#include "contrib/simulator/rate.h"
#include "contrib/simulator/render.h"

#include <string.h>
#include <strings.h>

static enum refusal check_picture(const struct picture *picture, size_t limit, const char *mime)
{
	if (!picture->demuxer)
		return PICTURE_TYPE;
	if (mime && strcasecmp(mime, picture->mime) != 0)
		return PICTURE_TYPE; /* strict: a client that says another type has a bug */
	return picture->bytes > limit ? PICTURE_SIZE : ACCEPTED;
}

/* data:image/png;base64,…  (RFC 2397; fs/net/API.md 7.2) */
static enum refusal find_inline(const char *text, size_t limit, struct source *source)
{
	const char *data = strstr(text, ";base64,");
	AUTO_FREE unsigned char *bytes = NULL;
	AUTO_FREE char *mime = NULL;
	size_t count = 0;

	if (!data)
		return PICTURE_TYPE;
	mime = strndup(text + 5, (size_t)(data - text) - 5);
	bytes = base64_bytes(data + 8, &count);
	if (!bytes || !mime)
		return PICTURE_TYPE;
	source->picture = picture_store(bytes, count);
	if (!source->picture)
		return NO_ROOM;
	return check_picture(
		source->picture, limit, strcasecmp(mime, "image/jpg") ? mime : "image/jpeg");
}

static enum refusal find_source(const char *text, size_t limit, struct source *source)
{
	struct picture *picture;

	if (!text)
		return ACCEPTED;
	if (!strncasecmp(text, "data:", 5))
		return find_inline(text, limit, source);
	if (!upload_is_ours(text)) {
		source->url = strdup(text);
		return source->url ? ACCEPTED : NO_ROOM;
	}
	picture = upload_find(text);
	if (!picture)
		return PICTURE_MISSING;
	source->picture = picture_ref(picture);
	return check_picture(picture, limit, NULL);
}

enum refusal create_task(const struct job *job, size_t limit, char *param, struct task **ret_task)
{
	struct scene scene = {.prompt = strdup(job->prompt)};
	enum refusal refusal = scene.prompt ? ACCEPTED : NO_ROOM;
	struct task *task;

	if (!refusal)
		refusal = find_source(job->first, limit, &scene.first);
	if (!refusal)
		refusal = find_source(job->last, limit, &scene.last);
	if (!refusal && !credits_suffice(job->price))
		refusal = NO_BALANCE;
	if (refusal) {
		free(param);
		scene_free(&scene);
		return refusal;
	}
	task = task_create(job, param);
	if (!task) {
		scene_free(&scene);
		return NO_ROOM;
	}
	rate_use(model_provider(job->model));
	control_accepted();
	render_submit(task, &scene);
	*ret_task = task;
	return ACCEPTED;
}

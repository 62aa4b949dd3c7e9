/* create.c - from a checked job to a running task: find its pictures, hold its price, start it. */
#include "contrib/simulator/api.h"
#include "contrib/simulator/rate.h"
#include "contrib/simulator/state.h"

#include <string.h>
#include <strings.h>

/* A picture must be of one of the field's types, anything else at least of their kind. */
static bool is_of_type(const char *mime, const struct media *media)
{
	const cJSON *type;
	size_t length = media->kind == KIND_IMAGE ? strlen(mime) : strcspn(mime, "/") + 1;

	cJSON_ArrayForEach (type, media->types)
		if (type->valuestring && !strncasecmp(type->valuestring, mime, length) &&
			(media->kind != KIND_IMAGE || !type->valuestring[length]))
			return true;
	return !media->types;
}

/* said: as what the client sends it; strict, for a client that says another type has a bug. */
static enum refusal check_file(
	const struct picture *picture, const struct media *media, size_t limit, const char *said)
{
	if (!is_of_type(picture->mime, media) || (said && strcasecmp(said, picture->mime) != 0))
		return PICTURE_TYPE;
	return (double)picture->bytes > (media->max_bytes > 0 ? media->max_bytes : (double)limit)
	               ? PICTURE_SIZE
	               : ACCEPTED;
}

/* data:image/png;base64,…  (RFC 2397; fs/net/API.md 7.2) */
static enum refusal find_inline(const struct media *media, size_t limit, struct source *source)
{
	const char *data = strstr(media->url, ";base64,");
	AUTO_FREE unsigned char *bytes = NULL;
	AUTO_FREE char *mime = NULL;
	size_t count = 0;

	if (!data)
		return PICTURE_TYPE;
	mime = strndup(media->url + 5, (size_t)(data - media->url) - 5);
	bytes = base64_bytes(data + 8, &count);
	if (!bytes || !mime)
		return PICTURE_TYPE;
	source->picture = picture_store(bytes, count);
	if (!source->picture)
		return NO_ROOM;
	return check_file(
		source->picture, media, limit, strcasecmp(mime, "image/jpg") ? mime : "image/jpeg");
}

static enum refusal find_source(const struct media *media, size_t limit, struct source *source)
{
	struct picture *picture;

	if (!strncasecmp(media->url, "data:", 5))
		return find_inline(media, limit, source);
	if (result_task(media->url, NULL))
		return ACCEPTED; /* a result of ours is right as it is */
	if (!upload_is_ours(media->url)) {
		source->url = strdup(media->url);
		return source->url ? ACCEPTED : NO_ROOM;
	}
	picture = upload_find(media->url);
	if (!picture)
		return PICTURE_MISSING;
	source->picture = picture_ref(picture);
	return check_file(picture, media, limit, NULL);
}

static bool has_picture(const struct source *source)
{
	return source->picture || source->url;
}

/* The first picture that may open the film and the last that ends it are shown; all others only
 * have to be there. */
static enum refusal find_all(const struct job *job, size_t limit, struct scene *scene)
{
	for (size_t i = 0; i < job->media_count; i++) {
		const struct media *media = &job->media[i];
		struct source *place = media->is_last ? &scene->last : &scene->first;
		struct source source = {0};
		enum refusal refusal;

		if (media->kind == KIND_TASK && !task_find(job->provider, media->url))
			return TASK_MISSING;
		refusal = media->kind != KIND_TASK ? find_source(media, limit, &source) : ACCEPTED;
		if (media->kind == KIND_IMAGE && !has_picture(place) && !refusal)
			*place = source;
		else
			source_free(&source);
		if (refusal)
			return refusal;
	}
	return ACCEPTED;
}

enum refusal create_task(const struct job *job, size_t limit, char *param, struct task **ret_task)
{
	struct scene scene = {.prompt = strdup(job->prompt)};
	enum refusal refusal = scene.prompt ? ACCEPTED : NO_ROOM;
	struct task *task;

	if (!refusal)
		refusal = find_all(job, limit, &scene);
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
	state_task(task, &scene);
	rate_use(task->provider);
	control_accepted();
	render_submit(task, &scene);
	*ret_task = task;
	return ACCEPTED;
}

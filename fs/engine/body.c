#include "fs/engine/body.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "spec/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define MARK_DIGITS "0123456789"

/* The body under way: its text has a mark where each picture will be. */
struct filling {
	const struct tree *tree;
	const struct job_row *row;
	struct http_part *part;
	size_t count;
};

/* Uploaded pictures are in the request by their URLs, the others not yet; how many those are, or
 * -ENOMEM. */
static int fill_in_urls(const struct job_row *row, const struct model *model, cJSON *body)
{
	int left = 0;

	for (size_t i = 0; i < row->npictures; i++) {
		const struct picture *picture = &row->picture[i];

		left += !picture->url;
		if (spec_set_string(model, body, picture->field, picture->url ? picture->url : "") <
			0)
			return -ENOMEM;
	}
	return left;
}

/* A text that the request does not have: "kinofs-7-", with the least such number. NULL: no memory.
 */
static char *mark_for(const char *text)
{
	for (unsigned int i = 0;; i++) {
		char *mark = format("kinofs-%u-", i);

		if (!mark || !strstr(text, mark))
			return mark;
		free(mark);
	}
}

static int put_marks(
	const struct job_row *row, const struct model *model, cJSON *body, const char *mark)
{
	for (size_t i = 0; i < row->npictures; i++) {
		AUTO_FREE char *value = format("%s%zu", mark, i);

		if (!value || (!row->picture[i].url && spec_set_string(model, body,
							       row->picture[i].field, value) < 0))
			return -ENOMEM;
	}
	return 0;
}

/* The text before a picture, which begins its data URI (fs/net/API.md 7.2). */
static int add_text(struct filling *filling, const char *text, size_t bytes, const char *type)
{
	struct http_part *part = &filling->part[filling->count];

	part->fd = -1;
	part->text =
		type ? format("%.*sdata:%s;base64,", (int)bytes, text, type) : strndup(text, bytes);
	if (!part->text)
		return -ENOMEM;
	part->bytes = (int64_t)strlen(part->text);
	filling->count++;
	return 0;
}

/* The file itself, or the frame that was made of it. A descriptor or -errno. */
static int open_picture(
	const struct filling *filling, const struct picture *picture, int64_t *bytes)
{
	int fd;

	if (!picture->frame)
		return tree_open(filling->tree, picture->path, bytes);
	if (!picture->still)
		return -ESTALE;
	*bytes = picture->still->bytes;
	fd = fcntl(picture->still->fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

static int add_picture(struct filling *filling, const struct picture *picture)
{
	struct http_part *part = &filling->part[filling->count];

	part->fd = open_picture(filling, picture, &part->bytes);
	if (part->fd < 0)
		return part->fd;
	(void)snprintf(part->sha256, sizeof(part->sha256), "%s", /* fits */
		picture->still ? picture->still->sha256 : picture->sha256);
	filling->count++;
	return 0;
}

/* Cuts the text at its marks. 0 or -errno. */
static int cut(struct filling *filling, const char *text, const char *mark)
{
	const char *at;
	int error = 0;

	while (!error && (at = strstr(text, mark))) {
		size_t number = strtoul(at + strlen(mark), NULL, 10); /* put_marks() wrote it */
		const struct picture *picture = &filling->row->picture[number];

		error = add_text(filling, text, (size_t)(at - text), picture->type);
		if (!error)
			error = add_picture(filling, picture);
		text = at + strlen(mark) + strspn(at + strlen(mark), MARK_DIGITS);
	}
	return error ? error : add_text(filling, text, strlen(text), NULL);
}

static int fill_in_files(struct filling *filling, const struct model *model, cJSON *body, int files,
	struct http_request *request)
{
	AUTO_FREE char *plain = cJSON_PrintUnformatted(body);
	AUTO_FREE char *mark = plain ? mark_for(plain) : NULL;
	AUTO_FREE char *text = NULL;
	int error;

	if (!mark || put_marks(filling->row, model, body, mark) < 0 ||
		!(text = cJSON_PrintUnformatted(body)))
		return -ENOMEM;
	filling->part = calloc(2 * (size_t)files + 1, sizeof(*filling->part));
	if (!filling->part)
		return -ENOMEM;
	error = cut(filling, text, mark);
	request->part = filling->part;
	request->parts = filling->count;
	return error;
}

int body_to_send(const struct tree *tree, const struct job_row *row, const struct model *model,
	const char *text, struct http_request *request)
{
	AUTO_JSON cJSON *body = text ? cJSON_Parse(text) : NULL;
	struct filling filling = {.tree = tree, .row = row};
	int files = body ? fill_in_urls(row, model, body) : -ENOMEM;

	if (files < 0)
		return files;
	if (files)
		return fill_in_files(&filling, model, body, files, request);
	request->body = cJSON_PrintUnformatted(body);
	request->body_bytes = request->body ? strlen(request->body) : 0;
	return request->body ? 0 : -ENOMEM;
}

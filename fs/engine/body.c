#include "fs/engine/body.h"

#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "fs/input/files.h"
#include "spec/spec.h"

#include <openssl/evp.h>
#include <string.h>

/* Stands for the bytes of an inline picture. */
static char *describe(const cJSON *picture)
{
	char *words;
	double bytes = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(picture, "bytes"));

	if (asprintf(&words, "data:%s;base64,(%.0f bytes of %s, SHA-256 %s)",
		    json_text(picture, "type"), bytes, json_text(picture, "path"),
		    json_text(picture, "sha256")) < 0)
		return NULL;
	return words;
}

/* The picture's bytes as a data URI (api.md 7.2), if they are still the ones that were judged. */
static char *data_uri(const struct tree *tree, const cJSON *picture)
{
	AUTO_FREE char *bytes = NULL;
	AUTO_FREE char *uri = NULL;
	char hex[DIGEST_HEX_BYTES];
	size_t count, head, room;

	if (files_read(tree, json_text(picture, "path"), LIMIT_PICTURE_BYTES, &bytes, &count) < 0)
		return NULL;
	digest_bytes(bytes, count, hex);
	if (strcmp(hex, json_text(picture, "sha256")) != 0)
		return NULL;
	head = strlen("data:;base64,") + strlen(json_text(picture, "type"));
	room = head + 4 * ((count + 2) / 3) + 1;
	uri = malloc(room);
	if (!uri)
		return NULL;
	(void)snprintf(uri, room, "data:%s;base64,", json_text(picture, "type")); /* head fits */
	(void)EVP_EncodeBlock((unsigned char *)uri + head, (unsigned char *)bytes, (int)count);
	return TAKE(uri);
}

/* The value of a picture field: what was uploaded, or (inline) its bytes or their description. */
static char *value_of(const struct tree *tree, const cJSON *picture)
{
	const char *url = json_text(picture, "url");

	if (url)
		return strdup(url);
	return tree ? data_uri(tree, picture) : describe(picture);
}

/* tree NULL: for the record. */
static char *fill(const struct tree *tree, const struct job *job, const char *request)
{
	AUTO_JSON cJSON *body = request ? cJSON_Parse(request) : NULL;
	const cJSON *picture;

	if (!body)
		return NULL;
	cJSON_ArrayForEach (picture, job->pictures) {
		AUTO_FREE char *value = value_of(tree, picture);

		if (!value ||
			spec_set_string(job->model, body, json_text(picture, "field"), value) < 0)
			return NULL;
	}
	return cJSON_PrintUnformatted(body);
}

char *body_record(const struct job *job, const char *request)
{
	return fill(NULL, job, request);
}

char *body_to_send(const struct tree *tree, const struct job *job, const char *request)
{
	return fill(tree, job, request);
}

#include "fs/engine/body.h"

#include "fs/base/cleanup.h"
#include "fs/base/digest.h"
#include "fs/base/limits.h"
#include "spec/spec.h"

#include <openssl/evp.h>
#include <string.h>

/* The picture's bytes as a data URI (fs/net/API.md 7.2), if they are still the ones judged. */
static char *data_uri(const struct tree *tree, const struct picture *picture)
{
	AUTO_FREE char *bytes = NULL;
	AUTO_FREE char *uri = NULL;
	char hex[DIGEST_HEX_BYTES];
	size_t count, head, room;

	if (tree_read(tree, picture->path, LIMIT_PICTURE_BYTES, &bytes, &count) < 0)
		return NULL;
	digest_bytes(bytes, count, hex);
	if (strcmp(hex, picture->sha256) != 0)
		return NULL;
	head = strlen("data:;base64,") + strlen(picture->type);
	room = head + 4 * ((count + 2) / 3) + 1;
	uri = malloc(room);
	if (!uri)
		return NULL;
	(void)snprintf(uri, room, "data:%s;base64,", picture->type); /* head fits */
	(void)EVP_EncodeBlock((unsigned char *)uri + head, (unsigned char *)bytes, (int)count);
	return TAKE(uri);
}

char *body_to_send(const struct tree *tree, const struct job_row *row, const struct model *model,
	const char *request)
{
	AUTO_JSON cJSON *body = request ? cJSON_Parse(request) : NULL;

	for (size_t i = 0; body && i < row->npictures; i++) {
		const struct picture *picture = &row->picture[i];
		AUTO_FREE char *value =
			picture->url ? strdup(picture->url) : data_uri(tree, picture);

		if (!value || spec_set_string(model, body, picture->field, value) < 0)
			return NULL;
	}
	return body ? cJSON_PrintUnformatted(body) : NULL;
}

#include "fs/cli/models_file.h"

#include "fs/base/cleanup.h"
#include "fs/base/digest.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/base/read.h"
#include "fs/cli/replace.h"

#include <fcntl.h>
#include <string.h>

#define DIGITS  (DIGEST_HEX_BYTES - 1)
#define COMMENT "made by kinofs models update; a changed one is yours. sha256 "

char *models_file_path(const char *folder, const char *id)
{
	return format("%s/%s.json", folder, id);
}

/* The place of the digest in the text of a file, behind the comment; NULL: there is none. */
static char *digest_in(char *text)
{
	char *at = strstr(text, "\"" COMMENT);

	at = at ? at + strlen("\"" COMMENT) : NULL;
	return at && strspn(at, "0123456789abcdef") == DIGITS ? at : NULL;
}

/* The digest of the text with zeros in its place. 0 or -ENOMEM. */
static int digest_of(char *text, size_t bytes, char *place, char hex[DIGEST_HEX_BYTES])
{
	memset(place, '0', DIGITS);
	return digest_bytes(text, bytes, hex);
}

enum models_file models_file_look(const char *path)
{
	AUTO_FREE char *text = NULL;
	char said[DIGITS], hex[DIGEST_HEX_BYTES];
	size_t bytes = 0;
	char *place;
	int error = read_whole_at(AT_FDCWD, path, LIMIT_MODEL_BYTES, &text, &bytes);

	if (error == -ENOENT)
		return MODELS_FILE_NONE;
	place = error ? NULL : digest_in(text);
	if (!place)
		return MODELS_FILE_OWN;
	memcpy(said, place, DIGITS);
	if (digest_of(text, bytes, place, hex) || memcmp(said, hex, DIGITS) != 0)
		return MODELS_FILE_OWN;
	return MODELS_FILE_MADE;
}

/* The text of the file; the caller frees. NULL: no memory. */
static char *text_of(cJSON *model)
{
	static const char comment[] = COMMENT "0000000000000000000000000000000000000000000000000000"
					      "000000000000";
	AUTO_FREE char *json = NULL, *text = NULL;
	char hex[DIGEST_HEX_BYTES];
	char *place;

	cJSON_DeleteItemFromObjectCaseSensitive(model, "$comment");
	if (!cJSON_AddStringToObject(model, "$comment", comment))
		return NULL;
	json = cJSON_Print(model);
	text = json ? format("%s\n", json) : NULL;
	place = text ? digest_in(text) : NULL;
	if (!place || digest_of(text, strlen(text), place, hex))
		return NULL;
	memcpy(place, hex, DIGITS);
	return TAKE(text);
}

int models_file_write(const char *path, cJSON *model)
{
	AUTO_FREE char *text = text_of(model);

	if (!text)
		return -ENOMEM;
	if (strlen(text) > LIMIT_MODEL_BYTES)
		return -E2BIG;
	return file_replace(path, text, 0644);
}

#include "spec/picture.h"

#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "spec/media.h"
#include "spec/resolve.h"
#include "spec/text.h"
#include "spec/url.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

const char *picture_types(const struct model_field *field, char words[200])
{
	static const char *const plain[][2] = {{"image/jpeg", "JPEG"}, {"image/png", "PNG"},
		{"image/webp", "WebP"}, {"image/gif", "GIF"}, {"image/bmp", "BMP"},
		{"image/tiff", "TIFF"}, {"image/heic", "HEIC"}};
	const cJSON *type;
	size_t used = 0;

	words[0] = '\0';
	cJSON_ArrayForEach (type, field->picture_types) {
		const char *name = type->valuestring;

		for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
			if (strcmp(name, plain[i][0]) == 0)
				name = plain[i][1];
		if (used < 200)
			used += (size_t)snprintf(
				words + used, 200 - used, "%s%s", used ? ", " : "", name);
	}
	return words;
}

static bool type_accepted(const struct model_field *field, const char *type, size_t length)
{
	const cJSON *accepted;

	cJSON_ArrayForEach (accepted, field->picture_types) {
		if (strlen(accepted->valuestring) == length &&
			strncasecmp(accepted->valuestring, type, length) == 0)
			return true;
	}
	return false;
}

/* Judges content; where is what the problem is filed under. */
static void check_content(const struct model_field *field, const char *file, const char *where,
	const void *bytes, size_t have, size_t size, struct problems *problems)
{
	size_t limit = field->picture_max_bytes ? field->picture_max_bytes : LIMIT_PICTURE_BYTES;
	char type[64], words[200];

	if (size == 0) {
		problems_add_in(problems, file, where, "is an empty file, not a picture");
		return;
	}
	media_type(bytes, have, type);
	if (!type_accepted(field, type, strlen(type)))
		problems_add_in(problems, file, where, "its content is %s; allowed for %s: %s",
			type, field->name, picture_types(field, words));
	if (size > limit)
		problems_add_in(problems, file, where,
			"%.1f MB (%zu bytes); the limit of %s is %.4g MB (%zu bytes)",
			(double)size / (1 << 20), size, field->name, (double)limit / (1 << 20),
			limit);
}

void spec_check_picture(const struct model_field *field, const char *path, const void *bytes,
	size_t have, size_t size, struct problems *problems)
{
	check_content(field, NULL, path, bytes, have, size, problems);
}

static bool begins(const void *head, size_t have, const char *with, size_t bytes)
{
	return have >= bytes && memcmp(head, with, bytes) == 0;
}

/* PNG ends with its IEND chunk, JPEG with the EOI marker (cameras add bytes behind it), and WebP
 * says its size in its RIFF header. Other formats are not told whole from broken. */
void spec_check_whole(const char *path, const void *head, size_t head_bytes, const void *tail,
	size_t tail_bytes, size_t size, struct problems *problems)
{
	static const char iend[] = "IEND\xae\x42\x60\x82", eoi[] = "\xff\xd9";
	const unsigned char *riff = head;
	bool whole = true;

	if (begins(head, head_bytes, "\x89PNG", 4))
		whole = memmem(tail, tail_bytes, iend, sizeof(iend) - 1);
	else if (begins(head, head_bytes, "\xff\xd8", 2))
		whole = memmem(tail, tail_bytes, eoi, sizeof(eoi) - 1);
	else if (begins(head, head_bytes, "RIFF", 4) && head_bytes >= 8)
		whole = (size_t)riff[4] + ((size_t)riff[5] << 8) + ((size_t)riff[6] << 16) +
		                ((size_t)riff[7] << 24) + 8 <=
		        size;
	if (!whole)
		problems_add(problems, path,
			"is not whole: its end is missing after %zu bytes; copy it again", size);
}

/* The length of the scheme of "scheme://…", or of the few that go without slashes; 0: a path. */
static size_t scheme_length(const char *text)
{
	static const char *const bare[] = {"data:", "file:", "blob:", "http:", "https:"};
	size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+.-");

	if (length > 0 && strncmp(text + length, "://", 3) == 0)
		return length;
	for (size_t i = 0; i < sizeof(bare) / sizeof(*bare); i++)
		if (strncasecmp(text, bare[i], strlen(bare[i])) == 0)
			return strlen(bare[i]) - 1;
	return 0;
}

static bool is_base64(const char *text, size_t length)
{
	size_t digits = strspn(text, BASE64);

	return length > 0 && length % 4 == 0 && length - digits <= 2 &&
	       strspn(text + digits, "=") == length - digits;
}

static int check_data(
	struct check *check, const struct model_field *field, const char *text, size_t length)
{
	size_t size = length / 4 * 3;
	size_t padding = (size_t)(text[length - 1] == '=') + (text[length - 2] == '=');
	AUTO_FREE unsigned char *bytes = malloc(size);
	int error;

	if (!bytes)
		return -ENOMEM;
	if (EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length) < 0)
		return -ENOMEM; /* the digits are right, is_base64() saw to that */
	error = media_open();
	if (error)
		return error;
	check_content(field, check->file, field->name, bytes, size - padding, size - padding,
		check->problems);
	return 0;
}

static int check_data_uri(struct check *check, const struct model_field *field, const char *text)
{
	const char *type = text + strlen("data:");
	size_t length = strcspn(type, ";,");
	const char *data = strchr(type, ',');
	char words[200], shown[64];

	if (!field->picture_data_uri) {
		problems_add_in(check->problems, check->file, field->name,
			"takes no data: URI; put the picture beside the spec and name it here, or "
			"give an http(s) link");
		return 0;
	}
	text_print(shown, sizeof(shown), type, length, 40);
	if (!type_accepted(field, type, length)) {
		problems_add_in(check->problems, check->file, field->name,
			"a data: URI of type \"%s\"; allowed: %s", shown,
			picture_types(field, words));
		return 0;
	}
	if (!data || (size_t)(data - type) != length + strlen(";base64") ||
		strncasecmp(type + length, ";base64", strlen(";base64")) != 0 ||
		!is_base64(data + 1, strlen(data + 1))) {
		problems_add_in(check->problems, check->file, field->name,
			"a malformed data: URI; it is data:%s;base64, and then base64 digits",
			shown);
		return 0;
	}
	return check_data(check, field, data + 1, strlen(data + 1));
}

static int check_path(
	struct check *check, const struct model_field *field, const char *text, const char *shown)
{
	const char *why = NULL;
	char *path = NULL;
	int error = path_resolve(check->dir, text, &path, &why);

	if (error == -EINVAL) {
		problems_add_in(check->problems, check->file, field->name, "%s %s", shown, why);
		return 0;
	}
	if (error)
		return error;
	for (size_t i = 0; i < check->npictures; i++)
		if (check->picture[i].field ==
			field) { /* the field is there twice: refused anyway */
			free(path);
			return 0;
		}
	check->picture[check->npictures++] = (struct spec_picture){field, path};
	return 0;
}

int picture_check(struct check *check, const struct model_field *field, const cJSON *value)
{
	const char *text = value->valuestring;
	size_t scheme = scheme_length(text);
	char shown[TEXT_SHOWN_BYTES];
	const char *why = NULL;

	(void)text_value(value, shown); /* returns shown */
	if (scheme == 0)
		return check_path(check, field, text, shown);
	if (scheme == 4 && strncasecmp(text, "data", 4) == 0)
		return check_data_uri(check, field, text);
	if (strncasecmp(text, "http", 4) == 0)
		why = url_fault(text);
	else
		why = "cannot be fetched by the provider; give an http:// or https:// link, or a "
		      "path relative to the spec";
	if (why)
		problems_add_in(check->problems, check->file, field->name, "%s %s%s", shown,
			why[0] >= 'a' ? "" : "is no link: ", why); /* libcurl's words begin big */
	return 0;
}

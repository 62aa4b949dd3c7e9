#include "spec/media_field.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "spec/kind.h"
#include "spec/media.h"
#include "spec/resolve.h"
#include "spec/text.h"
#include "spec/url.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

const char *media_types(const struct model_field *field, char words[200])
{
	static const char *const plain[][2] = {{"image/jpeg", "JPEG"}, {"image/png", "PNG"},
		{"image/webp", "WebP"}, {"image/gif", "GIF"}, {"image/bmp", "BMP"},
		{"image/tiff", "TIFF"}, {"image/heic", "HEIC"}, {"video/mp4", "MP4"},
		{"video/quicktime", "MOV"}, {"video/webm", "WebM"}, {"video/x-matroska", "MKV"},
		{"audio/mpeg", "MP3"}, {"audio/wav", "WAV"}, {"audio/mp4", "M4A"},
		{"audio/flac", "FLAC"}, {"audio/ogg", "Ogg"}, {"audio/aac", "AAC"}};
	const cJSON *type;
	size_t used = 0;

	words[0] = '\0';
	cJSON_ArrayForEach (type, field->types) {
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

/* One name for what libmagic(3), providers and IANA call by several. */
static const char *plain_type(const char *type)
{
	static const char *const same[][2] = {{"image/jpg", "image/jpeg"},
		{"image/x-ms-bmp", "image/bmp"}, {"video/x-m4v", "video/mp4"},
		{"audio/mp3", "audio/mpeg"}, {"audio/x-wav", "audio/wav"},
		{"audio/wave", "audio/wav"}, {"audio/vnd.wave", "audio/wav"},
		{"audio/x-m4a", "audio/mp4"}, {"audio/m4a", "audio/mp4"},
		{"audio/x-flac", "audio/flac"}, {"audio/x-hx-aac-adts", "audio/aac"},
		{"audio/x-aac", "audio/aac"}, {"application/ogg", "audio/ogg"}};

	for (size_t i = 0; i < COUNT(same); i++)
		if (strcasecmp(type, same[i][0]) == 0)
			return same[i][1];
	return type;
}

bool media_takes(const struct model_field *field, const char *type)
{
	const cJSON *accepted;

	cJSON_ArrayForEach (accepted, field->types) {
		if (strcasecmp(plain_type(accepted->valuestring), plain_type(type)) == 0)
			return true;
	}
	return false;
}

const char *media_frame_type(const struct model_field *field)
{
	if (media_takes(field, "image/png"))
		return "image/png";
	return media_takes(field, "image/jpeg") ? "image/jpeg" : NULL;
}

/* Whether it, or what is inside of it, is for films and nothing else; that a link leads to one, its
 * name alone says. */
static bool takes_films(const struct model_field *field)
{
	if (field->is_link && strstr(field->name, "video"))
		return true;
	for (size_t i = 0; i < field->nfield; i++)
		if (takes_films(&field->field[i]))
			return true;
	return field->media & MEDIA_FILM && !(field->media & MEDIA_PICTURE);
}

const struct model_slot *media_frame_slot(const struct model *model)
{
	const struct model_slot *slot = model_slot(model, MEDIA_PICTURE, "");

	if (!slot || slot->numbered || !(model->results & RESULT_VIDEO) ||
		takes_films(&model->root))
		return NULL;
	return media_frame_type(slot->field) ? slot : NULL;
}

/* What to do about a film in place of a picture. */
static const char *hint(const struct model_field *field, const char *type)
{
	if (field->media != MEDIA_PICTURE || media_kind_of_type(type) != MEDIA_FILM)
		return "";
	return "; #last after its name means its last picture, #first its first";
}

/* Judges content; where is what the problem is filed under. */
static int check_content(const struct model_field *field, const char *file, const char *where,
	const void *bytes, size_t have, size_t size, struct problems *problems)
{
	size_t limit = media_limit(field);
	char type[64], words[200];
	int error;

	if (size == 0) {
		problems_add_in(problems, file, where, "is an empty file, not a %s",
			media_noun(field->media));
		return 0;
	}
	error = media_type(bytes, have, type);
	if (error)
		return error;
	if (!media_takes(field, type))
		problems_add_in(problems, file, where, "its content is %s; allowed for %s: %s%s",
			type, field->name, media_types(field, words), hint(field, type));
	if (size > limit)
		problems_add_in(problems, file, where,
			"%.1f MB (%zu bytes); the limit of %s is %.4g MB (%zu bytes)",
			(double)size / (1 << 20), size, field->name, (double)limit / (1 << 20),
			limit);
	return 0;
}

int spec_check_media(const struct model_field *field, const char *path, const void *bytes,
	size_t have, size_t size, struct problems *problems)
{
	return check_content(field, NULL, path, bytes, have, size, problems);
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
	AUTO_FREE char *address = NULL;
	int error;

	if (!bytes)
		return -ENOMEM;
	if (EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length) < 0)
		return -ENOMEM; /* the digits are right, is_base64() saw to that */
	error = media_open();
	if (error)
		return error;
	address = check_address(check);
	return check_content(field, check->file, address, bytes, size - padding, size - padding,
		check->problems);
}

static int check_data_uri(struct check *check, const struct model_field *field, const char *text)
{
	const char *type = text + strlen("data:");
	size_t length = strcspn(type, ";,");
	const char *data = strchr(type, ',');
	char words[200], shown[64];

	if (!field->data_uri) {
		check_problem(check,
			"takes no data: URI; put the %s beside the spec and name it here, or "
			"give an http(s) link",
			media_noun(field->media));
		return 0;
	}
	text_print(shown, sizeof(shown), type, length, 40);
	if (!media_takes(field, shown)) {
		check_problem(check, "a data: URI of type \"%s\"; allowed: %s", shown,
			media_types(field, words));
		return 0;
	}
	if (!data || (size_t)(data - type) != length + strlen(";base64") ||
		strncasecmp(type + length, ";base64", strlen(";base64")) != 0 ||
		!is_base64(data + 1, strlen(data + 1))) {
		check_problem(check,
			"a malformed data: URI; it is data:%s;base64, and then base64 digits",
			shown);
		return 0;
	}
	return check_data(check, field, data + 1, strlen(data + 1));
}

/* Notes a file that the document names. A field that is there twice is refused anyway. */
static int note(
	struct check *check, const struct model_field *field, enum film_frame frame, char *path)
{
	AUTO_FREE char *address = check_address(check);
	AUTO_FREE char *owned = path;

	if (!address)
		return -ENOMEM;
	for (size_t i = 0; i < check->count; i++)
		if (strcmp(check->item[i].address, address) == 0)
			return 0;
	if (check->count == LIMIT_MEDIA) {
		check_problem(check, "one request names at most %d files", LIMIT_MEDIA);
		return 0;
	}
	if (ARRAY_ROOM(check->item, check->count, check->room) < 0)
		return -ENOMEM;
	check->item[check->count++] = (struct spec_file){field, TAKE(address), TAKE(owned), frame};
	return 0;
}

/* Why no frame can be meant there; NULL: it can. */
static const char *frame_fault(const struct model_field *field, const char *text, size_t length)
{
	size_t suffix;

	if (media_kind_of_name(text, length, &suffix) != MEDIA_FILM)
		return "is no frame of a film: #last and #first follow the name of a .mp4, .mov, "
		       ".webm or .mkv";
	if (field->is_job || !(field->media & MEDIA_PICTURE))
		return "is a frame of a film, which is no use here: leave out #last or #first";
	if (!media_frame_type(field))
		return "cannot be used: a frame of a film becomes a PNG or a JPEG, and neither is "
		       "allowed here";
	return NULL;
}

static int check_path(
	struct check *check, const struct model_field *field, const char *text, const char *shown)
{
	const char *why = NULL;
	char *path = NULL;
	size_t length;
	enum film_frame frame = film_frame_take(text, &length);
	AUTO_FREE char *plain = strndup(text, length);
	int error = plain ? 0 : -ENOMEM;

	if (frame)
		why = frame_fault(field, text, length);
	if (!error && !why)
		error = path_resolve(check->dir, plain, &path, &why);
	if (why) {
		check_problem(check, "%s %s", shown, why);
		return error == -EINVAL ? 0 : error;
	}
	return error ? error : note(check, field, frame, path);
}

/* Of a film that is elsewhere no frame can be taken. */
static const char *link_fault(const struct model_field *field, const char *text)
{
	size_t length, suffix;

	if (film_frame_take(text, &length) && field->media == MEDIA_PICTURE &&
		media_kind_of_name(text, length, &suffix) == MEDIA_FILM)
		return "must be in this mount, for a frame of it to be taken";
	return NULL;
}

static bool is_taken_scheme(const struct model_field *field, const char *text, size_t length)
{
	const cJSON *scheme;

	cJSON_ArrayForEach (scheme, field->schemes) {
		if (strlen(scheme->valuestring) == length &&
			strncasecmp(scheme->valuestring, text, length) == 0)
			return true;
	}
	return false;
}

int media_check(struct check *check, const struct model_field *field, const cJSON *value)
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
		why = url_fault(text) ?: link_fault(field, text);
	else if (!is_taken_scheme(field, text, scheme))
		why = "cannot be fetched by the provider; give an http:// or https:// link, or a "
		      "path relative to the spec";
	if (why)
		check_problem(check, "%s %s%s", shown,
			why[0] >= 'a' ? "" : "is no link: ", why); /* libcurl's words begin big */
	return 0;
}

bool result_is_named(const char *text)
{
	size_t suffix;

	return strchr(text, '/') || media_kind_of_name(text, strlen(text), &suffix);
}

int media_check_path(struct check *check, const struct model_field *field, const cJSON *value)
{
	char shown[TEXT_SHOWN_BYTES];

	return check_path(check, field, value->valuestring, text_value(value, shown));
}

#include "fs/net/result.h"

#include "fs/net/result_read.h"
#include "spec/media.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Words in place of a file. */
static int check_words(struct reader *in, struct result *result)
{
	(void)result;
	return reader_bad(in, "It is a page of words, not a file");
}

#define FILM  RESULT_VIDEO
#define STILL RESULT_IMAGE
#define SOUND RESULT_AUDIO

static const struct kind {
	const char *type, *suffix;
	unsigned int kinds;
	result_checker *check; /* NULL: nothing of its end is known */
} kinds[] = {
	{"video/mp4", "mp4", FILM, check_film}, {"video/x-m4v", "mp4", FILM, check_film},
	{"video/quicktime", "mov", FILM, check_film}, {"video/webm", "webm", FILM, check_segment},
	{"video/x-matroska", "mkv", FILM, check_segment},
	{"audio/x-m4a", "mp4", FILM, check_film}, /* by its brand alone */
	{"audio/mp4", "mp4", FILM, check_film}, {"image/gif", "gif", FILM | STILL, check_gif},
	{"image/png", "png", STILL, check_png}, {"image/jpeg", "jpg", STILL, check_jpeg},
	{"image/webp", "webp", STILL, check_webp}, {"image/avif", "avif", STILL, check_boxed_still},
	{"image/heic", "heic", STILL, check_boxed_still},
	{"audio/mpeg", "mp3", SOUND, check_frames},
	{"audio/x-hx-aac-adts", "aac", SOUND, check_frames},
	{"audio/x-wav", "wav", SOUND, check_wav}, {"audio/flac", "flac", SOUND, check_flac},
	{"audio/ogg", "ogg", SOUND, check_ogg}, {"application/ogg", "ogg", SOUND, check_ogg},
	{"video/x-msvideo", "avi", 0, check_riff}, {"video/3gpp", "3gp", 0, check_film},
	{"video/MP2T", "ts", 0, NULL}, {"video/mpeg", "mpg", 0, NULL},
	{"video/ogg", "ogv", 0, NULL}, {"video/x-flv", "flv", 0, NULL},
	{"video/x-ms-asf", "wmv", 0, NULL}, {"image/bmp", "bmp", 0, NULL},
	{"image/tiff", "tif", 0, NULL}, {"image/svg+xml", "svg", 0, NULL},
	{"application/zip", "zip", 0, NULL}, {"application/gzip", "gz", 0, NULL},
	{"application/pdf", "pdf", 0, NULL}, {"model/gltf-binary", "glb", 0, NULL},
	{"text/", "txt", 0, check_words}, {"message/", "txt", 0, check_words},
	{"application/json", "json", 0, check_words},
	{"application/x-ndjson", "json", 0, check_words},
	{"application/xml", "xml", 0, check_words},
	{"application/javascript", "js", 0, check_words},
	{"", "bin", 0, NULL}, /* last: everything else */
};

/* A type that ends in a slash stands for all below it. */
static bool kind_is(const struct kind *kind, const char *type)
{
	size_t length = strlen(kind->type);

	if (length && kind->type[length - 1] != '/')
		return strcmp(kind->type, type) == 0;
	return strncmp(kind->type, type, length) == 0;
}

static const struct kind *kind_find(const char *type)
{
	const struct kind *kind = kinds;

	while (!kind_is(kind, type))
		kind++;
	return kind;
}

#define UNKNOWN "application/octet-stream"

/* The MIME type; libmagic knows most brands of ISO media by name, and of one it does not know the
 * boxes decide; so do the frames of MPEG sound. 0, or -errno: types cannot be told at the moment,
 * which says nothing of the file. */
static int read_type(const uint8_t *start, size_t have, char type[64])
{
	int error = media_open();

	if (error == 0)
		error = media_type(start, have, type);
	if (error < 0 || strcmp(type, UNKNOWN) != 0)
		return error;
	if (have >= 8 && memcmp(start + 4, "ftyp", 4) == 0)
		(void)snprintf(type, 64, "video/mp4");
	else if (sound_begins(start, have))
		(void)snprintf(type, 64, "audio/mpeg");
	return 0;
}

int result_check(int fd, int64_t bytes, struct result *result, const char **why)
{
	struct reader in = {.fd = fd, .bytes = bytes, .why = why};
	const struct kind *kind;
	const uint8_t *start;
	size_t have;
	int error;
	char last;

	*why = NULL;
	if (bytes <= 0)
		return reader_bad(&in, "The file is empty.");
	error = reader_copy(&in, &last, 1, bytes - 1); /* sizes are believed, so be sure of it */
	if (error == 0)
		error = reader_rest(&in, 0, 1, &start, &have);
	if (error == 0)
		error = read_type(start, have, result->type);
	if (error < 0)
		return error;
	kind = kind_find(result->type);
	result->kinds = kind->kinds;
	result->known = strcmp(result->type, UNKNOWN) != 0;
	result->suffix = kind->suffix;
	return kind->check ? kind->check(&in, result) : 0;
}

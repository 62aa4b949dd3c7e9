/* picture.c - store bytes in a file, know a PNG, JPEG or WebP and its size by the first bytes. */
#include "contrib/simulator/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void *tree; /* all that there are, by name */

struct bytes {
	const unsigned char *at;
	size_t count;
};

static int big16(const unsigned char *at)
{
	return at[0] << 8 | at[1];
}

static int little16(const unsigned char *at)
{
	return at[1] << 8 | at[0];
}

/* PNG specification 11.2.2: the header is the first chunk. */
static bool png_size(struct bytes b, int *width, int *height)
{
	if (b.count < 33 || memcmp(b.at, "\x89PNG\r\n\x1a\n", 8) != 0 ||
		memcmp(b.at + 12, "IHDR", 4) != 0 || big16(b.at + 16) || big16(b.at + 20))
		return false;
	*width = big16(b.at + 18);
	*height = big16(b.at + 22);
	return true;
}

/* ITU T.81 B.2: segments up to the frame header, SOF0 to SOF15 without DHT, JPG and DAC. */
static bool jpeg_size(struct bytes b, int *width, int *height)
{
	size_t at = 2;

	if (b.count < 4 || memcmp(b.at, "\xff\xd8\xff", 3) != 0)
		return false;
	while (at + 9 <= b.count && b.at[at] == 0xff) {
		unsigned int marker = b.at[at + 1];

		if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
			marker != 0xcc) {
			*height = big16(b.at + at + 5);
			*width = big16(b.at + at + 7);
			return true;
		}
		at += marker == 0xff ? 1 : 2 + (size_t)big16(b.at + at + 2);
	}
	return false;
}

/* RFC 9649 section 2: simple lossy, simple lossless, extended. */
static bool webp_size(struct bytes b, int *width, int *height)
{
	const unsigned char *at = b.at;

	if (b.count < 30 || memcmp(at, "RIFF", 4) != 0 || memcmp(at + 8, "WEBPVP8", 7) != 0)
		return false;
	if (at[15] == ' ') {
		*width = little16(at + 26) & 0x3fff;
		*height = little16(at + 28) & 0x3fff;
	} else if (at[15] == 'L') {
		*width = 1 + ((at[22] & 0x3f) << 8 | at[21]);
		*height = 1 + ((at[24] & 15) << 10 | at[23] << 2 | at[22] >> 6);
	} else {
		*width = 1 + (at[26] << 16 | little16(at + 24));
		*height = 1 + (at[29] << 16 | little16(at + 27));
	}
	return true;
}

static const struct type {
	bool (*size)(struct bytes bytes, int *width, int *height);
	const char *mime;
	const char *demuxer;
} types[] = {
	{png_size, "image/png", "png_pipe"},
	{jpeg_size, "image/jpeg", "jpeg_pipe"},
	{webp_size, "image/webp", "webp_pipe"},
};

/* What is not drawn, but taken: known by a few bytes at one place. ISO media by their brand. */
static const struct mark {
	size_t at, count;
	const char *bytes, *mime;
} marks[] = {
	{0, 4, "GIF8", "image/gif"},
	{0, 2, "BM", "image/bmp"},
	{0, 4, "II*\0", "image/tiff"},
	{0, 4, "MM\0*", "image/tiff"},
	{4, 8, "ftypheic", "image/heic"},
	{4, 8, "ftypmif1", "image/heif"},
	{4, 8, "ftypM4A ", "audio/mp4"},
	{4, 6, "ftypqt", "video/quicktime"},
	{4, 4, "ftyp", "video/mp4"},
	{24, 4, "webm", "video/webm"},
	{31, 4, "webm", "video/webm"},
	{0, 4, "\x1a\x45\xdf\xa3", "video/x-matroska"},
	{8, 4, "WAVE", "audio/wav"},
	{8, 4, "AVI ", "video/x-msvideo"},
	{0, 4, "fLaC", "audio/flac"},
	{0, 4, "OggS", "audio/ogg"},
	{0, 3, "ID3", "audio/mpeg"},
	{0, 2, "\xff\xfb", "audio/mpeg"},
	{0, 2, "\xff\xf3", "audio/mpeg"},
	{0, 2, "\xff\xf1", "audio/aac"},
	{0, 2, "\xff\xf9", "audio/aac"},
};

static void picture_is(struct picture *picture, const char *mime)
{
	picture->mime = "application/octet-stream";
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].mime, mime) != 0)
			continue;
		picture->mime = types[i].mime;
		picture->demuxer = types[i].demuxer;
	}
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (!strcmp(marks[i].mime, mime))
			picture->mime = marks[i].mime;
}

static void picture_sniff(struct picture *picture, struct bytes bytes)
{
	picture->mime = "application/octet-stream";
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!types[i].size(bytes, &picture->width, &picture->height) ||
			picture->width <= 0 || picture->height <= 0)
			continue;
		picture_is(picture, types[i].mime);
		return;
	}
	for (size_t i = sizeof(marks) / sizeof(marks[0]); i-- > 0;)
		if (bytes.count >= marks[i].at + marks[i].count &&
			!memcmp(bytes.at + marks[i].at, marks[i].bytes, marks[i].count))
			picture->mime = marks[i].mime; /* the first of them has the last word */
}

static int write_all(int fd, const char *bytes, size_t count)
{
	while (count) {
		ssize_t wrote = write(fd, bytes, count);

		if (wrote < 0 && errno != EINTR)
			return -errno;
		bytes += wrote > 0 ? wrote : 0;
		count -= wrote > 0 ? (size_t)wrote : 0;
	}
	return 0;
}

char *picture_path(const struct picture *picture)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", sim.directory, picture->name) < 0 ? NULL : path;
}

static int write_file(const char *path, const void *bytes, size_t count)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error;

	if (fd < 0)
		return -errno;
	error = write_all(fd, bytes, count);
	if (close(fd) < 0 && !error)
		error = -errno;
	if (error)
		(void)unlink(path); /* what is left goes with the directory */
	return error;
}

static int compare(const void *a, const void *b)
{
	const struct picture *left = a;
	const struct picture *right = b;

	return strcmp(left->name, right->name);
}

static void picture_drop(struct picture *picture)
{
	(void)tdelete(picture, &tree, compare); /* one that is in it, or nothing happens */
	free(picture);
}

struct picture *picture_store(const void *bytes, size_t count)
{
	struct picture *picture = calloc(1, sizeof(*picture));
	AUTO_FREE char *path = NULL;
	int error;

	if (!picture)
		return NULL;
	picture->references = 1;
	picture->bytes = count;
	picture->name[0] = 'p';
	random_hex(picture->name + 1, 16);
	picture_sniff(picture, (struct bytes){bytes, count});
	path = picture_path(picture);
	error = path && tsearch(picture, &tree, compare) ? write_file(path, bytes, count) : -ENOMEM;
	if (!error)
		return picture;
	(void)fprintf(stderr, "kinofs-sim: cannot store a picture: %s\n", strerror(-error));
	picture_drop(picture);
	return NULL;
}

struct picture *picture_ref(struct picture *picture)
{
	picture->references++;
	return picture;
}

void picture_unref(struct picture *picture)
{
	AUTO_FREE char *path = NULL;

	if (!picture || --picture->references)
		return;
	path = sim.keeps ? NULL : picture_path(picture);
	if (path)
		(void)unlink(path); /* what is left goes with the directory */
	picture_drop(picture);
}

cJSON *picture_json(const struct picture *picture)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "name", picture->name);
	cJSON_AddNumberToObject(json, "bytes", (double)picture->bytes);
	cJSON_AddStringToObject(json, "mime", picture->mime);
	cJSON_AddNumberToObject(json, "width", picture->width);
	cJSON_AddNumberToObject(json, "height", picture->height);
	return json;
}

static struct picture *picture_known(const char *name)
{
	struct picture key = {0};
	struct picture **found;

	if (!name || strlen(name) >= sizeof(key.name))
		return NULL;
	(void)snprintf(key.name, sizeof(key.name), "%s", name);
	found = tfind(&key, &tree, compare);
	return found ? *found : NULL;
}

bool picture_is_known(const char *name)
{
	return picture_known(name) != NULL;
}

static int number_of(const cJSON *json, const char *key)
{
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(json, key);

	return cJSON_IsNumber(number) ? number->valueint : 0;
}

struct picture *picture_restore(const cJSON *json)
{
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "name"));
	const char *mime = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "mime"));
	struct picture *picture = picture_known(name);
	AUTO_FREE char *path = NULL;

	if (picture)
		return picture_ref(picture);
	picture = name && mime ? calloc(1, sizeof(*picture)) : NULL;
	if (!picture)
		return NULL;
	picture->references = 1;
	(void)snprintf(picture->name, sizeof(picture->name), "%s", name);
	picture->bytes = (size_t)number_of(json, "bytes");
	picture->width = number_of(json, "width");
	picture->height = number_of(json, "height");
	picture_is(picture, mime);
	path = picture_path(picture);
	if (path && access(path, R_OK) == 0 && tsearch(picture, &tree, compare))
		return picture;
	free(picture);
	return NULL;
}

/* picture.c - store bytes in a file, know a PNG, JPEG or WebP and its size by the first bytes. */
#include "contrib/simulator/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static void picture_sniff(struct picture *picture, struct bytes bytes)
{
	picture->mime = "application/octet-stream";
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!types[i].size(bytes, &picture->width, &picture->height) ||
			picture->width <= 0 || picture->height <= 0)
			continue;
		picture->mime = types[i].mime;
		picture->demuxer = types[i].demuxer;
		return;
	}
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

struct picture *picture_store(const void *bytes, size_t count)
{
	static unsigned long stored;
	struct picture *picture = calloc(1, sizeof(*picture));
	AUTO_FREE char *path = NULL;
	int error;

	if (!picture)
		return NULL;
	picture->references = 1;
	picture->bytes = count;
	(void)snprintf(picture->name, sizeof(picture->name), "p%lu", ++stored);
	picture_sniff(picture, (struct bytes){bytes, count});
	path = picture_path(picture);
	error = path ? write_file(path, bytes, count) : -ENOMEM;
	if (!error)
		return picture;
	(void)fprintf(stderr, "kinofs-sim: cannot store a picture: %s\n", strerror(-error));
	free(picture);
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
	path = picture_path(picture);
	if (path)
		(void)unlink(path); /* what is left goes with the directory */
	free(picture);
}

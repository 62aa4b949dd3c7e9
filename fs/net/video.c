#include "fs/net/video.h"

#include "spec/media.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define MAGIC_BYTES (64 * 1024) /* enough for libmagic (spec/media.h) */
#define BOXES_MAX   65536       /* an hour of half-second fragments has 15,000 */

/* A check reads a little of the file: 0, -EBADMSG with *why, or -errno of a failed read. */
typedef int container_check(int fd, int64_t bytes, const char **why);

static int bad(const char **why, const char *reason)
{
	*why = reason;
	return -EBADMSG;
}

/* Reads exactly count bytes; a file that ends before is broken, not unreadable. */
static int read_at(int fd, void *buffer, size_t count, int64_t at, const char **why)
{
	ssize_t got = pread(fd, buffer, count, at);

	if (got < 0)
		return -errno;
	return (size_t)got == count ? 0 : bad(why, "The file ends too early.");
}

/* One box of ISO/IEC 14496-12, 4.2: where its content starts and where it ends. */
struct box {
	char type[4];
	int64_t content, end;
};

static bool box_is(const struct box *box, const char *type)
{
	return memcmp(box->type, type, 4) == 0;
}

/* The box at `at` of what ends at `limit`. Size 1: a 64-bit size follows; size 0: to the end. */
static int box_read(int fd, int64_t at, int64_t limit, struct box *box, const char **why)
{
	struct {
		uint32_t size;
		char type[4];
	} head;
	uint64_t size, header = sizeof(head);
	int error;

	if (limit - at < (int64_t)sizeof(head))
		return bad(why, "The file ends inside a box.");
	error = read_at(fd, &head, sizeof(head), at, why);
	if (error < 0)
		return error;
	size = be32toh(head.size);
	if (size == 1) {
		header += sizeof(size);
		if (limit - at < (int64_t)header)
			return bad(why, "The file ends inside a box.");
		error = read_at(fd, &size, sizeof(size), at + (int64_t)sizeof(head), why);
		if (error < 0)
			return error;
		size = be64toh(size);
	} else if (size == 0) {
		size = (uint64_t)(limit - at);
	}
	if (size < header)
		return bad(why, "A box is smaller than its own header.");
	if (size > (uint64_t)(limit - at))
		return bad(why, "The file ends inside a box.");
	memcpy(box->type, head.type, 4);
	box->content = at + (int64_t)header;
	box->end = at + (int64_t)size;
	return 0;
}

/* Whether a moov box describes a track: 1 or 0, or a negative error. */
static int has_track(int fd, const struct box *moov, int *left, const char **why)
{
	struct box box;
	int error;

	for (int64_t at = moov->content; at < moov->end; at = box.end) {
		if ((*left)-- == 0)
			return bad(why, "The file has too many boxes.");
		error = box_read(fd, at, moov->end, &box, why);
		if (error < 0)
			return error;
		if (box_is(&box, "trak") && box.content < box.end)
			return 1;
	}
	return 0;
}

static int check_boxes(int fd, int64_t bytes, const char **why)
{
	bool track = false, media = false;
	int error, tracks, left = BOXES_MAX;
	struct box box;

	for (int64_t at = 0; at < bytes; at = box.end) {
		if (left-- == 0)
			return bad(why, "The file has too many boxes.");
		error = box_read(fd, at, bytes, &box, why);
		if (error < 0)
			return error;
		if (at == 0 && !box_is(&box, "ftyp"))
			return bad(why, "The file does not begin with its type (ftyp).");
		if (box_is(&box, "mdat") && box.content < box.end)
			media = true;
		if (!box_is(&box, "moov") || track)
			continue;
		tracks = has_track(fd, &box, &left, why);
		if (tracks < 0)
			return tracks;
		track = tracks > 0;
	}
	if (!track)
		return bad(why, "The file describes no track (moov).");
	return media ? 0 : bad(why, "The file holds no picture data (mdat).");
}

/* An EBML number (RFC 8794, 4): the first byte's leading zeros give its length. Returns that, or 0
 * when it is none. All value bits set means unknown: -1. */
static size_t ebml_number(const uint8_t *bytes, size_t have, int64_t *value)
{
	size_t length = have && bytes[0] ? (size_t)__builtin_clz(bytes[0]) - 23 : 0;
	uint64_t number, all;

	if (length == 0 || length > have)
		return 0;
	all = (1ULL << (7 * length)) - 1;
	number = bytes[0];
	for (size_t i = 1; i < length; i++)
		number = number << 8 | bytes[i];
	number &= all;
	*value = number == all ? -1 : (int64_t)number;
	return length;
}

/* Matroska: the EBML header, then a Segment, whose size is not known while it is streamed. */
static int check_segment(int fd, int64_t bytes, const char **why)
{
	static const uint8_t ebml[4] = {0x1a, 0x45, 0xdf, 0xa3};
	static const uint8_t segment[4] = {0x18, 0x53, 0x80, 0x67};
	uint8_t head[12];
	int64_t size, at;
	size_t length;
	int error;

	error = read_at(fd, head, sizeof(head), 0, why);
	if (error < 0)
		return error;
	length = ebml_number(head + 4, sizeof(head) - 4, &size);
	if (memcmp(head, ebml, 4) != 0 || length == 0 || size < 0 || size > bytes)
		return bad(why, "The file does not begin with an EBML header.");
	at = 4 + (int64_t)length + size;
	error = read_at(fd, head, sizeof(head), at, why);
	if (error < 0)
		return error;
	length = ebml_number(head + 4, sizeof(head) - 4, &size);
	if (memcmp(head, segment, 4) != 0 || length == 0)
		return bad(why, "The file holds no segment.");
	if (size > bytes - at - 4 - (int64_t)length)
		return bad(why, "The file ends inside its segment.");
	return 0;
}

/* A GIF ends with its trailer (GIF89a specification, 27). */
static int check_trailer(int fd, int64_t bytes, const char **why)
{
	char last;
	int error = read_at(fd, &last, 1, bytes - 1, why);

	if (error < 0)
		return error;
	return last == ';' ? 0 : bad(why, "The file ends before its trailer.");
}

static const struct kind {
	const char *type, *suffix;
	container_check *check;
} kinds[] = {
	{"video/mp4", "mp4", check_boxes},
	{"video/x-m4v", "mp4", check_boxes},
	{"video/quicktime", "mov", check_boxes},
	{"video/webm", "webm", check_segment},
	{"video/x-matroska", "mkv", check_segment},
	{"image/gif", "gif", check_trailer},
};

static const struct kind *kind_find(const char *type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	return NULL;
}

/* libmagic knows most brands of ISO media by name; of one it does not know the boxes decide. */
static const struct kind *kind_of(const char *start, size_t have)
{
	char type[64];

	media_type(start, have, type);
	if (strcmp(type, "application/octet-stream") == 0 && have >= 8 &&
		memcmp(start + 4, "ftyp", 4) == 0)
		return kind_find("video/mp4");
	return kind_find(type);
}

int video_check(int fd, int64_t bytes, const char **suffix, const char **why)
{
	char start[MAGIC_BYTES];
	const struct kind *kind;
	ssize_t have;
	int error;
	char last;

	*why = NULL;
	if (bytes <= 0)
		return bad(why, "The file is empty.");
	error = read_at(
		fd, &last, 1, bytes - 1, why); /* boxes are believed, so be sure they are there */
	if (error < 0)
		return error;
	have = pread(fd, start, bytes < MAGIC_BYTES ? (size_t)bytes : MAGIC_BYTES, 0);
	if (have < 0)
		return -errno;
	kind = kind_of(start, (size_t)have);
	if (!kind)
		return bad(why, "The file is not a video.");
	error = kind->check(fd, bytes, why);
	if (error == 0)
		*suffix = kind->suffix;
	return error;
}

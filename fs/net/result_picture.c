/* result_picture.c - GIF, PNG, JPEG and WebP, to their ends. */
#include "fs/net/result_read.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define CHUNKS_MAX (128 * 1024) /* a GiB in pieces of 8 KiB */

/* ------------------------------------------------------------------ GIF (GIF89a specification) */

#define GIF_SCREEN_BYTES 13 /* 17, 18: signature and logical screen */
#define GIF_IMAGE_BYTES  10 /* 20: with its separator */
#define GIF_TABLE_FLAG   0x80
#define GIF_IMAGE        0x2c
#define GIF_EXTENSION    0x21
#define GIF_TRAILER      0x3b

static int64_t colours(uint8_t flags)
{
	return flags & GIF_TABLE_FLAG ? 3LL << ((flags & 7) + 1) : 0;
}

/* Passes over data in blocks of up to 255 bytes, to the empty one (15, 16). */
static int skip_blocks(struct reader *in, int64_t *at)
{
	const uint8_t *size;
	int error;

	do {
		error = reader_look(in, *at, 1, &size);
		if (error < 0)
			return error;
		*at += 1 + *size;
	} while (*size && *at < READER_MOST);
	return 0;
}

/* One block: 1, 0 for the trailer, or an error. */
static int read_block(struct reader *in, int64_t *at, bool *pictured)
{
	const uint8_t *bytes;
	int error = reader_look(in, *at, 1, &bytes);

	if (error < 0)
		return error;
	switch (*bytes) {
	case GIF_TRAILER: return 0;
	case GIF_EXTENSION: *at += 2; break;
	case GIF_IMAGE:
		error = reader_look(in, *at, GIF_IMAGE_BYTES, &bytes);
		if (error < 0)
			return error;
		*at += GIF_IMAGE_BYTES + colours(bytes[GIF_IMAGE_BYTES - 1]) + 1; /* code size */
		*pictured = true;
		break;
	default: return reader_bad(in, "The file holds a block that is none.");
	}
	error = skip_blocks(in, at);
	return error < 0 ? error : 1;
}

int check_gif(struct reader *in, struct result *result)
{
	const uint8_t *screen;
	bool pictured = false;
	int found = reader_look(in, 0, GIF_SCREEN_BYTES, &screen);
	int64_t at = GIF_SCREEN_BYTES;

	(void)result;
	if (found == 0) {
		at += colours(screen[10]);
		found = 1;
	}
	while (found == 1 && at < READER_MOST)
		found = read_block(in, &at, &pictured);
	if (found == -EBADMSG)
		return reader_bad(in, "The file ends before its trailer.");
	if (found < 0)
		return found;
	return pictured ? 0 : reader_bad(in, "The file holds no picture.");
}

/* ------------------------------------------------------------------ PNG (ISO/IEC 15948) */

#define PNG_SIGNATURE_BYTES 8
#define PNG_HEAD_BYTES      8 /* 5.3: length and type; the CRC follows the data */
#define PNG_CRC_BYTES       4
#define PNG_CRC_MOST        (4 << 20) /* bytes whose CRCs are looked at; some 20 ms */

/* As annex D has it, half a byte at a time. */
static uint32_t crc_add(uint32_t crc, const uint8_t *bytes, size_t count)
{
	static const uint32_t table[16] = {0, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190,
		0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};

	for (size_t i = 0; i < count; i++) {
		crc ^= bytes[i];
		crc = table[crc & 15] ^ crc >> 4;
		crc = table[crc & 15] ^ crc >> 4;
	}
	return crc;
}

struct chunk {
	int64_t at, end; /* with its CRC */
	char type[4];
};

static bool chunk_is(const struct chunk *chunk, const char *type)
{
	return memcmp(chunk->type, type, 4) == 0;
}

/* No picture without it (5.4): a viewer passes over others when they are damaged. */
static bool is_critical(const struct chunk *chunk)
{
	return !(chunk->type[0] & 0x20);
}

static int read_chunk(struct reader *in, int64_t at, struct chunk *chunk)
{
	uint32_t head[2];
	int error;

	if (in->bytes - at < PNG_HEAD_BYTES)
		return reader_bad(in, "The picture is cut off.");
	error = reader_copy(in, head, sizeof(head), at);
	if (error < 0)
		return error;
	chunk->at = at;
	chunk->end = at + PNG_HEAD_BYTES + be32toh(head[0]) + PNG_CRC_BYTES;
	memcpy(chunk->type, &head[1], sizeof(chunk->type));
	return chunk->end <= in->bytes ? 0 : reader_bad(in, "The picture is cut off.");
}

/* The CRC is of type and data. */
static int check_crc(struct reader *in, const struct chunk *chunk)
{
	int64_t at = chunk->at + 4, end = chunk->end - PNG_CRC_BYTES;
	uint32_t crc = UINT32_MAX, said;
	const uint8_t *bytes;
	size_t count;
	int error;

	for (; at < end; at += (int64_t)count) {
		error = reader_rest(in, at, 1, &bytes, &count);
		if (error < 0)
			return error;
		if ((int64_t)count > end - at)
			count = (size_t)(end - at);
		crc = crc_add(crc, bytes, count);
	}
	error = reader_look(in, end, PNG_CRC_BYTES, &bytes);
	if (error < 0)
		return error;
	memcpy(&said, bytes, sizeof(said));
	return be32toh(said) == ~crc ? 0 : reader_bad(in, "A chunk of the picture is damaged.");
}

int check_png(struct reader *in, struct result *result)
{
	struct chunk chunk = {
		.end = PNG_SIGNATURE_BYTES}; /* IHDR follows, or libmagic knew it not */
	int64_t looked = 0;
	bool pictured = false;

	(void)result;
	for (int left = CHUNKS_MAX; left > 0; left--) {
		int error = read_chunk(in, chunk.end, &chunk);

		looked += chunk.end - chunk.at;
		if (error == 0 && looked <= PNG_CRC_MOST && is_critical(&chunk))
			error = check_crc(in, &chunk);
		if (error < 0)
			return error;
		pictured = pictured || chunk_is(&chunk, "IDAT");
		if (chunk_is(&chunk, "IEND"))
			return pictured ? 0 : reader_bad(in, "The file holds no picture.");
	}
	return reader_bad(in, "The picture has too many chunks.");
}

/* ------------------------------------------------------------------ JPEG (ITU-T T.81, annex B) */

enum { JPEG_MARK = 0xff, JPEG_EOI = 0xd9, JPEG_SOS = 0xda, JPEG_TEM = 0x01, JPEG_RST0 = 0xd0 };

/* Stands alone: no length follows (B.1.1.4). */
static bool is_bare(uint8_t marker)
{
	return marker == JPEG_TEM || (marker & 0xf8) == JPEG_RST0;
}

/* The marker at or after *at that ends what is coded there (B.1.1.5), and where it ends. 0 for one
 * is none: so much was looked at that the rest is believed. */
static int next_marker(struct reader *in, int64_t *at, uint8_t *marker)
{
	const uint8_t *bytes, *mark;
	size_t count;
	int error;

	for (*marker = 0; *at < READER_MOST;) {
		error = reader_rest(in, *at, 2, &bytes, &count);
		if (error < 0)
			return error;
		mark = memchr(bytes, JPEG_MARK, count - 1);
		if (!mark) {
			*at += (int64_t)count - 1;
			continue;
		}
		*at += mark - bytes + 1;
		if (mark[1] == 0 || mark[1] == JPEG_MARK || is_bare(mark[1]))
			continue;
		*marker = mark[1];
		*at += 1;
		return 0;
	}
	return 0;
}

int check_jpeg(struct reader *in, struct result *result)
{
	int64_t at = 2; /* after SOI, by which libmagic knows it */
	bool pictured = false;
	uint8_t marker;
	uint16_t length;
	int error;

	(void)result;
	for (int left = CHUNKS_MAX; left > 0; left--) {
		error = next_marker(in, &at, &marker);
		if (error == 0 && marker && marker != JPEG_EOI)
			error = reader_copy(in, &length, sizeof(length), at);
		if (error == -EBADMSG)
			return reader_bad(in, "The picture is cut off.");
		if (error < 0)
			return error;
		if (!marker || marker == JPEG_EOI)
			return pictured ? 0 : reader_bad(in, "The file holds no picture.");
		pictured = pictured || marker == JPEG_SOS;
		at += be16toh(length);
	}
	return reader_bad(in, "The picture has too many segments.");
}

/* ------------------------------------------------------------------ WebP (RFC 9649) */

int check_webp(struct reader *in, struct result *result)
{
	struct {
		char form[4];
		uint32_t size;
	} head;
	int64_t at = 12, end;
	bool pictured = false;
	int error = reader_copy(in, &head, sizeof(head), 0);

	(void)result;
	if (error < 0)
		return error;
	end = 8 + (int64_t)le32toh(head.size);
	if (end > in->bytes)
		return reader_bad(in, "The file ends inside its RIFF chunk.");
	for (int left = CHUNKS_MAX; left > 0 && end - at >= (int64_t)sizeof(head); left--) {
		error = reader_copy(in, &head, sizeof(head), at);
		if (error < 0)
			return error;
		at += (int64_t)sizeof(head) + le32toh(head.size);
		if (at > end)
			return reader_bad(in, "The file ends inside a chunk.");
		at += at % 2; /* padded (2.3) */
		pictured = pictured || memcmp(head.form, "VP8 ", 4) == 0 ||
		           memcmp(head.form, "VP8L", 4) == 0 || memcmp(head.form, "ANMF", 4) == 0;
	}
	return pictured ? 0 : reader_bad(in, "The file holds no picture.");
}

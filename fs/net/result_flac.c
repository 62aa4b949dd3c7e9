/* result_flac.c - FLAC (RFC 9639) has no mark at its end, but its frames have checksums and
 * numbers, and its beginning says how many samples there are. */
#include "fs/net/result_read.h"

#include "fs/base/cleanup.h"

#include <errno.h>
#include <string.h>

#define BLOCKS_MAX        1024
#define INFO_BYTES        34        /* 8.2: STREAMINFO, always the first block */
#define TAIL_BYTES        (1 << 20) /* no frame is longer: 65,535 samples of 8 channels would be */
#define FRAME_BYTES_LEAST 11        /* 9: header, one subframe, footer */
#define HEAD_BYTES_MOST   16
#define CANDIDATES        16 /* what looks like a frame's beginning, and is none, is one in 2^24 */

struct stream {
	int64_t begin;      /* of the frames */
	unsigned int block; /* samples of a frame, where they are all as long */
	uint64_t samples;   /* 0: not known */
	unsigned int hertz;
};

/* Checksums of x^8 + x^2 + x + 1 and x^16 + x^15 + x^2 + 1 (9.1.8, 9.3). */
static uint8_t crc8(const uint8_t *bytes, size_t count)
{
	unsigned int crc = 0;

	for (size_t i = 0; i < count; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ (crc & 0x80 ? 0x107 : 0);
	}
	return (uint8_t)crc;
}

static uint16_t crc16(const uint8_t *bytes, size_t count)
{
	unsigned int crc = 0;

	for (size_t i = 0; i < count; i++) {
		crc ^= (unsigned int)bytes[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc << 1 ^ (crc & 0x8000 ? 0x18005 : 0)) & 0xffff;
	}
	return (uint16_t)crc;
}

static int read_info(struct reader *in, struct stream *stream)
{
	const uint8_t *info;
	int error = reader_look(in, 8, INFO_BYTES, &info);

	if (error < 0)
		return error;
	stream->block = (unsigned int)info[0] << 8 | info[1];
	stream->samples = (uint64_t)(info[13] & 15) << 32 | (uint64_t)info[14] << 24 |
	                  (uint64_t)info[15] << 16 | (uint64_t)info[16] << 8 | info[17];
	stream->hertz = (unsigned int)info[10] << 12 | (unsigned int)info[11] << 4 | info[12] >> 4;
	return 0;
}

/* The blocks before the frames (8.1): a bit for the last, a type, and 24 bits of length. */
static int read_blocks(struct reader *in, struct stream *stream)
{
	const uint8_t *head;
	int error;

	stream->begin = 4;
	for (int left = BLOCKS_MAX; left > 0; left--) {
		error = reader_look(in, stream->begin, 4, &head);
		if (error < 0)
			return error;
		if (stream->begin == 4 && ((head[0] & 0x7f) != 0 || head[3] != INFO_BYTES))
			break;
		stream->begin += 4 + ((int64_t)head[1] << 16 | head[2] << 8 | head[3]);
		if (head[0] & 0x80)
			return read_info(in, stream);
	}
	return reader_bad(in, "The file does not begin with a stream's description.");
}

/* A number in up to seven bytes, as UTF-8 would write it (9.1.5). Returns its bytes; 0: none. */
static size_t coded_number(const uint8_t *bytes, uint64_t *number)
{
	size_t length = 0;

	while (length < 8 && bytes[0] & 0x80 >> length)
		length++;
	if (length == 1 || length == 8)
		return 0;
	*number = length ? bytes[0] & (0x7fU >> length) : bytes[0];
	for (size_t i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*number = *number << 6 | (bytes[i] & 0x3f);
	}
	return length ? length : 1;
}

/* Samples of a frame by its code (9.1.1); 0: reserved, or they follow in *more bytes. */
static unsigned int block_samples(unsigned int code, size_t *more)
{
	*more = code == 6 ? 1 : code == 7 ? 2 : 0;
	if (code == 1)
		return 192;
	if (code >= 2 && code <= 5)
		return 576U << (code - 2);
	return code >= 8 ? 256U << (code - 8) : 0;
}

/* Whether a frame's header begins here (9.1), of HEAD_BYTES_MOST that can be looked at; and the
 * first sample after the frame. */
static bool read_head(const struct stream *stream, const uint8_t *head, uint64_t *end)
{
	unsigned int samples, rate = head[2] & 15;
	size_t at = 4, length, more;
	uint64_t number;

	if (head[0] != 0xff || (head[1] & 0xfe) != 0xf8)
		return false;
	length = coded_number(head + at, &number);
	samples = block_samples(head[2] >> 4, &more);
	if (!length || (!samples && !more))
		return false;
	at += length;
	if (more)
		samples = 1 + (more == 1 ? head[at] : (unsigned int)head[at] << 8 | head[at + 1]);
	at += more + (rate == 12 ? 1 : rate == 13 || rate == 14 ? 2 : 0);
	/* of frames that are all as long as each other, it is the frame that is numbered */
	*end = (head[1] & 1 ? number : number * stream->block) + samples;
	return crc8(head, at) == head[at];
}

/* Whether the tail ends with a whole frame, and which that is. */
static bool find_last(const struct stream *stream, const uint8_t *tail, size_t have, uint64_t *end)
{
	int left = CANDIDATES;

	for (size_t at = have - FRAME_BYTES_LEAST + 1; at-- > 0 && left > 0;) {
		uint8_t head[HEAD_BYTES_MOST] = {0};
		size_t count = have - at;

		memcpy(head, tail + at, count < sizeof(head) ? count : sizeof(head));
		if (!read_head(stream, head, end))
			continue;
		left--;
		if (crc16(tail + at, count - 2) == (tail[have - 2] << 8 | tail[have - 1]))
			return true;
	}
	return false;
}

int check_flac(struct reader *in, struct result *result)
{
	struct stream stream = {0};
	AUTO_FREE uint8_t *tail = NULL;
	uint64_t end = 0;
	int64_t have;
	int error = read_blocks(in, &stream);

	if (error < 0)
		return error;
	if (stream.hertz)
		result->seconds = (double)stream.samples / stream.hertz;
	have = in->bytes - stream.begin;
	if (have > TAIL_BYTES)
		have = TAIL_BYTES;
	if (have < FRAME_BYTES_LEAST)
		return reader_bad(in, "The file holds no sound.");
	tail = malloc((size_t)have);
	error = tail ? reader_copy(in, tail, (size_t)have, in->bytes - have) : -ENOMEM;
	if (error < 0)
		return error;
	if (!find_last(&stream, tail, (size_t)have, &end))
		return reader_bad(in, "The file ends inside a frame.");
	return end >= stream.samples ? 0 : reader_bad(in, "The file ends before its last frame.");
}

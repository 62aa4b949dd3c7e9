/* result_sound.c - MP3 and AAC, WAV and Ogg, to their ends. */
#include "fs/net/result_read.h"

#include "fs/base/array.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define CHUNKS_MAX 4096
#define PAGES_MAX  (1 << 20) /* days of sound */

/* ------------------------------------------------------------------ frames of MP3 and AAC */

#define FRAME_HEAD_BYTES 6
#define FRAME_LEAST      8
#define RESYNC_BYTES     (64 * 1024) /* so much that is none may lie between frames … */
#define RESYNCS_MAX      1024        /* … so often */

/* Kilobits a second by version (MPEG-1, then 2 and 2.5) and layer I to III; ISO/IEC 11172-3,
 * 2.4.2.3, and 13818-3, 2.4.2.3. 0 is of any rate, 15 of none. */
static const uint16_t kilobits[2][3][16] = {
	{{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0},
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0},
		{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0}},
	{{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0}},
};

/* The bytes of an MPEG sound frame that begins with this head; 0: it is none whose length is told.
 */
static size_t mpeg_length(const uint8_t *head)
{
	static const uint16_t rates[3] = {44100, 48000, 32000};
	unsigned int version = head[1] >> 3 & 3; /* 3: 1, 2: 2, 0: 2.5 */
	unsigned int layer = 4 - (head[1] >> 1 & 3), rate = head[2] >> 2 & 3;
	unsigned int padding = head[2] >> 1 & 1, hertz, bits;

	if (head[0] != 0xff || (head[1] & 0xe0) != 0xe0 || version == 1 || layer == 4 || rate == 3)
		return 0;
	bits = kilobits[version != 3][layer - 1][head[2] >> 4] * 1000U;
	hertz = rates[rate] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
	if (bits == 0)
		return 0;
	if (layer == 1)
		return (12 * bits / hertz + padding) * 4;
	return (layer == 3 && version != 3 ? 72 : 144) * bits / hertz + padding;
}

/* The same of AAC with a header of its own (ISO/IEC 13818-7, 6.2). */
static size_t adts_length(const uint8_t *head)
{
	if (head[0] != 0xff || (head[1] & 0xf6) != 0xf0)
		return 0;
	return (head[3] & 3U) << 11 | (unsigned int)head[4] << 3 | head[5] >> 5;
}

/* How long a frame of so many bytes lasts: MPEG's by its bits a second, AAC's has 1024 samples. */
static double frame_seconds(const uint8_t *head, size_t length)
{
	static const unsigned int hertz[] = {96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050,
		16000, 12000, 11025, 8000, 7350};
	const unsigned int layer = 4 - (head[1] >> 1 & 3), rate = head[2] >> 2 & 15;

	if (mpeg_length(head))
		return (double)length * 8 /
		       (kilobits[(head[1] >> 3 & 3) != 3][layer - 1][head[2] >> 4] * 1000.0);
	return rate < COUNT(hertz) ? 1024.0 / hertz[rate] : 0;
}

static size_t frame_length(const uint8_t *head)
{
	size_t length = mpeg_length(head) ?: adts_length(head);

	return length < FRAME_LEAST ? 0 : length;
}

bool sound_begins(const uint8_t *bytes, size_t have)
{
	size_t length = have < FRAME_HEAD_BYTES ? 0 : mpeg_length(bytes);

	if (have >= 10 && memcmp(bytes, "ID3", 3) == 0)
		return true;
	return length && length + FRAME_HEAD_BYTES <= have && mpeg_length(bytes + length);
}

/* The bytes of a tag that begins here, of which `have` are there to look at; 0: it is none.
 * ID3v2 (id3.org, 3.1: seven bits a byte), ID3v1, and APEv2. */
static int64_t tag_length(const uint8_t *bytes, size_t have, int64_t left)
{
	uint32_t size;

	if (have >= 10 && memcmp(bytes, "ID3", 3) == 0)
		return 10LL +
		       ((bytes[6] & 127) << 21 | (bytes[7] & 127) << 14 | (bytes[8] & 127) << 7 |
			       (bytes[9] & 127)) +
		       (bytes[5] & 0x10 ? 10 : 0); /* with a footer */
	if (left == 128 && memcmp(bytes, "TAG", 3) == 0)
		return 128;
	if (have < 32 || memcmp(bytes, "APETAGEX", 8) != 0)
		return 0;
	memcpy(&size, bytes + 12, sizeof(size));
	return 32 + (int64_t)le32toh(size);
}

/* What frames were found in a row, and what the first one says of all of them. */
struct frames {
	int64_t at, first;
	int64_t promised; /* bytes from the first one on; 0: not said */
	size_t count, skips;
	double seconds;
};

/* The first frame of most MP3s holds none of the sound, but how much there is (Xing's header). */
static void read_promise(struct frames *frames, const uint8_t *frame, size_t have)
{
	static const size_t places[] = {4 + 32, 4 + 17, 4 + 9}; /* behind the side information */
	uint32_t flags, bytes;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		const uint8_t *mark = frame + places[i];

		if (have < places[i] + 16 ||
			(memcmp(mark, "Xing", 4) != 0 && memcmp(mark, "Info", 4) != 0))
			continue;
		memcpy(&flags, mark + 4, sizeof(flags));
		memcpy(&bytes, mark + (be32toh(flags) & 1 ? 12 : 8), sizeof(bytes));
		if (be32toh(flags) & 2)
			frames->promised = be32toh(bytes);
		return;
	}
}

/* Where the next frame begins, of which another follows or the file ends; 0: nowhere near. */
static size_t next_frame(const uint8_t *bytes, size_t have, int64_t left)
{
	for (size_t i = 1; i + FRAME_HEAD_BYTES <= have && i < RESYNC_BYTES; i++) {
		size_t length = frame_length(bytes + i);

		if (length && ((int64_t)(i + length) == left ||
				      (i + length + FRAME_HEAD_BYTES <= have &&
					      frame_length(bytes + i + length))))
			return i;
	}
	return 0;
}

static bool is_padding(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i])
			return false;
	return true;
}

/* What is no frame: a tag, zeros, or something that players pass over, too. */
static int skip_others(struct reader *in, struct frames *frames)
{
	int64_t left = in->bytes - frames->at, length;
	const uint8_t *bytes;
	size_t have;
	/* as much as can be, to look for the next frame in */
	size_t least = left < READER_BYTES ? (size_t)left : READER_BYTES;
	int error = frames->skips++ < RESYNCS_MAX
	                    ? reader_rest(in, frames->at, least, &bytes, &have)
	                    : reader_bad(in, "The file holds too much that is no sound.");

	if (error < 0)
		return error;
	length = tag_length(bytes, have, left);
	if (length > left)
		return reader_bad(in, "The file ends inside a tag.");
	if (!length && is_padding(bytes, have))
		length = (int64_t)have;
	if (!length)
		length = (int64_t)next_frame(bytes, have, left);
	frames->at += length;
	return length ? 0 : reader_bad(in, "The file ends inside a frame.");
}

static int read_frame(struct reader *in, struct frames *frames)
{
	int64_t left = in->bytes - frames->at;
	size_t length = 0, have = 0;
	const uint8_t *head;
	int error = 0;

	if (left >= FRAME_HEAD_BYTES)
		error = reader_rest(in, frames->at, FRAME_HEAD_BYTES, &head, &have);
	if (error < 0)
		return error;
	if (have)
		length = frame_length(head);
	if (length == 0)
		return skip_others(in, frames);
	if ((int64_t)length > left)
		return reader_bad(in, "The file ends inside a frame.");
	if (frames->count++ == 0) {
		frames->first = frames->at;
		read_promise(frames, head, have < length ? have : length);
	}
	frames->seconds += frame_seconds(head, length);
	frames->at += (int64_t)length;
	return 0;
}

int check_frames(struct reader *in, struct result *result)
{
	struct frames frames = {0};
	int error = 0;

	while (frames.at < in->bytes && frames.at < READER_MOST && error == 0)
		error = read_frame(in, &frames);
	if (error < 0)
		return error;
	if (frames.count == 0)
		return reader_bad(in, "The file holds no sound.");
	result->seconds = frames.seconds;
	return frames.promised <= in->bytes - frames.first
	               ? 0
	               : reader_bad(in, "The file ends before its last frame.");
}

/* ------------------------------------------------------------------ WAV (RIFF, by Microsoft) */

/* Not known to who streamed it: he wrote nothing, or as much as could be. */
static bool is_endless(uint32_t size)
{
	return size == 0 || size >= 0x7ffff000;
}

int check_wav(struct reader *in, struct result *result)
{
	struct {
		char name[4];
		uint32_t size;
	} chunk;
	int64_t at = 12;
	uint32_t rate = 0; /* bytes a second, at 8 of fmt */
	bool is_described = false;
	int error = reader_copy(in, &chunk, sizeof(chunk), 0);

	chunk.size = le32toh(chunk.size);
	if (error == 0 && !is_endless(chunk.size) && (int64_t)chunk.size + 8 > in->bytes)
		error = reader_bad(in, "The file ends inside its RIFF chunk.");
	for (int left = CHUNKS_MAX; error == 0 && left > 0; left--) {
		error = reader_copy(in, &chunk, sizeof(chunk), at);
		if (error < 0)
			break;
		chunk.size = le32toh(chunk.size);
		at += (int64_t)sizeof(chunk);
		if (memcmp(chunk.name, "data", 4) == 0) {
			if (!is_described || at == in->bytes)
				return reader_bad(in, "The file holds no sound.");
			if (rate)
				result->seconds = (double)(is_endless(chunk.size) ? in->bytes - at
										  : chunk.size) /
				                  le32toh(rate);
			return is_endless(chunk.size) || at + chunk.size <= in->bytes
			               ? 0
			               : reader_bad(in, "The file ends inside its sound.");
		}
		if (memcmp(chunk.name, "fmt ", 4) == 0 && chunk.size >= 12)
			error = reader_copy(in, &rate, sizeof(rate), at + 8);
		is_described = is_described || memcmp(chunk.name, "fmt ", 4) == 0;
		at += chunk.size + chunk.size % 2;
	}
	return error ? error : reader_bad(in, "The file holds no sound.");
}

/* ------------------------------------------------------------------ Ogg (RFC 3533, 6) */

#define PAGE_HEAD_BYTES 27
enum { PAGE_FIRST = 2, PAGE_LAST = 4 };

/* By how its first page begins; Theora, Dirac and VP8 are films. */
static bool is_film(const uint8_t *content, size_t have)
{
	return (have >= 7 && memcmp(content, "\x80theora", 7) == 0) ||
	       (have >= 4 && memcmp(content, "BBCD", 4) == 0) ||
	       (have >= 5 && memcmp(content, "OVP80", 5) == 0);
}

/* Where the page at *at ends, and its flags. */
static int read_page(struct reader *in, int64_t *at, uint8_t *flags, bool *filmed)
{
	const uint8_t *page;
	size_t segments, bytes = 0, have;
	int error = reader_look(in, *at, PAGE_HEAD_BYTES, &page);

	if (error == 0 && memcmp(page, "OggS", 4) != 0)
		error = reader_bad(in, "The file holds a page that is none.");
	if (error < 0)
		return error;
	*flags = page[5];
	segments = page[PAGE_HEAD_BYTES - 1];
	error = reader_rest(in, *at, PAGE_HEAD_BYTES + segments, &page, &have);
	if (error < 0)
		return error;
	for (size_t i = 0; i < segments; i++)
		bytes += page[PAGE_HEAD_BYTES + i];
	if (*flags & PAGE_FIRST)
		*filmed = *filmed || is_film(page + PAGE_HEAD_BYTES + segments,
					     have - PAGE_HEAD_BYTES - segments);
	*at += (int64_t)(PAGE_HEAD_BYTES + segments + bytes);
	return *at <= in->bytes ? 0 : reader_bad(in, "The file ends inside a page.");
}

int check_ogg(struct reader *in, struct result *result)
{
	int64_t at = 0;
	bool filmed = false;
	uint8_t flags = 0;
	int error = 0, left = PAGES_MAX;

	while (at < in->bytes && at < READER_MOST && error == 0 && left-- > 0)
		error = read_page(in, &at, &flags, &filmed);
	if (error < 0)
		return error;
	if (filmed) {
		result->kinds = 0;
		result->suffix = "ogv";
	}
	return flags & PAGE_LAST || at < in->bytes
	               ? 0
	               : reader_bad(in, "The file ends before its last page.");
}

/* result_film.c - boxes of ISO media, elements of Matroska, RIFF. */
#include "fs/net/box.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define HANDLER_AT 8 /* of hdlr: version and flags, then a number */

/* ------------------------------------------------------------------ boxes */

/* What the boxes, or elements, of a file say. */
struct walk {
	struct reader *in;
	int left; /* boxes that may still be looked at */
	int tracks, films, sounds;
	bool media, items;
	double seconds;
	int64_t moov; /* where it begins, 0: there is none */
};

/* The box of this type among those from `at` to `end`: 1, 0 when there is none, or an error. */
static int find_box(struct walk *walk, int64_t at, int64_t end, const char *type, struct box *box)
{
	int error;

	for (; at < end; at = box->end) {
		if (walk->left-- == 0)
			return reader_bad(walk->in, "The file has too many boxes.");
		error = box_read(walk->in, at, end, box);
		if (error < 0)
			return error;
		if (box_is(box, type))
			return 1;
	}
	return 0;
}

/* What a trak box is a track of, by its handler (ISO/IEC 14496-12, 8.4.3): a film where none says
 * otherwise. Words and times that go with them are neither. */
static int read_track(struct walk *walk, const struct box *trak)
{
	struct box mdia, hdlr;
	char handler[4] = "vide";
	int found = find_box(walk, trak->content, trak->end, "mdia", &mdia);

	if (found == 1)
		found = find_box(walk, mdia.content, mdia.end, "hdlr", &hdlr);
	if (found == 1 && hdlr.end - hdlr.content >= HANDLER_AT + (int64_t)sizeof(handler))
		found = reader_copy(walk->in, handler, sizeof(handler), hdlr.content + HANDLER_AT);
	if (found < 0)
		return found;
	walk->tracks++;
	walk->films += memcmp(handler, "vide", 4) == 0;
	walk->sounds += memcmp(handler, "soun", 4) == 0;
	return 0;
}

static int read_tracks(struct walk *walk, const struct box *moov)
{
	struct box trak;
	int found = 1;

	for (int64_t at = moov->content; found == 1; at = trak.end) {
		found = find_box(walk, at, moov->end, "trak", &trak);
		if (found == 1 && trak.content < trak.end && (found = read_track(walk, &trak)) == 0)
			found = 1;
	}
	return found;
}

/* How long it lasts, by its header (ISO/IEC 14496-12, 8.2.2). One that is in fragments does not
 * say. */
static int read_length(struct walk *walk, const struct box *moov)
{
	uint8_t head[32];
	struct box mvhd;
	uint32_t scale, length;
	uint64_t longer;
	int found = find_box(walk, moov->content, moov->end, "mvhd", &mvhd);

	if (found < 1 || mvhd.end - mvhd.content < (int64_t)sizeof(head))
		return found < 0 ? found : 0;
	found = reader_copy(walk->in, head, sizeof(head), mvhd.content);
	if (found < 0)
		return found;
	/* version 1 has the two times before them in 8 bytes each, and the length as well */
	memcpy(&scale, head + (head[0] == 1 ? 20 : 12), sizeof(scale));
	memcpy(&length, head + 16, sizeof(length));
	memcpy(&longer, head + 24, sizeof(longer));
	scale = be32toh(scale);
	if (scale)
		walk->seconds = (head[0] == 1 ? (double)be64toh(longer) : be32toh(length)) / scale;
	return 0;
}

static int walk_boxes(struct walk *walk)
{
	struct box box;
	int error;

	for (int64_t at = 0; at < walk->in->bytes; at = box.end) {
		if (walk->left-- == 0)
			return reader_bad(walk->in, "The file has too many boxes.");
		error = box_read(walk->in, at, walk->in->bytes, &box);
		if (error < 0)
			return error;
		if (at == 0 && !box_is(&box, "ftyp"))
			return reader_bad(
				walk->in, "The file does not begin with its type (ftyp).");
		walk->items = walk->items || box_is(&box, "meta");
		if (box_is(&box, "mdat") && box.content < box.end)
			walk->media = true;
		if (box_is(&box, "moov") && !walk->moov)
			walk->moov = at;
		if (box_is(&box, "moov") && !walk->tracks &&
			((error = read_tracks(walk, &box)) < 0 ||
				(error = read_length(walk, &box)) < 0))
			return error;
	}
	return 0;
}

/* All its tracks are sound: what libmagic calls video/webm is audio/webm. */
static void is_sound(struct result *result, const char *suffix)
{
	result->kinds = RESULT_AUDIO;
	result->suffix = suffix;
	if (strncmp(result->type, "video/", 6) == 0)
		memcpy(result->type, "audio", 5);
}

int check_film(struct reader *in, struct result *result)
{
	struct walk walk = {.in = in, .left = BOXES_MAX};
	int error = walk_boxes(&walk);

	if (error < 0)
		return error;
	if (!walk.tracks)
		return reader_bad(in, "The file describes no track (moov).");
	if (!walk.media)
		return reader_bad(in, "The file holds no picture data (mdat).");
	result->seconds = walk.seconds;
	result->moov = walk.moov;
	if (!walk.films && walk.sounds)
		is_sound(result, "m4a");
	else if (!walk.films)
		result->kinds = 0;
	return 0;
}

/* A picture in boxes (ISO/IEC 23008-12): its items are described, and there. */
int check_boxed_still(struct reader *in, struct result *result)
{
	struct walk walk = {.in = in, .left = BOXES_MAX};
	int error = walk_boxes(&walk);

	(void)result;
	if (error < 0)
		return error;
	return walk.items && walk.media ? 0 : reader_bad(in, "The file holds no picture (mdat).");
}

/* ------------------------------------------------------------------ elements */

#define ELEMENT_HEAD_BYTES 12 /* 4 and 8: the longest an ID and a size are */

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

/* An element of Matroska: the number that says what it is, where its content starts and ends. One
 * of unknown size ends where what it is in ends (RFC 8794, 6.2). */
struct element {
	uint32_t id;
	int64_t content, end;
};

/* 1, 0 when none that is whole begins there, or an error. */
static int read_element(struct reader *in, int64_t at, int64_t limit, struct element *element)
{
	int64_t left = in->bytes - at;
	size_t have = left < ELEMENT_HEAD_BYTES ? (size_t)left : ELEMENT_HEAD_BYTES;
	uint8_t head[ELEMENT_HEAD_BYTES];
	size_t id_bytes, size_bytes;
	int64_t value, size = 0;
	int error = at < limit ? reader_copy(in, head, have, at) : 0;

	if (error < 0 || at >= limit)
		return error;
	id_bytes = ebml_number(head, have, &value);
	if (id_bytes == 0 || id_bytes > sizeof(element->id))
		return 0;
	size_bytes = ebml_number(head + id_bytes, have - id_bytes, &size);
	element->id = 0;
	for (size_t i = 0; i < id_bytes; i++)
		element->id = element->id << 8 | head[i];
	element->content = at + (int64_t)(id_bytes + size_bytes);
	element->end = size < 0 ? limit : element->content + size;
	return size_bytes && element->content <= limit && size <= limit - element->content;
}

/* The element of this number among those from `at` to `end`: 1, 0 when there is none, or an error.
 */
static int find_element(
	struct walk *walk, int64_t at, int64_t end, uint32_t id, struct element *element)
{
	int found;

	for (; walk->left-- > 0; at = element->end) {
		found = read_element(walk->in, at, end, element);
		if (found <= 0 || element->id == id)
			return found;
	}
	return 0;
}

/* RFC 9559, 5.1.4: what each TrackEntry of Tracks is a track of, by its TrackType. */
static int read_entries(struct walk *walk, const struct element *segment)
{
	enum { TRACKS = 0x1654ae6b, TRACK_ENTRY = 0xae, TRACK_TYPE = 0x83, IS_SOUND = 2 };
	struct element tracks = {0}, entry, type;
	int found = find_element(walk, segment->content, segment->end, TRACKS, &tracks);

	for (int64_t at = tracks.content; found == 1; at = entry.end) {
		uint8_t value = 0;

		found = find_element(walk, at, tracks.end, TRACK_ENTRY, &entry);
		if (found != 1)
			break;
		walk->tracks++;
		found = find_element(walk, entry.content, entry.end, TRACK_TYPE, &type);
		if (found == 1 && type.end - type.content == sizeof(value))
			found = reader_copy(walk->in, &value, sizeof(value), type.content);
		walk->sounds += value == IS_SOUND;
		found = found < 0 ? found : 1;
	}
	return found < 0 ? found : 0;
}

/* Matroska: the EBML header, then a Segment, whose size is not known while it is streamed. What
 * cannot be understood of its tracks says nothing. */
int check_segment(struct reader *in, struct result *result)
{
	enum { EBML = 0x1a45dfa3, SEGMENT = 0x18538067 };
	struct walk walk = {.in = in, .left = BOXES_MAX};
	struct element head = {0}, segment = {0};
	int found = read_element(in, 0, in->bytes, &head);

	if (found == 0 || (found == 1 && head.id != EBML))
		return reader_bad(in, "The file does not begin with an EBML header.");
	if (found == 1)
		found = read_element(in, head.end, in->bytes, &segment);
	if (found >= 0 && segment.id != SEGMENT)
		return reader_bad(in, "The file holds no segment.");
	if (found == 0)
		return reader_bad(in, "The file ends inside its segment.");
	if (found == 1)
		found = read_entries(&walk, &segment);
	if (found == 0 && walk.tracks && walk.sounds == walk.tracks)
		is_sound(result, strcmp(result->suffix, "webm") == 0 ? "weba" : "mka");
	return found;
}

/* ------------------------------------------------------------------ AVI */

/* RIFF says how long the rest is, 4 bytes of little endian at 4; not so when it was streamed. */
int check_riff(struct reader *in, struct result *result)
{
	uint32_t size;
	int error = reader_copy(in, &size, sizeof(size), 4);

	(void)result;
	if (error < 0)
		return error;
	size = le32toh(size);
	return size == UINT32_MAX || (int64_t)size + 8 <= in->bytes
	               ? 0
	               : reader_bad(in, "The file ends inside its RIFF chunk.");
}

/* results.c - what the provider's links lead to: videos of several versions, pictures, pages of
 * words, nothing; from servers that are more or less careful. */
#include "fs/net/http.h"

#include "tests/sim/sim.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES 8

static const char *next_letters;
static int next_server, next_cuts;

void results_begin(void)
{
	next_letters = NULL;
	next_server = next_cuts = 0;
}

void results_script(const char *letters, int server)
{
	next_letters = letters;
	next_server = server;
}

void results_break_off(int times)
{
	next_cuts = times;
}

/* One task in sixteen has something else than videos. */
void results_draw(struct task *of, bool is_kind)
{
	static const char letters[] = "gwwwwwpxdh";
	bool is_odd = chance(STREAM_FILE, 16) == 0;
	size_t count = 1 + (chance(STREAM_FILE, 8) == 0);

	if (next_letters) {
		(void)snprintf(of->results, sizeof(of->results), "%s", next_letters);
		of->server = next_server;
		next_letters = NULL;
		return;
	}
	if (is_kind) {
		of->results[0] = 'g';
		return;
	}
	if (is_odd)
		count = 1 + chance(STREAM_FILE, RESULTS_MAX);
	for (size_t i = 0; i < count; i++)
		of->results[i] = letters[chance(STREAM_FILE, is_odd ? sizeof(letters) - 1 : 6)];
	of->server = chance(STREAM_FILE, 2) ? 0 : (int)chance(STREAM_FILE, 16);
	of->names_nothing = is_odd && chance(STREAM_FILE, 8) == 0;
}

/* ------------------------------------------------------------------ bytes */

#define TEXT(bytes, text) put(bytes, text, sizeof(text) - 1)
static char *put(char *to, const void *bytes, size_t count)
{
	memcpy(to, bytes, count);
	return to + count;
}

/* The CRC of a PNG's chunk (ISO/IEC 15948, annex D), from its type on. */
static char *put_crc(char *to, const char *from)
{
	uint32_t crc = UINT32_MAX;

	for (; from < to; from++) {
		crc ^= (uint8_t)*from;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	crc = htobe32(~crc);
	return put(to, &crc, sizeof(crc));
}

size_t results_bytes(char letter, const char *name, int version, char bytes[RESULT_BYTES])
{
	char label[24] = "", *at = bytes;

	(void)snprintf(label, sizeof(label), "%s %d", name, version);
	switch (letter) {
	case 'g':
		at = TEXT(at, "\0\0\0\x18"
			      "ftypisom\0\0\2\0isommp42"
			      "\0\0\0\x20"
			      "moov\0\0\0\x08mvhd\0\0\0\x10trak\0\0\0\x08tkhd"
			      "\0\0\0\x20"
			      "mdat");
		return (size_t)(put(at, label, sizeof(label)) - bytes);
	case 'w': /* of unknown length: no cut of it is seen */
		at = TEXT(at, "\x1a\x45\xdf\xa3\x87\x42\x82\x84webm"
			      "\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff");
		at = put(at, label, sizeof(label));
		memset(at, 'a' + version, 64 + (size_t)version);
		return (size_t)(at + 64 + version - bytes);
	case 'p':
	case 's':
		at = TEXT(at, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde"
			      "\0\0\0\x18IDAT");
		at = put(at, label, sizeof(label));
		at = put_crc(at, at - sizeof(label) - 4);
		return (size_t)(TEXT(at, "\0\0\0\0IEND\xae\x42\x60\x82") - bytes);
	case 'x':
		at = TEXT(at, "\x01\x92\xfe\x11\x80");
		return (size_t)(put(at, label, sizeof(label)) - bytes);
	case 'h': return (size_t)(TEXT(at, "<!DOCTYPE html><html>No such file</html>") - bytes);
	default: return 0;
	}
}

bool results_arrives(char letter)
{
	return letter && strchr("gwpsx", letter);
}

/* ------------------------------------------------------------------ an answer */

static void begin(struct download *to, const struct task *of, int number, int version)
{
	bool is_told = !(of->server & SERVER_TELLS_NO_LENGTH);

	to->length = is_told ? (int64_t)to->bytes : -1;
	to->is_marked = is_told || !(of->server & SERVER_MARKS_NO_END);
	(void)snprintf(to->validator, sizeof(to->validator), "\"%d-%d\"", number,
		of->server & SERVER_KEEPS_ITS_TAG ? 0 : version);
	to->has_validator = !(of->server & SERVER_HAS_NO_VALIDATOR);
}

/* Breaks off; where ends are not marked, nobody sees it, and it is never twice at the same byte. */
static void cut(struct download *to, struct task *of)
{
	if (to->bytes < 40)
		return;
	to->bytes -= 1 + (size_t)(of->cuts++ % 24);
	to->result = to->is_marked ? CURLE_PARTIAL_FILE : CURLE_OK;
}

void results_answer(
	struct download *to, const char *name, const struct http_request *request, bool is_kind)
{
	unsigned luck = is_kind ? 99 : chance(STREAM_FILE, 100);
	int id = (int)strtol(name + 1, NULL, 10),
	    number = (int)strtol(strchr(name, '-') + 1, NULL, 10);
	struct task *of = &task[id];

	if (of->version[number] < VERSIONS - 1 && luck >= 30 && luck < 50)
		of->version[number]++;
	*to = (struct download){.status = 200, .result = CURLE_OK};
	to->bytes = results_bytes(of->results[number], name, of->version[number], to->content);
	begin(to, of, number, of->version[number]);
	if (to->bytes == 0 || (luck >= 20 && luck < 28)) {
		to->status = to->bytes == 0 || luck < 24 ? 404 : 503;
		to->bytes = 0;
		return;
	}
	if (of->server & SERVER_KNOWS_NO_RANGES) {
		if (next_cuts > 0 && next_cuts--)
			cut(to, of);
		return;
	}
	if ((size_t)request->resume_at > to->bytes) {
		to->status = 416;
		to->bytes = 0;
		return;
	}
	if (request->resume_at > 0 &&
		(of->server & SERVER_IGNORES_VERSIONS ||
			(request->validator && to->has_validator &&
				!strcmp(request->validator, to->validator)))) {
		to->status = 206;
		to->start = (size_t)request->resume_at;
		if (of->server & SERVER_GIVES_PIECES && to->bytes - to->start > PIECE_BYTES)
			to->bytes = to->start + PIECE_BYTES;
	}
	if (luck < 20 || (next_cuts > 0 && next_cuts--))
		cut(to, of);
}

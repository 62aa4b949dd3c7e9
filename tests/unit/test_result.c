/* test_result.c - which downloads are whole, and what they are. Files are put together here, box by
 * box. */
#include "fs/base/cleanup.h"
#include "fs/net/result.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/unit/run.h"

/* A box of a 32-bit size with content, as bytes of an initialiser. */
#define FTYP                                                                                       \
	"\0\0\0\x18"                                                                               \
	"ftypisom\0\0\2\0isommp42"
#define MOOV                                                                                       \
	"\0\0\0\x20"                                                                               \
	"moov"                                                                                     \
	"\0\0\0\x08"                                                                               \
	"mvhd"                                                                                     \
	"\0\0\0\x10"                                                                               \
	"trak"                                                                                     \
	"\0\0\0\x08"                                                                               \
	"tkhd"
#define MDAT                                                                                       \
	"\0\0\0\x0c"                                                                               \
	"mdat"                                                                                     \
	"data"
#define FREE                                                                                       \
	"\0\0\0\x08"                                                                               \
	"free"

struct verdict {
	int result;
	struct result found;
	const char *why;
};

static struct verdict check_bytes(const void *bytes, size_t count, int64_t claimed)
{
	struct verdict verdict = {0};
	AUTO_FD int fd = memfd_create("video", MFD_CLOEXEC);

	assert_int_equal(write(fd, bytes, count), count);
	verdict.result = result_check(fd, claimed, &verdict.found, &verdict.why);
	return verdict;
}

static void assert_kinds(const void *bytes, size_t count, unsigned int kinds, const char *suffix)
{
	struct verdict verdict = check_bytes(bytes, count, (int64_t)count);

	if (verdict.result != 0)
		fail_msg("refused: %s", verdict.why ? verdict.why : "(no reason)");
	assert_string_equal(verdict.found.suffix, suffix);
	assert_int_equal(verdict.found.kinds, kinds);
	assert_null(verdict.why);
}

static void assert_bad(const void *bytes, size_t count, const char *why)
{
	struct verdict verdict = check_bytes(bytes, count, (int64_t)count);

	assert_int_equal(verdict.result, -EBADMSG);
	assert_non_null(verdict.why);
	if (!strstr(verdict.why, why))
		fail_msg("\"%s\" instead of \"%s\"", verdict.why, why);
}

#define IS(kinds, bytes, suffix) assert_kinds((bytes), sizeof(bytes) - 1, (kinds), (suffix))
#define GOOD(bytes, suffix)      IS(RESULT_VIDEO, bytes, suffix)
#define BAD(bytes, why)          assert_bad((bytes), sizeof(bytes) - 1, (why))

static void a_whole_mp4_passes(void **state)
{
	(void)state;
	GOOD(FTYP MOOV MDAT, "mp4");
	GOOD(FTYP FREE MDAT MOOV, "mp4"); /* moov at the end, as encoders write it first */
	GOOD(FTYP MOOV MDAT FREE MDAT, "mp4");
}

static void a_quicktime_file_keeps_its_name(void **state)
{
	(void)state;
	GOOD("\0\0\0\x14"
	     "ftypqt  \0\0\2\0qt  " MOOV MDAT,
		"mov");
}

static void an_unknown_brand_is_judged_by_its_boxes(void **state)
{
	(void)state;
	GOOD("\0\0\0\x14"
	     "ftypzzzz\0\0\0\0zzzz" MOOV MDAT,
		"mp4");
	BAD("\0\0\0\x14"
	    "ftypzzzz\0\0\0\0zzzz" MDAT,
		"no track");
}

static void sizes_of_every_kind_are_understood(void **state)
{
	(void)state;
	GOOD(FTYP MOOV "\0\0\0\1"
		       "mdat"
		       "\0\0\0\0\0\0\0\x14"
		       "data",
		"mp4"); /* 64-bit */
	GOOD(FTYP MOOV "\0\0\0\0"
		       "mdat"
		       "to the end",
		"mp4");
}

static void what_is_there_is_less_than_what_came(void **state)
{
	static const char whole[] = FTYP MOOV MDAT;
	struct verdict verdict = check_bytes(whole, sizeof(whole) - 3, sizeof(whole) - 1);

	(void)state;
	assert_int_equal(verdict.result, -EBADMSG);
}

static void what_is_missing_is_named(void **state)
{
	(void)state;
	BAD(FTYP MDAT, "no track");
	BAD(FTYP MOOV, "no picture data");
	BAD(FTYP MOOV "\0\0\0\x08"
		      "mdat",
		"no picture data");
	BAD(FTYP "\0\0\0\x10"
		 "moov"
		 "\0\0\0\x08"
		 "mvhd" MDAT,
		"no track");
	BAD(FTYP "\0\0\0\x10"
		 "moov"
		 "\0\0\0\x08"
		 "trak" MDAT,
		"no track");
	BAD(FTYP MOOV MDAT "rest", "ends inside a box");
}

static void hostile_sizes_are_refused(void **state)
{
	(void)state;
	BAD(FTYP "\0\0\0\x07"
		 "moov" MDAT,
		"smaller than its own header");
	BAD(FTYP "\0\0\0\1"
		 "moov"
		 "\0\0\0\0\0\0\0\x0f" MDAT,
		"smaller than its own header");
	BAD(FTYP "\0\0\0\1"
		 "moov"
		 "\xff\xff\xff\xff\xff\xff\xff\xff" MDAT,
		"ends inside");
	BAD(FTYP "\0\0\0\1"
		 "moov"
		 "\x7f\xff\xff\xff\xff\xff\xff\xff" MDAT,
		"ends inside");
	BAD(FTYP "\xff\xff\xff\xff"
		 "moov" MDAT,
		"ends inside");
	BAD(FTYP "\0\0\0\1"
		 "moov"
		 "\0\0",
		"ends inside");
	/* a child that reaches out of its moov */
	BAD(FTYP "\0\0\0\x10"
		 "moov"
		 "\0\0\0\x20"
		 "trak" MDAT,
		"ends inside");
	/* a moov that is read to its end holds everything behind it */
	BAD(FTYP "\0\0\0\0"
		 "moov"
		 "\0\0\0\x10"
		 "trak"
		 "\0\0\0\x08"
		 "tkhd" MDAT,
		"no picture data");
}

static void boxes_are_counted(void **state)
{
	size_t count = 70000, bytes = sizeof(FTYP) - 1 + 8 * count;
	AUTO_FREE char *file = malloc(bytes);

	(void)state;
	memcpy(file, FTYP, sizeof(FTYP) - 1);
	for (size_t i = 0; i < count; i++)
		memcpy(file + sizeof(FTYP) - 1 + 8 * i, FREE, 8);
	assert_bad(file, bytes, "too many boxes");
}

static void a_page_of_words_is_refused(void **state)
{
	(void)state;
	BAD("", "empty");
	BAD("<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "page of words");
	BAD("<!DOCTYPE html><html><body>expired</body></html>", "page of words");
	BAD("{\"code\":404,\"msg\":\"not found\"}", "page of words");
	BAD("plain words", "page of words");
}

/* A track with a handler: 'vide', 'soun'. */
#define TRAK(handler)                                                                              \
	"\0\0\0\x28"                                                                               \
	"trak"                                                                                     \
	"\0\0\0\x20"                                                                               \
	"mdia"                                                                                     \
	"\0\0\0\x18"                                                                               \
	"hdlr"                                                                                     \
	"\0\0\0\0\0\0\0\0" handler "\0\0\0\0"

static void an_mp4_of_sound_alone_is_sound(void **state)
{
	(void)state;
	IS(RESULT_AUDIO,
		FTYP "\0\0\0\x30"
		     "moov" TRAK("soun") MDAT,
		"m4a");
	GOOD(FTYP "\0\0\0\x58"
		  "moov" TRAK("soun") TRAK("vide") MDAT,
		"mp4");
	GOOD("\0\0\0\x14"
	     "ftypM4A \0\0\0\0M4A "
	     "\0\0\0\x58"
	     "moov" TRAK("vide") TRAK("soun") MDAT,
		"mp4");
	BAD(FTYP "\0\0\0\x30"
		 "moov"
		 "\0\0\0\x28"
		 "trak"
		 "\0\0\0\x40"
		 "mdia"
		 "\0\0\0\x18"
		 "hdlr\0\0\0\0\0\0\0\0soun\0\0\0\0" MDAT,
		"ends inside");
}

static void other_files_have_their_own_suffix(void **state)
{
	(void)state;
	IS(0, "RIFF\x10\0\0\0AVI LIST\4\0\0\0hdrl", "avi");
	BAD("RIFF\x20\0\0\0AVI LIST\4\0\0\0hdrl", "RIFF");
	IS(0,
		"\x7f"
		"ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0>\0\1\0\0\0",
		"bin");
}

static void what_nobody_knows_is_said_to_be_so(void **state)
{
	static const char bytes[] = "\x01\x92\xfe\x11\x80";
	struct verdict verdict = check_bytes(bytes, sizeof(bytes) - 1, sizeof(bytes) - 1);

	(void)state;
	assert_int_equal(verdict.result, 0);
	assert_false(verdict.found.known);
	assert_int_equal(verdict.found.kinds, 0);
	verdict =
		check_bytes(FTYP MOOV MDAT, sizeof(FTYP MOOV MDAT) - 1, sizeof(FTYP MOOV MDAT) - 1);
	assert_true(verdict.found.known);
}

/* EBML header (DocType webm), then a Segment of 4 bytes. */
#define EBML    "\x1a\x45\xdf\xa3\x87\x42\x82\x84webm"
#define SEGMENT "\x18\x53\x80\x67"

static void webm_ends_where_its_segment_ends(void **state)
{
	(void)state;
	GOOD(EBML SEGMENT "\x84"
			  "datapad",
		"webm");
	GOOD(EBML SEGMENT "\x01\xff\xff\xff\xff\xff\xff\xff"
			  "of unknown size",
		"webm");
	BAD(EBML SEGMENT "\xc4"
			 "data and more",
		"ends inside its segment");
	BAD(EBML SEGMENT "\x08\x7f\xff\xff\xff"
			 "data and more",
		"ends inside its segment");
	BAD(EBML "\x18\x53\x80\x68\x84"
		 "datapad",
		"no segment");
	BAD(EBML, "no segment");
}

#define UNKNOWN     "\x01\xff\xff\xff\xff\xff\xff\xff"
#define INFO        "\x15\x49\xa9\x66\x84info"
#define TRACKS(n)   "\x16\x54\xae\x6b" n
#define ENTRY(type) "\xae\x86\xd7\x81\1\x83\x81" type /* number, type (RFC 9559, 5.1.4) */
#define CLUSTER     "\x1f\x43\xb6\x75"

static void a_webm_of_sound_alone_is_sound(void **state)
{
	(void)state;
	IS(RESULT_AUDIO,
		EBML SEGMENT UNKNOWN INFO TRACKS("\x88") ENTRY("\2") CLUSTER UNKNOWN "data",
		"weba");
	IS(RESULT_AUDIO,
		EBML SEGMENT "\xa7" INFO CLUSTER "\x84"
			     "data" TRACKS("\x90") ENTRY("\2") ENTRY("\2"),
		"weba");
	GOOD(EBML SEGMENT UNKNOWN TRACKS("\x90") ENTRY("\2") ENTRY("\1") CLUSTER UNKNOWN "data",
		"webm");
	GOOD(EBML SEGMENT UNKNOWN CLUSTER UNKNOWN TRACKS("\x88") ENTRY("\2"), "webm");
	GOOD(EBML SEGMENT UNKNOWN TRACKS("\x88") "\xae\x86\xd7\x81\1\x83\x80\2",
		"webm"); /* of no type */
	IS(RESULT_AUDIO, EBML SEGMENT UNKNOWN TRACKS("\xff") ENTRY("\2"), "weba");
	GOOD(EBML SEGMENT UNKNOWN TRACKS("\x84") ENTRY("\2"), "webm"); /* ends within one */
}

static void sound_is_called_sound(void **state)
{
	const char webm[] = EBML SEGMENT UNKNOWN TRACKS("\x88") ENTRY("\2");
	struct verdict verdict = check_bytes(webm, sizeof(webm) - 1, sizeof(webm) - 1);

	(void)state;
	assert_string_equal(verdict.found.type, "audio/webm");
}

#define GIF                                                                                        \
	"GIF89a\1\0\1\0\x80\0\0\0\0\0\0\0\0"                                                       \
	"!\xf9\4\0\0;\0\0"                                                                         \
	",\0\0\0\0\1\0\1\0\0\2\3D;\1\0"

static void a_gif_is_a_video_and_a_picture(void **state)
{
	(void)state;
	IS(RESULT_VIDEO | RESULT_IMAGE, GIF ";", "gif");
	IS(RESULT_VIDEO | RESULT_IMAGE, GIF ";and more", "gif");
	BAD(GIF "\0", "trailer");
	BAD("GIF89a\1\0\1\0\x80\0\0\0\0\0\0\0\0;", "no picture");
}

#define IHDR "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde"
#define IDAT                                                                                       \
	"\0\0\0\x0cIDAT\x08\xd7"                                                                   \
	"c\xf8\xcf\xc0\0\0\3\1\1\0\x18\xdd\x8d\xb0"
#define IEND "\0\0\0\0IEND\xae\x42\x60\x82"

static void png_is_whole_to_its_iend(void **state)
{
	(void)state;
	IS(RESULT_IMAGE, IHDR IDAT IEND, "png");
	IS(RESULT_IMAGE, IHDR IDAT IEND "and more", "png");
	IS(RESULT_IMAGE, IHDR "\0\0\0\4tEXtdata\0\0\0\0" IDAT IEND, "png"); /* words are damaged */
	BAD(IHDR IDAT, "cut off");
	BAD(IHDR IEND, "no picture");
	BAD(IHDR "\0\0\0\4IDATdata\0\0\0\0" IEND, "damaged");
	BAD(IHDR "\xff\xff\xff\xffIDATdata\0\0\0\0" IEND, "cut off");
	BAD(IHDR "\x7f\xff\xff\xffIDATdata\0\0\0\0" IEND, "cut off");
}

/* The small picture inside has an end of its own; in what is coded 0xff is followed by 0. */
#define JPEG                                                                                       \
	"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"                                           \
	"\xff\xe1\0\x0eThumb\0\xff\xd8\xff\xda\xff\xd9"                                            \
	"\xff\xc0\0\x0b\x08\0\1\0\1\1\1\x11\0"                                                     \
	"\xff\xda\0\x08\1\1\0\0?\0"                                                                \
	"\x12\xff\0\x34\xff\xd0\x56\xff\0"

static void jpeg_is_whole_to_its_eoi(void **state)
{
	(void)state;
	IS(RESULT_IMAGE, JPEG "\xff\xd9", "jpg");
	IS(RESULT_IMAGE, JPEG "\xff\xff\xd9", "jpg"); /* filled up */
	IS(RESULT_IMAGE, JPEG "\xff\xd9\xff\xd8\xff\xe0", "jpg");
	BAD(JPEG, "cut off");
	BAD("\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xd9", "no picture");
	BAD("\xff\xd8\xff\xe0\xff\xff\xff\xff\xd9", "cut off");
}

#define WEBP "WEBPVP8 \3\0\0\0abc\0"

static void webp_is_as_long_as_it_says(void **state)
{
	(void)state;
	IS(RESULT_IMAGE, "RIFF\x10\0\0\0" WEBP, "webp");
	IS(RESULT_IMAGE, "RIFF\x1a\0\0\0WEBPVP8X\2\0\0\0abVP8L\4\0\0\0data", "webp");
	BAD("RIFF\x12\0\0\0" WEBP, "RIFF");
	BAD("RIFF\xff\xff\xff\xff" WEBP, "RIFF");
	BAD("RIFF\x10\0\0\0WEBPVP8 \5\0\0\0abcd", "inside a chunk");
	BAD("RIFF\x0e\0\0\0WEBPVP8X\2\0\0\0ab", "no picture");
}

#define AVIF                                                                                       \
	"\0\0\0\x14"                                                                               \
	"ftypavif\0\0\0\0mif1"                                                                     \
	"\0\0\0\x0c"                                                                               \
	"meta\0\0\0\0" MDAT

static void avif_has_its_items(void **state)
{
	(void)state;
	IS(RESULT_IMAGE, AVIF, "avif");
	BAD("\0\0\0\x14"
	    "ftypavif\0\0\0\0mif1" MDAT,
		"no picture");
}

/* ------------------------------------------------------------------ sound */

#define FRAME_BYTES 417 /* of MPEG-1, layer III, 128 kbit/s, 44.1 kHz */

/* So many of them, the first of which says that there are `said` bytes; 0: it does not. */
static size_t put_frames(char *to, size_t count, size_t said)
{
	memset(to, 0, count * FRAME_BYTES);
	for (size_t i = 0; i < count; i++)
		memcpy(to + i * FRAME_BYTES, "\xff\xfb\x90\x64", 4);
	if (said) {
		memcpy(to + 36, "Info\0\0\0\3\0\0\0\2\0\0", 14);
		to[50] = (char)(said >> 8);
		to[51] = (char)said;
	}
	return count * FRAME_BYTES;
}

static void mp3_ends_with_a_frame(void **state)
{
	char bytes[4 * FRAME_BYTES + 512] = "";
	size_t count;

	(void)state;
	memcpy(bytes, "ID3\3\0\0\0\0\0\x0a", 10); /* ten bytes follow */
	count = 20 + put_frames(bytes + 20, 3, 3 * FRAME_BYTES);
	assert_kinds(bytes, count, RESULT_AUDIO, "mp3");
	assert_bad(bytes, count - FRAME_BYTES, "before its last frame");
	assert_bad(bytes, count - 1, "inside a frame");
	(void)put_frames(bytes + 20, 3, 0);
	assert_kinds(bytes, count - FRAME_BYTES, RESULT_AUDIO, "mp3"); /* it does not say */
	assert_bad(bytes, count - FRAME_BYTES + 5, "inside a frame");
	assert_kinds(bytes, count + 100, RESULT_AUDIO, "mp3"); /* zeros */
	memcpy(bytes + count, "TAG", 3);
	assert_kinds(bytes, count + 128, RESULT_AUDIO, "mp3");
	assert_bad(bytes, count + 127, "inside a frame");
	memcpy(bytes + count, "what is no frame", 16);
	assert_bad(bytes, count + 16, "inside a frame");
	(void)put_frames(bytes + count + 16, 1, 0);
	assert_kinds(bytes, count + 16 + FRAME_BYTES, RESULT_AUDIO, "mp3");
	bytes[9] = 127; /* the tag is longer than the file */
	bytes[8] = 127;
	assert_bad(bytes, count, "inside a tag");
	BAD("ID3\3\0\0\0\0\0\x0a\0\0\0\0\0\0\0\0\0\0", "no sound");
}

static void what_is_looked_over_between_frames_is_counted(void **state)
{
	char bytes[1100 * 49] = ""; /* of two frames, MPEG-2, layer III, 8 kbit/s, and a byte */

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i += 49) {
		memcpy(bytes + i, "\xff\xf3\x14\xc4", 4);
		memcpy(bytes + i + 24, "\xff\xf3\x14\xc4", 4);
		bytes[i + 48] = 'x';
	}
	assert_kinds(bytes, 1000 * 49 - 1, RESULT_AUDIO, "mp3");
	assert_bad(bytes, sizeof(bytes) - 1, "too much that is no sound");
}

static void sound_that_libmagic_does_not_know_is_known_by_its_frames(void **state)
{
	char bytes[2 * 104] = ""; /* MPEG-2.5, layer III, 16 kbit/s, 11.025 kHz */

	(void)state;
	memcpy(bytes, "\xff\xe3\x20\x64", 4);
	memcpy(bytes + 104, "\xff\xe3\x20\x64", 4);
	assert_kinds(bytes, sizeof(bytes), RESULT_AUDIO, "mp3");
}

#define ADTS                                                                                       \
	"\xff\xf1\x50\x80\2\x5f\xfc"                                                               \
	"sound....."

static void aac_ends_with_a_frame(void **state)
{
	(void)state;
	IS(RESULT_AUDIO, ADTS "\0" ADTS "\0", "aac");
	BAD(ADTS "\0" ADTS, "inside a frame");
}

#define WAVE(size) "RIFF" size "WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80>\0\0\2\0\x10\0"

static void wav_has_all_its_data(void **state)
{
	(void)state;
	IS(RESULT_AUDIO, WAVE("\x28\0\0\0") "data\4\0\0\0abcd", "wav");
	IS(RESULT_AUDIO,
		WAVE("\xff\xff\xff\xff") "data\xff\xff\xff\xff"
					 "abcd",
		"wav");
	IS(RESULT_AUDIO, WAVE("\0\0\0\0") "data\0\0\0\0abcd", "wav");
	BAD(WAVE("\x28\0\0\0") "data\4\0\0\0abc", "RIFF");
	BAD(WAVE("\x28\0\0\0") "data\5\0\0\0abcd", "inside its sound");
	BAD(WAVE("\x24\0\0\0") "data\0\0\0\0", "no sound");
	BAD(WAVE("\x1c\0\0\0"), "too early");
	BAD("RIFF\x10\0\0\0WAVEdata\4\0\0\0abcd", "no sound");
}

/* A page of one segment of eight bytes. */
#define PAGE(flags, eight) "OggS\0" flags "\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0crc.\1\x08" eight
#define OGG                PAGE("\2", "OpusHead") PAGE("\0", "OpusTags")

static void ogg_ends_with_its_last_page(void **state)
{
	(void)state;
	IS(RESULT_AUDIO, OGG PAGE("\4", "8 bytes."), "ogg");
	BAD(OGG PAGE("\0", "8 bytes."), "before its last page");
	BAD(OGG PAGE("\4", "8 bytes"), "inside a page");
	BAD(OGG PAGE("\4", "8 bytes.") "more", "too early");
	BAD(OGG "this is no page, whatever it is.", "a page that is none");
	IS(0, PAGE("\2", "OpusHead") PAGE("\2", "\x80theora\3") PAGE("\4", "8 bytes."), "ogv");
}

/* 40 samples at 8 kHz in two frames, as ffmpeg has coded them. */
#define FLAC_INFO(samples)                                                                         \
	"fLaC\x80\0\0\x22\0\x20\0\x20\0\0\x17\0\0\x46\1\xf4\0\xf0\0\0\0" samples                   \
	"\x86\x80\x0e\xff\x49\x0f\x34\xcf\x47\x72\x97\xd2\x11\x43\xb1\x44"
#define FLAC_FRAME                                                                                 \
	"\xff\xf8\x64\x08\0\x1f\xbe\x4e\0\0\x05\x6b\x0a\x32\x0d\xc5\x0f\xb6\x0f\xcd\x0e\x05\x0a"   \
	"\x94\xe6\x2d\x28\x8f\xda\xb1\xce\xff\1\x73\x2e\x1d\xe2\2\xfe\xbb\x80\xe8\x75\x7a\xfd\x7e" \
	"\xa3\xf3\xbb\x8c\xc8\x45\x2a\x19\x0b\xe5\x77\xa6\x44\x3e\x0f\xea\x9d\x7e\xbd\x56\xfc\x80" \
	"\x85\xb0"
#define FLAC_LAST                                                                                  \
	"\xff\xf8\x64\x08\1\7\xe3\x18\xf0\x09\xf1\x51\xf4\x57\xf8\xbd\1\x4b\x57\xeb\xf0\x8f\x88"

static void flac_ends_with_its_last_frame(void **state)
{
	(void)state;
	IS(RESULT_AUDIO, FLAC_INFO("\x28") FLAC_FRAME FLAC_LAST, "flac");
	IS(RESULT_AUDIO, FLAC_INFO("\0") FLAC_FRAME FLAC_LAST, "flac"); /* of unknown length */
	IS(RESULT_AUDIO, FLAC_INFO("\x20") FLAC_FRAME, "flac");
	BAD(FLAC_INFO("\x28") FLAC_FRAME, "before its last frame");
	BAD(FLAC_INFO("\x29") FLAC_FRAME FLAC_LAST, "before its last frame");
	BAD(FLAC_INFO("\0") FLAC_FRAME "\xff\xf8\x64\x08\1\7\xe3\x18\xf0\x09\xf1\x51\xf4",
		"inside a frame");
	BAD(FLAC_INFO("\x28"), "no sound");
	BAD("fLaC\4\0\0\4abcd\x80\0\0\0" FLAC_FRAME, "stream's description");
}

/* ------------------------------------------------------------------ cuts */

struct file {
	const char *bytes;
	size_t count;
	size_t frame; /* between frames of this size no cut can be seen, behind the first `at` */
	size_t at;
};

static void assert_no_cut_is_whole(const struct file *file)
{
	struct verdict verdict = check_bytes(file->bytes, file->count, (int64_t)file->count);

	if (verdict.result || !verdict.found.kinds)
		fail_msg("%.4s: %s", file->bytes, verdict.why ?: "of no kind");
	for (size_t have = 0; have < file->count; have++) {
		bool is_between =
			file->frame && have > file->at && (have - file->at) % file->frame == 0;

		verdict = check_bytes(file->bytes, have, (int64_t)have);
		/* the first few bytes may be of anything */
		if (verdict.result == 0 && verdict.found.kinds && !is_between)
			fail_msg("%.4s: %zu of %zu bytes are whole, and %s", file->bytes, have,
				file->count, verdict.found.suffix);
	}
}

#define WHOLE(bytes)                                                                               \
	{                                                                                          \
		(bytes), sizeof(bytes) - 1, 0, 0                                                   \
	}

static void no_cut_of_anything_is_taken_for_whole(void **state)
{
	static const struct file files[] = {WHOLE(FTYP MOOV MDAT),
		WHOLE(FTYP "\0\0\0\x30"
			   "moov" TRAK("soun") MDAT),
		WHOLE(EBML SEGMENT "\x96" TRACKS("\x88") ENTRY("\1") CLUSTER "\x84stuf"),
		WHOLE(EBML SEGMENT "\x96" TRACKS("\x88") ENTRY("\2") CLUSTER "\x84stuf"),
		WHOLE(GIF ";"), WHOLE(IHDR IDAT IEND), WHOLE(JPEG "\xff\xd9"),
		WHOLE("RIFF\x10\0\0\0" WEBP), WHOLE(AVIF),
		WHOLE(WAVE("\x28\0\0\0") "data\4\0\0\0abcd"), WHOLE(OGG PAGE("\4", "8 bytes.")),
		WHOLE(FLAC_INFO("\x28") FLAC_FRAME FLAC_LAST),
		{ADTS "\0" ADTS "\0" ADTS "\0", 3 * sizeof(ADTS), sizeof(ADTS), 0}};
	char mp3[4 * FRAME_BYTES];
	const struct file told = {mp3, put_frames(mp3, 3, 3 * FRAME_BYTES), 0, 0},
			  untold = {mp3, 3 * FRAME_BYTES, FRAME_BYTES, 0};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		assert_no_cut_is_whole(&files[i]);
	assert_no_cut_is_whole(&told);
	(void)put_frames(mp3, 3, 0);
	assert_no_cut_is_whole(&untold);
}

static void a_failed_read_is_no_verdict(void **state)
{
	struct verdict verdict = {0};
	AUTO_FD int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	verdict.result = result_check(fd, 100, &verdict.found, &verdict.why);
	assert_int_equal(verdict.result, -EBADF);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_mp4_passes),
		cmocka_unit_test(a_quicktime_file_keeps_its_name),
		cmocka_unit_test(an_unknown_brand_is_judged_by_its_boxes),
		cmocka_unit_test(sizes_of_every_kind_are_understood),
		cmocka_unit_test(what_is_there_is_less_than_what_came),
		cmocka_unit_test(what_is_missing_is_named),
		cmocka_unit_test(hostile_sizes_are_refused),
		cmocka_unit_test(boxes_are_counted),
		cmocka_unit_test(a_page_of_words_is_refused),
		cmocka_unit_test(an_mp4_of_sound_alone_is_sound),
		cmocka_unit_test(other_files_have_their_own_suffix),
		cmocka_unit_test(webm_ends_where_its_segment_ends),
		cmocka_unit_test(a_webm_of_sound_alone_is_sound),
		cmocka_unit_test(sound_is_called_sound),
		cmocka_unit_test(what_nobody_knows_is_said_to_be_so),
		cmocka_unit_test(a_gif_is_a_video_and_a_picture),
		cmocka_unit_test(png_is_whole_to_its_iend),
		cmocka_unit_test(jpeg_is_whole_to_its_eoi),
		cmocka_unit_test(webp_is_as_long_as_it_says),
		cmocka_unit_test(avif_has_its_items),
		cmocka_unit_test(mp3_ends_with_a_frame),
		cmocka_unit_test(what_is_looked_over_between_frames_is_counted),
		cmocka_unit_test(sound_that_libmagic_does_not_know_is_known_by_its_frames),
		cmocka_unit_test(aac_ends_with_a_frame),
		cmocka_unit_test(wav_has_all_its_data),
		cmocka_unit_test(ogg_ends_with_its_last_page),
		cmocka_unit_test(flac_ends_with_its_last_frame),
		cmocka_unit_test(no_cut_of_anything_is_taken_for_whole),
		cmocka_unit_test(a_failed_read_is_no_verdict),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}

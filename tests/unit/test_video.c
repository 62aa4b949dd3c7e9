/* test_video.c - which downloads are whole videos. Files are put together here, box by box. */
#include "fs/base/cleanup.h"
#include "fs/net/video.h"

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
	const char *suffix, *why;
};

static struct verdict check_bytes(const void *bytes, size_t count, int64_t claimed)
{
	struct verdict verdict = {0};
	AUTO_FD int fd = memfd_create("video", MFD_CLOEXEC);

	assert_int_equal(write(fd, bytes, count), count);
	verdict.result = video_check(fd, claimed, &verdict.suffix, &verdict.why);
	return verdict;
}

static void assert_good(const void *bytes, size_t count, const char *suffix)
{
	struct verdict verdict = check_bytes(bytes, count, (int64_t)count);

	if (verdict.result != 0)
		fail_msg("refused: %s", verdict.why ? verdict.why : "(no reason)");
	assert_string_equal(verdict.suffix, suffix);
	assert_null(verdict.why);
}

static void assert_bad(const void *bytes, size_t count, const char *why)
{
	struct verdict verdict = check_bytes(bytes, count, (int64_t)count);

	assert_int_equal(verdict.result, -EBADMSG);
	assert_null(verdict.suffix);
	assert_non_null(verdict.why);
	if (!strstr(verdict.why, why))
		fail_msg("\"%s\" instead of \"%s\"", verdict.why, why);
}

#define GOOD(bytes, suffix) assert_good((bytes), sizeof(bytes) - 1, (suffix))
#define BAD(bytes, why)     assert_bad((bytes), sizeof(bytes) - 1, (why))

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

static void every_cut_of_a_video_is_found(void **state)
{
	static const char whole[] = FTYP MOOV MDAT;
	struct verdict verdict;

	(void)state;
	for (size_t have = 0; have < sizeof(whole) - 1; have++) {
		verdict = check_bytes(whole, have, (int64_t)have);
		assert_int_equal(verdict.result, -EBADMSG);
		assert_non_null(verdict.why);
	}
	verdict = check_bytes(whole, sizeof(whole) - 3, sizeof(whole) - 1);
	assert_int_equal(verdict.result, -EBADMSG); /* whole, but for its last bytes */
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

static void what_is_no_video_is_refused(void **state)
{
	(void)state;
	BAD("", "empty");
	BAD("<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "not a video");
	BAD("<!DOCTYPE html><html><body>expired</body></html>", "not a video");
	BAD("{\"code\":404,\"msg\":\"not found\"}", "not a video");
	BAD("plain words", "not a video");
	BAD("\x7f"
	    "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0>\0\1\0\0\0",
		"not a video");
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
	BAD(EBML, "too early");
}

static void gif_ends_with_its_trailer(void **state)
{
	(void)state;
	GOOD("GIF89a\1\0\1\0\x80\0\0\0\0\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\1D\0;", "gif");
	BAD("GIF89a\1\0\1\0\x80\0\0\0\0\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\1D\0", "trailer");
}

static void a_picture_is_no_video(void **state)
{
	(void)state;
	BAD("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde", "not a video");
}

static void a_failed_read_is_no_verdict(void **state)
{
	struct verdict verdict = {0};
	AUTO_FD int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	verdict.result = video_check(fd, 100, &verdict.suffix, &verdict.why);
	assert_int_equal(verdict.result, -EBADF);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_mp4_passes),
		cmocka_unit_test(a_quicktime_file_keeps_its_name),
		cmocka_unit_test(an_unknown_brand_is_judged_by_its_boxes),
		cmocka_unit_test(sizes_of_every_kind_are_understood),
		cmocka_unit_test(every_cut_of_a_video_is_found),
		cmocka_unit_test(what_is_missing_is_named),
		cmocka_unit_test(hostile_sizes_are_refused),
		cmocka_unit_test(boxes_are_counted),
		cmocka_unit_test(what_is_no_video_is_refused),
		cmocka_unit_test(webm_ends_where_its_segment_ends),
		cmocka_unit_test(gif_ends_with_its_trailer),
		cmocka_unit_test(a_picture_is_no_video),
		cmocka_unit_test(a_failed_read_is_no_verdict),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}

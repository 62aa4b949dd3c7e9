/* test_provenance.c - what a film says of itself once it is marked, and what is left as it came.
 * Files are put together here, box by box; what other programs read in real ones:
 * tests/mount/test_provenance.py. */
#include "fs/net/provenance.h"

#include "fs/base/cleanup.h"
#include "fs/net/result.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/unit/run.h"

#define FTYP                                                                                       \
	"\0\0\0\x18"                                                                               \
	"ftypisom\0\0\2\0isommp42"
#define QT                                                                                         \
	"\0\0\0\x18"                                                                               \
	"ftypqt  \0\0\2\0qt  qt  "
#define MVHD                                                                                       \
	"\0\0\0\x08"                                                                               \
	"mvhd"
#define TRAK                                                                                       \
	"\0\0\0\x10"                                                                               \
	"trak"                                                                                     \
	"\0\0\0\x08"                                                                               \
	"tkhd"
#define MOOV                                                                                       \
	"\0\0\0\x20"                                                                               \
	"moov" MVHD TRAK
#define MDAT                                                                                       \
	"\0\0\0\x0c"                                                                               \
	"mdat"                                                                                     \
	"data"
#define XMP                                                                                        \
	"\0\0\0\x1c"                                                                               \
	"uuid"                                                                                     \
	"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac"                         \
	"AIGC"
#define C2PA                                                                                       \
	"\0\0\0\x1c"                                                                               \
	"uuid"                                                                                     \
	"\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81"                         \
	"seal"
/* moov with a udta of one box, with tags in udta, with keys in moov */
#define MOOV_UDTA                                                                                  \
	"\0\0\0\x34"                                                                               \
	"moov" MVHD TRAK "\0\0\0\x14"                                                              \
	"udta"                                                                                     \
	"\0\0\0\x0c"                                                                               \
	"name"                                                                                     \
	"film"
#define MOOV_TAGS                                                                                  \
	"\0\0\0\x34"                                                                               \
	"moov" MVHD TRAK "\0\0\0\x14"                                                              \
	"udta"                                                                                     \
	"\0\0\0\x0c"                                                                               \
	"meta"                                                                                     \
	"mdir"
#define MOOV_KEYS                                                                                  \
	"\0\0\0\x2c"                                                                               \
	"moov" MVHD TRAK "\0\0\0\x0c"                                                              \
	"meta"                                                                                     \
	"mdta"
/* with two of what there is one of */
#define MOOV_ODD                                                                                   \
	"\0\0\0\x30"                                                                               \
	"moov" MVHD TRAK "\0\0\0\x08"                                                              \
	"udta"                                                                                     \
	"\0\0\0\x08"                                                                               \
	"udta"
#define MOOF                                                                                       \
	"\0\0\0\x08"                                                                               \
	"moof"
#define MFRA                                                                                       \
	"\0\0\0\x08"                                                                               \
	"mfra"

static const struct provenance says = {.provider = "kie.ai", .model = "hailuo/x", .task = "task-1"};

/* A film, before and after. */
struct film {
	const char *came;
	size_t size;
	int64_t moov; /* by result_check() */
	struct marks marks;
	int fd;
	char after[8192];
	size_t after_bytes;
};

static struct film mark(const char *came, size_t size, const struct provenance *what)
{
	struct film film = {.came = came, .size = size, .fd = memfd_create("film", MFD_CLOEXEC)};
	struct result result = {0};
	const char *why;

	assert_int_equal(write(film.fd, came, size), size);
	assert_int_equal(result_check(film.fd, (int64_t)size, &result, &why), 0);
	film.moov = result.moov;
	assert_int_equal(provenance_plan(film.fd, (int64_t)size, what, &film.marks), 0);
	assert_true(!film.marks.left == !!film.marks.bytes);
	if (film.marks.bytes)
		assert_int_equal(provenance_write(film.fd, (int64_t)size, &film.marks), 0);
	film.after_bytes = size + film.marks.bytes;
	assert_true(film.after_bytes < sizeof(film.after));
	assert_int_equal(pread(film.fd, film.after, sizeof(film.after), 0), film.after_bytes);
	assert_int_equal(result_check(film.fd, (int64_t)film.after_bytes, &result, &why), 0);
	return film;
}

#define MARK(bytes) mark((bytes), sizeof(bytes) - 1, &says)

static void film_end(struct film *film)
{
	marks_clear(&film->marks);
	cleanup_fd(&film->fd);
}

static int count_of(const struct film *film, const void *bytes, size_t count)
{
	const char *at = film->after, *end = film->after + film->after_bytes;
	int found = 0;

	for (; (at = memmem(at, (size_t)(end - at), bytes, count)); at++)
		found++;
	return found;
}

static int says_it(const struct film *film, const char *text)
{
	return count_of(film, text, strlen(text));
}

#define SOURCE "http://cv.iptc.org/newscodes/digitalsourcetype/"
#define LABEL  "{\"Label\":\"1\",\"ContentProducer\":\"kie.ai\",\"ProduceID\":\"task-1\","

/* What it said before stands where it stood; said: how often it says the rest. */
static void assert_marked(struct film *film, bool keys, int said)
{
	bool has_label = memmem(film->came, film->size, "AIGC", 4);

	if (film->marks.left)
		fail_msg("left: %s", film->marks.left);
	assert_int_equal(film->marks.moov, keys ? film->moov : 0);
	if (keys)
		assert_memory_equal(film->after + film->moov + 4, "free", 4);
	assert_int_equal(says_it(film, "moov"), 1);
	assert_int_equal(says_it(film, SOURCE "trainedAlgorithmicMedia"), said);
	assert_int_equal(says_it(film, "hailuo/x"), said);
	assert_int_equal(says_it(film, LABEL), has_label ? 0 : said);
	if (keys)
		memcpy(film->after + film->moov + 4, "moov", 4);
	assert_memory_equal(film->after, film->came, film->size);
	film_end(film);
}

static void a_film_says_it_twice(void **state)
{
	struct film front = MARK(FTYP MOOV MDAT), back = MARK(FTYP MDAT MOOV),
		    udta = MARK(FTYP MOOV_UDTA MDAT), tags = MARK(FTYP MDAT MOOV_TAGS),
		    quicktime = MARK(QT MOOV MDAT);

	(void)state;
	assert_int_equal(says_it(&front, "udta"), 1);
	assert_int_equal(says_it(&udta, "udta"), 2); /* the old one lies in what is free */
	assert_int_equal(says_it(&udta, "name"
					"film"),
		2);
	assert_int_equal(count_of(&tags,
				 "\0\0\0\x0cmeta"
				 "mdir",
				 12),
		2);
	assert_int_equal(says_it(&quicktime, "udta"), 0);
	assert_marked(&front, true, 2);
	assert_marked(&back, true, 2);
	assert_marked(&udta, true, 2);
	assert_marked(&tags, true, 2);
	assert_marked(&quicktime, true, 2);
}

static void what_it_says_already_stays_the_only_such(void **state)
{
	struct film xmp = MARK(FTYP MOOV MDAT XMP), keys = MARK(FTYP MOOV_KEYS MDAT),
		    both = MARK(FTYP MOOV_KEYS MDAT XMP);

	(void)state;
	assert_marked(&xmp, true, 1);
	assert_marked(&keys, false, 1);
	assert_non_null(strstr(both.marks.left, "XMP already"));
	film_end(&both);
}

static void what_must_not_change_does_not(void **state)
{
	struct film film[] = {MARK(FTYP MOOV MDAT C2PA), MARK(FTYP MOOV MOOF MDAT MFRA),
		MARK(FTYP MOOV "\0\0\0\0"
			       "mdatto the end")};
	const char *const why[] = {"C2PA", "fragments", "no end"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(strstr(film[i].marks.left, why[i]));
		film_end(&film[i]);
	}
}

static void a_moov_that_must_stay_or_is_odd_stays(void **state)
{
	struct film fragments = MARK(FTYP MOOV MOOF MDAT), odd = MARK(FTYP MOOV_ODD MDAT);

	(void)state;
	assert_marked(&fragments, false, 1);
	assert_marked(&odd, false, 1);
}

static void a_film_of_the_simulator_is_no_model_s(void **state)
{
	const struct provenance simulated = {
		.provider = "kie.ai", .model = "m", .task = "1", .simulated = true};
	struct film film = mark(FTYP MOOV MDAT, sizeof(FTYP MOOV MDAT) - 1, &simulated);

	(void)state;
	assert_int_equal(says_it(&film, SOURCE "algorithmicMedia"), 2);
	assert_int_equal(says_it(&film, "ContentProducer"), 0);
	film_end(&film);
}

static void in_full_it_has_the_prompt_whatever_that_says(void **state)
{
	const struct provenance full = {.provider = "kie.ai",
		.model = "m",
		.task = "1",
		.prompt = "a <b>\1 & \xe7\x8c\xab",
		.parameters = "{\"seed\":7}"};
	struct film film = mark(FTYP MOOV MDAT, sizeof(FTYP MOOV MDAT) - 1, &full);

	(void)state;
	assert_int_equal(says_it(&film, full.prompt), 1);
	assert_int_equal(says_it(&film, "a &#60;b&#62;\xef\xbf\xbd &#38; \xe7\x8c\xab<"), 1);
	assert_int_equal(says_it(&film, full.parameters), 2);
	film_end(&film);
}

/* Whatever of it is written: nothing, a part, all; and twice. */
static void undone_it_is_what_came(void **state)
{
	static const char came[] = FTYP MOOV_UDTA MDAT;
	const size_t size = sizeof(came) - 1;
	struct film film = MARK(FTYP MOOV_UDTA MDAT);
	char got[sizeof(came)];
	struct stat info;

	(void)state;
	for (size_t written = 0; written <= film.marks.bytes; written += 50) {
		if (written)
			assert_int_equal(
				pwrite(film.fd, film.marks.tail, written, (off_t)size), written);
		assert_int_equal(provenance_undo(film.fd, (int64_t)size, film.moov), 0);
		assert_int_equal(fstat(film.fd, &info), 0);
		assert_int_equal(info.st_size, size);
		assert_int_equal(pread(film.fd, got, size, 0), size);
		assert_memory_equal(got, came, size);
	}
	film_end(&film);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_film_says_it_twice),
		cmocka_unit_test(what_it_says_already_stays_the_only_such),
		cmocka_unit_test(what_must_not_change_does_not),
		cmocka_unit_test(a_moov_that_must_stay_or_is_odd_stays),
		cmocka_unit_test(a_film_of_the_simulator_is_no_model_s),
		cmocka_unit_test(in_full_it_has_the_prompt_whatever_that_says),
		cmocka_unit_test(undone_it_is_what_came),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}

#include "fs/base/cleanup.h"
#include "spec/place.h"
#include "spec/text.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/run.h"

#define T2V "hailuo/02-text-to-video-pro"

static struct model_set models;

static void every_path_means_one_thing(void **state)
{
	static const struct {
		const char *path;
		enum area area;
		enum role role;
		const char *dir, *stem;
	} known[] = {
		{T2V "/cat.json", AREA_INPUT, ROLE_SPEC, "", "cat"},
		{T2V "/cat.JSON", AREA_INPUT, ROLE_SPEC, "", "cat"},
		{T2V "/summer/beach.txt", AREA_INPUT, ROLE_PROMPT, "summer", "beach"},
		{T2V "/a/b/c.jsonl", AREA_INPUT, ROLE_BATCH, "a/b", "c"},
		{T2V "/dog.png", AREA_INPUT, ROLE_MEDIA, "", "dog"},
		{T2V "/dog.Jpeg", AREA_INPUT, ROLE_MEDIA, "", "dog"},
		{T2V "/dog.webp", AREA_INPUT, ROLE_MEDIA, "", "dog"},
		{T2V "/dog.end.png", AREA_INPUT, ROLE_MEDIA, "", "dog"},
		{T2V "/dog.END.PNG", AREA_INPUT, ROLE_MEDIA, "", "dog"},
		{T2V "/dog_end.jpg", AREA_INPUT, ROLE_MEDIA, "", "dog"},
		{T2V "/dog-end.jpg", AREA_INPUT, ROLE_MEDIA, "", "dog"},
		{T2V "/dog.last.jpg", AREA_INPUT, ROLE_MEDIA, "", "dog"},
		{T2V "/dog_last.jpg", AREA_INPUT, ROLE_MEDIA, "", "dog"},
		{T2V "/dog.tail.jpg", AREA_INPUT, ROLE_MEDIA, "", "dog"},
		{T2V "/weekend.png", AREA_INPUT, ROLE_MEDIA, "", "weekend"},
		{T2V "/_end.png", AREA_INPUT, ROLE_MEDIA, "", "_end"},
		{T2V "/a.b.json", AREA_INPUT, ROLE_SPEC, "", "a.b"},
		{T2V "/\xff.json", AREA_INPUT, ROLE_SPEC, "", "\xff"},
		{T2V "/.end.png", AREA_INPUT, ROLE_NONE, "", NULL},
		{T2V "/.json", AREA_INPUT, ROLE_NONE, "", NULL},
		{T2V "/json", AREA_INPUT, ROLE_NONE, "", NULL},
		{T2V "/cat.mp4", AREA_INPUT, ROLE_NONE, "", NULL},
		{T2V "/cat.json~", AREA_INPUT, ROLE_NONE, "", NULL},
		{T2V "/README.txt", AREA_INPUT, ROLE_NONE, "", NULL},
		{T2V "/schema.json", AREA_INPUT, ROLE_NONE, "", NULL},
		{T2V "/a/schema.json", AREA_INPUT, ROLE_SPEC, "a", "schema"},
		{T2V "/defaults.json", AREA_INPUT, ROLE_DEFAULTS, "", NULL},
		{T2V "/a/defaults.json", AREA_INPUT, ROLE_DEFAULTS, "a", NULL},
		{T2V "/defaults.txt", AREA_INPUT, ROLE_PROMPT, "", "defaults"},
		{T2V "/out", AREA_INPUT, ROLE_NONE, "", NULL},
		{T2V "/jobs", AREA_INPUT, ROLE_NONE, "", NULL},
		{T2V "/out/cat.json", AREA_OUT, ROLE_NONE, "", NULL},
		{T2V "/out/a/b/cat.mp4", AREA_OUT, ROLE_NONE, "a/b", NULL},
		{T2V "/jobs/cat.json", AREA_JOBS, ROLE_NONE, "", "cat"},
		{T2V "/jobs/a/cat.json", AREA_JOBS, ROLE_NONE, "a", "cat"},
		{T2V "/jobs/cat.txt", AREA_JOBS, ROLE_NONE, "", NULL},
		{T2V "/jobs/.json", AREA_JOBS, ROLE_NONE, "", NULL},
		{T2V "/a/out/cat.json", AREA_INPUT, ROLE_SPEC, "a/out", "cat"},
		{T2V "/outside/cat.json", AREA_INPUT, ROLE_SPEC, "outside", "cat"},
		{T2V "/.hidden/cat.json", AREA_NONE, ROLE_NONE, NULL, NULL},
		{T2V "/a/.git/cat.json", AREA_NONE, ROLE_NONE, NULL, NULL},
		{T2V "/.kinofs/cat.json", AREA_NONE, ROLE_NONE, NULL, NULL},
		{T2V "/out/.cache/x", AREA_NONE, ROLE_NONE, NULL, NULL},
		{".Trash-1000/files/cat.json", AREA_NONE, ROLE_NONE, NULL, NULL},
		{T2V, AREA_NONE, ROLE_NONE, NULL, NULL},
		{T2V "x/cat.json", AREA_NONE, ROLE_NONE, NULL, NULL},
		{"hailuo/cat.json", AREA_NONE, ROLE_NONE, NULL, NULL},
		{"cat.json", AREA_NONE, ROLE_NONE, NULL, NULL},
		{"", AREA_NONE, ROLE_NONE, NULL, NULL},
		{"minimax-hailuo-02/cat.json", AREA_INPUT, ROLE_SPEC, "", "cat"},
		{".kinofs", AREA_CONTROL, ROLE_NONE, "", NULL},
		{".kinofs/jobs.json", AREA_CONTROL, ROLE_NONE, "", NULL},
		{".kinofs/a/b", AREA_CONTROL, ROLE_NONE, "a", NULL},
		{".kinofsx/jobs.json", AREA_NONE, ROLE_NONE, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct place place;
		bool has_model = known[i].area != AREA_NONE && known[i].area != AREA_CONTROL;

		assert_int_equal(place_of(&models, known[i].path, &place), 0);
		if (place.area != known[i].area || place.role != known[i].role ||
			has_model != (place.model != NULL))
			fail_msg("%s: area %d, role %d", known[i].path, place.area, place.role);
		assert_non_null(place.dir);
		if (known[i].dir)
			assert_string_equal(place.dir, known[i].dir);
		if (known[i].stem)
			assert_string_equal(place.stem, known[i].stem);
		else
			assert_null(place.stem);
		place_clear(&place);
	}
}

static void videos_are_known_by_their_names(void **state)
{
	(void)state;
	assert_true(
		name_is_result("cat.mp4") && name_is_result("CAT.MOV") && name_is_result(".webm"));
	assert_true(
		name_is_result("cat.png") && name_is_result("a.b.JPEG") && name_is_result("x.mp3"));
	assert_false(
		name_is_result("mp4") || name_is_result("cat.mp4.part") || name_is_result("cat"));
	assert_false(name_is_result("cat.error.txt") || name_is_result("cat.bin"));
	assert_int_equal(name_note("cat.error.txt"), strlen(".error.txt"));
	assert_int_equal(name_note("a.held.txt"), strlen(".held.txt"));
	assert_int_equal(
		name_note(".error.txt") + name_note("cat.txt") + name_note("error.txt"), 0);
}

static void scratch_files_are_known_and_like_names_are_not(void **state)
{
	static const char *const scratch[] = {".x", "x~", "#x#", "4913", "x.swp", "x.swx", "x.tmp",
		"x.part", "x.json.PART", "x.partial", "x.crdownload", "x.filepart", "x.bak",
		"x.lock", "x.save", "README.md", "readme.TXT", "LICENSE.txt", "sedA1b2C3",
		"tmpabcd_123"};
	static const char *const jobs[] = {"x.json", "sedan.txt", "tmpcat.json", "4913.txt", "#x",
		"#", "part.json", "readme-cat.txt", "swp", "sediment", "tmp.json"};

	(void)state;
	for (size_t i = 0; i < sizeof(scratch) / sizeof(*scratch); i++)
		if (!name_is_scratch(scratch[i]))
			fail_msg("%s is taken for a job", scratch[i]);
	for (size_t i = 0; i < sizeof(jobs) / sizeof(*jobs); i++)
		if (name_is_scratch(jobs[i]))
			fail_msg("%s is taken for scratch", jobs[i]);
}

static void a_scratch_copy_tells_what_it_will_be(void **state)
{
	static const struct {
		const char *name, *stem; /* NULL: it may become anything */
		enum role role;
	} known[] = {
		{"cat.png.part", "cat", ROLE_MEDIA},
		{"cat.end.png.part", "cat", ROLE_MEDIA},
		{"cat.json.partial", "cat", ROLE_SPEC},
		{"cat.TXT.Tmp", "cat", ROLE_PROMPT},
		{"cat.png.crdownload", "cat", ROLE_MEDIA},
		{"cat.jsonl.filepart", "cat", ROLE_BATCH},
		{"defaults.json.part", NULL, ROLE_DEFAULTS},
		{".cat.png.a1B2c3", "cat", ROLE_MEDIA},
		{".cat.v2.json.XXXXXX", "cat.v2", ROLE_SPEC},
		{".cat.png.part", "cat", ROLE_MEDIA},
		{"cat.png", NULL, ROLE_NONE},
		{"cat.png.a1B2c3", NULL, ROLE_NONE},
		{".cat.png.a1B2c", NULL, ROLE_NONE},
		{".cat.png.a1B2c3d", NULL, ROLE_NONE},
		{".cat.png.a1B-c3", NULL, ROLE_NONE},
		{".cat.png", NULL, ROLE_NONE},
		{".cat.abcdef", NULL, ROLE_NONE},
		{"cat.part", NULL, ROLE_NONE},
		{".part", NULL, ROLE_NONE},
		{".png.part", NULL, ROLE_NONE},
		{"README.txt.part", NULL, ROLE_NONE},
		{"cat.png~.part", NULL, ROLE_NONE},
		{".abcdef", NULL, ROLE_NONE},
		{"..abcdef", NULL, ROLE_NONE},
		{"", NULL, ROLE_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct named as = name_role_to_be(models_find(&models, T2V), known[i].name, true);

		if (as.role != known[i].role)
			fail_msg("%s: role %d", known[i].name, as.role);
		if (known[i].stem) {
			assert_int_equal(as.stem, strlen(known[i].stem));
			assert_memory_equal(known[i].name + as.at, known[i].stem, as.stem);
		} else {
			assert_int_equal(as.stem, 0);
		}
	}
}

static void a_lock_tells_what_an_editor_has_open(void **state)
{
	static const struct {
		const char *name, *stem; /* NULL: nothing */
		enum role role;
	} known[] = {
		{".cat.txt.swp", "cat", ROLE_PROMPT},
		{".cat.json.swo", "cat", ROLE_SPEC},
		{".cat.txt.swa", "cat", ROLE_PROMPT},
		{".#cat.txt", "cat", ROLE_PROMPT},
		{".~lock.cat.txt#", "cat", ROLE_PROMPT},
		{".cat.end.png.kate-swp", "cat", ROLE_MEDIA},
		{".list.jsonl.swp", "list", ROLE_BATCH},
		{".defaults.json.swp", NULL, ROLE_DEFAULTS},
		{".cat.txt.swx", NULL, ROLE_NONE}, /* Vim's probe */
		{".cat.txt.swpp", NULL, ROLE_NONE},
		{"cat.txt.swp", NULL, ROLE_NONE},
		{".cat.txt", NULL, ROLE_NONE},
		{".cat.mp4.swp", NULL, ROLE_NONE},
		{".README.txt.swp", NULL, ROLE_NONE},
		{".schema.json.swp", NULL, ROLE_NONE},
		{".swp", NULL, ROLE_NONE},
		{".#", NULL, ROLE_NONE},
		{".~lock.#", NULL, ROLE_NONE},
		{"#cat.txt#", NULL, ROLE_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct named as = name_role_locked(models_find(&models, T2V), known[i].name, true);

		if (as.role != known[i].role)
			fail_msg("%s: role %d", known[i].name, as.role);
		if (known[i].stem) {
			assert_int_equal(as.stem, strlen(known[i].stem));
			assert_memory_equal(known[i].name + as.at, known[i].stem, as.stem);
		}
	}
}

static void a_scratch_name_longer_than_a_file_may_be_is_none(void **state)
{
	char name[400];

	(void)state;
	(void)snprintf(name, sizeof(name), "%0300d.png.part", 1);
	assert_int_equal(name_role_to_be(models_find(&models, T2V), name, true).role, ROLE_NONE);
}

static void paths_lead_back(void **state)
{
	const struct model *model = models_find(&models, T2V);
	AUTO_FREE char *input = place_path(model, AREA_INPUT, "", "cat", ".json");
	AUTO_FREE char *out = place_path(model, AREA_OUT, "a/b", "cat", ".2.mp4");
	AUTO_FREE char *jobs = place_path(model, AREA_JOBS, "", "cat", ".json");

	(void)state;
	assert_string_equal(input, T2V "/cat.json");
	assert_string_equal(out, T2V "/out/a/b/cat.2.mp4");
	assert_string_equal(jobs, T2V "/jobs/cat.json");
}

static size_t seed = 1;

static size_t draw(size_t below)
{
	seed = seed * 6364136223846793005 + 1442695040888963407;
	return (seed >> 33) % below;
}

/* Letters, characters of several bytes, and bytes that are none. */
static void draw_stem(char *stem, size_t bytes)
{
	static const char *const parts[] = {"a", "é", "視", "🎬", "\xff", "\x80", "~", "."};
	size_t used = 0;

	while (used < bytes) {
		const char *part = parts[draw(sizeof(parts) / sizeof(*parts))];

		if (strlen(part) > bytes - used)
			part = "b";
		memcpy(stem + used, part, strlen(part));
		used += strlen(part);
	}
	stem[used] = '\0';
}

static bool is_whole_at(const char *stem, size_t at)
{
	return text_bad_utf8(stem, strlen(stem)) < strlen(stem) ||
	       ((unsigned char)stem[at] & 0xc0) != 0x80;
}

static void a_name_of_any_length_fits(void **state)
{
	static const char *const tails[] = {
		".mp4", ".2.mp4", ".9999-16.webm", ".waiting.txt", ".error.txt", ".json"};
	char stem[256], other[256];

	(void)state;
	for (size_t round = 0; round < 20000; round++) {
		size_t bytes = 1 + draw(255), max = draw(2) ? PLACE_NAME_MAX : 143;
		const char *tail = tails[draw(sizeof(tails) / sizeof(*tails))];
		AUTO_FREE char *name = NULL, *again = NULL, *others = NULL;
		size_t length, kept;

		draw_stem(stem, bytes);
		memcpy(other, stem, bytes + 1);
		other[bytes - 1] = stem[bytes - 1] == 'x' ? 'y' : 'x'; /* as like it as can be */
		name = place_fit(stem, tail, max);
		again = place_fit(stem, tail, max);
		others = place_fit(other, tail, max);
		length = strlen(name);
		assert_true(length <= max);
		assert_string_equal(name, again);
		assert_string_not_equal(name, others);
		assert_string_equal(name + length - strlen(tail), tail);
		if (bytes + strlen(tail) <= max) {
			assert_memory_equal(name, stem, bytes);
			continue;
		}
		name[length - strlen(tail)] = '\0';
		assert_true(place_is_cut(name));
		assert_true(place_is_cut_of(name, stem));
		assert_false(place_is_cut_of(name, other));
		kept = strlen(name) - 17;
		assert_memory_equal(name, stem, kept);
		assert_true(is_whole_at(stem, kept));
		assert_true(kept + 17 + strlen(tail) > max - 4); /* no shorter than it must be */
	}
}

static int start(void **state)
{
	(void)state;
	return models_builtin(&models);
}

static int stop(void **state)
{
	(void)state;
	models_free(&models);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_path_means_one_thing),
		cmocka_unit_test(videos_are_known_by_their_names),
		cmocka_unit_test(scratch_files_are_known_and_like_names_are_not),
		cmocka_unit_test(a_scratch_copy_tells_what_it_will_be),
		cmocka_unit_test(a_lock_tells_what_an_editor_has_open),
		cmocka_unit_test(a_scratch_name_longer_than_a_file_may_be_is_none),
		cmocka_unit_test(paths_lead_back),
		cmocka_unit_test(a_name_of_any_length_fits),
	};

	return RUN_TESTS(argc, argv, tests, start, stop);
}

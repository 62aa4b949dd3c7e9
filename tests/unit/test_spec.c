/* What spec_build() makes of drops; run from the top of the project, where tests/specs lies. */
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/base/path.h"
#include "spec/place.h"
#include "spec/spec.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/run.h"

#define I2V  "hailuo/2-3-image-to-video-pro"
#define I2VE "hailuo/02-image-to-video-standard"
#define T2V  "hailuo/02-text-to-video-pro"
#define SEED "bytedance/v1-pro-image-to-video"
#define FLAT "minimax-hailuo-02"
#define LINK "https://example.com/a.png"

static struct model_set models;

/* Pictures beside the spec, until the next call; last: or NULL. */
static const struct spec_beside *frames(const char *id, const char *first, const char *last)
{
	static struct spec_beside file[2];
	const char *const paths[] = {first, last};

	for (size_t i = 0; i < 2 && paths[i]; i++) {
		struct named as = name_role(models_find(&models, id), path_last(paths[i]), true);

		assert_int_equal(as.role, ROLE_MEDIA);
		file[i] = (struct spec_beside){
			(char *)(uintptr_t)paths[i], as.slot, as.number, as.is_end};
	}
	return file;
}

#define FIRST(id, name)      .beside = frames(id, id "/" name, NULL), .nbeside = 1
#define BOTH(id, name, last) .beside = frames(id, id "/" name, id "/" last), .nbeside = 2

/* What came of one spec_build(). */
struct outcome {
	struct spec spec;
	struct problems problems, missing;
	char *text, *missing_text, *body;
};

static struct outcome build(const char *id, struct spec_source source)
{
	struct outcome out = {0};
	const struct model *model = models_find(&models, id);

	assert_non_null(model);
	if (!source.dir)
		source.dir = id;
	if (source.json && !source.json_bytes)
		source.json_bytes = strlen(source.json);
	if (source.prompt && !source.prompt_bytes)
		source.prompt_bytes = strlen(source.prompt);
	if (source.defaults)
		source.defaults_bytes = strlen(source.defaults);
	source.stem = "dog";
	assert_int_equal(spec_build(model, &source, &out.spec, &out.problems, &out.missing), 0);
	out.text = problems_text(&out.problems);
	out.missing_text = problems_text(&out.missing);
	out.body = cJSON_PrintUnformatted(out.spec.body);
	assert_non_null(out.text);
	assert_non_null(out.missing_text);
	assert_non_null(out.body);
	return out;
}

static void clear(struct outcome *out)
{
	spec_clear(&out->spec);
	problems_clear(&out->problems);
	problems_clear(&out->missing);
	free(out->text);
	free(out->missing_text);
	free(out->body);
}

static void expect_body(const char *id, struct spec_source source, const char *body)
{
	struct outcome out = build(id, source);

	assert_string_equal(out.text, "");
	assert_string_equal(out.missing_text, "");
	assert_string_equal(out.body, body);
	clear(&out);
}

static void expect_problem(const char *id, struct spec_source source, const char *text)
{
	struct outcome out = build(id, source);

	assert_string_equal(out.text, text);
	clear(&out);
}

static void expect_missing(const char *id, struct spec_source source, const char *text)
{
	struct outcome out = build(id, source);

	assert_string_equal(out.text, "");
	assert_string_equal(out.missing_text, text);
	clear(&out);
}

static char *slurp(const char *folder, const char *name, size_t *bytes)
{
	AUTO_FREE char *path = NULL;
	char *text = malloc(LIMIT_SPEC_BYTES);
	FILE *file;

	assert_true(asprintf(&path, "tests/specs/%s/%s", folder, name) > 0);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("%s is not there; run the tests from the top of the project", path);
	assert_non_null(text);
	*bytes = fread(text, 1, LIMIT_SPEC_BYTES - 1, file);
	text[*bytes] = '\0';
	(void)fclose(file); /* only read */
	return text;
}

static const char *text_in(const cJSON *row, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, name));
}

static cJSON *manifest(const char *folder)
{
	size_t bytes;
	AUTO_FREE char *text = slurp(folder, "manifest.json", &bytes);
	cJSON *rows = cJSON_Parse(text);

	assert_non_null(rows);
	return rows;
}

static void documented_examples_pass_verbatim(void **state)
{
	AUTO_JSON cJSON *rows = manifest("good");
	const cJSON *row;

	(void)state;
	assert_int_equal(cJSON_GetArraySize(rows), 5);
	cJSON_ArrayForEach (row, rows) {
		size_t bytes;
		AUTO_FREE char *text = slurp("good", text_in(row, "file"), &bytes);
		AUTO_JSON cJSON *said = cJSON_Parse(text);
		AUTO_FREE char *printed = cJSON_PrintUnformatted(said);

		expect_body(text_in(row, "model"),
			(struct spec_source){.json = text, .json_bytes = bytes}, printed);
	}
}

static void every_bad_spec_is_refused_in_words_that_help(void **state)
{
	AUTO_JSON cJSON *rows = manifest("bad");
	const cJSON *row, *word;

	(void)state;
	assert_true(cJSON_GetArraySize(rows) >= 40);
	cJSON_ArrayForEach (row, rows) {
		size_t bytes;
		AUTO_FREE char *text = slurp("bad", text_in(row, "file"), &bytes);
		struct outcome out = build(text_in(row, "model"),
			(struct spec_source){.json = text, .json_bytes = bytes});

		if (out.problems.count == 0)
			fail_msg("%s is accepted", text_in(row, "file"));
		cJSON_ArrayForEach (word, cJSON_GetObjectItemCaseSensitive(row, "words")) {
			if (!strstr(out.text, word->valuestring))
				fail_msg("%s: \"%s\" is not said in: %s", text_in(row, "file"),
					word->valuestring, out.text);
		}
		clear(&out);
	}
}

static void bare_input_is_wrapped(void **state)
{
	(void)state;
	expect_body(T2V,
		(struct spec_source){.json = "{\"prompt\":\"x\",\"prompt_optimizer\":true}"},
		"{\"model\":\"" T2V "\",\"input\":{\"prompt\":\"x\",\"prompt_optimizer\":true}}");
	expect_body(T2V,
		(struct spec_source){.json = "{\"$schema\":\"schema.json\",\"prompt\":\"x\","
					     "\"callBackUrl\":\"https://a.example/x\"}"},
		"{\"model\":\"" T2V "\",\"callBackUrl\":\"https://a.example/x\",\"input\":"
		"{\"prompt\":\"x\"}}");
	expect_body(T2V, (struct spec_source){.json = "{\"prompt\":\"x\",\"model\":\"" T2V "\"}"},
		"{\"model\":\"" T2V "\",\"input\":{\"prompt\":\"x\"}}");
	expect_body(T2V, (struct spec_source){.json = "{\"input\":{\"prompt\":\"x\"}}"},
		"{\"model\":\"" T2V "\",\"input\":{\"prompt\":\"x\"}}");
	expect_body(FLAT, (struct spec_source){.json = "{\"model\":\"" FLAT "\",\"prompt\":\"x\"}"},
		"{\"prompt\":\"x\"}");
}

static void types_are_coerced_both_ways_and_keep_their_place(void **state)
{
	(void)state;
	expect_body(SEED,
		(struct spec_source){
			.json = "\xef\xbb\xbf{\"duration\":10.0,\"resolution\":\"1080P\","
				"\"seed\":\"42\",\"camera_fixed\":\"True\","
				"\"prompt\":\"x\",\"image_url\":\"" LINK "\"}"},
		"{\"model\":\"" SEED "\",\"input\":{\"duration\":\"10\",\"resolution\":\"1080p\","
		"\"seed\":42,\"camera_fixed\":true,\"prompt\":\"x\",\"image_url\":\"" LINK "\"}}");
	expect_body(FLAT,
		(struct spec_source){.json = "{\"duration\":\"10\",\"resolution\":\"768p\","
					     "\"prompt\":\"x\",\"fast_pretreatment\":\"false\"}"},
		"{\"duration\":10,\"resolution\":\"768P\",\"prompt\":\"x\","
		"\"fast_pretreatment\":false}");
}

static void what_only_looks_like_a_number_is_refused(void **state)
{
	static const char *const seeds[] = {"\" 6\"", "\"6 \"", "\"0x10\"", "\"inf\"", "\"nan\"",
		"\"\"", "\"1e999\"", "\"--1\"", "[1]", "1e400"};

	(void)state;
	for (size_t i = 0; i < sizeof(seeds) / sizeof(*seeds); i++) {
		AUTO_FREE char *json = NULL;
		struct outcome out;

		assert_true(
			asprintf(&json, "{\"prompt\":\"x\",\"image_url\":\"" LINK "\",\"seed\":%s}",
				seeds[i]) > 0);
		out = build(SEED, (struct spec_source){.json = json});
		assert_int_equal(out.problems.count, 1);
		assert_string_equal(out.problems.item[0].field, "seed");
		clear(&out);
	}
}

static void prompt_file_and_pictures_make_a_job(void **state)
{
	struct outcome out =
		build(I2VE, (struct spec_source){.dir = I2VE "/summer",
				    .prompt = "\xef\xbb\xbf Eins\r\nzwei \r\n\t\n",
				    BOTH(I2VE, "summer/dog.png", "summer/dog.end.png")});

	(void)state;
	assert_string_equal(out.text, "");
	assert_string_equal(out.missing_text, "");
	assert_string_equal(out.body,
		"{\"model\":\"" I2VE "\",\"input\":{\"prompt\":\" Eins\\nzwei\","
		"\"image_url\":\"dog.png\",\"end_image_url\":\"dog.end.png\"}}");
	assert_int_equal(out.spec.nfiles, 2);
	assert_string_equal(out.spec.file[0].path, I2VE "/summer/dog.png");
	assert_string_equal(out.spec.file[0].field->name, "image_url");
	assert_string_equal(out.spec.file[1].path, I2VE "/summer/dog.end.png");
	clear(&out);
}

static void odd_picture_names_are_no_links_and_bad_ones_are_told(void **state)
{
	struct outcome out =
		build(I2V, (struct spec_source){.prompt = "x", FIRST(I2V, "data:a.png")});

	(void)state;
	assert_string_equal(out.text, "");
	assert_string_equal(out.spec.file[0].path, I2V "/data:a.png");
	clear(&out);
	expect_problem(I2V, (struct spec_source){.prompt = "x", FIRST(I2V, "caf\xe9.png")},
		"image_url: \"caf\xef\xbf\xbd.png\" is not UTF-8; rename the file\n");
}

static void the_spec_wins_over_files_and_files_over_defaults(void **state)
{
	(void)state;
	expect_body(I2V,
		(struct spec_source){.json = "{\"image_url\":\"" LINK "\"}",
			.prompt = "from txt",
			FIRST(I2V, "dog.png"),
			.defaults = "{\"prompt\":\"from defaults\",\"duration\":10,"
				    "\"callBackUrl\":\"https://a.example/\"}",
			.defaults_path = I2V "/defaults.json"},
		"{\"model\":\"" I2V "\",\"input\":{\"image_url\":\"" LINK
		"\",\"prompt\":\"from txt\",\"duration\":\"10\"},"
		"\"callBackUrl\":\"https://a.example/\"}");
}

static void pictures_of_defaults_are_relative_to_the_defaults(void **state)
{
	struct spec_source source = {.dir = I2VE "/a/b",
		.json = "{\"prompt\":\"x\",\"image_url\":\"../refs/./cat.png\"}",
		.defaults = "{\"image_url\":\"never.png\",\"end_image_url\":\"../end.png\"}",
		.defaults_path = I2VE "/a/defaults.json"};
	struct outcome out = build(I2VE, source);

	(void)state;
	assert_string_equal(out.text, "");
	assert_int_equal(out.spec.nfiles, 2);
	assert_string_equal(out.spec.file[0].path, I2VE "/a/refs/cat.png");
	assert_string_equal(out.spec.file[1].path, I2VE "/end.png");
	clear(&out);
}

static void problems_of_defaults_name_the_file(void **state)
{
	struct spec_source source = {.json = "{\"prompt\":\"x\"}",
		.defaults = "{\"prompt_optimiser\":true}",
		.defaults_path = T2V "/defaults.json"};

	(void)state;
	expect_problem(T2V, source,
		"prompt_optimiser: no such field; did you mean \"prompt_optimizer\"? Fields: "
		"prompt, prompt_optimizer, nsfw_checker (in " T2V "/defaults.json)\n");
	source.defaults = "{\"nsfw_checker\":1}";
	expect_problem(T2V, source,
		"nsfw_checker: 1 is not possible; allowed: true, false (in " T2V
		"/defaults.json)\n");
	source.defaults = "{";
	expect_problem(T2V, source,
		"not JSON: line 1, column 2: found the end of the file, wanted a field name in "
		"double quotes (in " T2V "/defaults.json)\n");
}

static void messages_say_value_and_limit(void **state)
{
	(void)state;
	expect_problem(I2V,
		(struct spec_source){
			.json = "{\"prompt\":\"x\",\"duration\":7,\"image_url\":\"" LINK "\"}"},
		"duration: 7 is not possible; allowed: \"6\", \"10\"\n");
	expect_problem(T2V, (struct spec_source){.prompt = " \n"},
		"prompt: the prompt file is empty; say in it what the video shall show\n");
	expect_problem(T2V, (struct spec_source){.prompt = "caf\xe9"},
		"prompt: not UTF-8: byte 3 is 0xe9; save it as UTF-8\n");
	expect_problem(T2V, (struct spec_source){.prompt = "x", FIRST(T2V, "dog.png")},
		"dog.png: " T2V " takes no picture; move this file away, or into the folder of a "
		"model that does\n");
	expect_problem(I2V,
		(struct spec_source){.prompt = "x", BOTH(I2V, "dog.png", "dog.end.png")},
		"dog.end.png: " I2V " takes no last frame; move this file away, or into the folder "
		"of a model that does\n");
}

static void lengths_count_characters_at_both_sides_of_the_limit(void **state)
{
	char prompt[3 * 1501 + 1] = "";

	(void)state;
	for (int i = 0; i < 1500; i++)
		memcpy(prompt + (size_t)3 * i, "猫", 4);
	expect_missing(T2V, (struct spec_source){.prompt = prompt}, "");
	memcpy(prompt + (size_t)3 * 1500, "猫", 4);
	expect_problem(T2V, (struct spec_source){.prompt = prompt},
		"prompt: 1501 characters; the limit is 1500\n");
}

static void a_waiting_job_is_told_what_to_add(void **state)
{
	(void)state;
	expect_missing(I2V, (struct spec_source){.prompt = "x"},
		"image_url: a picture is needed: put dog.png (or .jpg, .jpeg, .webp) beside "
		"dog.txt, or name one as \"image_url\" in dog.json\n");
	expect_missing(I2V, (struct spec_source){FIRST(I2V, "dog.png")},
		"prompt: a prompt is needed: write what the video shall show into dog.txt, or as "
		"\"prompt\" in dog.json\n");
	expect_missing(FLAT, (struct spec_source){.json = "{}"},
		"prompt: a prompt is needed: write what the video shall show into dog.txt, or as "
		"\"prompt\" in dog.json\n");
}

static void what_is_wrong_is_not_also_missing(void **state)
{
	struct outcome out = build(I2V, (struct spec_source){.json = "{oops"});

	(void)state;
	assert_int_equal(out.problems.count, 1);
	assert_int_equal(out.missing.count, 0);
	clear(&out);
	out = build(I2V, (struct spec_source){.json = "{\"prompt\":null,\"image_url\":7}"});
	assert_int_equal(out.problems.count, 2);
	assert_int_equal(out.missing.count, 0);
	clear(&out);
}

static void a_file_judged_alone_is_not_held_to_model_defaults(void **state)
{
	struct problems problems = {0};
	struct spec spec;
	struct spec_source source = {.dir = I2V, .json = "{\"resolution\":\"1080P\"}"};

	(void)state;
	source.json_bytes = strlen(source.json);
	assert_int_equal(spec_build(models_find(&models, I2V), &source, &spec, &problems, NULL), 0);
	assert_int_equal(problems.count, 0);
	spec_clear(&spec);
}

static void rules_see_defaults(void **state)
{
	(void)state;
	expect_problem(I2V,
		(struct spec_source){.json = "{\"prompt\":\"x\",\"image_url\":\"" LINK
					     "\",\"resolution\":\"1080P\"}",
			.defaults = "{\"duration\":\"10\"}",
			.defaults_path = I2V "/defaults.json"},
		"duration, resolution: 10 seconds are not possible at 1080P; take duration \"6\", "
		"or resolution \"768P\"\n");
}

static void inline_pictures_are_looked_into(void **state)
{
	static const char png[] =
		"{\"prompt\":\"x\",\"image\":\"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEA"
		"AAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==\"}";

	(void)state;
	expect_body(FLAT, (struct spec_source){.json = png}, png);
}

static void takes_are_counted_and_never_sent(void **state)
{
	static const struct {
		const char *model, *json, *defaults;
		int takes;
	} known[] = {
		{T2V, "{\"prompt\":\"x\"}", NULL, 1},
		{T2V, "{\"prompt\":\"x\",\"takes\":3}", NULL, 3},
		{T2V, "{\"takes\":\"12\",\"input\":{\"prompt\":\"x\"}}", NULL, 12},
		{T2V, "{\"prompt\":\"x\",\"takes\":100}", "{\"takes\":2}", 100},
		{T2V, "{\"prompt\":\"x\"}", "{\"takes\":2}", 2},
		{FLAT, "{\"prompt\":\"x\",\"takes\":4}", NULL, 4},
	};
	struct spec_source alone = {.prompt = "x"};
	struct outcome out = build(T2V, alone);

	(void)state;
	assert_int_equal(out.spec.takes, 1);
	clear(&out);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct spec_source source = {.json = known[i].json, .defaults = known[i].defaults};

		out = build(known[i].model, source);
		assert_string_equal(out.text, "");
		assert_int_equal(out.spec.takes, known[i].takes);
		assert_null(strstr(out.body, "takes"));
		clear(&out);
	}
}

static void wrong_takes_are_problems(void **state)
{
	static const char *const wrong[][2] = {
		{"{\"prompt\":\"x\",\"takes\":0}",
			"takes: 0 is not possible; allowed: a whole number from 1 to 100\n"},
		{"{\"prompt\":\"x\",\"takes\":101}",
			"takes: 101 is not possible; allowed: a whole number from 1 to 100\n"},
		{"{\"prompt\":\"x\",\"takes\":1.5}",
			"takes: 1.5 is not possible; allowed: a whole number from 1 to 100\n"},
		{"{\"prompt\":\"x\",\"takes\":\"two\"}",
			"takes: \"two\" is not possible; allowed: a whole number from 1 to 100\n"},
		{"{\"prompt\":\"x\",\"takes\":null}",
			"takes: null is not possible; allowed: a whole number from 1 to 100\n"},
		{"{\"input\":{\"prompt\":\"x\",\"takes\":2}}",
			"takes: belongs beside \"input\", not inside it\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct outcome out = build(T2V, (struct spec_source){.json = wrong[i][0]});

		assert_string_equal(out.text, wrong[i][1]);
		clear(&out);
	}
}

static void takes_are_among_the_names_that_may_be_meant(void **state)
{
	struct outcome out =
		build(T2V, (struct spec_source){.json = "{\"prompt\":\"x\",\"take\":2}"});

	(void)state;
	assert_non_null(strstr(out.text, "did you mean \"takes\"?"));
	clear(&out);
}

static void too_big_is_said(void **state)
{
	AUTO_FREE char *big = malloc(LIMIT_SPEC_BYTES + 1);

	(void)state;
	assert_non_null(big);
	memset(big, ' ', LIMIT_SPEC_BYTES + 1);
	expect_problem(T2V, (struct spec_source){.json = big, .json_bytes = LIMIT_SPEC_BYTES + 1},
		"1048577 bytes; the limit is 1048576\n");
}

static void an_uploaded_picture_takes_the_words_place(void **state)
{
	struct outcome out = build(
		I2V, (struct spec_source){.json = "{\"image_url\":\"cat.png\",\"prompt\":\"x\"}"});
	const struct model *model = models_find(&models, I2V);
	AUTO_FREE char *body = NULL;

	(void)state;
	assert_int_equal(spec_set_string(model, out.spec.body, "image_url", LINK), 0);
	body = cJSON_PrintUnformatted(out.spec.body);
	assert_string_equal(body,
		"{\"model\":\"" I2V "\",\"input\":{\"image_url\":\"" LINK "\",\"prompt\":\"x\"}}");
	clear(&out);
}

static void defaults_of_the_model_are_filled_in_on_a_copy(void **state)
{
	struct outcome out = build(I2VE, (struct spec_source){.prompt = "x"});
	AUTO_JSON cJSON *effective = spec_effective(models_find(&models, I2VE), out.spec.body);
	AUTO_FREE char *text = cJSON_PrintUnformatted(effective);

	(void)state;
	assert_string_equal(text, "{\"prompt\":\"x\",\"duration\":\"10\",\"resolution\":\"768P\"}");
	assert_string_equal(out.body, "{\"model\":\"" I2VE "\",\"input\":{\"prompt\":\"x\"}}");
	clear(&out);
}

static void picture_files_are_judged_by_content(void **state)
{
	static const unsigned char png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0,
		13, 'I', 'H', 'D', 'R', 0, 0, 0, 1, 0, 0, 0, 1, 8, 6, 0, 0, 0};
	const struct model_field *field = model_field(models_find(&models, I2V), "image_url");
	struct problems problems = {0};
	AUTO_FREE char *text = NULL;

	(void)state;
	spec_check_media(field, "dog.png", png, sizeof(png), 10485760, &problems);
	assert_int_equal(problems.count, 0);
	spec_check_media(field, "dog.png", png, sizeof(png), 10485761, &problems);
	spec_check_media(field, "cat.png", "GIF89a", 6, 6, &problems);
	spec_check_media(field, "elk.png", "", 0, 0, &problems);
	text = problems_text(&problems);
	assert_string_equal(text,
		"dog.png: 10.0 MB (10485761 bytes); the limit of image_url is 10 MB (10485760 "
		"bytes)\n"
		"cat.png: its content is image/gif; allowed for image_url: JPEG, PNG, WebP\n"
		"elk.png: is an empty file, not a picture\n");
	problems_clear(&problems);
}

/* cJSON's allocations fail after some: nothing crashes, and -ENOMEM is the answer or all is well.
 */
static size_t allowed_allocations;

static void *scarce_malloc(size_t bytes)
{
	if (allowed_allocations == 0)
		return NULL;
	allowed_allocations--;
	return malloc(bytes);
}

static void no_memory_is_an_answer_not_a_crash(void **state)
{
	cJSON_Hooks scarce = {scarce_malloc, free};
	struct spec_source source = {.dir = I2VE,
		.json = "{\"duration\":6,\"image_url\":\"a.png\",\"colour\":[1,{}]}",
		.prompt = "x",
		.prompt_bytes = 1,
		FIRST(I2VE, "dog.end.png"),
		.defaults = "{\"model\":\"" I2VE "\",\"input\":{\"prompt_optimizer\":\"true\"}}"};
	int result = -ENOMEM;

	(void)state;
	source.json_bytes = strlen(source.json);
	source.defaults_bytes = strlen(source.defaults);
	for (size_t most = 0; result && most < 500; most++) {
		struct problems problems = {0}, missing = {0};
		struct spec spec;

		allowed_allocations = most;
		cJSON_InitHooks(&scarce);
		result =
			spec_build(models_find(&models, I2VE), &source, &spec, &problems, &missing);
		cJSON_InitHooks(NULL);
		assert_true(result == 0 || result == -ENOMEM);
		spec_clear(&spec);
		problems_clear(&problems);
		problems_clear(&missing);
	}
	assert_int_equal(result, 0);
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

static void a_picture_without_its_end_is_not_whole(void **state)
{
	static const struct {
		const char *bytes;
		size_t count;
		bool whole;
	} pictures[] = {
		{"\x89PNG\r\n....\0\0\0\0IEND\xae\x42\x60\x82", 22, true},
		{"\x89PNG\r\n....\0\0\0\0IEND", 18, false},
		{"\xff\xd8\xff\xe0....\xff\xd9", 10, true}, {"\xff\xd8\xff\xe0......", 10, false},
		{"RIFF\x06\0\0\0WEBPVP", 14, true}, {"RIFF\x07\0\0\0WEBPVP", 14, false},
		{"GIF89a", 6, true}, /* its type is refused elsewhere */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pictures) / sizeof(*pictures); i++) {
		struct problems problems = {0};
		const char *bytes = pictures[i].bytes;
		size_t count = pictures[i].count;

		spec_check_whole("dog.png", bytes, count, bytes, count, count, &problems);
		assert_int_equal(problems.count, pictures[i].whole ? 0 : 1);
		problems_clear(&problems);
	}
}

static void a_mark_names_a_frame_of_a_film(void **state)
{
	static const struct {
		const char *named, *path;
		enum film_frame frame;
	} names[] = {
		{"out/a.mp4#last", "out/a.mp4", FRAME_LAST},
		{"a.MKV#first", "a.MKV", FRAME_FIRST},
		{"we#1.webm#last", "we#1.webm", FRAME_LAST},
		{"a.png", "a.png", FRAME_NONE},
		{"a.mp4#LAST", "a.mp4#LAST", FRAME_NONE}, /* a file of this name */
		{"a#last.png", "a#last.png", FRAME_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		AUTO_FREE char *json =
			format("{\"prompt\":\"x\",\"image_url\":\"%s\"}", names[i].named);
		AUTO_FREE char *path = format(I2V "/%s", names[i].path);
		struct outcome out = build(I2V, (struct spec_source){.json = json});

		assert_string_equal(out.text, "");
		assert_int_equal(out.spec.nfiles, 1);
		assert_string_equal(out.spec.file[0].path, path);
		assert_int_equal(out.spec.file[0].frame, names[i].frame);
		assert_non_null(strstr(out.body, names[i].named)); /* as the user wrote it */
		clear(&out);
	}
}

static void a_frame_is_only_of_a_film_and_for_a_picture(void **state)
{
	(void)state;
	expect_problem(I2V,
		(struct spec_source){.json = "{\"prompt\":\"x\",\"image_url\":\"a.png#last\"}"},
		"image_url: \"a.png#last\" is no frame of a film: #last and #first follow the name of "
		"a .mp4, .mov, .webm or .mkv\n");
	expect_problem(I2V,
		(struct spec_source){
			.json = "{\"prompt\":\"x\",\"image_url\":\"../../../a.mp4#last\"}"},
		"image_url: \"../../../a.mp4#last\" leads out of the mounted folder\n");
	expect_problem(I2V,
		(struct spec_source){
			.json = "{\"prompt\":\"x\",\"image_url\":\"https://a.example/a.mp4#last\"}"},
		"image_url: \"https://a.example/a.mp4#last\" must be in this mount, for a frame of it "
		"to be taken\n");
	expect_problem("happyhorse/video-edit",
		(struct spec_source){.json = "{\"prompt\":\"x\",\"video_url\":\"a.mp4#first\"}"},
		"video_url: \"a.mp4#first\" is a frame of a film, which is no use here: leave out "
		"#last or #first\n");
	expect_problem("grok-imagine/extend",
		(struct spec_source){
			.json = "{\"prompt\":\"x\",\"extend_at\":2,\"extend_times\":\"6\","
				"\"task_id\":\"out/a.mp4#last\"}"},
		"task_id: \"out/a.mp4#last\" is a frame of a film, which is no use here: leave out "
		"#last or #first\n");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mark_names_a_frame_of_a_film),
		cmocka_unit_test(a_frame_is_only_of_a_film_and_for_a_picture),
		cmocka_unit_test(documented_examples_pass_verbatim),
		cmocka_unit_test(every_bad_spec_is_refused_in_words_that_help),
		cmocka_unit_test(bare_input_is_wrapped),
		cmocka_unit_test(types_are_coerced_both_ways_and_keep_their_place),
		cmocka_unit_test(what_only_looks_like_a_number_is_refused),
		cmocka_unit_test(prompt_file_and_pictures_make_a_job),
		cmocka_unit_test(odd_picture_names_are_no_links_and_bad_ones_are_told),
		cmocka_unit_test(the_spec_wins_over_files_and_files_over_defaults),
		cmocka_unit_test(pictures_of_defaults_are_relative_to_the_defaults),
		cmocka_unit_test(problems_of_defaults_name_the_file),
		cmocka_unit_test(messages_say_value_and_limit),
		cmocka_unit_test(lengths_count_characters_at_both_sides_of_the_limit),
		cmocka_unit_test(a_waiting_job_is_told_what_to_add),
		cmocka_unit_test(what_is_wrong_is_not_also_missing),
		cmocka_unit_test(a_file_judged_alone_is_not_held_to_model_defaults),
		cmocka_unit_test(rules_see_defaults),
		cmocka_unit_test(inline_pictures_are_looked_into),
		cmocka_unit_test(takes_are_counted_and_never_sent),
		cmocka_unit_test(wrong_takes_are_problems),
		cmocka_unit_test(takes_are_among_the_names_that_may_be_meant),
		cmocka_unit_test(too_big_is_said),
		cmocka_unit_test(an_uploaded_picture_takes_the_words_place),
		cmocka_unit_test(defaults_of_the_model_are_filled_in_on_a_copy),
		cmocka_unit_test(picture_files_are_judged_by_content),
		cmocka_unit_test(no_memory_is_an_answer_not_a_crash),
		cmocka_unit_test(a_picture_without_its_end_is_not_whole),
	};

	return RUN_TESTS(argc, argv, tests, start, stop);
}

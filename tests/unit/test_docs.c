#include "fs/base/cleanup.h"
#include "spec/docs.h"
#include "spec/spec.h"
#include "spec/text.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/run.h"

static struct model_set models;

static void expect_plain(const char *page)
{
	for (const char *line = page; *line;) {
		size_t length = strcspn(line, "\n");
		AUTO_FREE char *copy = strndup(line, length);

		assert_int_equal(text_bad_utf8(line, length), length);
		if (text_chars(copy) > 78)
			fail_msg("wider than 78: %s", copy);
		line += length + (line[length] == '\n');
	}
	assert_null(strstr(page, "\n\n\n"));
}

static void a_readme_names_every_field_limit_and_price(void **state)
{
	(void)state;
	for (size_t i = 0; i < models.count; i++) {
		const struct model *model = models.item[i];
		AUTO_FREE char *page = docs_readme(model);

		assert_non_null(page);
		expect_plain(page);
		assert_non_null(strstr(page, model->title));
		assert_non_null(strstr(page, model->id));
		assert_true(strstr(page, "stimate of 2026-") ||
			    strstr(page, "Not known; see the provider's own page."));
		assert_non_null(strstr(page, "retry"));
		for (size_t j = 0; j < model->root.nfield; j++)
			assert_non_null(strstr(page, model->root.field[j].name));
	}
}

/* One place after the other in the page. */
static void expect_in_order(const char *page, const char *first, const char *second)
{
	const char *at = strstr(page, first);

	assert_non_null(at);
	assert_non_null(strstr(at, second));
}

static void a_readme_says_in_which_order_files_come(void **state)
{
	AUTO_FREE char *optional = docs_readme(models_find(&models, "minimax-hailuo-02"));
	AUTO_FREE char *needed = docs_readme(models_find(&models, "hailuo/2-3-image-to-video-pro"));
	AUTO_FREE char *without = docs_readme(models_find(&models, "hailuo/02-text-to-video-pro"));

	(void)state;
	expect_in_order(optional, "put a picture of the same name here: dog.png",
		"into a text file: dog.txt");
	assert_non_null(strstr(optional, "Files first, then words"));
	expect_in_order(needed, "into a text file: dog.txt", "Put a picture of the same name");
	assert_null(strstr(needed, "Files first"));
	assert_null(strstr(without, "picture of"));
	assert_non_null(strstr(without, "another name is held"));
}

/* The braces of the example, cut out of the page. */
static char *example_of(const char *page)
{
	const char *start = strstr(page, "\n{\n");
	const char *end = start ? strstr(start, "\n}\n") : NULL;

	assert_non_null(end);
	return strndup(start, (size_t)(end + 3 - start));
}

static void a_readme_says_that_a_model_is_retired(void **state)
{
	static const char file[] =
		"{\"$id\":\"old\",\"title\":\"Old\",\"x-kinofs-provider\":\"kie\",\"x-kinofs-retired\":"
		"\"2026-11-26\",\"properties\":{\"prompt\":{\"type\":\"string\"}}}";
	AUTO_FREE char *why = NULL;
	struct model *model = model_parse(file, strlen(file), &why);
	AUTO_FREE char *page = model ? docs_readme(model) : NULL;

	(void)state;
	assert_non_null(page);
	expect_plain(page);
	assert_non_null(strstr(page, "any more, as of 2026-11-26"));
	model_free(model);
}

static void the_example_of_a_readme_is_a_good_spec(void **state)
{
	(void)state;
	for (size_t i = 0; i < models.count; i++) {
		const struct model *model = models.item[i];
		AUTO_FREE char *page = docs_readme(model);
		AUTO_FREE char *json = example_of(page);
		struct spec_source source = {.dir = model->id, .json = json};
		struct problems problems = {0}, missing = {0};
		struct spec spec;

		source.json_bytes = strlen(json);
		assert_int_equal(spec_build(model, &source, &spec, &problems, &missing), 0);
		assert_int_equal(problems.count, 0);
		assert_int_equal(missing.count, 0);
		spec_clear(&spec);
	}
}

static void a_model_is_described_by_what_it_makes(void **state)
{
	static const struct {
		const char *kind, *words[4];
	} known[] = {
		{"image", {"MAKE A PICTURE", "what the picture shall show", "out/dog.png",
				  "three pictures"}},
		{"audio", {"MAKE A SOUND", "what shall be heard", "out/dog.mp3", "three sounds"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		AUTO_FREE char *text = NULL, *page = NULL, *schema = NULL, *fault = NULL;
		struct model *model;

		assert_true(asprintf(&text,
				    "{\"$id\":\"x\",\"title\":\"X\",\"x-kinofs-provider\":\"kie\","
				    "\"x-kinofs-prompt\":\"p\",\"x-kinofs-result\":\"%s\","
				    "\"properties\":{\"p\":{\"type\":\"string\"}},"
				    "\"required\":[\"p\"]}",
				    known[i].kind) > 0);
		model = model_parse(text, strlen(text), &fault);
		assert_non_null(model);
		page = docs_readme(model);
		schema = docs_schema(model);
		expect_plain(page);
		for (size_t j = 0; j < 4; j++)
			if (!strstr(page, known[i].words[j]))
				fail_msg("\"%s\" is not in %s", known[i].words[j], page);
		assert_null(strcasestr(page, "video"));
		assert_null(strcasestr(schema, "video"));
		model_free(model);
	}
}

static void the_root_readme_lists_all_models(void **state)
{
	AUTO_FREE char *page = docs_root_readme(&models);

	(void)state;
	expect_plain(page);
	for (size_t i = 0; i < models.count; i++) {
		const char *slash = strchr(models.item[i]->id, '/');

		assert_non_null(strstr(page, slash ? slash + 1 : models.item[i]->id));
	}
	expect_in_order(page, "VIDEO FROM WORDS", "minimax-hailuo-02");
	expect_in_order(page, "VIDEO FROM A PICTURE", "hailuo/ 02-image-to-video-pro");
}

static const cJSON *at(const cJSON *json, const char *const *path)
{
	for (; *path; path++)
		json = cJSON_GetObjectItemCaseSensitive(json, *path);
	return json;
}

static void a_schema_takes_both_shapes_and_both_types(void **state)
{
	static const char *const outer[] = {"properties", "duration", "enum", NULL};
	static const char *const inner[] = {
		"properties", "input", "properties", "duration", "enum", NULL};
	static const char *const strict[] = {"properties", "input", "additionalProperties", NULL};
	AUTO_JSON cJSON *both = cJSON_Parse("[\"6\",\"10\",6,10]");
	AUTO_JSON cJSON *flat_both = cJSON_Parse("[6,10,\"6\",\"10\"]");
	AUTO_FREE char *text =
		docs_schema(models_find(&models, "hailuo/02-image-to-video-standard"));
	AUTO_FREE char *flat_text = docs_schema(models_find(&models, "minimax-hailuo-02"));
	AUTO_JSON cJSON *schema = cJSON_Parse(text);
	AUTO_JSON cJSON *flat = cJSON_Parse(flat_text);

	(void)state;
	assert_true(cJSON_Compare(at(schema, outer), both, true));
	assert_true(cJSON_Compare(at(schema, inner), both, true));
	assert_true(cJSON_IsFalse(at(schema, strict)));
	assert_true(cJSON_IsFalse(cJSON_GetObjectItem(schema, "additionalProperties")));
	assert_null(cJSON_GetObjectItem(schema, "required"));
	assert_true(cJSON_Compare(at(flat, outer), flat_both, true));
	assert_null(at(flat, inner));
}

/* Of a member of the schema of a model that is chosen by its duration and resolution. */
static void assert_says(const cJSON *schema, const char *const *path, const char *words)
{
	const char *text = cJSON_GetStringValue(at(schema, path));

	assert_non_null(text);
	assert_non_null(strstr(text, words));
}

static void a_schema_says_what_it_costs_and_why_something_cannot_be(void **state)
{
	static const char *const top[] = {"description", NULL};
	static const char *const field[] = {"properties", "duration", "description", NULL};
	static const char *const inside[] = {
		"properties", "input", "properties", "resolution", "description", NULL};
	static const char *const prompt[] = {"properties", "prompt", "description", NULL};
	static const char *const beside[] = {"then", "propertyNames", "errorMessage", NULL};
	static const char *const rules[] = {"properties", "input", "allOf", NULL};
	AUTO_FREE char *text = docs_schema(models_find(&models, "hailuo/2-3-image-to-video-pro"));
	AUTO_JSON cJSON *schema = cJSON_Parse(text);

	(void)state;
	assert_says(schema, top, " Price: $0.225 to $0.45 a video (estimate of 2026-06-30).");
	assert_says(schema, field, " Price: resolution 768P, duration 6: 45 credits ($0.225); ");
	assert_says(schema, inside, "; resolution 1080P, duration 6: 80 credits ($0.40).");
	assert_null(strstr(cJSON_GetStringValue(at(schema, prompt)), "Price"));
	assert_says(schema, beside, "Beside \"input\"");
	assert_string_equal(
		cJSON_GetStringValue(cJSON_GetObjectItem(at(schema, rules)->child, "errorMessage")),
		"10 seconds are not possible at 1080P; take duration \"6\", or resolution "
		"\"768P\"");
}

static size_t allowed_allocations;

static void *scarce_malloc(size_t bytes)
{
	if (allowed_allocations == 0)
		return NULL;
	allowed_allocations--;
	return malloc(bytes);
}

static void a_schema_is_whole_or_not_there(void **state)
{
	cJSON_Hooks scarce = {scarce_malloc, free};
	const struct model *model = models_find(&models, "bytedance/v1-pro-image-to-video");
	AUTO_FREE char *whole = docs_schema(model);
	AUTO_FREE char *text = NULL;

	(void)state;
	for (size_t most = 0; !text && most < 5000; most++) {
		allowed_allocations = most;
		cJSON_InitHooks(&scarce);
		text = docs_schema(model);
		cJSON_InitHooks(NULL);
	}
	assert_non_null(text);
	assert_string_equal(text, whole);
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
		cmocka_unit_test(a_readme_names_every_field_limit_and_price),
		cmocka_unit_test(a_readme_says_in_which_order_files_come),
		cmocka_unit_test(a_readme_says_that_a_model_is_retired),
		cmocka_unit_test(the_example_of_a_readme_is_a_good_spec),
		cmocka_unit_test(a_model_is_described_by_what_it_makes),
		cmocka_unit_test(the_root_readme_lists_all_models),
		cmocka_unit_test(a_schema_takes_both_shapes_and_both_types),
		cmocka_unit_test(a_schema_says_what_it_costs_and_why_something_cannot_be),
		cmocka_unit_test(a_schema_is_whole_or_not_there),
	};

	return RUN_TESTS(argc, argv, tests, start, stop);
}

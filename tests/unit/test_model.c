#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "spec/builtin.h"
#include "spec/model.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/run.h"

static void every_builtin_model_is_sound(void **state)
{
	struct model_set models;
	size_t count = 0;

	(void)state;
	for (const struct model_file *file = model_files; file->path; file++, count++) {
		AUTO_FREE char *error = NULL;
		struct model *model =
			model_parse(file->start, (size_t)(file->end - file->start), &error);

		if (!model)
			fail_msg("%s: %s", file->path, error);
		/* the file stands where its id says */
		assert_non_null(strstr(file->path, model->id));
		for (size_t i = 0; i < model->root.nfield; i++)
			assert_non_null(model->root.field[i].description);
		model_free(model);
	}
	assert_int_equal(models_builtin(&models), 0);
	assert_int_equal(models.count, count);
	assert_true(count > 150);
	for (size_t i = 1; i < models.count; i++)
		assert_true(strcmp(models.item[i - 1]->id, models.item[i]->id) < 0);
	models_free(&models);
}

static void the_documented_fields_are_there(void **state)
{
	struct model_set models;
	const struct model *model;
	const struct model_field *field;

	(void)state;
	assert_int_equal(models_builtin(&models), 0);
	model = models_find(&models, "bytedance/v1-pro-image-to-video");
	assert_true(model->wrapped);
	assert_null(model->endpoint);
	assert_null(model_slot(model, MEDIA_PICTURE, "end"));
	assert_string_equal(model_slot(model, MEDIA_PICTURE, "")->field->name, "image_url");
	assert_int_equal(model->prompt->max_chars, 10000);
	field = model_field(model, "seed");
	assert_int_equal(field->type, FIELD_INTEGER);
	assert_true(field->has_minimum && field->minimum == -1);
	assert_true(field->has_maximum && field->maximum == 2147483647);
	model = models_find(&models, "minimax-hailuo-02");
	assert_false(model->wrapped);
	assert_string_equal(model->endpoint, "minimax-hailuo-02");
	field = model_slot(model, MEDIA_PICTURE, "")->field;
	assert_true(field->data_uri);
	assert_false(field->required);
	assert_int_equal(model_slot(model, MEDIA_PICTURE, "end")->field->max_bytes, 20 << 20);
	assert_null(model_field(model, "nsfw_checker"));
	assert_null(models_find(&models, "minimax"));
	models_free(&models);
}

/* A model of a prompt only, with more keys ("KEY":VALUE, each with its comma). */
static struct model *model_with(const char *keys)
{
	AUTO_FREE char *text =
		format("{%s\"$id\":\"x\",\"title\":\"X\",\"x-kinofs-provider\":\"any\","
		       "\"x-kinofs-prompt\":\"p\",\"properties\":{\"p\":{\"type\":\"string\"}}}",
			keys);
	AUTO_FREE char *error = NULL;
	struct model *model = model_parse(text, strlen(text), &error);

	assert_non_null(model);
	return model;
}

static void an_endpoint_stands_for_an_envelope_unless_said(void **state)
{
	static const struct {
		const char *keys;
		bool wrapped;
	} known[] = {
		{"", true},
		{"\"x-kinofs-endpoint\":\"e\",", false},
		{"\"x-kinofs-envelope\":false,", false},
		{"\"x-kinofs-endpoint\":\"e\",\"x-kinofs-envelope\":true,", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct model *model = model_with(known[i].keys);

		assert_true(model->wrapped == known[i].wrapped);
		model_free(model);
	}
}

static void a_model_says_what_it_makes(void **state)
{
	static const struct {
		const char *keys;
		unsigned int results;
		const char *noun;
	} known[] = {
		{"", RESULT_VIDEO, "video"},
		{"\"x-kinofs-result\":\"image\",", RESULT_IMAGE, "picture"},
		{"\"x-kinofs-result\":[\"audio\"],", RESULT_AUDIO, "sound"},
		{"\"x-kinofs-result\":[\"audio\",\"image\"],", RESULT_AUDIO | RESULT_IMAGE,
			"result"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct model *model = model_with(known[i].keys);

		assert_int_equal(model->results, known[i].results);
		assert_string_equal(model_noun(model), known[i].noun);
		model_free(model);
	}
}

/* A model file with one thing changed; says what is wrong with it. */
static char *fault_of(const char *key, const char *value)
{
	AUTO_JSON cJSON *file = cJSON_Parse(
		"{\"$id\":\"a/b\",\"title\":\"T\",\"x-kinofs-provider\":\"kie\","
		"\"x-kinofs-prompt\":\"p\","
		"\"properties\":{\"p\":{\"type\":\"string\",\"maxLength\":10},"
		"\"i\":{\"type\":\"string\",\"x-kinofs-file\":{\"types\":[\"image/png\"],\"marks\":[\"\"]}},"
		"\"d\":{\"type\":\"string\",\"enum\":[\"6\",\"10\"],\"default\":\"6\"}}}");
	AUTO_FREE char *text = NULL;
	char *error = NULL;
	cJSON *parent = file;
	struct model *model;

	if (strncmp(key, "d.", 2) == 0) {
		parent = cJSON_GetObjectItem(cJSON_GetObjectItem(file, "properties"), "d");
		key += 2;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(parent, key);
	if (value)
		cJSON_AddItemToObject(parent, key, cJSON_Parse(value));
	text = cJSON_PrintUnformatted(file);
	model = model_parse(text, strlen(text), &error);
	assert_true((model == NULL) == (error != NULL));
	model_free(model);
	return error;
}

static void a_bad_model_file_is_told_what_is_wrong(void **state)
{
	static const char *const known[][3] = {
		{"x-kinofs-promt", "\"p\"", "no key \"x-kinofs-promt\""},
		{"$id", NULL, "\"$id\" is missing"},
		{"$id", "7", "\"$id\" wants a text"},
		{"$id", "\"a//b\"", "no part of a model id"},
		{"$id", "\"a/../b\"", "no part of a model id"},
		{"$id", "\"/a\"", "no part of a model id"},
		{"$id", "\"a/\"", "no part of a model id"},
		{"$id", "\".kinofs\"", "no part of a model id"},
		{"$id", "\"a/out\"", "\"out\", which kinofs makes itself"},
		{"$id", "\"jobs/b\"", "\"jobs\", which kinofs makes itself"},
		{"$id", "\"README.txt\"", "\"README.txt\", which kinofs makes itself"},
		{"$id", "\"a/schema.json\"", "\"schema.json\", which kinofs makes itself"},
		{"$id", "\"a b\"", "no model id"},
		{"title", NULL, "\"title\" is missing"},
		{"x-kinofs-provider", "7", "\"x-kinofs-provider\" wants a text"},
		{"x-kinofs-endpoint", "\"a/b\"", "no last part of a URL"},
		{"x-kinofs-envelope", "\"yes\"", "\"x-kinofs-envelope\" wants true or false"},
		{"x-kinofs-result", "\"film\"", "x-kinofs-result: is \"video\", \"image\""},
		{"x-kinofs-result", "[\"image\",7]", "or a list of these"},
		{"x-kinofs-result", "[]", "or a list of these"},
		{"x-kinofs-prompt", "\"q\"", "\"q\" is not in \"properties\""},
		{"x-kinofs-prompt", "\"i\"", "\"i\" is no text field"},
		{"x-kinofs-last-frame", "\"p\"", "no key \"x-kinofs-last-frame\""},
		{"properties", "[]", "\"properties\" wants an object"},
		{"properties", "{\"p\":7}", "p: an object is wanted"},
		{"properties", "{\"model\":{\"type\":\"string\"}}", "cannot have this name"},
		{"required", "[\"z\"]", "z is not in \"properties\""},
		{"oneOf", "[]", "no key \"oneOf\""},
		{"d.pattern", "\"x\"", "d: kinofs knows no key \"pattern\""},
		{"d.type", "\"date\"", "\"type\" is one of"},
		{"d.type", "\"array\"", "a list, and nothing else, has \"items\""},
		{"d.type", "\"object\"", "an object, and nothing else, has \"properties\""},
		{"d.items", "{\"type\":\"string\"}", "a list, and nothing else, has \"items\""},
		{"d.const", "7", "\"const\" is no string"},
		{"d.multipleOf", "2", "\"multipleOf\" is a number above 0"},
		{"d.minItems", "2", "mean nothing for type \"string\""},
		{"d.enum", "[]", "\"enum\" is empty"},
		{"d.enum", "[6]", "no string"},
		{"d.default", "\"7\"", "\"7\" is not possible"},
		{"d.default", "6", "write the value as its type has it"},
		{"d.minimum", "1", "mean nothing for type \"string\""},
		{"d.maxLength", "-1", "\"maxLength\" wants a whole number"},
		{"d.x-kinofs-file", "{\"types\":[\"text/html\"]}", "no MIME type of a picture"},
		{"d.x-kinofs-file", "{\"types\":[\"image/png\"],\"marks\":[]}",
			"\"marks\" has one"},
		{"d.x-kinofs-file", "{\"types\":[\"image/png\"],\"marks\":[\"A\"]}", "a mark is"},
		{"x-kinofs-prices", "[{\"credits\":1}]", "\"date\" is missing"},
		{"x-kinofs-prices", "[{\"date\":\"2026-01-01\",\"source\":\"s\"}]", "either"},
		{"x-kinofs-prices", "[{\"date\":\"June\",\"source\":\"s\",\"usd\":1}]", "no date"},
		{"x-kinofs-prices",
			"[{\"when\":{\"x\":1},\"date\":\"2026-01-01\",\"source\":\"s\",\"usd\":1}]",
			"x: no such field"},
		{"x-kinofs-retired", "\"June\"", "no date"},
		{"x-kinofs-rules", "[{\"refuse\":{},\"message\":\"m\"}]", "\"refuse\" is empty"},
		{"x-kinofs-rules", "[{\"refuse\":{\"d\":\"7\"},\"message\":\"m\"}]",
			"\"7\" is not possible"},
		{"x-kinofs-rules", "[7]", "an object is wanted"},
		{"x-kinofs-rules", "[{\"message\":\"m\"}]", "a rule has \"refuse\" or \"sum\""},
		{"x-kinofs-rules", "[{\"sum\":{\"of\":[\"z\"],\"over\":1},\"message\":\"m\"}]",
			"z: no such field"},
		{"x-kinofs-rules", "[{\"refuse\":{\"d\":{\"least\":1}},\"message\":\"m\"}]",
			"no key \"least\""},
		{"x-kinofs-prices",
			"[{\"per\":\"z\",\"date\":\"2026-01-01\",\"source\":\"s\",\"usd\":1}]",
			"z: no such field"},
		{"x-kinofs-prices",
			"[{\"beyond\":1,\"date\":\"2026-01-01\",\"source\":\"s\",\"usd\":1}]",
			"need \"per\""},
	};

	(void)state;
	assert_null(fault_of("description", "\"fine\""));
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		AUTO_FREE char *error = fault_of(known[i][0], known[i][1]);

		if (!error || !strstr(error, known[i][2]))
			fail_msg("%s %s: %s", known[i][0], known[i][1] ? known[i][1] : "(none)",
				error ? error : "is accepted");
	}
}

static void a_model_file_that_is_no_json_is_told_where(void **state)
{
	AUTO_FREE char *error = NULL;

	(void)state;
	assert_null(model_parse("{\n  $id", 7, &error));
	assert_non_null(strstr(error, "line 2, column 3"));
}

/* More than are told: what comes after them is not taken for sound (found by its fuzzer). */
static void a_model_file_with_very_many_faults_is_refused(void **state)
{
	AUTO_FREE char *rows = strdup("["), *error = NULL;

	(void)state;
	for (int i = 0; i < LIMIT_PROBLEMS; i++) {
		AUTO_FREE char *before = rows;

		assert_true(asprintf(&rows, "%s{\"x\":1},", before) > 0);
	}
	{
		AUTO_FREE char *before = rows;

		assert_true(asprintf(&rows, "%s{\"usd\":1,\"source\":\"s\"}]", before) > 0);
	}
	error = fault_of("x-kinofs-prices", rows);
	assert_non_null(error);
	assert_non_null(strstr(error, "no key \"x\""));
}

static struct model *named(const char *id)
{
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *error = NULL;
	struct model *model;

	assert_true(
		asprintf(&text,
			"{\"$id\":\"%s\",\"title\":\"T\",\"x-kinofs-provider\":\"kie\","
			"\"x-kinofs-prompt\":\"p\",\"properties\":{\"p\":{\"type\":\"string\"}}}",
			id) > 0);
	model = model_parse(text, strlen(text), &error);
	assert_non_null(model);
	return model;
}

static void models_do_not_lie_in_each_other_and_the_newer_replaces(void **state)
{
	struct model_set models = {0};
	struct model *inner = named("b/c/d"), *outer = named("b");

	(void)state;
	assert_int_equal(models_add(&models, named("b/c")), 0);
	assert_int_equal(models_add(&models, named("a")), 0);
	assert_int_equal(models_add(&models, named("b/cd")), 0);
	assert_int_equal(models_add(&models, inner), -EINVAL);
	assert_int_equal(models_add(&models, outer), -EINVAL);
	assert_int_equal(models_add(&models, named("a")), 0);
	assert_int_equal(models.count, 3);
	assert_string_equal(models.item[0]->id, "a");
	assert_string_equal(models.item[2]->id, "b/cd");
	model_free(inner);
	model_free(outer);
	models_free(&models);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_builtin_model_is_sound),
		cmocka_unit_test(the_documented_fields_are_there),
		cmocka_unit_test(an_endpoint_stands_for_an_envelope_unless_said),
		cmocka_unit_test(a_model_says_what_it_makes),
		cmocka_unit_test(a_bad_model_file_is_told_what_is_wrong),
		cmocka_unit_test(a_model_file_that_is_no_json_is_told_where),
		cmocka_unit_test(a_model_file_with_very_many_faults_is_refused),
		cmocka_unit_test(models_do_not_lie_in_each_other_and_the_newer_replaces),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}

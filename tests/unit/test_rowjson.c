/* fs/journal/rowjson.h: pictures and results as they stand in a row. */
#include "fs/base/cleanup.h"
#include "fs/journal/rowjson.h"

#include <string.h>

#include "tests/unit/run.h"

#define PICTURES                                                                                   \
	"[{\"field\":\"image\",\"path\":\"m/a \\\"b\\\".png\",\"sha256\":\"abc\",\"bytes\":0,"     \
	"\"type\":\"image/png\",\"url\":\"https://h/1\"},"                                         \
	"{\"path\":\"m/link\"},{\"path\":\"m/b.png\"},"                                            \
	"{\"field\":\"film\",\"path\":\"m/a.mp4\",\"frame\":\"first\"},"                           \
	"{\"field\":\"end\",\"path\":\"m/missing.png\"},{\"path\":\"n/missing.png\"}]"
#define OUTPUTS                                                                                    \
	"[{\"url\":\"https://h/1\"},"                                                              \
	"{\"url\":\"https://h/2\",\"type\":\"mp4\",\"bytes\":7,\"file\":\"m/out/a.mp4\"},"         \
	"{\"url\":\"https://h/3\",\"type\":\"mp4\",\"bytes\":8,\"file\":\"m/out/a.2.mp4\","        \
	"\"published\":true,\"other\":\"image/png\"},"                                             \
	"{\"url\":\"https://h/4\",\"lost\":true,\"tries\":3,\"dead_ms\":70,\"problem\":\"gone\"}," \
	"{\"url\":\"https://h/5\",\"still\":true,\"promised\":9,\"kept\":4,\"validator\":\"\\\"v\\\"\"}]"

static void pictures_go_there_and_back(void **state)
{
	struct picture *picture;
	size_t count;
	AUTO_FREE char *text = NULL;

	(void)state;
	assert_true(pictures_parse(PICTURES, &picture, &count));
	assert_int_equal(count, 3);
	assert_string_equal(picture[0].path, "m/a \"b\".png");
	assert_int_equal(picture[0].nway, 2);
	assert_string_equal(picture[0].way[1], "m/b.png");
	assert_int_equal(picture[0].frame, FRAME_NONE);
	assert_int_equal(picture[1].frame, FRAME_FIRST);
	assert_int_equal(picture[1].nway, 0);
	assert_null(picture[2].sha256);
	assert_null(picture[2].url);
	assert_int_equal(picture[2].nway, 1);
	text = pictures_text(picture, count);
	assert_string_equal(text, PICTURES);
	pictures_free(picture, count);
}

static void outputs_go_there_and_back(void **state)
{
	struct output *output;
	size_t count;
	AUTO_FREE char *text = NULL;

	(void)state;
	assert_true(outputs_parse(OUTPUTS, &output, &count));
	assert_int_equal(count, 5);
	assert_int_equal(output[0].state, OUTPUT_LINKED);
	assert_int_equal(output[1].state, OUTPUT_NAMED);
	assert_int_equal(output[2].state, OUTPUT_PUBLISHED);
	assert_int_equal(output[2].bytes, 8);
	assert_int_equal(output[3].state, OUTPUT_LOST);
	assert_int_equal(output[4].state, OUTPUT_LINKED);
	assert_string_equal(output[4].validator, "\"v\"");
	text = outputs_text(output, count);
	assert_string_equal(text, OUTPUTS);
	outputs_free(output, count);
}

/* NULL is no list, "[]" one that is empty: of a job that takes no picture. */
static void none_and_an_empty_list_differ(void **state)
{
	struct picture *picture;
	struct output *output;
	size_t count;
	AUTO_FREE char *text = NULL;

	(void)state;
	assert_true(pictures_parse(NULL, &picture, &count));
	assert_true(!picture && count == 0);
	assert_null(pictures_text(picture, count));
	assert_null(pictures_json(picture, count));
	assert_true(outputs_parse(NULL, &output, &count));
	assert_true(!output && count == 0);
	assert_null(outputs_text(output, count));
	assert_true(pictures_parse("[]", &picture, &count));
	assert_true(picture && count == 0);
	text = pictures_text(picture, count);
	assert_string_equal(text, "[]");
	pictures_free(picture, count);
}

static void what_is_no_list_of_such_is_refused(void **state)
{
	static const char *const wrong[] = {"", "{}", "[", "1", "[{}]", "[1]",
		"[{\"field\":\"image\"}]", "[{\"path\":\"x\"}]", "[{\"field\":1,\"path\":\"x\"}]",
		"[{\"url\":null}]", "[{\"file\":\"x\"}]"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct picture *picture;
		struct output *output;
		size_t count;

		if (pictures_parse(wrong[i], &picture, &count))
			fail_msg("%s is taken for pictures", wrong[i]);
		pictures_free(picture, count);
		if (outputs_parse(wrong[i], &output, &count))
			fail_msg("%s is taken for results", wrong[i]);
		outputs_free(output, count);
	}
}

static void a_size_that_no_file_has_is_not_believed(void **state)
{
	static const char *const wrong[] = {"1e300", "-1", "-1e99", "1.5", "null", "\"x\"", "true"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		AUTO_FREE char *text = NULL;
		struct output *output;
		size_t count;

		assert_true(asprintf(&text, "[{\"url\":\"u\",\"bytes\":%s}]", wrong[i]) > 0);
		assert_true(outputs_parse(text, &output, &count));
		if (output[0].bytes != 0)
			fail_msg("%s is believed", wrong[i]);
		outputs_free(output, count);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pictures_go_there_and_back),
		cmocka_unit_test(outputs_go_there_and_back),
		cmocka_unit_test(none_and_an_empty_list_differ),
		cmocka_unit_test(what_is_no_list_of_such_is_refused),
		cmocka_unit_test(a_size_that_no_file_has_is_not_believed),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}

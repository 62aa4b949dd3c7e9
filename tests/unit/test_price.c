#include "fs/base/cleanup.h"
#include "spec/price.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/run.h"

/* Every combination of fs/net/API.md 8, with and without defaults. */
static void prices_follow_the_dated_rows(void **state)
{
	static const struct {
		const char *model, *input;
		double credits;
		const char *date;
	} known[] = {
		{"hailuo/2-3-image-to-video-pro", "{}", 45, "2026-06-30"},
		{"hailuo/2-3-image-to-video-pro", "{\"duration\":\"10\"}", 90, "2026-06-30"},
		{"hailuo/2-3-image-to-video-pro", "{\"resolution\":\"1080P\"}", 80, "2026-06-30"},
		{"hailuo/02-image-to-video-standard", "{}", 50, "2026-06-30"},
		{"hailuo/02-image-to-video-standard", "{\"duration\":\"6\"}", 30, "2026-06-30"},
		{"hailuo/02-image-to-video-standard", "{\"resolution\":\"512P\"}", 20,
			"2026-06-30"},
		{"hailuo/02-image-to-video-standard",
			"{\"resolution\":\"512P\",\"duration\":\"6\"}", 12, "2026-06-30"},
		{"hailuo/02-text-to-video-pro", "{\"prompt\":\"x\"}", 57, "2026-06-30"},
		{"bytedance/v1-pro-image-to-video", "{}", 30, "2026-11-20"},
		{"bytedance/v1-pro-image-to-video", "{\"resolution\":\"480p\"}", 14, "2026-11-20"},
		{"bytedance/v1-pro-image-to-video",
			"{\"resolution\":\"1080p\",\"duration\":\"10\"}", 140, "2026-11-20"},
		{"minimax-hailuo-02", "{}", 56, "2026-11-20"},
		{"minimax-hailuo-02", "{\"duration\":10}", 112, "2026-11-20"},
		{"minimax-hailuo-02", "{\"resolution\":\"1080P\"}", 98, "2026-11-20"},
	};
	struct model_set models;

	(void)state;
	assert_int_equal(models_builtin(&models), 0);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		const struct model *model = models_find(&models, known[i].model);
		AUTO_JSON cJSON *body = cJSON_CreateObject();
		cJSON *input = cJSON_Parse(known[i].input);
		struct price price;

		if (model->wrapped) {
			cJSON_AddItemToObject(body, "input", input);
		} else {
			cJSON_Delete(body);
			body = input;
		}
		price = price_estimate(model, body, NULL, 0);
		assert_true(price.known);
		assert_float_equal(price.credits, known[i].credits, 1e-9);
		assert_float_equal(price.usd, known[i].credits * USD_PER_CREDIT, 1e-9);
		assert_string_equal(price.date, known[i].date);
	}
	models_free(&models);
}

static void a_price_no_row_gives_is_not_known(void **state)
{
	static const char file[] =
		"{\"$id\":\"x\",\"title\":\"X\",\"x-kinofs-provider\":\"kie\","
		"\"x-kinofs-prompt\":\"p\",\"properties\":{\"p\":{\"type\":\"string\"},"
		"\"n\":{\"type\":\"integer\"}},\"x-kinofs-prices\":[{\"when\":{\"n\":1},"
		"\"credits\":1,\"date\":\"2026-01-01\",\"source\":\"s\"}]}";
	AUTO_FREE char *error = NULL;
	struct model *model = model_parse(file, strlen(file), &error);
	AUTO_JSON cJSON *body = cJSON_Parse("{\"model\":\"x\",\"input\":{\"n\":2}}");

	(void)state;
	assert_non_null(model);
	assert_false(price_estimate(model, body, NULL, 0).known);
	model_free(model);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prices_follow_the_dated_rows),
		cmocka_unit_test(a_price_no_row_gives_is_not_known),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}

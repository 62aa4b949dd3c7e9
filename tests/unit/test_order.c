/* spec/order.h: equal orders are equal texts, and only they. */
#include "fs/base/cleanup.h"
#include "spec/order.h"

#include <string.h>

#include "tests/unit/run.h"

static struct model_set models;

static int load(void **state)
{
	(void)state;
	return models_builtin(&models);
}

static int unload(void **state)
{
	(void)state;
	models_free(&models);
	return 0;
}

/* The caller frees. */
static char *text_of(const char *id, const char *json, const struct spec_digest *picture)
{
	AUTO_JSON cJSON *body = cJSON_Parse(json);
	AUTO_JSON cJSON *before = cJSON_Duplicate(body, true);
	char *text = NULL;

	assert_non_null(body);
	assert_int_equal(
		spec_order_text(models_find(&models, id), body, picture, picture != NULL, &text),
		0);
	assert_true(cJSON_Compare(body, before, true));
	return text;
}

#define KIE  "hailuo/02-text-to-video-pro"
#define FLAT "minimax-hailuo-02"

static void keys_are_sorted_at_every_depth(void **state)
{
	AUTO_FREE char *text = text_of(KIE,
		"{\"model\": \"m\", \"input\": {\"b\": [2, {\"z\": 1, \"a\": null}], \"a\": true,"
		" \"B\": \"\\u00e4\\\"\"}, \"empty\": {}}",
		NULL);

	(void)state;
	assert_string_equal(text, KIE "\n{\"empty\":{},\"input\":{\"B\":\"ä\\\"\",\"a\":true,"
				      "\"b\":[2,{\"a\":null,\"z\":1}]},\"model\":\"m\"}");
}

static void an_address_to_call_back_changes_no_order(void **state)
{
	AUTO_FREE char *with = text_of(KIE, "{\"callBackUrl\":\"https://x/\",\"input\":{}}", NULL);
	AUTO_FREE char *without = text_of(KIE, "{\"input\":{}}", NULL);

	(void)state;
	assert_string_equal(with, without);
}

static void numbers_count_by_value(void **state)
{
	AUTO_FREE char *text =
		text_of(FLAT, "{\"a\":6.0,\"b\":-0.0,\"c\":1e2,\"d\":0.50,\"e\":\"6\"}", NULL);

	(void)state;
	assert_string_equal(text, FLAT "\n{\"a\":6,\"b\":0,\"c\":100,\"d\":0.5,\"e\":\"6\"}");
}

static void pictures_count_by_their_bytes(void **state)
{
	const struct spec_digest picture = {"image", "00ff"};
	AUTO_FREE char *flat = text_of(FLAT, "{\"image\":\"dog.png\"}", &picture);
	AUTO_FREE char *renamed = text_of(FLAT, "{\"image\":\"cat.png\"}", &picture);
	AUTO_FREE char *absent = text_of(FLAT, "{}", &picture);
	AUTO_FREE char *wrapped =
		text_of(KIE, "{\"image\":\"x\",\"input\":{\"image\":\"dog.png\"}}", &picture);

	(void)state;
	assert_string_equal(flat, FLAT "\n{\"image\":\"sha256:00ff\"}");
	assert_string_equal(renamed, flat);
	assert_string_equal(absent, flat); /* never less than what would be sent */
	assert_string_equal(
		wrapped, KIE "\n{\"image\":\"x\",\"input\":{\"image\":\"sha256:00ff\"}}");
}

static void other_models_are_other_orders(void **state)
{
	AUTO_FREE char *one = text_of(KIE, "{\"input\":{}}", NULL);
	AUTO_FREE char *other = text_of(FLAT, "{\"input\":{}}", NULL);

	(void)state;
	assert_string_not_equal(one, other);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_sorted_at_every_depth),
		cmocka_unit_test(an_address_to_call_back_changes_no_order),
		cmocka_unit_test(numbers_count_by_value),
		cmocka_unit_test(pictures_count_by_their_bytes),
		cmocka_unit_test(other_models_are_other_orders),
	};

	return RUN_TESTS(argc, argv, tests, load, unload);
}

/* test_ppinfra.c - what kinofs makes of the answers of PPInfra; the bodies are those of
 * fs/net/API.md 7.
 */
#include "tests/unit/replies.h"

#define PPINFRA (&provider_ppinfra)
#define TASK    "f97d3f93-bb29-47d9-9327-77e70982bd43"
#define ERROR(code, reason, message)                                                               \
	"{\"code\":" code ",\"reason\":\"" reason "\",\"message\":\"" message "\",\"metadata\":{}" \
	"}"

static const struct account account = {.base_url = (char[]){"http://127.0.0.1:8080"}};

static void urls_are_the_documented_ones(void **state)
{
	static const struct model model = {.endpoint = "minimax-hailuo-02"};
	char *made = PPINFRA->create_url(&account, &model);

	(void)state;
	assert_string_equal(made, "http://127.0.0.1:8080/v3/async/minimax-hailuo-02");
	free(made);
	made = PPINFRA->poll_url(&account, TASK);
	assert_string_equal(made, "http://127.0.0.1:8080/v3/async/task-result?task_id=" TASK);
	free(made);
	made = PPINFRA->balance_url(&account);
	assert_string_equal(made, "http://127.0.0.1:8080/v3/user");
	free(made);
	assert_false(PPINFRA->uploads);
	assert_true(PPINFRA->creates_per_model);
	assert_string_equal(PPINFRA->key_variables[2], "NOVITA_API_KEY");
}

static void the_accepted_task_is_kept(void **state)
{
	struct http_reply made = reply(200, "{\"task_id\":\"" TASK "\"}");
	struct create_answer answer = {0};

	(void)state;
	PPINFRA->read_create(&made, &answer);
	assert_int_equal(answer.verdict, CREATE_ACCEPTED);
	assert_string_equal(answer.task, TASK);
	create_answer_clear(&answer);
	/* paid for, whatever stands around it */
	made = reply(500, "{\"reason\":\"BILLING_FAILED\",\"message\":\"x\",\"task_id\":\"t\"}");
	PPINFRA->read_create(&made, &answer);
	assert_int_equal(answer.verdict, CREATE_ACCEPTED);
	create_answer_clear(&answer);
}

static void every_refusal_is_told_apart(void **state)
{
	static const struct create_row row[] = {
		{"no key, live", 403, ERROR("403", "INVALID_API_KEY", "invalid api-key"),
			CREATE_BLOCKED, "invalid api-key (INVALID_API_KEY)", "PPINFRA_API_KEY"},
		{"no key, documented", 400, ERROR("400", "MISSING_API_KEY", "m"), CREATE_BLOCKED,
			"MISSING_API_KEY", "PPINFRA_API_KEY"},
		{"auth", 401, ERROR("401", "FAILED_TO_AUTH", "m"), CREATE_BLOCKED, NULL, "key"},
		{"billing auth", 403, ERROR("403", "BILLING_AUTH_FAILED", "m"), CREATE_BLOCKED,
			NULL, "key"},
		{"balance, table", 400, ERROR("400", "BILLING_BALANCE_NOT_ENOUGH", "m"),
			CREATE_BLOCKED, NULL, "Top it up"},
		{"balance, later page", 403, ERROR("403", "BILLING_BALANCE_NOT_ENOUGH", "m"),
			CREATE_BLOCKED, NULL, "Top it up"},
		{"balance, other reason", 403,
			ERROR("403", "NOT_ENOUGH_BALANCE", "not enough balance"), CREATE_BLOCKED,
			"not enough balance", "Top it up"},
		{"real name", 403, ERROR("403", "NEED_REAL_NAME_VERIFY", "m"), CREATE_BLOCKED, NULL,
			"real-name"},
		{"feature", 403, ERROR("403", "FEATURE_NOT_ALLOWED", "m"), CREATE_BLOCKED, NULL,
			"may not use"},
		{"api", 403, ERROR("403", "API_NOT_ALLOWED", "m"), CREATE_BLOCKED, NULL,
			"may not use"},
		{"access", 403, ERROR("403", "ACCESS_DENY", "m"), CREATE_BLOCKED, NULL,
			"may not use"},
		{"access, spelt out", 403, ERROR("403", "ACCESS_DENIED", "m"), CREATE_BLOCKED, NULL,
			"may not use"},
		{"401 bare", 401, "", CREATE_BLOCKED, "HTTP status 401", "key"},
		{"402 bare", 402, "", CREATE_BLOCKED, NULL, "Top it up"},
		{"403 page", 403, "<html>", CREATE_BLOCKED, NULL, "key"},
		{"429", 429, ERROR("429", "RATE_LIMIT_EXCEEDED", "slow"), CREATE_LATER, "slow",
			"by itself"},
		{"429 bare", 429, "", CREATE_LATER, NULL, "by itself"},
		{"429, other reason", 429, ERROR("429", "TOKEN_LIMIT_EXCEEDED", "m"), CREATE_LATER,
			NULL, NULL},
		{"body", 400, ERROR("400", "INVALID_REQUEST_BODY", "duration"), CREATE_REFUSED,
			"duration (INVALID_REQUEST_BODY)", "files"},
		{"prompt", 400, ERROR("400", "ILLEGAL_PROMPT", "m"), CREATE_REFUSED, NULL, NULL},
		{"image", 400, ERROR("400", "IMAGE_FILE_EXCEEDS_MAX_SIZE", ""), CREATE_REFUSED,
			"IMAGE_FILE_EXCEEDS_MAX_SIZE", NULL},
		{"400 without a reason", 400, "{\"code\":400,\"message\":\"m\"}", CREATE_REFUSED,
			"m", NULL},
		{"path", 404, ERROR("404", "API_NOT_FOUND", "m"), CREATE_REFUSED, NULL,
			"KINOFS_PPINFRA_URL"},
		{"model", 404, ERROR("404", "MODEL_NOT_FOUND", "m"), CREATE_REFUSED, NULL,
			"endpoint"},
		{"model, no reason", 404, "{\"code\":404,\"message\":\"model is retired\"}",
			CREATE_REFUSED, "retired", "README.txt"},
		{"model, in words", 400, ERROR("400", "INVALID", "the model name is not supported"),
			CREATE_REFUSED, NULL, "another model"},
		{"too large", 400, ERROR("400", "IMAGE_FILE_EXCEEDS_MAX_SIZE", "m"), CREATE_REFUSED,
			NULL, "smaller"},
		{"413 page", 413, "<html>413 Request Entity Too Large</html>", CREATE_REFUSED,
			"413", "smaller"},
		{"413 explained", 413, "{\"message\":\"too large\"}", CREATE_REFUSED, "too large",
			"smaller"},
		{"405 page", 405, "<html>", CREATE_REFUSED, "405", "KINOFS_PPINFRA_URL"},
		{"411 page", 411, "<html>", CREATE_REFUSED, "411", NULL},
		{"414 page", 414, "<html>", CREATE_REFUSED, "414", NULL},
		{"415 page", 415, "<html>", CREATE_REFUSED, "415", NULL},
		{"431 page", 431, "<html>", CREATE_REFUSED, "431", NULL},
		{"create failed", 500, ERROR("500", "CREATE_TASK_FAILED", "m"), CREATE_REFUSED,
			NULL, "kinofs retry"},
		{"billing failed", 500, ERROR("500", "BILLING_FAILED", "m"), CREATE_REFUSED, NULL,
			"kinofs retry"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		check_create(PPINFRA, &row[i]);
}

static void what_is_not_clear_is_unknown(void **state)
{
	static const struct create_row row[] = {
		{"task failed", 500, ERROR("500", "TASK_FAILED", "m"), CREATE_UNKNOWN, NULL,
			"not sent again"},
		{"result failed", 500, ERROR("500", "GET_RESULT_FAILED", "m"), CREATE_UNKNOWN, NULL,
			NULL},
		{"500, other reason", 500, ERROR("500", "SOMETHING", "m"), CREATE_UNKNOWN, NULL,
			NULL},
		{"500 without a reason", 500, "{\"code\":500,\"message\":\"m\"}", CREATE_UNKNOWN,
			"m", NULL},
		{"503", 503, ERROR("503", "SERVICE_NOT_AVAILABLE", "m"), CREATE_UNKNOWN, NULL,
			NULL},
		{"408", 408, ERROR("408", "TIMEOUT", "m"), CREATE_UNKNOWN, NULL, NULL},
		{"a reason under 200", 200, ERROR("403", "INVALID_API_KEY", "m"), CREATE_UNKNOWN,
			NULL, NULL},
		{"no task id", 200, "{\"task_id\":\"\"}", CREATE_UNKNOWN, NULL, NULL},
		{"a number for a task id", 200, "{\"task_id\":5}", CREATE_UNKNOWN, "cannot be one",
			NULL},
		{"400 page", 400, "<html>", CREATE_UNKNOWN, NULL, NULL},
		{"404 page", 404, "<html>", CREATE_UNKNOWN, NULL, NULL},
		{"499 page", 499, "<html>", CREATE_UNKNOWN, NULL, NULL},
		{"501 page", 501, "<html>", CREATE_UNKNOWN, NULL, NULL},
		{"504 page", 504, "<html>", CREATE_UNKNOWN, NULL, NULL},
		{"a NUL in a task id", 200, "{\"task_id\":\"abc\\u0000/../x\"}", CREATE_UNKNOWN,
			"cannot be one", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		check_create(PPINFRA, &row[i]);
	check_create_nonsense(PPINFRA);
	check_create_without_answer(PPINFRA);
}

#define DONE                                                                                       \
	"{\"audios\":[],\"extra\":{},\"images\":[],\"task\":{\"eta\":0,\"progress_percent\":0,"    \
	"\"reason\":\"\",\"status\":\"TASK_STATUS_SUCCEED\",\"task_id\":\"" TASK "\","             \
	"\"task_type\":\"MINIMAX_HAILUO_02_6S_768P\"},\"videos\":[{"                               \
	"\"nsfw_detection_result\":null,\"video_type\":\"mp4\",\"video_url\":"                     \
	"\"https://faas-minimax-video-1.cos.ap-shanghai.myqcloud.com/prod/1.mp4?"                  \
	"q-sign-algorithm=sha1&x=y\",\"video_url_ttl\":\"0\"}]}"
#define PROCESSING                                                                                 \
	"{\"extra\":{},\"task\":{\"task_id\":\"t\",\"task_type\":\"MINIMAX_HAILUO_02_6S_768P\","   \
	"\"status\":\"TASK_STATUS_PROCESSING\",\"reason\":\"\",\"eta\":0,"                         \
	"\"progress_percent\":0},\"images\":[],\"videos\":[],\"audios\":[]}"

static void a_finished_task_has_its_links(void **state)
{
	struct poll_answer answer = poll_of(PPINFRA, 200, DONE);

	(void)state;
	assert_int_equal(answer.verdict, POLL_SUCCEEDED);
	assert_int_equal(answer.nurl, 1);
	assert_string_equal(answer.url[0],
		"https://faas-minimax-video-1.cos.ap-shanghai.myqcloud.com/prod/1.mp4?"
		"q-sign-algorithm=sha1&x=y");
	assert_int_equal(answer.lifetime_ms, -1);
	assert_int_equal(answer.progress, -1);
	assert_true(isnan(answer.credits));
	assert_string_equal(answer.state, "TASK_STATUS_SUCCEED");
	poll_answer_clear(&answer);
}

static void the_shortest_life_of_a_link_counts(void **state)
{
	static const struct {
		const char *first, *second;
		int64_t ms;
	} row[] = {
		{"\"3600\"", "1800", 1800000},
		{"3600", "\"0\"", 3600000},
		{"0", "null", -1},
		{"\"soon\"", "-5", -1},
		{"\"99999999999999999999\"", "1e300", -1},
		{"\"60s\"", "60.5", -1},
	};
	struct poll_answer answer;
	char body[512];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		(void)snprintf(body, sizeof(body),
			"{\"task\":{\"status\":\"TASK_STATUS_SUCCEED\"},\"videos\":["
			"{\"video_url\":\"https://h/1\",\"video_url_ttl\":%s},"
			"{\"video_url\":\"https://h/2\",\"video_url_ttl\":%s}]}",
			row[i].first, row[i].second);
		answer = poll_of(PPINFRA, 200, body);
		assert_int_equal(answer.nurl, 2);
		assert_int_equal(answer.lifetime_ms, row[i].ms);
		poll_answer_clear(&answer);
	}
}

static void what_the_model_makes_is_its_result(void **state)
{
	static const char all[] =
		"{\"task\":{\"status\":\"TASK_STATUS_SUCCEED\"},\"videos\":[{\"video_url\":"
		"\"https://h/1.mp4\"}],\"images\":[{\"image_url\":\"https://h/1.png\","
		"\"image_url_ttl\":60}],\"audios\":[{\"audio_url\":\"https://h/1.mp3\","
		"\"audio_url_ttl\":\"30\"}]}";
	static const struct {
		unsigned int results;
		const char *first;
		size_t count;
		int64_t lifetime_ms;
	} row[] = {
		{RESULT_VIDEO, "https://h/1.mp4", 1, -1},
		{RESULT_IMAGE, "https://h/1.png", 1, 60000},
		{RESULT_AUDIO, "https://h/1.mp3", 1, 30000},
		{RESULT_VIDEO | RESULT_IMAGE, "https://h/1.mp4", 2, 60000},
	};
	struct poll_answer answer;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		answer = poll_for(PPINFRA, row[i].results, all);
		assert_int_equal(answer.nurl, row[i].count);
		assert_string_equal(answer.url[0], row[i].first);
		assert_int_equal(answer.lifetime_ms, row[i].lifetime_ms);
		poll_answer_clear(&answer);
	}
	/* something else is kept, with a note */
	answer = poll_for(PPINFRA, RESULT_VIDEO,
		"{\"task\":{\"status\":\"TASK_STATUS_SUCCEED\"},\"videos\":[],\"images\":["
		"{\"image_url\":\"https://h/1.png\"}]}");
	assert_int_equal(answer.verdict, POLL_SUCCEEDED);
	assert_string_equal(answer.url[0], "https://h/1.png");
	poll_answer_clear(&answer);
}

static void done_without_a_link_is_asked_again(void **state)
{
	(void)state;
	check_poll(PPINFRA, 200, "{\"task\":{\"status\":\"TASK_STATUS_SUCCEED\"}}", POLL_NOTHING,
		"names no result");
	check_poll(PPINFRA, 200,
		"{\"task\":{\"status\":\"TASK_STATUS_SUCCEED\"},\"videos\":[{\"video_url\":"
		"\"file:///etc/passwd\"},7,null,{\"video_url\":5}],\"images\":{}}",
		POLL_NOTHING, "names no result");
}

static void a_running_task_runs(void **state)
{
	static const char *const states[] = {"TASK_STATUS_QUEUED", "TASK_STATUS_RUNNING",
		"TASK_STATUS_UNKNOWN", "TASK_STATUS_NEW_WORD"};
	struct poll_answer answer = poll_of(PPINFRA, 200, PROCESSING);
	char body[128];

	(void)state;
	assert_int_equal(answer.verdict, POLL_RUNNING);
	assert_int_equal(answer.progress, -1);
	assert_string_equal(answer.state, "TASK_STATUS_PROCESSING");
	poll_answer_clear(&answer);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		(void)snprintf(body, sizeof(body),
			"{\"task\":{\"status\":\"%s\",\"progress_percent\":55}}", states[i]);
		answer = poll_of(PPINFRA, 200, body);
		assert_int_equal(answer.verdict, POLL_RUNNING);
		assert_int_equal(answer.progress, 55);
		poll_answer_clear(&answer);
	}
}

static void a_failed_task_says_why(void **state)
{
	static const char *const ends[] = {"CANCELED", "CANCELLED", "EXPIRED"};

	(void)state;
	check_poll(PPINFRA, 200,
		"{\"task\":{\"status\":\"TASK_STATUS_FAILED\",\"reason\":\"prompt is sensitive\"}}",
		POLL_FAILED, "prompt is sensitive");
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		char body[128];

		(void)snprintf(body, sizeof(body),
			"{\"task\":{\"status\":\"TASK_STATUS_%s\",\"reason\":\"\"}}", ends[i]);
		check_poll(PPINFRA, 200, body, POLL_FAILED, ends[i]);
	}
	check_poll(PPINFRA, 200, "{\"task\":{\"status\":\"TASK_STATUS_FAILED\",\"reason\":\"\"}}",
		POLL_FAILED, "no reason");
}

static void a_failed_query_says_nothing_about_the_task(void **state)
{
	struct poll_answer answer;

	(void)state;
	check_poll(PPINFRA, 404, ERROR("404", "TASK_NOT_FOUND", "m"), POLL_NOT_KNOWN, "TASK");
	check_poll(PPINFRA, 404, ERROR("404", "API_NOT_FOUND", "m"), POLL_ERROR, "API");
	check_poll(PPINFRA, 403, ERROR("403", "INVALID_API_KEY", "invalid api-key"), POLL_BLOCKED,
		"invalid");
	check_poll(PPINFRA, 400, ERROR("400", "MISSING_API_KEY", "m"), POLL_BLOCKED, NULL);
	check_poll(PPINFRA, 401, "", POLL_BLOCKED, NULL);
	check_poll(PPINFRA, 403, "<html>", POLL_BLOCKED, NULL);
	check_poll(PPINFRA, 429, ERROR("429", "RATE_LIMIT_EXCEEDED", "m"), POLL_ERROR, NULL);
	check_poll(PPINFRA, 500, ERROR("500", "GET_RESULT_FAILED", "m"), POLL_ERROR, NULL);
	check_poll(PPINFRA, 500, ERROR("500", "TASK_FAILED", "m"), POLL_ERROR, NULL);
	check_poll(PPINFRA, 500, DONE, POLL_ERROR, NULL);
	answer = poll_of(PPINFRA, 404, ERROR("404", "API_NOT_FOUND", "m"));
	assert_part("address", answer.advice, "KINOFS_PPINFRA_URL");
	poll_answer_clear(&answer);
	check_poll_nonsense(PPINFRA);
}

static void the_balance_is_in_units(void **state)
{
	struct http_reply made = reply(200, "{\"credit_balance\":123}");
	struct balance_answer answer = {0};

	(void)state;
	PPINFRA->read_balance(&made, &answer);
	assert_true(answer.known);
	assert_true(answer.amount == 123);
	assert_string_equal(answer.unit, "units");
	balance_answer_clear(&answer);
	made = reply(403, ERROR("403", "INVALID_API_KEY", "invalid api-key"));
	PPINFRA->read_balance(&made, &answer);
	assert_false(answer.known);
	assert_part("balance", answer.words, "invalid api-key");
	balance_answer_clear(&answer);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_the_documented_ones),
		cmocka_unit_test(the_accepted_task_is_kept),
		cmocka_unit_test(every_refusal_is_told_apart),
		cmocka_unit_test(what_is_not_clear_is_unknown),
		cmocka_unit_test(a_finished_task_has_its_links),
		cmocka_unit_test(the_shortest_life_of_a_link_counts),
		cmocka_unit_test(what_the_model_makes_is_its_result),
		cmocka_unit_test(done_without_a_link_is_asked_again),
		cmocka_unit_test(a_running_task_runs),
		cmocka_unit_test(a_failed_task_says_why),
		cmocka_unit_test(a_failed_query_says_nothing_about_the_task),
		cmocka_unit_test(the_balance_is_in_units),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}

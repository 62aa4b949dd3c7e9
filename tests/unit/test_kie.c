/* test_kie.c - what kinofs makes of kie.ai's answers; the bodies are from fs/net/API.md 1 to 5. */
#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "tests/unit/replies.h"

#define KIE (&provider_kie)
#define SHORT_OF                                                                                   \
	"Credits insufficient : Your current balance isn't enough to run this request. "           \
	"Please top up to continue."
#define TASK "2aeff425a5f21580d2f225c4129e63ab"
#define SPRING                                                                                     \
	"{\"timestamp\":\"2026-01-01\",\"status\":404,\"error\":\"Not Found\","                    \
	"\"message\":\"No message available\",\"path\":\"/x\"}"

#define NO_MODEL "The model name you specified is not supported."

static const struct account account = {.base_url = (char[]){"http://127.0.0.1:8080"},
	.upload_url = (char[]){"http://127.0.0.1:8081"}};

static void assert_url(char *made, const char *expected)
{
	assert_non_null(made);
	assert_string_equal(made, expected);
	free(made);
}

static void urls_are_the_documented_ones(void **state)
{
	(void)state;
	assert_url(KIE->create_url(&account, NULL), "http://127.0.0.1:8080/api/v1/jobs/createTask");
	assert_url(KIE->poll_url(&account, TASK),
		"http://127.0.0.1:8080/api/v1/jobs/recordInfo?taskId=" TASK);
	assert_url(KIE->poll_url(&account, "a&b c"),
		"http://127.0.0.1:8080/api/v1/jobs/recordInfo?taskId=a%26b%20c");
	assert_url(KIE->upload_url(&account), "http://127.0.0.1:8081/api/file-stream-upload");
	assert_url(KIE->balance_url(&account), "http://127.0.0.1:8080/api/v1/chat/credit");
	assert_url(KIE->refresh_url(&account), "http://127.0.0.1:8080/api/v1/common/download-url");
	assert_url(KIE->refresh_body("https://h/a\"b.mp4"), "{\"url\":\"https://h/a\\\"b.mp4\"}");
}

static void providers_are_found(void **state)
{
	(void)state;
	assert_ptr_equal(provider_find("kie"), KIE);
	assert_ptr_equal(provider_find("ppinfra"), &provider_ppinfra);
	assert_null(provider_find("kie.ai"));
	assert_ptr_equal(provider_at(0), KIE);
	assert_null(provider_at(2));
	assert_null(provider_at(100));
	assert_string_equal(KIE->key_variables[0], "KIE_API_KEY");
}

static void the_accepted_task_is_kept(void **state)
{
	static const struct {
		long status;
		const char *body, *task;
	} row[] = {
		{200,
			"{\"code\":200,\"msg\":\"success\",\"data\":{\"taskId\":\"" TASK
			"\",\"recordId\":\"" TASK "\"}}",
			TASK},
		{200,
			"{\"code\":200,\"message\":\"success\",\"data\":{\"taskId\":"
			"\"task_hailuo_1765182976860\"}}",
			"task_hailuo_1765182976860"},
		{200, "{\"code\":200,\"data\":{\"taskId\":\"\",\"recordId\":\"r1\"}}", "r1"},
		/* paid for, whatever stands around it */
		{200, "{\"code\":500,\"msg\":\"oops\",\"data\":{\"taskId\":\"t\"}}", "t"},
		{429, "{\"code\":429,\"msg\":\"slow\",\"data\":{\"taskId\":\"t\"}}", "t"},
		{502, "{\"data\":{\"taskId\":\"t.1-2_3\"}}", "t.1-2_3"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct http_reply made = reply(row[i].status, row[i].body);
		struct create_answer answer = {0};

		KIE->read_create(&made, &answer);
		assert_int_equal(answer.verdict, CREATE_ACCEPTED);
		assert_string_equal(answer.task, row[i].task);
		create_answer_clear(&answer);
	}
}

static void a_task_in_a_broken_answer_is_kept(void **state)
{
	struct http_reply made =
		broken(CURLE_PARTIAL_FILE, true, 200, "{\"data\":{\"taskId\":\"t\"}}");
	struct create_answer answer = {0};

	(void)state;
	KIE->read_create(&made, &answer);
	assert_int_equal(answer.verdict, CREATE_ACCEPTED);
	create_answer_clear(&answer);
}

static void a_task_id_that_cannot_be_one_is_unknown(void **state)
{
	static const char *const id[] = {"\"a b\"", "\"../x\"", "\"a\\u0007\"", "\"a?b\"", "17",
		"{}", "true", "\"\xc3\xa4\"", "\"abc\\u0000\"", "\"abc\\u0000/../x\"",
		"\"\\u0000abc\""};
	struct create_row row = {.verdict = CREATE_UNKNOWN, .words = "cannot be one"};
	char body[512], long_id[131];

	(void)state;
	for (size_t i = 0; i <= sizeof(id) / sizeof(id[0]); i++) {
		memset(long_id, 'a', sizeof(long_id));
		long_id[0] = long_id[129] = '"';
		long_id[130] = '\0';
		(void)snprintf(body, sizeof(body),
			"{\"code\":422,\"msg\":\"no\",\"data\":{\"taskId\":%s}}",
			i < sizeof(id) / sizeof(id[0]) ? id[i] : "\"" TASK TASK TASK TASK "x\"");
		row.why = row.body = body;
		row.status = 200;
		check_create(KIE, &row);
	}
	(void)snprintf(body, sizeof(body), "{\"data\":{\"taskId\":%s}}", long_id);
	row = (struct create_row){"128", 200, body, CREATE_ACCEPTED, NULL, NULL};
	check_create(KIE, &row);
}

static void every_refusal_is_told_apart(void **state)
{
	static const struct create_row row[] = {
		{"401 seen", 200,
			"{\"code\":401,\"msg\":\"Unauthorized \xe2\x80\x93 Authentication failed. "
			"Please check that your Authorization and Content-Type headers are "
			"correctly set.\"}",
			CREATE_BLOCKED, "Unauthorized \xe2\x80\x93 Authentication", "KIE_API_KEY"},
		{"401 documented", 401,
			"{\"code\":401,\"msg\":\"You do not have access permissions\"}",
			CREATE_BLOCKED, "access permissions", "KIE_API_KEY"},
		{"403", 200, "{\"code\":403,\"msg\":\"no\"}", CREATE_BLOCKED, "no", "key"},
		{"402", 200, "{\"code\":402,\"msg\":\"" SHORT_OF "\",\"data\":null}",
			CREATE_BLOCKED, "Credits insufficient", "Top it up"},
		{"402 as 500", 200, "{\"code\":500,\"msg\":\"" SHORT_OF "\",\"data\":null}",
			CREATE_BLOCKED, "Credits insufficient", "Top it up"},
		{"433", 200, "{\"code\":433,\"msg\":\"sub-key limit\"}", CREATE_BLOCKED, "sub-key",
			"limit"},
		{"429 in the body", 200, "{\"code\":429,\"msg\":\"Rate limit exceeded\"}",
			CREATE_LATER, "Rate limit", "by itself"},
		{"429 as a status", 429, "", CREATE_LATER, "HTTP status 429", "by itself"},
		{"429 as both", 429, "{\"code\":429,\"msg\":\"Rate limit exceeded\"}", CREATE_LATER,
			NULL, NULL},
		{"429 from a gateway", 429, "<html>", CREATE_LATER, NULL, NULL},
		{"455", 200,
			"{\"code\":455,\"msg\":\"server is currently being maintained, please try "
			"again later~\"}",
			CREATE_LATER, "maintained", "by itself"},
		{"455 as a status", 455, "", CREATE_LATER, NULL, NULL},
		{"unknown model", 200,
			"{\"code\":422,\"msg\":\"The model name you specified is not supported. "
			"Please verify your input and use one of the supported models provided by "
			"KIE.\",\"data\":null}",
			CREATE_REFUSED, "model name", "another model"},
		{"422", 422, "{\"code\":422,\"msg\":\"bad\"}", CREATE_REFUSED, "bad", "files"},
		{"missing field", 200,
			"{\"code\":500,\"msg\":\"prompt is required\",\"data\":null}",
			CREATE_REFUSED, "prompt is required", "Change the job's files"},
		{"bad enum", 200,
			"{\"code\":500,\"msg\":\"resolution is not within the range of allowed "
			"options\",\"data\":null}",
			CREATE_REFUSED, "resolution", NULL},
		{"bad aspect", 200,
			"{\"code\":500,\"msg\":\"This aspect_ratio is not within the range of allowed "
			"options\"}",
			CREATE_REFUSED, NULL, "Change the job's files"},
		{"wrong kind of file", 200, "{\"code\":500,\"msg\":\"File type not supported\"}",
			CREATE_REFUSED, "File type", "Change the job's files"},
		{"a picture that cannot be fetched", 200,
			"{\"code\":500,\"msg\":\"The image could not be downloaded\"}",
			CREATE_REFUSED, "downloaded", "kinofs retry"},
		{"a picture too large", 200,
			"{\"code\":500,\"msg\":\"File size exceeds the maximum of 10MB\"}",
			CREATE_REFUSED, "10MB", NULL},
		{"switched off", 200,
			"{\"code\":500,\"msg\":\"This interface is temporarily paused.\"}",
			CREATE_REFUSED, "paused", "another model"},
		{"missing field, empty task id", 200,
			"{\"code\":500,\"msg\":\"prompt is required\",\"data\":{\"taskId\":null}}",
			CREATE_REFUSED, NULL, NULL},
		{"400", 200, "{\"code\":400,\"msg\":\"bad\"}", CREATE_REFUSED, NULL, NULL},
		{"no such model, 404", 200, "{\"code\":404,\"msg\":\"" NO_MODEL "\",\"data\":null}",
			CREATE_REFUSED, NO_MODEL, "README.txt"},
		{"no such model, HTTP 404", 404, "{\"code\":404,\"msg\":\"" NO_MODEL "\"}",
			CREATE_REFUSED, NO_MODEL, "README.txt"},
		{"no such model, another code", 200, "{\"code\":599,\"msg\":\"" NO_MODEL "\"}",
			CREATE_REFUSED, NO_MODEL, "README.txt"},
		{"no such model, no code", 404, "{\"msg\":\"" NO_MODEL "\"}", CREATE_REFUSED,
			NO_MODEL, "README.txt"},
		{"404", 200, "{\"code\":404,\"msg\":\"not found\"}", CREATE_REFUSED, NULL, "model"},
		{"505", 200, "{\"code\":505,\"msg\":\"disabled\"}", CREATE_REFUSED, NULL, "model"},
		{"the code as text", 200, "{\"code\":\"422\",\"message\":\"bad\"}", CREATE_REFUSED,
			"bad", NULL},
		{"unknown path", 404, SPRING, CREATE_REFUSED, "No message available",
			"KINOFS_KIE_URL"},
		{"401 bare", 401, "", CREATE_BLOCKED, NULL, "KIE_API_KEY"},
		{"402 bare", 402, "", CREATE_BLOCKED, NULL, "Top it up"},
		{"403 page", 403, "<html>denied</html>", CREATE_BLOCKED, NULL, "key"},
		{"413 explained", 413, "{\"message\":\"too large\"}", CREATE_REFUSED, "too large",
			"smaller"},
		{"413 page", 413, "<html>413 Request Entity Too Large</html>", CREATE_REFUSED,
			"413", "smaller"},
		{"405 page", 405, "<html>", CREATE_REFUSED, "405", "KINOFS_KIE_URL"},
		{"411 page", 411, "<html>", CREATE_REFUSED, "411", NULL},
		{"414 page", 414, "<html>", CREATE_REFUSED, "414", NULL},
		{"415 page", 415, "<html>", CREATE_REFUSED, "415", NULL},
		{"431 page", 431, "<html>", CREATE_REFUSED, "431", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		check_create(KIE, &row[i]);
}

static void what_is_not_clear_is_unknown(void **state)
{
	static const struct create_row row[] = {
		{"success without a task", 200, "{\"code\":200,\"msg\":\"success\",\"data\":null}",
			CREATE_UNKNOWN, "success", "not sent again"},
		{"408", 200, "{\"code\":408,\"msg\":\"no result for 10 minutes\"}", CREATE_UNKNOWN,
			"no result", "kinofs retry"},
		{"408 as a status", 408, "{\"message\":\"timeout\"}", CREATE_UNKNOWN, NULL, NULL},
		{"501", 200, "{\"code\":501,\"msg\":\"Generation Failed\"}", CREATE_UNKNOWN,
			"Generation Failed", "not sent again"},
		{"501 as a status", 501, "{\"message\":\"failed\"}", CREATE_UNKNOWN, NULL, NULL},
		{"code never heard of", 200, "{\"code\":599,\"msg\":\"?\"}", CREATE_UNKNOWN, "?",
			NULL},
		{"seedance, no input", 200,
			"{\"code\":500,\"msg\":\"Server exception, please try again later or "
			"contact customer service\"}",
			CREATE_UNKNOWN, "Server exception", "not sent again"},
		{"500 documented", 500,
			"{\"code\":500,\"msg\":\"Server Error - An unexpected error occurred while "
			"processing the request\",\"data\":null}",
			CREATE_UNKNOWN, "unexpected error", "not sent again"},
		{"500 in words nobody knows", 200, "{\"code\":500,\"msg\":\"no\"}", CREATE_UNKNOWN,
			"no", NULL},
		{"a task that was made, and then failed", 200,
			"{\"code\":500,\"msg\":\"internal error, please try again later.\"}",
			CREATE_UNKNOWN, NULL, NULL},
		{"400 page", 400, "<html>", CREATE_UNKNOWN, NULL, NULL},
		{"407 page", 407, "<html>", CREATE_UNKNOWN, NULL, NULL},
		{"499 page", 499, "<html>", CREATE_UNKNOWN, NULL, NULL},
		{"501 page", 501, "<html>", CREATE_UNKNOWN, NULL, NULL},
		{"500 without a word", 200, "{\"code\":500}", CREATE_UNKNOWN, "code 500", NULL},
		{"500 with empty words", 200, "{\"code\":500,\"msg\":\"\"}", CREATE_UNKNOWN, NULL,
			NULL},
		{"500 of a gateway", 500, "{\"error\":\"upstream\"}", CREATE_UNKNOWN,
			"HTTP status 500", NULL},
		{"503 of a gateway", 503, "{\"message\":\"upstream\"}", CREATE_UNKNOWN, "upstream",
			NULL},
		{"404 page", 404, "<html>", CREATE_UNKNOWN, NULL, NULL},
		{"429 that succeeded", 429, "{\"code\":200,\"msg\":\"success\"}", CREATE_UNKNOWN,
			NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		check_create(KIE, &row[i]);
	check_create_nonsense(KIE);
	check_create_without_answer(KIE);
}

static void words_are_fit_for_a_terminal(void **state)
{
	struct http_reply made =
		reply(200, "{\"code\":422,\"msg\":\"red \\u001b[31m\\nline\\u0000\"}");
	struct create_answer answer = {0};

	(void)state;
	made.retry_after_ms = 3000;
	KIE->read_create(&made, &answer);
	assert_int_equal(answer.code, 422);
	assert_int_equal(answer.retry_after_ms, 3000);
	for (const char *c = answer.words; *c; c++)
		assert_true((unsigned char)*c >= ' ');
	create_answer_clear(&answer);
}

#define KEY "test-key/0123456789abcdef"

/* What a server may make of a key that it repeats. */
static const char *const spelled[] = {KEY, "TEST-KEY/0123456789ABCDEF",
	"\\u0074est-key/0123456789abcdef", "test-key\\/0123456789abcdef",
	"test-key%2F0123456789abcde%66",
	"\\u0025"
	"74est-key/0123456789abcdef",
	"test-key\\u002f\\u0030\\u00311\\b23456789abcdef" /* is none */,
	"{\\\"key\\\":\\\"\\\\u0074est-key\\\\/0123456789abcde\\\\u0066\\\"}"};

#define NO_KEY 6

static void assert_hidden(const char *text, size_t which)
{
	assert_non_null(text);
	if (which != NO_KEY && !strstr(text, "***"))
		fail_msg("%s: the key is not hidden in %s", spelled[which], text);
	if (strstr(text, "89abcde") && which != NO_KEY)
		fail_msg("%s: a part of the key stands in %s", spelled[which], text);
}

static void a_key_is_hidden_however_it_is_spelled(void **state)
{
	char body[512] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(spelled) / sizeof(spelled[0]); i++) {
		struct http_reply made = reply(200, body);
		struct create_answer create = {0};
		struct poll_answer poll = {0};

		(void)snprintf(
			body, sizeof(body), "{\"code\":401,\"msg\":\"bad key %s.\"}", spelled[i]);
		made.body_bytes = strlen(body);
		made.secret = KEY;
		KIE->read_create(&made, &create);
		assert_int_equal(create.verdict, CREATE_BLOCKED);
		assert_hidden(create.words, i);
		create_answer_clear(&create);
		(void)snprintf(body, sizeof(body), "{\"data\":{\"state\":\"%s\"}}", spelled[i]);
		made.body_bytes = strlen(body);
		KIE->read_poll(&made, RESULT_VIDEO, &poll);
		assert_hidden(poll.state, i);
		poll_answer_clear(&poll);
	}
}

static void a_key_is_no_task_and_in_no_link(void **state)
{
	struct http_reply made = reply(200, "{\"data\":{\"taskId\":\"0123456789abcdef-\\u0061\"}}");
	struct create_answer create = {0};
	struct poll_answer poll = {0};

	(void)state;
	made.secret = "0123456789abcdef-a";
	KIE->read_create(&made, &create);
	assert_int_equal(create.verdict, CREATE_UNKNOWN);
	create_answer_clear(&create);
	made = reply(200, "{\"data\":{\"state\":\"success\",\"resultJson\":\"{\\\"resultUrls\\\":"
			  "[\\\"https://h/?k=0123456789abcdef-\\\\u0061\\\"]}\"}}");
	made.secret = "0123456789abcdef-a";
	KIE->read_poll(&made, RESULT_VIDEO, &poll);
	assert_int_equal(poll.nurl, 1);
	assert_hidden(poll.url[0], NO_KEY - 1);
	poll_answer_clear(&poll);
}

/* fs/net/API.md 1.2, as seen on the wire. */
#define WAITING                                                                                    \
	"{\"code\":200,\"msg\":\"success\",\"data\":{\"taskId\":\"" TASK "\","                     \
	"\"model\":\"bytedance/seedance-2-fast\",\"state\":\"waiting\","                           \
	"\"param\":\"{\\\"input\\\":\\\"{}\\\"}\",\"resultJson\":\"\",\"failCode\":null,"          \
	"\"failMsg\":null,\"costTime\":null,\"completeTime\":null,\"createTime\":1777539190013}}"
#define SUCCESS                                                                                    \
	"{\"code\":200,\"msg\":\"success\",\"data\":{\"taskId\":\"t\",\"model\":\"m\","            \
	"\"state\":\"success\",\"param\":\"{}\",\"resultJson\":\"{\\\"resultUrls\\\":"             \
	"[\\\"https://tempfile.aiquickdraw.com/s/1777539380000-abc.mp4\\\"]}\","                   \
	"\"failCode\":null,\"failMsg\":null,\"costTime\":188,\"completeTime\":1777539380000,"      \
	"\"createTime\":1777539190013,\"creditsConsumed\":30}}"
#define FAIL                                                                                       \
	"{\"code\":200,\"msg\":\"success\",\"data\":{\"taskId\":\"t\",\"state\":\"fail\","         \
	"\"resultJson\":\"\",\"failCode\":\"500\",\"failMsg\":\"internal error, please try "       \
	"again later.\",\"costTime\":0,\"completeTime\":1777539380000,"                            \
	"\"createTime\":1777539190013,\"creditsConsumed\":0}}"

static void a_running_task_runs(void **state)
{
	static const char *const states[] = {"queuing", "generating", "TELEPORTING", "Success"};
	struct poll_answer answer = poll_of(KIE, 200, WAITING);
	char body[128];

	(void)state;
	assert_int_equal(answer.verdict, POLL_RUNNING);
	assert_string_equal(answer.state, "waiting");
	assert_int_equal(answer.progress, -1);
	assert_int_equal(answer.lifetime_ms, -1);
	assert_true(isnan(answer.credits));
	assert_int_equal(answer.took_ms, -1);
	assert_null(answer.words);
	poll_answer_clear(&answer);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		(void)snprintf(body, sizeof(body),
			"{\"code\":200,\"msg\":\"\",\"data\":{\"state\":\"%s\",\"progress\":40}}",
			states[i]);
		answer = poll_of(KIE, 200, body);
		assert_int_equal(answer.verdict, POLL_RUNNING);
		assert_string_equal(answer.state, states[i]);
		assert_int_equal(answer.progress, 40);
		poll_answer_clear(&answer);
	}
}

static void a_finished_task_has_its_links(void **state)
{
	struct poll_answer answer = poll_of(KIE, 200, SUCCESS);

	(void)state;
	assert_int_equal(answer.verdict, POLL_SUCCEEDED);
	assert_int_equal(answer.nurl, 1);
	assert_string_equal(
		answer.url[0], "https://tempfile.aiquickdraw.com/s/1777539380000-abc.mp4");
	assert_true(answer.credits == 30);
	assert_int_equal(answer.took_ms, 1777539380000 - 1777539190013);
	poll_answer_clear(&answer);
	answer = poll_of(KIE, 200,
		"{\"data\":{\"state\":\"success\",\"creditsConsumed\":0.8,\"resultJson\":"
		"{\"resultUrls\":[\"https://h/1.mp4\",\"https://h/"
		"2.mp4\"],\"firstFrameUrl\":[]}}}");
	assert_int_equal(answer.nurl, 2);
	assert_true(answer.credits == 0.8);
	poll_answer_clear(&answer);
}

static void only_real_links_are_results(void **state)
{
	struct poll_answer answer = poll_of(KIE, 200,
		"{\"data\":{\"state\":\"success\",\"resultJson\":\"{\\\"resultUrls\\\":[7,null,"
		"\\\"\\\",\\\"file:///etc/passwd\\\",\\\"ftp://h/x\\\",\\\"https://h/a b\\\","
		"\\\"https://h/a\\\\nb\\\",\\\"https://u:p@h/\\\",\\\"https://h/ok.mp4\\\"]}\"}}");

	(void)state;
	assert_int_equal(answer.nurl, 1);
	assert_int_equal(answer.left, 7 - 1);
	assert_string_equal(answer.url[0], "https://h/ok.mp4");
	poll_answer_clear(&answer);
}

static void more_links_than_are_taken_are_counted(void **state)
{
	char body[16384] = "{\"data\":{\"state\":\"success\",\"resultJson\":{\"resultUrls\":[";
	struct poll_answer answer;
	size_t at = strlen(body);

	(void)state;
	for (int i = 0; i < LIMIT_RESULT_URLS + 24; i++)
		at += (size_t)snprintf(body + at, sizeof(body) - at, "\"https://h/%d\",", i);
	(void)snprintf(body + at, sizeof(body) - at, "0]}}}");
	answer = poll_of(KIE, 200, body);
	assert_int_equal(answer.nurl, LIMIT_RESULT_URLS);
	assert_int_equal(answer.left, 25);
	assert_string_equal(answer.url[255], "https://h/255");
	poll_answer_clear(&answer);
}

static void results_are_found_where_they_may_stand(void **state)
{
	static const char *const records[] = {
		"\"resultJson\":\"{\\\"resultUrls\\\":\\\"https://h/x\\\"}\"",
		"\"resultJson\":null,\"response\":{\"resultUrls\":[\"https://h/x\"]}",
		"\"response\":\"{\\\"resultUrls\\\":[\\\"https://h/x\\\"]}\"",
		"\"resultJson\":\"{}\",\"response\":{\"resultUrls\":[\"https://h/x\"]}",
		"\"resultJson\":{\"resultUrls\":[],\"images\":[\"https://h/x\"]}",
		"\"resultJson\":{\"audios\":[{\"audio_url\":\"https://h/x\"}]}",
		"\"resultJson\":{\"resultUrls\":[{\"url\":\"https://h/x\"}]}",
	};
	char body[256];

	(void)state;
	for (size_t i = 0; i < COUNT(records); i++) {
		struct poll_answer answer;

		(void)snprintf(body, sizeof(body),
			"{\"code\":200,\"data\":{\"state\":\"success\",%s}}", records[i]);
		answer = poll_of(KIE, 200, body);
		if (answer.nurl != 1 || answer.left)
			fail_msg("%s: %zu links", records[i], answer.nurl);
		assert_string_equal(answer.url[0], "https://h/x");
		poll_answer_clear(&answer);
	}
}

/* What it has, one after the other, of a model that makes these. */
static void assert_links(const struct provider *provider, unsigned int results, const char *record,
	const char *links)
{
	struct poll_answer answer = poll_for(provider, results, record);
	char names[256] = "";

	for (size_t i = 0; i < answer.nurl; i++)
		(void)snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			i >= answer.nurl - answer.stills ? " still " : " ", answer.url[i] + 10);
	assert_string_equal(names, links);
	assert_int_equal(answer.left, 0);
	poll_answer_clear(&answer);
}

static void frames_go_with_their_video(void **state)
{
	(void)state;
	assert_links(KIE, RESULT_VIDEO,
		"{\"data\":{\"state\":\"success\",\"resultJson\":{\"resultUrls\":[\"https://h/1\","
		"\"https://h/2\"],\"firstFrameUrl\":[],\"lastFrameUrl\":[\"https://h/3\"]}}}",
		" 1 2 still 3");
	assert_links(KIE, RESULT_VIDEO,
		"{\"data\":{\"state\":\"success\",\"resultJson\":{\"resultUrls\":\"https://h/1\","
		"\"lastFrameUrl\":\"https://h/2\",\"firstFrameUrl\":\"https://h/3\"}}}",
		" 1 still 3 still 2");
}

static void what_the_model_makes_is_its_result(void **state)
{
	static const char suno[] =
		"{\"data\":{\"state\":\"success\",\"resultJson\":\"\",\"response\":{\"data\":["
		"{\"audio_url\":\"https://h/1\",\"image_url\":\"https://h/2\",\"title\":\"t\"},"
		"{\"image_url\":\"https://h/4\",\"audio_url\":\"https://h/3\"}]}}}";
	static const char lists[] =
		"{\"data\":{\"state\":\"success\",\"resultJson\":{\"images\":[\"https://h/1\"],"
		"\"audios\":[\"https://h/2\"]}}}";

	(void)state;
	assert_links(KIE, RESULT_AUDIO, suno, " 1 3");
	assert_links(KIE, RESULT_AUDIO | RESULT_IMAGE, suno, " 2 1 4 3");
	assert_links(KIE, RESULT_AUDIO, lists, " 2");
	assert_links(KIE, RESULT_AUDIO | RESULT_IMAGE, lists, " 1 2");
	assert_links(KIE, RESULT_VIDEO, lists, " 1"); /* kept, with a note */
	assert_links(KIE, RESULT_IMAGE,
		"{\"data\":{\"state\":\"success\",\"resultJson\":\"{\\\"resultObject\\\":{"
		"\\\"mask_urls\\\":[\\\"https://h/1\\\",\\\"https://h/2\\\"]}}\"}}",
		" 1 2");
}

static void done_without_a_link_says_so_in_its_words(void **state)
{
	static const char *const results[] = {"\"\"", "null", "\"{}\"", "7",
		"\"{\\\"resultObject\\\":{}}\"", "\"{\\\"resultUrls\\\":[]}\"",
		"\"{\\\"firstFrameUrl\\\":\\\"https://h/x\\\"}\"", "\"not json\""};
	char body[256];

	(void)state;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		(void)snprintf(body, sizeof(body),
			"{\"code\":200,\"data\":{\"state\":\"success\",\"resultJson\":%s}}",
			results[i]);
		check_poll(KIE, 200, body, POLL_NOTHING, "names no result");
	}
	check_poll(KIE, 200,
		"{\"data\":{\"state\":\"success\",\"resultJson\":"
		"\"{\\\"resultObject\\\":{\\\"text\\\":\\\"a poem\\\"}}\"}}",
		POLL_NOTHING, "a poem");
	check_poll(KIE, 200, "{\"data\":{\"state\":\"success\"}}", POLL_NOTHING, "says: nothing");
}

static void a_failed_task_says_why(void **state)
{
	struct poll_answer answer = poll_of(KIE, 200, FAIL);

	(void)state;
	assert_int_equal(answer.verdict, POLL_FAILED);
	assert_string_equal(answer.words, "internal error, please try again later. (500)");
	assert_true(answer.credits == 0);
	poll_answer_clear(&answer);
	check_poll(KIE, 200, "{\"data\":{\"state\":\"fail\",\"failMsg\":null,\"failCode\":null}}",
		POLL_FAILED, "gave no reason");
	check_poll(KIE, 200,
		"{\"code\":501,\"msg\":\"Playground task failed.\",\"data\":{"
		"\"state\":\"fail\",\"failCode\":400,\"failMsg\":\"no\"}}",
		POLL_FAILED, "no (400)");
	check_poll(KIE, 200,
		"{\"data\":{\"state\":\"fail\",\"failMsg\":\"no\","
		"\"failCode\":\"SENSITIVE_WORD_ERROR\"}}",
		POLL_FAILED, "no (SENSITIVE_WORD_ERROR)");
	check_poll(KIE, 200,
		"{\"data\":{\"state\":\"fail\",\"failMsg\":\"\","
		"\"failCode\":\"SENSITIVE_WORD_ERROR\"}}",
		POLL_FAILED, "SENSITIVE_WORD_ERROR");
	check_poll(KIE, 200, "{\"data\":{\"state\":\"fail\",\"failCode\":\"500\"}}", POLL_FAILED,
		"gave no reason (500)");
}

static void a_failed_query_says_nothing_about_the_task(void **state)
{
	struct poll_answer answer;

	(void)state;
	check_poll(KIE, 200, "{\"code\":400,\"msg\":\"taskId parameter is required\"}", POLL_ERROR,
		"taskId");
	check_poll(
		KIE, 200, "{\"code\":401,\"msg\":\"Unauthorized\"}", POLL_BLOCKED, "Unauthorized");
	check_poll(KIE, 200, "{\"code\":403,\"msg\":\"no\"}", POLL_BLOCKED, "no");
	check_poll(KIE, 401, "", POLL_BLOCKED, "401");
	check_poll(KIE, 403, "<html>", POLL_BLOCKED, "403");
	check_poll(KIE, 200, "{\"code\":404,\"msg\":\"Task not found\"}", POLL_NOT_KNOWN,
		"Task not found");
	check_poll(KIE, 200, "{\"code\":422,\"msg\":\"recordInfo is null\",\"data\":null}",
		POLL_NOT_KNOWN, "recordInfo is null");
	answer = poll_of(KIE, 200, "{\"code\":422,\"msg\":\"recordInfo is null \",\"data\":null}");
	assert_string_equal(answer.words, "recordInfo is null");
	poll_answer_clear(&answer);
	check_poll(KIE, 200, "{\"code\":422,\"msg\":\"something else\"}", POLL_ERROR, NULL);
	check_poll(KIE, 404, SPRING, POLL_ERROR, "No message available");
	check_poll(KIE, 200, "{\"code\":429,\"msg\":\"Rate limit exceeded\"}", POLL_ERROR, "Rate");
	check_poll(KIE, 200, "{\"code\":500,\"msg\":\"Server Error\",\"data\":null}", POLL_ERROR,
		"Server Error");
	check_poll(KIE, 500, FAIL, POLL_ERROR, NULL);
	check_poll_nonsense(KIE);
}

static void check_upload(
	long status, const char *body, enum upload_verdict verdict, const char *words)
{
	struct http_reply made = reply(status, body);
	struct upload_answer answer = {0};

	KIE->read_upload(&made, &answer);
	if (answer.verdict != verdict)
		fail_msg("%s: verdict %d instead of %d", body, answer.verdict, verdict);
	assert_true((verdict == UPLOAD_OK) == (answer.url != NULL));
	assert_true((verdict == UPLOAD_OK) == (answer.words == NULL));
	assert_part(body, answer.words, words);
	upload_answer_clear(&answer);
}

#define UPLOADED                                                                                   \
	"{\"success\":true,\"code\":200,\"msg\":\"File uploaded successfully\",\"data\":{"         \
	"\"success\":true,\"fileName\":\"1.jpg\",\"filePath\":\"kieai/u/1.jpg\","                  \
	"\"downloadUrl\":\"https://tempfile.redpandaai.co/kieai/u/1.jpg\",\"fileSize\":83558,"     \
	"\"mimeType\":\"image/jpeg\",\"uploadedAt\":\"2026-04-30T08:53:07.838Z\"}}"

static void an_upload_is_named(void **state)
{
	struct http_field field[UPLOAD_FIELDS];

	(void)state;
	assert_int_equal(KIE->upload_form("cat.png", field), 2);
	assert_string_equal(field[0].name, "uploadPath");
	assert_string_equal(field[0].value, "kinofs");
	assert_string_equal(field[1].name, "fileName");
	assert_string_equal(field[1].value, "cat.png");
}

static void uploads(void **state)
{
	struct http_reply made = broken(CURLE_SEND_ERROR, true, 0, "");
	struct upload_answer answer = {0};

	(void)state;
	check_upload(200, UPLOADED, UPLOAD_OK, NULL);
	check_upload(200, "{\"data\":{\"fileUrl\":\"https://h/1.jpg\"}}", UPLOAD_OK, NULL);
	check_upload(200,
		"{\"success\":false,\"code\":200,\"msg\":\"x\",\"data\":{"
		"\"downloadUrl\":\"https://h/1.jpg\"}}",
		UPLOAD_RETRY, "x");
	check_upload(200, "{\"code\":200,\"msg\":\"\",\"data\":{\"downloadUrl\":\"/1.jpg\"}}",
		UPLOAD_RETRY, NULL);
	check_upload(200, "{\"success\":false,\"code\":400,\"msg\":\"file is missing\"}",
		UPLOAD_REFUSED, "file is missing");
	check_upload(
		200, "{\"code\":500,\"msg\":\"File type not supported\"}", UPLOAD_REFUSED, "type");
	check_upload(200, "{\"success\":false,\"code\":401,\"msg\":\"no\"}", UPLOAD_BLOCKED, "no");
	check_upload(200, "{\"code\":402,\"msg\":\"no\"}", UPLOAD_BLOCKED, NULL);
	check_upload(200, "{\"code\":433,\"msg\":\"no\"}", UPLOAD_BLOCKED, NULL);
	check_upload(401, "", UPLOAD_BLOCKED, "401");
	check_upload(403, "", UPLOAD_BLOCKED, "403");
	check_upload(405, "{\"code\":405,\"msg\":\"no\"}", UPLOAD_REFUSED, NULL);
	check_upload(413, "<html>", UPLOAD_REFUSED, "413");
	check_upload(404, SPRING, UPLOAD_REFUSED, NULL);
	check_upload(302, "", UPLOAD_REFUSED, "302");
	check_upload(408, "", UPLOAD_RETRY, NULL);
	check_upload(429, "", UPLOAD_RETRY, NULL);
	check_upload(200, "{\"code\":429,\"msg\":\"slow\"}", UPLOAD_RETRY, "slow");
	check_upload(500, "{\"code\":500,\"msg\":\"oops\"}", UPLOAD_RETRY, "oops");
	check_upload(502, "<html>", UPLOAD_RETRY, "502");
	check_upload(200, "garbage", UPLOAD_RETRY, NULL);
	KIE->read_upload(&made, &answer);
	assert_int_equal(answer.verdict, UPLOAD_RETRY);
	assert_string_equal(answer.words, "curl's own words");
	upload_answer_clear(&answer);
}

static struct balance_answer balance_of(const char *body)
{
	struct http_reply made = reply(200, body);
	struct balance_answer answer = {0};

	KIE->read_balance(&made, &answer);
	assert_string_equal(answer.unit, "credits");
	return answer;
}

static void the_balance_may_be_fractional(void **state)
{
	static const char *const bad[] = {"", "{}", "{\"code\":200,\"msg\":\"success\"}",
		"{\"code\":401,\"msg\":\"no\",\"data\":5}",
		"{\"code\":200,\"msg\":\"\",\"data\":\"5\"}"};
	struct balance_answer answer =
		balance_of("{\"code\":200,\"msg\":\"success\",\"data\":5916.25}");

	(void)state;
	assert_true(answer.known);
	assert_true(answer.amount == 5916.25);
	assert_null(answer.words);
	balance_answer_clear(&answer);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		answer = balance_of(bad[i]);
		assert_false(answer.known);
		assert_non_null(answer.words);
		balance_answer_clear(&answer);
	}
}

static void a_fresh_link_is_read(void **state)
{
	struct http_reply made = reply(
		200, "{\"code\":200,\"msg\":\"success\",\"data\":\"https://tempfile.x.co/a.mp4\"}");
	AUTO_FREE char *link = KIE->read_refresh(&made);

	(void)state;
	assert_string_equal(link, "https://tempfile.x.co/a.mp4");
	made = reply(200, "{\"code\":422,\"msg\":\"url is wrong\",\"data\":null}");
	assert_null(KIE->read_refresh(&made));
	made = reply(200, "{\"code\":200,\"msg\":\"success\",\"data\":\"file:///etc/passwd\"}");
	assert_null(KIE->read_refresh(&made));
	made = reply(200, "");
	assert_null(KIE->read_refresh(&made));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_the_documented_ones),
		cmocka_unit_test(providers_are_found),
		cmocka_unit_test(the_accepted_task_is_kept),
		cmocka_unit_test(a_task_in_a_broken_answer_is_kept),
		cmocka_unit_test(a_task_id_that_cannot_be_one_is_unknown),
		cmocka_unit_test(every_refusal_is_told_apart),
		cmocka_unit_test(what_is_not_clear_is_unknown),
		cmocka_unit_test(words_are_fit_for_a_terminal),
		cmocka_unit_test(a_key_is_hidden_however_it_is_spelled),
		cmocka_unit_test(a_key_is_no_task_and_in_no_link),
		cmocka_unit_test(a_running_task_runs),
		cmocka_unit_test(a_finished_task_has_its_links),
		cmocka_unit_test(only_real_links_are_results),
		cmocka_unit_test(more_links_than_are_taken_are_counted),
		cmocka_unit_test(frames_go_with_their_video),
		cmocka_unit_test(what_the_model_makes_is_its_result),
		cmocka_unit_test(done_without_a_link_says_so_in_its_words),
		cmocka_unit_test(results_are_found_where_they_may_stand),
		cmocka_unit_test(a_failed_task_says_why),
		cmocka_unit_test(a_failed_query_says_nothing_about_the_task),
		cmocka_unit_test(an_upload_is_named),
		cmocka_unit_test(uploads),
		cmocka_unit_test(the_balance_may_be_fractional),
		cmocka_unit_test(a_fresh_link_is_read),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}

/* test_http.c - the HTTP client: the plain exchange, limits, the loop, what is refused. */
#include "fs/net/url.h"
#include "tests/unit/http_client.h"

/* -- the plain exchange ------------------------------------------------------------------- */

static void an_answer_comes_back_whole(void **state)
{
	struct outcome outcome;

	(void)state;
	loopback_open(&server, ok);
	outcome = run(get("/x?taskId=1"));
	assert_int_equal(outcome.reply.result, CURLE_OK);
	assert_string_equal(outcome.error, "");
	assert_int_equal(outcome.reply.status, 200);
	assert_string_equal(outcome.body, "{\"code\":200");
	assert_int_equal(outcome.reply.body_bytes, 11);
	assert_string_equal(outcome.reply.content_type, "application/json");
	assert_int_equal(outcome.reply.content_length, 11);
	assert_int_equal(outcome.reply.retry_after_ms, -1);
	assert_true(outcome.reply.sent);
	assert_has(loopback_request(&server, 1), "GET /x?taskId=1 HTTP/1.1\r\n");
	assert_has(loopback_request(&server, 1), "\r\nUser-Agent: kinofs\r\n");
	assert_has(loopback_request(&server, 1), "\r\nAccept-Encoding: ");
	assert_has_not(loopback_request(&server, 1), "Authorization");
}

static void a_post_has_its_headers_and_no_expect(void **state)
{
	size_t bytes = 3 << 20; /* libcurl would ask first from 1 MiB on */
	struct http_request request;

	(void)state;
	loopback_open(&server, ok);
	request = post("/create", "");
	free(request.body);
	request.body = malloc(bytes);
	memset(request.body, 'x', bytes);
	request.body_bytes = bytes;
	request.bearer = "a-key";
	request.once = true;
	assert_int_equal(run(request).reply.result, CURLE_OK);
	assert_has(loopback_request(&server, 1), "POST /create HTTP/1.1\r\n");
	assert_has(loopback_request(&server, 1), "\r\nAuthorization: Bearer a-key\r\n");
	assert_has(loopback_request(&server, 1), "\r\nContent-Type: application/json\r\n");
	assert_has(loopback_request(&server, 1), "\r\nContent-Length: 3145728\r\n");
	assert_has_not(loopback_request(&server, 1), "Expect:");
}

static enum then gzip(struct loopback *s, int fd, int number)
{
	static const unsigned char hello[] = {31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 203, 72, 205, 201,
		201, 7, 0, 134, 166, 16, 54, 5, 0, 0, 0};

	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
		sizeof(hello));
	(void)send(fd, hello, sizeof(hello), MSG_NOSIGNAL);
	return KEEP;
}

static void a_compressed_answer_is_unpacked(void **state)
{
	(void)state;
	loopback_open(&server, gzip);
	assert_string_equal(run(get("/")).body, "hello");
}

static void loopback_never_goes_through_a_proxy(void **state)
{
	(void)state;
	loopback_open(&server, ok);
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	assert_int_equal(run(get("/")).reply.status, 200);
	unsetenv("http_proxy");
}

static void retry_after_is_read_in_seconds_and_as_a_date(void **state)
{
	(void)state;
	loopback_open(&server, too_many);
	assert_int_equal(run(get("/")).reply.retry_after_ms, 7000);
}

static enum then later_by_date(struct loopback *s, int fd, int number)
{
	static const int64_t from_now[] = {100, -100, 1000000};
	time_t when = time(NULL) + from_now[number - 1];
	char date[64];
	struct tm utc;

	(void)s;
	gmtime_r(&when, &utc);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &utc);
	loopback_say(fd, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: %s\r\n\r\n", date);
	return KEEP;
}

static void retry_after_dates_are_bounded(void **state)
{
	int64_t ms;

	(void)state;
	loopback_open(&server, later_by_date);
	ms = run(get("/")).reply.retry_after_ms;
	assert_in_range(ms, 40000, 100000);
	assert_int_equal(run(get("/")).reply.retry_after_ms, -1);
	assert_int_equal(run(get("/")).reply.retry_after_ms, 86400 * 1000);
}

/* -- limits and lies ----------------------------------------------------------------------- */

static void an_endless_answer_is_cut(void **state)
{
	struct outcome outcome;

	(void)state;
	loopback_open(&server, endless);
	outcome = run(get("/"));
	assert_int_equal(outcome.reply.result, CURLE_FILESIZE_EXCEEDED);
	assert_has(outcome.error, "larger than the 1048576 bytes");
	assert_true(outcome.reply.body_bytes <= LIMIT_REPLY_BYTES);
	assert_int_equal(outcome.reply.status, 200);
}

static void a_truncated_answer_is_an_error_with_what_came(void **state)
{
	struct outcome outcome;

	(void)state;
	loopback_open(&server, truncated);
	outcome = run(get("/"));
	assert_int_equal(outcome.reply.result, CURLE_PARTIAL_FILE);
	assert_string_equal(outcome.body, "half");
	assert_int_equal(outcome.reply.status, 200);
}

static enum then garbage(struct loopback *s, int fd, int number)
{
	(void)s, (void)number;
	loopback_say(fd, "\x01\x02 no HTTP at all\r\n\r\n");
	return CLOSE;
}

static void what_is_no_http_is_an_error(void **state)
{
	(void)state;
	loopback_open(&server, garbage);
	assert_int_not_equal(run(get("/")).reply.result, CURLE_OK);
}

/* -- the loop ------------------------------------------------------------------------------ */

struct chain {
	int calls;
	struct http_transfer *other;
};

static void cancel_other(void *context, const struct http_reply *reply)
{
	struct chain *chain = context;

	(void)reply;
	chain->calls++;
	if (chain->other)
		http_cancel(http, chain->other);
	chain->other = NULL;
}

static void never(void *context, const struct http_reply *reply)
{
	(void)context, (void)reply;
	fail_msg("called back after it was cancelled");
}

static void a_callback_may_cancel_another_transfer(void **state)
{
	struct chain chain = {0};
	struct http_request request;
	struct http_transfer *transfer;

	(void)state;
	loopback_open(&server, ok);
	request = get("/one");
	assert_int_equal(http_start(http, &request, cancel_other, &chain, &transfer), 0);
	loopback_close(&server);
	loopback_open(&server, stall);
	request = get("/two");
	assert_int_equal(http_start(http, &request, never, NULL, &chain.other), 0);
	run_until(&chain.calls, 1);
	assert_null(chain.other);
	http_run(http, 50);
}

static struct http_transfer *pair[2];
static int pair_calls;

static void cancel_the_other(void *context, const struct http_reply *reply)
{
	int me = *(int *)context;

	(void)reply;
	pair_calls++;
	pair[me] = NULL;
	if (pair[!me])
		http_cancel(http, pair[!me]);
	pair[!me] = NULL;
}

/* Both have failed before the first callback: the second result is dropped with its transfer. */
static void a_transfer_that_has_ended_can_still_be_cancelled(void **state)
{
	static int me[2] = {0, 1};
	struct http_request request;

	(void)state;
	loopback_open(&server, ok);
	request = get("/");
	loopback_close(&server);
	server.listener = 0;
	pair_calls = 0;
	for (int i = 0; i < 2; i++)
		assert_int_equal(http_start(http, &request, cancel_the_other, &me[i], &pair[i]), 0);
	run_until(&pair_calls, 1);
	http_run(http, 50);
	assert_int_equal(pair_calls, 1);
}

static void start_another(void *context, const struct http_reply *reply)
{
	int *calls = context;
	struct http_request request = get("/next");
	struct http_transfer *transfer;

	assert_int_equal(reply->status, 200);
	if (++*calls < 5)
		assert_int_equal(http_start(http, &request, start_another, calls, &transfer), 0);
}

static void a_callback_may_start_a_transfer(void **state)
{
	struct http_request request;
	struct http_transfer *transfer;
	int calls = 0;

	(void)state;
	loopback_open(&server, ok);
	request = get("/");
	assert_int_equal(http_start(http, &request, start_another, &calls, &transfer), 0);
	run_until(&calls, 5);
	assert_int_equal(loopback_count(&server), 5);
	assert_int_equal(loopback_connections(&server), 1);
}

static void what_is_in_flight_ends_silently_with_its_client(void **state)
{
	struct http_request request;
	struct http_transfer *transfer;

	(void)state;
	loopback_open(&server, stall);
	for (int i = 0; i < 90; i++) { /* more than there are connections */
		request = post("/create", "{}");
		assert_int_equal(http_start(http, &request, never, NULL, &transfer), 0);
	}
	for (int i = 0; i < 5 || (i < 500 && loopback_connections(&server) == 0); i++)
		http_run(http, 20);
	assert_in_range(loopback_connections(&server), 1, 64);
}

static void *wake_soon(void *context)
{
	struct timespec soon = {.tv_nsec = 100 * 1000 * 1000};

	nanosleep(&soon, NULL);
	http_wake(context);
	return NULL;
}

static void another_thread_wakes_the_loop(void **state)
{
	int64_t start = clock_steady_ms();
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, wake_soon, http);
	http_run(http, -1);
	assert_true(clock_steady_ms() - start >= 50);
	pthread_join(thread, NULL);
}

static void the_loop_waits_as_long_as_it_may_and_sleeps(void **state)
{
	struct timespec before, after;
	int64_t start = clock_steady_ms();

	(void)state;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
	http_run(http, 300);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
	assert_true(clock_steady_ms() - start >= 290);
	assert_true((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec <
		    100 * 1000 * 1000);
}

/* -- what is refused ----------------------------------------------------------------------- */

static int start_result(struct http_request request)
{
	struct outcome outcome = {0};
	struct http_transfer *transfer = NULL;

	return http_start(http, &request, keep, &outcome, &transfer);
}

static void only_http_urls_are_taken(void **state)
{
	static const char *const refused[] = {"", "file:///etc/passwd", "ftp://h/", "h/x",
		"http://", "http://h/a b", "http://h/a\nb", "http://u:p@h/", "https://u@h/",
		"javascript:alert(1)", "http://h:99999/"};
	static const char *const taken[] = {"http://h/", "HTTPS://H/x?y=%20#z", "http://[::1]:80/"};
	AUTO_FREE char *huge = calloc(1, LIMIT_URL_BYTES + 2);

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct http_request request = {.url = refused[i], .form_fd = -1, .sink_fd = -1};

		assert_false(url_is_http(refused[i]));
		assert_int_equal(start_result(request), -EINVAL);
	}
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		assert_true(url_is_http(taken[i]));
	memset(huge, 'x', LIMIT_URL_BYTES + 1);
	memcpy(huge, "http://h/", 9);
	assert_false(url_is_http(huge));
	huge[LIMIT_URL_BYTES] = '\0';
	assert_true(url_is_http(huge));
}

static void a_key_travels_over_https_or_not_at_all(void **state)
{
	static const char *const refused[] = {"http://api.kie.ai/", "http://127.0.0.1.evil.com/",
		"http://localhost.evil.com/", "http://10.0.0.1/", "http://[::2]/",
		"http://128.0.0.1/", "http://[::ffff:127.0.0.1]/"};
	static const char *const taken[] = {"https://api.kie.ai/", "http://127.0.0.1:1/",
		"http://127.3.2.1/", "http://LOCALHOST/", "http://[::1]:8080/", "http://localhost"};

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct http_request request = {
			.url = refused[i], .bearer = "k", .form_fd = -1, .sink_fd = -1};

		assert_false(url_may_carry_key(refused[i]));
		assert_int_equal(start_result(request), -EINVAL);
	}
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		assert_true(url_may_carry_key(taken[i]));
}

static void nothing_is_smuggled_into_headers(void **state)
{
	struct http_request request;

	(void)state;
	loopback_open(&server, ok);
	request = get("/");
	request.bearer = "key\r\nX-Bad: 1";
	assert_int_equal(start_result(request), -EINVAL);
	request.bearer = "";
	assert_int_equal(start_result(request), -EINVAL);
	request = post("/", "{}");
	request.content_type = "text/plain\nX-Bad: 1";
	assert_int_equal(start_result(request), -EINVAL);
	request = upload(0);
	request.form_mime = "image/png\r\nX-Bad: 1";
	assert_int_equal(start_result(request), -EINVAL);
	assert_int_equal(loopback_count(&server), 0);
}

static void a_key_or_a_paid_request_follows_no_redirect(void **state)
{
	struct http_request request;

	(void)state;
	request = get("/");
	request.bearer = "key";
	request.follow = true;
	assert_int_equal(start_result(request), -EINVAL);
	request = post("/", "{}");
	request.once = true;
	request.follow = true;
	assert_int_equal(start_result(request), -EINVAL);
	request = get("/");
	request.resume_at = 5; /* of no file */
	assert_int_equal(start_result(request), -EINVAL);
	request = get("/");
	request.sink_fd = 1000000;
	assert_int_equal(start_result(request), -EBADF);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_comes_back_whole),
		TEST(a_post_has_its_headers_and_no_expect),
		TEST(a_compressed_answer_is_unpacked),
		TEST(loopback_never_goes_through_a_proxy),
		TEST(retry_after_is_read_in_seconds_and_as_a_date),
		TEST(retry_after_dates_are_bounded),
		TEST(a_callback_may_cancel_another_transfer),
		TEST(a_transfer_that_has_ended_can_still_be_cancelled),
		TEST(a_callback_may_start_a_transfer),
		TEST(what_is_in_flight_ends_silently_with_its_client),
		TEST(another_thread_wakes_the_loop),
		TEST(the_loop_waits_as_long_as_it_may_and_sleeps),
		TEST(only_http_urls_are_taken),
		TEST(a_key_travels_over_https_or_not_at_all),
		TEST(nothing_is_smuggled_into_headers),
		TEST(a_key_or_a_paid_request_follows_no_redirect),
		TEST(an_endless_answer_is_cut),
		TEST(a_truncated_answer_is_an_error_with_what_came),
		TEST(what_is_no_http_is_an_error),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = RUN_TESTS(argc, argv, tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}

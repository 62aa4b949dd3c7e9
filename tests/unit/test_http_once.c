/* test_http_once.c - what is paid for is on the wire once, and whether it has left is known. */
#include "tests/unit/http_client.h"

/* -- money: once --------------------------------------------------------------------------- */

static void curl_sends_a_post_again_on_a_dead_reused_connection(void **state)
{
	(void)state;
	loopback_open(&server, die_when_reused);
	assert_int_equal(run(get("/first")).reply.status, 200);
	assert_int_not_equal(run(post("/create", "{}")).reply.result, CURLE_OK);
	assert_true(loopback_count(&server) > 2); /* this is why `once` exists */
}

static void once_is_on_the_wire_once_beside_a_kept_connection(void **state)
{
	struct http_request request;
	struct outcome outcome;

	(void)state;
	loopback_open(&server, die_when_reused);
	assert_int_equal(run(get("/first")).reply.status, 200);
	request = post("/create", "{}");
	request.once = true;
	outcome = run(request);
	assert_int_equal(outcome.reply.result, CURLE_GOT_NOTHING);
	assert_true(outcome.reply.sent);
	assert_int_equal(outcome.reply.status, 0);
	assert_int_equal(loopback_count(&server), 2);
	assert_int_equal(loopback_connections(&server), 2);
}

static void once_leaves_no_connection_behind(void **state)
{
	struct http_request request;

	(void)state;
	loopback_open(&server, ok);
	for (int i = 1; i <= 3; i++) {
		request = post("/create", "{}");
		request.once = true;
		assert_int_equal(run(request).reply.status, 200);
		assert_int_equal(loopback_connections(&server), i);
	}
}

static enum then expectation_failed(struct loopback *s, int fd, int number)
{
	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
	return KEEP;
}

static enum then unauthorized(struct loopback *s, int fd, int number)
{
	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n"
			 "WWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n");
	return KEEP;
}

static enum then misdirected(struct loopback *s, int fd, int number)
{
	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 421 Misdirected\r\nContent-Length: 0\r\n\r\n");
	return KEEP;
}

static void once_is_on_the_wire_once_whatever_the_status(void **state)
{
	static const struct {
		loopback_answer *answer;
		long status;
	} row[] = {{expectation_failed, 417}, {too_many, 429}, {unauthorized, 401}, {moved, 307},
		{misdirected, 421}};
	struct http_request request;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		loopback_open(&server, row[i].answer);
		request = post("/create", "{}");
		request.once = true;
		request.bearer = "a-key";
		assert_int_equal(run(request).reply.status, row[i].status);
		assert_int_equal(loopback_count(&server), 1);
		close_all(state);
		open_all(state);
	}
}

/* A libcurl that knew one more reason to start over: here the reason is a redirect, allowed behind
 * the client's back. */
static void once_is_on_the_wire_once_even_if_curl_starts_over(void **state)
{
	struct http_request request;
	struct http_transfer *transfer;
	struct outcome outcome = {0};

	(void)state;
	loopback_open(&server, moved);
	request = post("/create", "{}");
	request.once = true;
	assert_int_equal(http_start(http, &request, keep, &outcome, &transfer), 0);
	curl_easy_setopt(transfer->easy, CURLOPT_FOLLOWLOCATION, 1L);
	run_until(&outcome.calls, 1);
	assert_int_equal(outcome.reply.result, CURLE_ABORTED_BY_CALLBACK);
	assert_true(outcome.reply.sent);
	assert_int_equal(loopback_count(&server), 1);
}

/* -- money: sent --------------------------------------------------------------------------- */

static enum then close_at_once(struct loopback *s, int fd, int number)
{
	(void)s, (void)fd, (void)number;
	return CLOSE;
}

static enum then reset_at_once(struct loopback *s, int fd, int number)
{
	(void)s, (void)fd, (void)number;
	return RESET;
}

static void a_refused_connection_has_sent_nothing(void **state)
{
	struct outcome outcome;

	(void)state;
	loopback_open(&server, ok);
	outcome = run(get("/"));
	loopback_close(&server);
	server.listener = 0;
	outcome = run(get("/"));
	assert_int_equal(outcome.reply.result, CURLE_COULDNT_CONNECT);
	assert_string_not_equal(outcome.error, "");
	assert_false(outcome.reply.sent);
	assert_int_equal(outcome.reply.status, 0);
}

static void an_unknown_host_has_sent_nothing(void **state)
{
	struct http_request request = {
		.url = "https://nowhere.invalid/", .form_fd = -1, .sink_fd = -1, .once = true};
	struct outcome outcome;

	(void)state;
	request.timeout_ms = ENOUGH_MS;
	outcome = run(request);
	assert_int_not_equal(outcome.reply.result, CURLE_OK);
	assert_false(outcome.reply.sent);
}

static void a_failed_tls_handshake_has_sent_nothing(void **state)
{
	struct http_request request;
	struct outcome outcome;
	char secure[64];

	(void)state;
	loopback_open(&server, ok);
	request = post("/create", "{}");
	(void)snprintf(secure, sizeof(secure), "https://127.0.0.1:%d/", server.port);
	request.url = secure;
	request.timeout_ms = 500; /* the server waits for the rest of what is no HTTP */
	outcome = run(request);
	assert_int_not_equal(outcome.reply.result, CURLE_OK);
	assert_false(outcome.reply.sent);
}

static void what_was_written_may_have_arrived(void **state)
{
	static const struct {
		loopback_answer *answer;
		CURLcode result;
	} row[] = {{close_at_once, CURLE_GOT_NOTHING}, {reset_at_once, CURLE_RECV_ERROR},
		{stall, CURLE_OPERATION_TIMEDOUT}};
	struct http_request request;
	struct outcome outcome;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		loopback_open(&server, row[i].answer);
		request = post("/create", "{}");
		request.once = true;
		request.timeout_ms = 500;
		outcome = run(request);
		assert_int_equal(outcome.reply.result, row[i].result);
		assert_true(outcome.reply.sent);
		assert_int_equal(outcome.reply.status, 0);
		assert_int_equal(loopback_count(&server), 1);
		close_all(state);
		open_all(state);
	}
}

static enum then proxy_refuses(struct loopback *s, int fd, int number)
{
	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 403 Not this way\r\nContent-Length: 0\r\n\r\n");
	return KEEP;
}

static void a_proxy_that_refuses_has_sent_nothing(void **state)
{
	struct http_request request;
	struct outcome outcome;
	char proxy[64];

	(void)state;
	loopback_open(&server, proxy_refuses);
	(void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", server.port);
	setenv("https_proxy", proxy, 1);
	request = post("/create", "{}");
	request.url = "https://api.invalid/";
	request.bearer = "a-key";
	request.once = true;
	outcome = run(request);
	unsetenv("https_proxy");
	assert_int_not_equal(outcome.reply.result, CURLE_OK);
	assert_false(outcome.reply.sent);
	assert_int_equal(outcome.reply.status, 0);
	assert_has(loopback_request(&server, 1), "CONNECT api.invalid:443");
	assert_has_not(loopback_request(&server, 1), "a-key");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(curl_sends_a_post_again_on_a_dead_reused_connection),
		TEST(once_is_on_the_wire_once_beside_a_kept_connection),
		TEST(once_leaves_no_connection_behind),
		TEST(once_is_on_the_wire_once_whatever_the_status),
		TEST(once_is_on_the_wire_once_even_if_curl_starts_over),
		TEST(a_refused_connection_has_sent_nothing),
		TEST(an_unknown_host_has_sent_nothing),
		TEST(a_failed_tls_handshake_has_sent_nothing),
		TEST(what_was_written_may_have_arrived),
		TEST(a_proxy_that_refuses_has_sent_nothing),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = RUN_TESTS(argc, argv, tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}

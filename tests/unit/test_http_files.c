/* test_http_files.c - files that the HTTP client takes in and sends out: downloads that go on,
 * redirects, uploads. */
#include "tests/unit/http_client.h"

/* What a file holds, as a string. */
static const char *content(int fd)
{
	static char text[65536];
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

/* -- files --------------------------------------------------------------------------------- */

static void an_endless_file_is_cut(void **state)
{
	AUTO_FD int sink = sink_with("");
	struct http_request request;
	struct outcome outcome;

	(void)state;
	loopback_open(&server, endless);
	request = get("/");
	request.sink_fd = sink;
	request.sink_limit = 200000;
	outcome = run(request);
	assert_int_equal(outcome.reply.result, CURLE_FILESIZE_EXCEEDED);
	assert_true(lseek(sink, 0, SEEK_END) <= 200000);
}

static enum then ranged(struct loopback *s, int fd, int number)
{
	const char *range = strcasestr(loopback_request(s, number), "\r\nRange: bytes=");
	long from = range ? strtol(range + 15, NULL, 10) : 0;

	if (!range)
		loopback_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
	else if (from >= 10)
		loopback_say(fd, "HTTP/1.1 416 No\r\nContent-Range: bytes */10\r\n"
				 "Content-Length: 4\r\n\r\nno!!");
	else
		loopback_say(fd,
			"HTTP/1.1 206 Part\r\nContent-Range: bytes %ld-9/10\r\n"
			"Content-Length: %ld\r\n\r\n%s",
			from, 10 - from, &"0123456789"[from]);
	return KEEP;
}

static enum then never_ranged(struct loopback *s, int fd, int number)
{
	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
	return KEEP;
}

static enum then other_range(struct loopback *s, int fd, int number)
{
	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 206 Part\r\nContent-Range: bytes 2-9/10\r\n"
			 "Content-Length: 8\r\n\r\n23456789");
	return KEEP;
}

static struct outcome download(int sink, int64_t resume_at)
{
	struct http_request request = get("/v.mp4");

	request.sink_fd = sink;
	request.resume_at = resume_at;
	request.follow = true;
	return run(request);
}

static void a_file_is_written_from_its_start(void **state)
{
	AUTO_FD int sink = sink_with("older and longer than it");
	struct outcome outcome;

	(void)state;
	loopback_open(&server, ranged);
	outcome = download(sink, 0);
	assert_int_equal(outcome.reply.result, CURLE_OK);
	assert_string_equal(content(sink), "0123456789");
	assert_string_equal(outcome.body, "");
	assert_int_equal(outcome.reply.received, 10);
	assert_int_equal(outcome.reply.content_length, 10);
	assert_false(outcome.reply.resumed);
	assert_has_not(loopback_request(&server, 1), "Accept-Encoding");
	assert_has_not(loopback_request(&server, 1), "Range:");
}

static void a_download_goes_on_where_it_stopped(void **state)
{
	AUTO_FD int sink = sink_with("0123??");
	struct outcome outcome;

	(void)state;
	loopback_open(&server, ranged);
	outcome = download(sink, 4);
	assert_int_equal(outcome.reply.result, CURLE_OK);
	assert_string_equal(content(sink), "0123456789");
	assert_int_equal(outcome.reply.received, 6);
	assert_int_equal(outcome.reply.content_length, 10);
	assert_true(outcome.reply.resumed);
}

static void a_server_without_ranges_starts_the_file_over(void **state)
{
	AUTO_FD int sink = sink_with("abcdefghijklmnopq");
	struct outcome outcome;

	(void)state;
	loopback_open(&server, never_ranged);
	outcome = download(sink, 4);
	assert_int_equal(outcome.reply.result, CURLE_OK);
	assert_string_equal(content(sink), "0123456789");
	assert_int_equal(outcome.reply.received, 10);
	assert_false(outcome.reply.resumed);
}

static void another_range_than_asked_for_is_refused(void **state)
{
	AUTO_FD int sink = sink_with("0123");
	struct outcome outcome;

	(void)state;
	loopback_open(&server, other_range);
	outcome = download(sink, 4);
	assert_int_equal(outcome.reply.result, CURLE_RANGE_ERROR);
	assert_string_equal(content(sink), "0123");
	assert_int_equal(outcome.reply.received, 0);
}

static void nothing_left_to_download_tells_the_length(void **state)
{
	AUTO_FD int sink = sink_with("0123456789");
	struct outcome outcome;

	(void)state;
	loopback_open(&server, ranged);
	outcome = download(sink, 10);
	assert_int_equal(outcome.reply.status, 416);
	assert_int_equal(outcome.reply.content_length, 10);
	assert_string_equal(content(sink), "0123456789");
}

static enum then expired(struct loopback *s, int fd, int number)
{
	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\n"
			 "Content-Length: 20\r\n\r\n<Error>late</Error>\r\n");
	return KEEP;
}

static void an_error_page_never_gets_into_the_file(void **state)
{
	AUTO_FD int sink = sink_with("0123");
	struct outcome outcome;

	(void)state;
	loopback_open(&server, expired);
	outcome = download(sink, 4);
	assert_int_equal(outcome.reply.result, CURLE_OK);
	assert_int_equal(outcome.reply.status, 403);
	assert_has(outcome.body, "<Error>late</Error>");
	assert_string_equal(content(sink), "0123");
	assert_int_equal(outcome.reply.received, 0);
}

static void a_truncated_download_says_how_much_came(void **state)
{
	AUTO_FD int sink = sink_with("");
	struct outcome outcome;

	(void)state;
	loopback_open(&server, truncated);
	outcome = download(sink, 0);
	assert_int_equal(outcome.reply.result, CURLE_PARTIAL_FILE);
	assert_int_equal(outcome.reply.received, 4);
	assert_int_equal(outcome.reply.content_length, 100);
	assert_string_equal(content(sink), "half");
}

static enum then announced_huge(struct loopback *s, int fd, int number)
{
	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\nhalf");
	return HOLD;
}

static void a_file_announced_over_its_limit_is_not_begun(void **state)
{
	AUTO_FD int sink = sink_with("");
	struct outcome outcome;

	(void)state;
	loopback_open(&server, announced_huge);
	outcome = download(sink, 0);
	assert_int_equal(outcome.reply.result, CURLE_FILESIZE_EXCEEDED);
	assert_int_equal(outcome.reply.received, 0);
}

static void a_local_write_error_is_said_to_be_one(void **state)
{
	AUTO_FD int sink = sink_with("");
	struct outcome outcome;

	(void)state;
	assert_int_equal(fcntl(sink, F_ADD_SEALS, F_SEAL_GROW), 0);
	loopback_open(&server, ranged);
	outcome = download(sink, 0);
	assert_int_equal(outcome.reply.result, CURLE_WRITE_ERROR);
	assert_has(outcome.error, "local file");
	assert_int_equal(outcome.reply.received, 0);
}

/* -- redirects ----------------------------------------------------------------------------- */

static void a_redirect_is_followed_only_when_wanted(void **state)
{
	AUTO_FD int sink = sink_with("");
	struct outcome outcome;

	(void)state;
	loopback_open(&server, moved);
	outcome = download(sink, 0);
	assert_int_equal(outcome.reply.status, 200);
	assert_string_equal(content(sink), "{\"code\":200");
	assert_has(loopback_request(&server, 2), "GET /there ");
}

static void a_redirect_that_is_not_followed_is_the_answer(void **state)
{
	struct outcome outcome;

	(void)state;
	loopback_open(&server, moved);
	outcome = run(get("/"));
	assert_int_equal(outcome.reply.status, 307);
	assert_string_equal(outcome.body, "moved");
	assert_int_equal(loopback_count(&server), 1);
}

static enum then to_a_file(struct loopback *s, int fd, int number)
{
	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 302 Moved\r\nLocation: file:///etc/passwd\r\n"
			 "Content-Length: 0\r\n\r\n");
	return KEEP;
}

static enum then in_circles(struct loopback *s, int fd, int number)
{
	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 302 Moved\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
	return KEEP;
}

static void a_redirect_never_leaves_http(void **state)
{
	AUTO_FD int sink = sink_with("");

	(void)state;
	loopback_open(&server, to_a_file);
	assert_int_equal(download(sink, 0).reply.result, CURLE_UNSUPPORTED_PROTOCOL);
	assert_string_equal(content(sink), "");
}

static void redirects_end(void **state)
{
	AUTO_FD int sink = sink_with("");

	(void)state;
	loopback_open(&server, in_circles);
	assert_int_equal(download(sink, 0).reply.result, CURLE_TOO_MANY_REDIRECTS);
	assert_int_equal(loopback_count(&server), 6);
}

/* -- uploads ------------------------------------------------------------------------------- */

static void an_upload_has_its_fields_and_its_file(void **state)
{
	AUTO_FD int picture = sink_with("the picture's bytes");
	const char *text;

	(void)state;
	loopback_open(&server, ok);
	assert_int_equal(run(upload(picture)).reply.status, 200);
	text = loopback_request(&server, 1);
	assert_has(text, "POST /api/file-stream-upload ");
	assert_has(text, "Content-Type: multipart/form-data; boundary=");
	assert_has(text, "name=\"folder\"\r\n\r\nkinofs\r\n");
	assert_has(text, "name=\"name\"\r\n\r\na \"cat\"\r\n");
	assert_has(text, "name=\"file\"; filename=\"a %22cat%22%0D%0AX-Bad: 1.png\"\r\n"
			 "Content-Type: image/png\r\n\r\nthe picture's bytes\r\n");
	assert_has_not(text, "Expect:");
	assert_has_not(text, "chunked");
}

static void an_upload_is_whole_when_it_starts_over(void **state)
{
	AUTO_FD int picture = sink_with("the picture's bytes");

	(void)state;
	loopback_open(&server, die_when_reused);
	assert_int_equal(run(get("/first")).reply.status, 200);
	assert_int_not_equal(run(upload(picture)).reply.result, CURLE_OK);
	assert_true(loopback_count(&server) > 2);
	assert_has(loopback_request(&server, 3), "\r\n\r\nthe picture's bytes\r\n");
}

static void a_picture_that_shrinks_ends_its_upload(void **state)
{
	AUTO_FD int picture = sink_with("the picture's bytes");
	struct http_request request;
	struct http_transfer *transfer;
	struct outcome outcome = {0};

	(void)state;
	loopback_open(&server, ok);
	request = upload(picture);
	assert_int_equal(http_start(http, &request, keep, &outcome, &transfer), 0);
	assert_int_equal(ftruncate(picture, 3), 0);
	run_until(&outcome.calls, 1);
	assert_int_equal(outcome.reply.result, CURLE_READ_ERROR);
	assert_has(outcome.error, "became shorter");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(an_endless_file_is_cut),
		TEST(a_file_is_written_from_its_start),
		TEST(a_download_goes_on_where_it_stopped),
		TEST(a_server_without_ranges_starts_the_file_over),
		TEST(another_range_than_asked_for_is_refused),
		TEST(nothing_left_to_download_tells_the_length),
		TEST(an_error_page_never_gets_into_the_file),
		TEST(a_truncated_download_says_how_much_came),
		TEST(a_file_announced_over_its_limit_is_not_begun),
		TEST(a_local_write_error_is_said_to_be_one),
		TEST(a_redirect_is_followed_only_when_wanted),
		TEST(a_redirect_that_is_not_followed_is_the_answer),
		TEST(a_redirect_never_leaves_http),
		TEST(redirects_end),
		TEST(an_upload_has_its_fields_and_its_file),
		TEST(an_upload_is_whole_when_it_starts_over),
		TEST(a_picture_that_shrinks_ends_its_upload),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = RUN_TESTS(argc, argv, tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}

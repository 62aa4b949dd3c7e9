/* test_http_files.c - files that the HTTP client takes in and sends out: downloads that go on,
 * redirects, uploads. */
#include "fs/base/digest.h"

#include <sys/stat.h>

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

/* What begin() was told, and what it says. */
static struct {
	int calls, says;
	struct http_file file;
	char validator[64];
} begun;

static int begin(void *context, const struct http_file *file)
{
	(void)context;
	begun.calls++;
	begun.file = *file;
	(void)snprintf(begun.validator, sizeof(begun.validator), "%s",
		file->validator ? file->validator : "none");
	return begun.says;
}

/* The file of "ETag: one" is digits, the one of another is letters. */
static enum then versions(struct loopback *s, int fd, int number)
{
	if (strcasestr(loopback_request(s, number), "\r\nIf-Range: \"one\"\r\n"))
		loopback_say(fd, "HTTP/1.1 206 Part\r\nContent-Range: bytes 4-9/10\r\n"
				 "ETag: \"one\"\r\nContent-Length: 6\r\n\r\n456789");
	else
		loopback_say(fd, "HTTP/1.1 200 OK\r\nETag: \"two\"\r\n"
				 "Content-Length: 10\r\n\r\nabcdefghij");
	return KEEP;
}

static struct outcome go_on(int sink, int64_t at, const char *validator, int says)
{
	struct http_request request = get("/v.mp4");

	memset(&begun, 0, sizeof(begun));
	begun.says = says;
	request.sink_fd = sink;
	request.resume_at = at;
	request.validator = validator;
	request.begin = begin;
	return run(request);
}

static void a_download_goes_on_only_in_the_same_version(void **state)
{
	AUTO_FD int sink = sink_with("0123");
	struct outcome outcome;

	(void)state;
	loopback_open(&server, versions);
	outcome = go_on(sink, 4, "\"one\"", 0);
	assert_int_equal(outcome.reply.result, CURLE_OK);
	assert_string_equal(content(sink), "0123456789");
	assert_int_equal(begun.file.start, 4);
	assert_int_equal(begun.file.length, 10);
	assert_string_equal(begun.validator, "\"one\"");
	outcome = go_on(sink, 4, "\"other\"", 0);
	assert_string_equal(content(sink), "abcdefghij");
	assert_int_equal(begun.file.start, 0);
	assert_string_equal(begun.validator, "\"two\"");
}

static void a_file_that_is_not_wanted_changes_nothing(void **state)
{
	AUTO_FD int sink = sink_with("0123");
	struct outcome outcome;

	(void)state;
	loopback_open(&server, versions);
	outcome = go_on(sink, 4, "\"other\"", -ESTALE);
	assert_int_equal(outcome.reply.result, CURLE_WRITE_ERROR);
	assert_int_equal(outcome.reply.local_error, -ESTALE);
	assert_int_equal(outcome.reply.received, 0);
	assert_int_equal(begun.calls, 1);
	assert_string_equal(content(sink), "0123");
}

#define ROOM (1 << 20)

static int take_room(void *context, const struct http_file *file)
{
	(void)context, (void)file;
	return fallocate(begun.says, FALLOC_FL_KEEP_SIZE, 0, ROOM) < 0 ? -errno : 0;
}

static void the_room_that_was_taken_for_a_file_stays_taken(void **state)
{
	AUTO_FD int sink = sink_with("0123");
	struct http_request request;
	struct outcome outcome;
	struct stat info;

	(void)state;
	loopback_open(&server, versions);
	request = get("/v.mp4");
	request.sink_fd = begun.says = sink;
	request.resume_at = 4;
	request.validator = "\"one\"";
	request.begin = take_room;
	outcome = run(request);
	assert_int_equal(outcome.reply.result, CURLE_OK);
	assert_string_equal(content(sink), "0123456789");
	assert_int_equal(fstat(sink, &info), 0);
	assert_true(info.st_blocks * 512 >= ROOM);
}

static const char *validator_line;

static enum then validated(struct loopback *s, int fd, int number)
{
	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 200 OK\r\n%s\r\n\r\n0123", validator_line);
	return CLOSE;
}

static void only_what_tells_versions_apart_is_a_validator(void **state)
{
	static const struct {
		const char *line, *validator;
	} cases[] = {
		{"ETag: \"a\"", "\"a\""},
		{"ETag: W/\"a\"", "none"},
		{"ETag: a", "none"},
		{"ETag: \"\xc3\xa4\"", "none"},
		{"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", "none"},
		{"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		 "Date: Sun, 06 Nov 1994 08:49:38 GMT",
			"none"},
		{"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		 "Date: Sun, 06 Nov 1994 08:59:37 GMT",
			"Sun, 06 Nov 1994 08:49:37 GMT"},
	};

	(void)state;
	loopback_open(&server, validated);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO_FD int sink = sink_with("");

		validator_line = cases[i].line;
		(void)go_on(sink, 0, NULL, 0);
		assert_string_equal(begun.validator, cases[i].validator);
		assert_int_equal(begun.file.length, -1);
	}
}

static void whether_the_server_marked_the_end_is_known(void **state)
{
	static const struct {
		const char *line;
		bool marked;
	} cases[] = {{"X: y", false}, {"Content-Length: 4", true}};

	(void)state;
	loopback_open(&server, validated);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO_FD int sink = sink_with("");
		struct outcome outcome;

		validator_line = cases[i].line;
		outcome = go_on(sink, 0, NULL, 0);
		assert_int_equal(outcome.reply.result, CURLE_OK);
		assert_int_equal(outcome.reply.end_marked, cases[i].marked);
	}
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

/* {"image":"…"} around the file, which was these bytes when it was judged. */
static struct http_request in_parts(int fd, const char *judged)
{
	static const char *const texts[] = {"{\"image\":\"", "\"}"};
	struct http_request request = get("/create");

	request.once = true;
	request.parts = 3;
	request.part = calloc(3, sizeof(*request.part));
	for (int i = 0; i < 2; i++)
		request.part[2 * i] = (struct http_part){
			.text = strdup(texts[i]), .bytes = (int64_t)strlen(texts[i]), .fd = -1};
	request.part[1].fd = dup(fd);
	request.part[1].bytes = (int64_t)strlen(judged);
	assert_int_equal(digest_bytes(judged, strlen(judged), request.part[1].sha256), 0);
	return request;
}

static void a_body_in_parts_arrives_under_its_length(void **state)
{
	AUTO_FD int picture = sink_with("the picture's bytes");
	struct outcome outcome;

	(void)state;
	loopback_open(&server, ok);
	outcome = run(in_parts(picture, "the picture's bytes"));
	assert_int_equal(outcome.reply.status, 200);
	assert_false(outcome.reply.unfinished);
	assert_int_equal(loopback_count(&server), 1);
	assert_has(loopback_request(&server, 1), "\r\nContent-Length: 40\r\n");
	assert_has(loopback_request(&server, 1), "\r\nContent-Type: application/json\r\n");
	assert_has(loopback_request(&server, 1),
		"\r\n\r\n{\"image\":\"dGhlIHBpY3R1cmUncyBieXRlcw==\"}");
}

static void a_body_of_another_picture_never_arrives_whole(void **state)
{
	AUTO_FD int picture = sink_with("the picture's bytes");
	struct outcome outcome;

	(void)state;
	loopback_open(&server, ok);
	outcome = run(in_parts(picture, "the picture's bytez"));
	assert_int_equal(outcome.reply.result, CURLE_READ_ERROR);
	assert_int_equal(outcome.reply.status, 0);
	assert_true(outcome.reply.unfinished);
	assert_has(outcome.error, "it has changed");
	assert_int_equal(loopback_count(&server), 0);
}

static void an_upload_of_another_picture_never_arrives_whole(void **state)
{
	AUTO_FD int picture = sink_with("the picture's bytes");
	char hex[DIGEST_HEX_BYTES];
	struct http_request request;
	struct outcome outcome;

	(void)state;
	loopback_open(&server, ok);
	request = upload(picture);
	assert_int_equal(digest_bytes("the picture's bytez", 19, hex), 0);
	request.form_sha256 = hex;
	outcome = run(request);
	assert_true(outcome.reply.unfinished);
	assert_int_equal(loopback_count(&server), 0);
	assert_int_equal(digest_bytes("the picture's bytes", 19, hex), 0);
	request = upload(picture);
	request.form_sha256 = hex;
	assert_int_equal(run(request).reply.status, 200);
}

/* Truncated by who saves it anew, between the last look at it and the request. */
static void a_picture_that_is_empty_now_is_not_sent(void **state)
{
	AUTO_FD int picture = sink_with("");
	char hex[DIGEST_HEX_BYTES];
	struct http_request request;
	struct http_transfer *transfer;
	struct outcome outcome;

	(void)state;
	loopback_open(&server, ok);
	request = in_parts(picture, "the picture's bytes");
	request.part[1].bytes = 0;
	outcome = run(request);
	assert_true(outcome.reply.unfinished);
	assert_int_equal(loopback_count(&server), 0);
	assert_int_equal(digest_bytes("the picture's bytes", 19, hex), 0);
	request = upload(picture);
	request.form_sha256 = hex;
	assert_int_equal(http_start(http, &request, keep, &outcome, &transfer), -ESTALE);
	assert_int_equal(loopback_count(&server), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(an_endless_file_is_cut),
		TEST(a_file_is_written_from_its_start),
		TEST(a_download_goes_on_where_it_stopped),
		TEST(a_server_without_ranges_starts_the_file_over),
		TEST(another_range_than_asked_for_is_refused),
		TEST(a_download_goes_on_only_in_the_same_version),
		TEST(a_file_that_is_not_wanted_changes_nothing),
		TEST(the_room_that_was_taken_for_a_file_stays_taken),
		TEST(only_what_tells_versions_apart_is_a_validator),
		TEST(whether_the_server_marked_the_end_is_known),
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
		TEST(a_body_in_parts_arrives_under_its_length),
		TEST(a_body_of_another_picture_never_arrives_whole),
		TEST(an_upload_of_another_picture_never_arrives_whole),
		TEST(a_picture_that_is_empty_now_is_not_sent),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = RUN_TESTS(argc, argv, tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}

/* http_client.h - what the tests of the HTTP client share: one client, one server, and a way to run
 * a request to its end. */
#ifndef KINOFS_TESTS_UNIT_HTTP_CLIENT_H
#define KINOFS_TESTS_UNIT_HTTP_CLIENT_H

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/limits.h"
#include "fs/net/transfer.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>

#include "tests/unit/loopback.h"
#include "tests/unit/run.h"

#define ENOUGH_MS 60000

/* A finished transfer, copied out of its callback. */
struct outcome {
	int calls;
	struct http_reply reply;
	char error[256], body[8192];
};

static inline void keep(void *context, const struct http_reply *reply)
{
	struct outcome *outcome = context;

	outcome->calls++;
	outcome->reply = *reply;
	(void)snprintf(outcome->error, sizeof(outcome->error), "%s", reply->error);
	(void)snprintf(outcome->body, sizeof(outcome->body), "%s", reply->body);
}

static struct http *http;
static struct loopback server;
static char url[128];

static inline int open_all(void **state)
{
	(void)state;
	http = http_new();
	return http ? 0 : -1;
}

static inline int close_all(void **state)
{
	(void)state;
	http_free(http);
	if (server.listener)
		loopback_close(&server);
	server.listener = 0;
	return 0;
}

static inline struct http_request get(const char *path)
{
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server.port, path);
	return (struct http_request){
		.url = url, .form_fd = -1, .sink_fd = -1, .timeout_ms = ENOUGH_MS};
}

static inline struct http_request post(const char *path, const char *body)
{
	struct http_request request = get(path);

	request.body = strdup(body);
	request.body_bytes = strlen(body);
	return request;
}

static inline void run_until(const int *calls, int wanted)
{
	int64_t end = clock_steady_ms() + ENOUGH_MS;

	while (*calls < wanted && clock_steady_ms() < end)
		http_run(http, 1000);
	assert_int_equal(*calls, wanted);
}

static inline struct outcome run(struct http_request request)
{
	struct outcome outcome = {0};
	struct http_transfer *transfer;

	assert_int_equal(http_start(http, &request, keep, &outcome, &transfer), 0);
	assert_null(request.body);
	assert_int_equal(outcome.calls, 0);
	run_until(&outcome.calls, 1);
	return outcome;
}

static inline void assert_has(const char *text, const char *part)
{
	if (!strcasestr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static inline void assert_has_not(const char *text, const char *part)
{
	if (strcasestr(text, part))
		fail_msg("\"%s\" is in \"%s\"", part, text);
}

static inline int sink_with(const char *text)
{
	int fd = memfd_create("sink", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static inline struct http_request upload(int fd)
{
	static const struct http_field fields[] = {{"folder", "kinofs"}, {"name", "a \"cat\""}};
	struct http_request request = get("/api/file-stream-upload");

	request.form_fd = fd;
	request.form_file_name = "a \"cat\"\r\nX-Bad: 1.png";
	request.form_mime = "image/png";
	request.form_field = fields;
	request.form_fields = 2;
	request.bearer = "a-key";
	return request;
}

static inline enum then ok(struct loopback *s, int fd, int number)
{
	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 200 OK\r\nContent-Type: Application/JSON;charset=UTF-8\r\n"
			 "Content-Length: 11\r\n\r\n{\"code\":200");
	return KEEP;
}

/* The first request is answered, and its connection kept; the next dies without an answer. */
static inline enum then die_when_reused(struct loopback *s, int fd, int number)
{
	return number == 1 ? ok(s, fd, number) : CLOSE;
}

static inline enum then moved(struct loopback *s, int fd, int number)
{
	if (number > 1)
		return ok(s, fd, number);
	loopback_say(
		fd, "HTTP/1.1 307 Moved\r\nLocation: /there\r\nContent-Length: 5\r\n\r\nmoved");
	return KEEP;
}

static inline enum then stall(struct loopback *s, int fd, int number)
{
	(void)s, (void)fd, (void)number;
	return HOLD;
}

static inline enum then too_many(struct loopback *s, int fd, int number)
{
	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 429 Slow Down\r\nContent-Length: 0\r\nRetry-After: 7\r\n\r\n");
	return KEEP;
}

static inline enum then truncated(struct loopback *s, int fd, int number)
{
	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	return CLOSE;
}

static inline enum then endless(struct loopback *s, int fd, int number)
{
	static const char block[65536] = "x";

	(void)s, (void)number;
	loopback_say(fd, "HTTP/1.1 200 OK\r\n\r\n");
	while (send(fd, block, sizeof(block), MSG_NOSIGNAL) > 0)
		;
	return CLOSE;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

#endif

/*
 * result.c - links to finished videos and what is behind them.
 *
 * kie.ai's links are plain. PPInfra's look presigned by Tencent COS (fs/net/API.md 7.3): they carry
 * a time window and a signature, and answer 403 with XML outside of it. A link sent an
 * Authorization header answers 400, so that a client that leaks its key is noticed.
 */
#include "contrib/simulator/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FOLDER "/files/"

static void say_xml(struct reply *reply, int status, const char *code, const char *message)
{
	AUTO_FREE char *text = NULL;

	if (asprintf(&text,
		    "<?xml version='1.0' encoding='utf-8' ?>\n<Error>\n\t<Code>%s</Code>\n"
		    "\t<Message>%s</Message>\n</Error>\n",
		    code, message) < 0)
		text = NULL;
	reply_text(reply, status, "application/xml", text ? text : "");
}

char *result_path(const struct task *task)
{
	char *path = NULL;

	if (sim.clip)
		return strdup(sim.clip);
	return asprintf(&path, "%s/%s.mp4", sim.directory, task->id) < 0 ? NULL : path;
}

static void sign(const struct task *task, const char *window, char signature[41])
{
	char text[128];

	(void)snprintf(text, sizeof(text), "%s %s", task->id, window); /* 36 + 1 + 42 at most */
	sign_hex(text, signature);
}

char *result_link(const struct task *task, int seconds)
{
	char *link = NULL;
	char window[48];
	char signature[41];
	int64_t now = (int64_t)now_seconds();
	int length;

	if (!seconds) {
		length = asprintf(&link, "%s" FOLDER "%s.mp4", sim.base, task->id);
		return length < 0 ? NULL : link;
	}
	(void)snprintf(window, sizeof(window), "%" PRId64 ";%" PRId64, now, now + seconds);
	sign(task, window, signature);
	length = asprintf(&link,
		"%s" FOLDER "%s.mp4?q-sign-algorithm=sha1&q-ak=simulator&q-sign-time=%s"
		"&q-key-time=%s&q-header-list=host&q-url-param-list=&q-signature=%s",
		sim.base, task->id, window, window, signature);
	return length < 0 ? NULL : link;
}

struct task *result_task(const char *path)
{
	char id[40];
	size_t length;
	struct task *task;

	if (!path)
		return NULL;
	if (!strncmp(path, sim.base, strlen(sim.base)))
		path += strlen(sim.base);
	if (strncmp(path, FOLDER, strlen(FOLDER)) != 0)
		return NULL;
	path += strlen(FOLDER);
	length = strcspn(path, ".?/");
	if (length >= sizeof(id) || strncmp(path + length, ".mp4", 4) != 0)
		return NULL;
	(void)snprintf(id, sizeof(id), "%.*s", (int)length, path);
	task = task_find(KIE, id);
	return task ? task : task_find(PPINFRA, id);
}

/* A signature that is there must be good; PPInfra's links need one. */
static bool is_signed(const struct request *request)
{
	const char *window = request_argument(request, "q-sign-time");
	const char *signature = request_argument(request, "q-signature");
	char expected[41];
	int64_t start, end;
	double now = now_seconds();

	if (!window && !signature)
		return model_provider(request->task->model) == KIE;
	if (!window || !signature || strlen(window) >= 48 ||
		sscanf(window, "%" SCNd64 ";%" SCNd64, &start, &end) != 2)
		return false;
	sign(request->task, window, expected);
	return !strcmp(signature, expected) && now < (double)end;
}

/* RFC 9110 14.1.2: one range of bytes; anything else is ignored. 0: none, -1: beyond the file. */
static int read_range(const char *text, size_t size, size_t *start, size_t *end)
{
	uintmax_t from = 0, to = size - 1;
	bool is_suffix = text && !strncmp(text, "bytes=-", 7);
	int length = 0;

	if (is_suffix && sscanf(text, "bytes=-%ju%n", &to, &length) == 1 && !text[length]) {
		from = to < size ? size - to : 0;
		to = to ? size - 1 : 0;
		if (!to)
			return -1;
	} else if (!text || is_suffix || strchr(text, ',') ||
		   sscanf(text, "bytes=%ju-%ju", &from, &to) < 1) {
		return 0;
	}
	if (from >= size)
		return -1;
	*start = from;
	*end = to < size ? to : size - 1;
	return *end >= *start;
}

static void reply_range(struct reply *reply, const char *text)
{
	size_t size = reply->length;
	size_t start = 0, end = 0;
	int has_range = read_range(text, size, &start, &end);
	char range[80];

	reply_header(reply, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	if (!has_range)
		return;
	if (has_range < 0) {
		say_xml(reply, 416, "InvalidRange", "The requested range cannot be satisfied.");
		(void)snprintf(range, sizeof(range), "bytes */%zu", size);
	} else {
		reply->status = 206;
		reply->offset = (off_t)start;
		reply->length = end - start + 1;
		(void)snprintf(range, sizeof(range), "bytes %zu-%zu/%zu", start, end, size);
	}
	reply_header(reply, MHD_HTTP_HEADER_CONTENT_RANGE, range);
}

void result_get(struct request *request)
{
	struct reply *reply = &request->reply;
	AUTO_FREE char *path = NULL;

	if (request_header(request, MHD_HTTP_HEADER_AUTHORIZATION)) {
		say_xml(reply, 400, "InvalidArgument", "A result link takes no Authorization.");
		return;
	}
	if (request->task)
		task_settle(request->task);
	if (!request->task || request->task->state != TASK_SUCCESS) {
		say_xml(reply, 404, "NoSuchKey", "The specified key does not exist.");
		return;
	}
	if (request->task->expired || !is_signed(request)) {
		say_xml(reply, 403, "AccessDenied", "Request has expired");
		return;
	}
	path = result_path(request->task);
	reply_file(reply, path, "video/mp4");
	if (reply->status == 200)
		reply_range(reply, request_header(request, MHD_HTTP_HEADER_RANGE));
}

static void fault_http(struct reply *reply, int status)
{
	say_xml(reply, status, "InternalError", "a fault of the simulator");
}

const struct api result_api = {fault_http, NULL};

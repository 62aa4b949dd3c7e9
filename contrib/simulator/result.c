/*
 * result.c - what a task has made: its file types, the links to them and what is behind those.
 *
 * kie.ai's links are plain. PPInfra's look presigned by Tencent COS (fs/net/API.md 7.3): they carry
 * a time window and a signature, and answer 403 with XML outside of it. A link sent an
 * Authorization header answers 400, so that a client that leaks its key is noticed.
 */
#include "contrib/simulator/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

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

static const struct type {
	const char *name; /* the suffix, and ffmpeg's way to choose an encoder */
	enum kind kind;
	const char *mime;
} types[] = {
	{"mp4", KIND_VIDEO, "video/mp4"}, /* the first of a kind is the usual one */
	{"mov", KIND_VIDEO, "video/quicktime"},
	{"png", KIND_IMAGE, "image/png"},
	{"jpg", KIND_IMAGE, "image/jpeg"},
	{"jpeg", KIND_IMAGE, "image/jpeg"},
	{"webp", KIND_IMAGE, "image/webp"},
	{"mp3", KIND_AUDIO, "audio/mpeg"},
	{"wav", KIND_AUDIO, "audio/wav"},
	{"flac", KIND_AUDIO, "audio/flac"},
	{"ogg", KIND_AUDIO, "audio/ogg"},
	{"m4a", KIND_AUDIO, "audio/mp4"},
};

static const struct type *find_type(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcasecmp(types[i].name, name))
			return &types[i];
	return NULL;
}

bool result_kind(const char *name, enum kind *ret_kind)
{
	const struct type *type = find_type(name);

	if (type)
		*ret_kind = type->kind;
	return type != NULL;
}

const char *result_type(enum kind kind, const char *wanted)
{
	const struct type *type = wanted ? find_type(wanted) : NULL;

	if (type && type->kind == kind)
		return type->name;
	type = types;
	while (type->kind != kind)
		type++;
	return type->name;
}

/* ID.mp4, and ID.2.png behind it. */
static char *result_name(const struct task *task, size_t number)
{
	const char *type = task->results[number];
	char *name = NULL;

	if (number)
		return asprintf(&name, "%s.%zu.%s", task->id, number + 1, type) < 0 ? NULL : name;
	return asprintf(&name, "%s.%s", task->id, type) < 0 ? NULL : name;
}

char *result_path(const struct task *task, size_t number)
{
	const char *clip = sim.clips[find_type(task->results[number])->kind];
	AUTO_FREE char *name = clip ? NULL : result_name(task, number);
	char *path = NULL;

	if (clip)
		return strdup(clip);
	return !name || asprintf(&path, "%s/%s", sim.directory, name) < 0 ? NULL : path;
}

static void sign(const struct task *task, const char *window, char signature[41])
{
	char text[128];

	(void)snprintf(text, sizeof(text), "%s %s", task->id, window); /* 36 + 1 + 42 at most */
	sign_hex(text, signature);
}

char *result_link(const struct task *task, size_t number, int seconds)
{
	AUTO_FREE char *name = result_name(task, number);
	char *link = NULL;
	char window[48];
	char signature[41];
	int64_t now = (int64_t)now_seconds();
	int length;

	if (!name)
		return NULL;
	if (!seconds) {
		length = asprintf(&link, "%s" FOLDER "%s", sim.base, name);
		return length < 0 ? NULL : link;
	}
	(void)snprintf(window, sizeof(window), "%" PRId64 ";%" PRId64, now, now + seconds);
	sign(task, window, signature);
	length = asprintf(&link,
		"%s" FOLDER "%s?q-sign-algorithm=sha1&q-ak=simulator&q-sign-time=%s"
		"&q-key-time=%s&q-header-list=host&q-url-param-list=&q-signature=%s",
		sim.base, name, window, window, signature);
	return length < 0 ? NULL : link;
}

struct task *result_task(const char *path, size_t *ret_number)
{
	size_t length;
	struct task *task;
	char id[40];

	if (!path)
		return NULL;
	if (!strncmp(path, sim.base, strlen(sim.base)))
		path += strlen(sim.base);
	if (strncmp(path, FOLDER, strlen(FOLDER)) != 0)
		return NULL;
	path += strlen(FOLDER);
	if (strcspn(path, "./?") >= sizeof(id))
		return NULL;
	(void)snprintf(id, sizeof(id), "%.*s", (int)strcspn(path, "./?"), path);
	task = task_find_any(id);
	length = strcspn(path, "/?");
	for (size_t number = 0; task && number < task->result_count; number++) {
		AUTO_FREE char *name = result_name(task, number);

		if (!name || strlen(name) != length || strncmp(name, path, length) != 0)
			continue;
		if (ret_number)
			*ret_number = number;
		return task;
	}
	return NULL;
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
		return request->task->provider == KIE;
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

/* A strong ETag for each version of the file; a range only of the one asked for (RFC 9110, 13.1.5).
 */
static void reply_part(struct request *request, const char *path)
{
	const char *wanted = request_header(request, MHD_HTTP_HEADER_IF_RANGE);
	struct stat info = {0};
	char tag[64];

	(void)stat(path, &info); /* it was opened just now */
	(void)snprintf(tag, sizeof(tag), "\"%jx-%jx-%lx\"", (uintmax_t)info.st_size,
		(uintmax_t)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
	reply_header(&request->reply, MHD_HTTP_HEADER_ETAG, tag);
	if (!wanted || !strcmp(wanted, tag))
		reply_range(&request->reply, request_header(request, MHD_HTTP_HEADER_RANGE));
}

void result_get(struct request *request)
{
	struct reply *reply = &request->reply;
	AUTO_FREE char *path = NULL;
	size_t number = 0;

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
	(void)result_task(request->path, &number); /* as route.c has found it */
	path = result_path(request->task, number);
	reply_file(reply, path, find_type(request->task->results[number])->mime);
	if (reply->status == 200)
		reply_part(request, path);
}

static void fault_http(struct reply *reply, int status)
{
	say_xml(reply, status, "InternalError", "a fault of the simulator");
}

const struct api result_api = {fault_http, NULL};

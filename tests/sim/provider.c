/* provider.c - http.h without a network: two providers that lose, delay, repeat and refuse. */
#include "fs/net/http.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/json.h"
#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct http_transfer {
	http_done *done;
	void *context;
	struct http_transfer *next;
	int64_t due_ms;
	CURLcode result;
	bool sent, resumed;
	long status;
	char body[512];
	int task; /* a create that was accepted, a poll that says failed; else -1 */
	bool is_create;
	int order;
	int sink_fd;
	int64_t at;
	size_t bytes;
	char video[256];
};

struct http {
	struct http_transfer *first;
};

struct task task[TASKS];
int tasks;
static struct http *current;
static bool is_kind;
static unsigned one_fails_in;
static const char *script;

void provider_begin(void)
{
	tasks = 0;
	is_kind = false;
	one_fails_in = chance(STREAM_CREATE, 4) ? 10 : 2;
	script = "";
}

void provider_script(const char *outcomes)
{
	script = outcomes;
}

void provider_be_kind(bool kind)
{
	is_kind = kind;
}

size_t provider_video(const char *name, char bytes[256])
{
	static const char head[] = "\0\0\0\x18"
				   "ftypisom\0\0\2\0isommp42"
				   "\0\0\0\x20"
				   "moov\0\0\0\x08mvhd\0\0\0\x10trak\0\0\0\x08tkhd"
				   "\0\0\0\x20"
				   "mdat";

	memset(bytes, ' ', 256);
	memcpy(bytes, head, sizeof(head) - 1);
	memcpy(bytes + sizeof(head) - 1, name, strlen(name));
	return sizeof(head) - 1 + 24;
}

/* ------------------------------------------------------------------ creates */

static const char *say(struct http_transfer *transfer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static const char *say(struct http_transfer *transfer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(transfer->body, sizeof(transfer->body), format, arguments);
	va_end(arguments);
	return transfer->body;
}

static int picture_of(const char *value)
{
	size_t small, large;

	if (!value)
		return -1;
	(void)picture_bytes(0, &small);
	(void)picture_bytes(1, &large);
	for (int picture = 0; picture < 2; picture++)
		if (strstr(value, picture_digest(picture)))
			return picture;
	return strlen(strchr(value, ',') ? strchr(value, ',') : "") > (small + 2) / 3 * 4 + 1;
}

static int flag_of(const cJSON *input, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(input, name);

	return !item ? -1 : cJSON_IsTrue(item) ? 1 : 0;
}

/* What was ordered, in the words of user_says(). */
static int order_of(const struct http_request *request, bool is_flat)
{
	AUTO_JSON cJSON *body = cJSON_Parse(request->body);
	const cJSON *input = is_flat ? body : json_object(body, "input");
	const char *name = is_flat ? NULL : json_text(body, "model");
	int model = is_flat ? 1 : name && strstr(name, "image") ? 2 : 0;
	static const char *const flags[MODELS] = {
		"prompt_optimizer", "fast_pretreatment", "nsfw_checker"};
	char key[64];

	if (cJSON_GetObjectItemCaseSensitive(input, "takes"))
		failed("money: takes was sent");
	(void)snprintf(key, sizeof(key), "%d|%s|%d|%d", model, json_text(input, "prompt") ?: "?",
		flag_of(input, flags[model]),
		picture_of(json_text(input, model == 1 ? "image" : "image_url")));
	return order_number(key);
}

static void accept_task(struct http_transfer *transfer)
{
	struct task *new = &task[tasks];

	if (tasks == TASKS) {
		failed("money: %d tasks", tasks);
		return;
	}
	*new = (struct task){.order = transfer->order,
		.left = (int)chance(STREAM_CREATE, 4),
		.videos = 1 + (chance(STREAM_CREATE, 8) == 0),
		.fails = !is_kind && chance(STREAM_CREATE, one_fails_in) == 0};
	(void)snprintf(new->id, sizeof(new->id), "T%d", tasks);
	transfer->task = tasks++;
	allowed_taken(transfer->order);
}

static void refuse(struct http_transfer *transfer, bool is_flat, int code, const char *reason)
{
	transfer->status = is_flat ? code : 200;
	if (is_flat)
		say(transfer, "{\"reason\":\"%s\",\"message\":\"no\"}", reason);
	else
		say(transfer, "{\"code\":%d,\"msg\":\"no\"}", code);
}

/* Out of 100 creates, the first number of each outcome. */
enum { LOST = 0, NEVER_CAME = 6, LATER = 10, REFUSED = 16, BLOCKED = 19, ACCEPTED = 22 };

static void start_create(
	struct http_transfer *transfer, const struct http_request *request, bool is_flat)
{
	unsigned luck = is_kind ? ACCEPTED : chance(STREAM_CREATE, 100);
	char outcome = *script ? *script++ : '\0';

	switch (outcome) {
	case 'l': luck = LOST; break;
	case 'n': luck = NEVER_CAME; break;
	case 'w': luck = LATER; break;
	case 'r': luck = REFUSED; break;
	case 'b': luck = BLOCKED; break;
	default: break;
	}
	transfer->is_create = true;
	transfer->order = order_of(request, is_flat);
	if (!request->once)
		failed("money: a create may go on the wire twice");
	allowed_sent(transfer->order);
	transfer->due_ms += is_kind ? 100 : 50 + chance(STREAM_CREATE, 16) * 300;
	if (luck < LATER) { /* it came, or not; nobody will ever know */
		transfer->result = CURLE_RECV_ERROR;
		transfer->status = 0;
		if (luck < NEVER_CAME)
			accept_task(transfer);
	} else if (luck < REFUSED) {
		refuse(transfer, is_flat, 429, "RATE_LIMIT_EXCEEDED");
	} else if (luck < BLOCKED) {
		refuse(transfer, is_flat, is_flat ? 400 : 422, "ILLEGAL_PROMPT");
		allowed_refused(transfer->order);
	} else if (luck < ACCEPTED) {
		refuse(transfer, is_flat, 402, "NOT_ENOUGH_BALANCE");
	} else {
		accept_task(transfer);
		if (transfer->task < 0)
			return;
		task[transfer->task].fails = outcome == 'f' || task[transfer->task].fails;
		if (is_flat)
			say(transfer, "{\"task_id\":\"%s\"}", task[transfer->task].id);
		else
			say(transfer,
				"{\"code\":200,\"msg\":\"success\",\"data\":{\"taskId\":\"%s\"}}",
				task[transfer->task].id);
	}
}

/* ------------------------------------------------------------------ the rest */

static void say_success(struct http_transfer *transfer, const struct task *of, bool is_flat)
{
	const char *second = of->videos > 1 ? "1" : NULL;
	char links[256];
	const char *quote = is_flat ? "\"" : "\\\"";
	const char *open = is_flat ? "{\"video_url\":" : "";
	const char *close = is_flat ? "}" : "";

	(void)snprintf(links, sizeof(links), "%s%shttps://files.example/v/%s-0%s%s", open, quote,
		of->id, quote, close);
	if (second)
		(void)snprintf(links + strlen(links), sizeof(links) - strlen(links),
			",%s%shttps://files.example/v/%s-1%s%s", open, quote, of->id, quote, close);
	if (is_flat)
		say(transfer, "{\"task\":{\"status\":\"TASK_STATUS_SUCCEED\"},\"videos\":[%s]}",
			links);
	else
		say(transfer,
			"{\"code\":200,\"data\":{\"state\":\"success\",\"resultJson\":"
			"\"{\\\"resultUrls\\\":[%s]}\"}}",
			links);
}

static void start_poll(struct http_transfer *transfer, const char *id, bool is_flat)
{
	struct task *of = NULL;
	unsigned luck = is_kind ? 99 : chance(STREAM_POLL, 100);

	transfer->due_ms += is_kind ? 50 : 50 + chance(STREAM_POLL, 8) * 200;
	for (int i = 0; i < tasks && !of; i++)
		if (!strcmp(task[i].id, id))
			of = &task[i];
	if (!of) {
		failed("poll: nobody accepted %s", id);
	} else if (luck < 8) {
		transfer->result = CURLE_COULDNT_CONNECT;
		transfer->status = 0;
	} else if (luck < 12) {
		refuse(transfer, is_flat, 404, "TASK_NOT_FOUND");
	} else if (of->left-- > 0) {
		say(transfer, is_flat ? "{\"task\":{\"status\":\"TASK_STATUS_PROCESSING\"}}"
				      : "{\"code\":200,\"data\":{\"state\":\"generating\"}}");
	} else if (of->fails) {
		transfer->task = (int)(of - task);
		say(transfer, is_flat ? "{\"task\":{\"status\":\"TASK_STATUS_FAILED\"}}"
				      : "{\"code\":200,\"data\":{\"state\":\"fail\"}}");
	} else {
		say_success(transfer, of, is_flat);
	}
}

static void start_download(
	struct http_transfer *transfer, const struct http_request *request, const char *name)
{
	unsigned luck = is_kind ? 99 : chance(STREAM_FILE, 100);

	transfer->due_ms += is_kind ? 50 : 50 + chance(STREAM_FILE, 8) * 300;
	transfer->bytes = provider_video(name, transfer->video);
	transfer->at = request->resume_at;
	transfer->sink_fd = dup(request->sink_fd);
	if ((size_t)transfer->at > transfer->bytes) {
		transfer->status = 416;
		transfer->bytes = 0;
	} else if (luck < 10) {
		transfer->result = CURLE_PARTIAL_FILE;
		transfer->bytes -= chance(STREAM_FILE, 20);
	} else if (luck < 15) {
		transfer->status = luck < 12 ? 404 : 503;
		transfer->bytes = 0;
	} else if (transfer->at > 0) {
		transfer->status = 206;
		transfer->resumed = true;
	}
}

static void start_upload(struct http_transfer *transfer, const char *name)
{
	unsigned luck = is_kind ? 99 : chance(STREAM_FILE, 100);

	transfer->due_ms += 50 + chance(STREAM_FILE, 4) * 500;
	if (luck < 4) {
		refuse(transfer, false, 413, "");
		allowed_refused_all();
	} else if (luck < 8) {
		refuse(transfer, false, 402, "");
	} else if (luck < 16) {
		transfer->status = 500;
	} else {
		say(transfer,
			"{\"code\":200,\"success\":true,\"data\":{\"downloadUrl\":"
			"\"https://files.example/u/%s\"}}",
			name);
	}
}

static void start(struct http_transfer *transfer, const struct http_request *request)
{
	bool is_flat = strstr(request->url, "/v3/async/") != NULL;
	const char *id;

	if ((id = strstr(request->url, "ask_id=")) || (id = strstr(request->url, "askId=")))
		start_poll(transfer, strchr(id, '=') + 1, is_flat);
	else if (strstr(request->url, "/createTask") || (is_flat && request->body))
		start_create(transfer, request, is_flat);
	else if (request->form_fd >= 0)
		start_upload(transfer, request->form_file_name);
	else if ((id = strstr(request->url, "/v/")))
		start_download(transfer, request, id + 3);
	else /* the service for new links does not know it */
		say(transfer, "{\"code\":404,\"msg\":\"no\"}");
}

/* ------------------------------------------------------------------ http.h */

struct http *http_new(void)
{
	current = calloc(1, sizeof(*current));
	return current;
}

static void drop(struct http_transfer *transfer)
{
	cleanup_fd(&transfer->sink_fd);
	free(transfer);
}

void http_free(struct http *http)
{
	while (http && http->first)
		http_cancel(http, http->first);
	free(http);
	current = NULL;
}

int http_start(struct http *http, struct http_request *request, http_done *done, void *context,
	struct http_transfer **transfer)
{
	struct http_transfer *new = calloc(1, sizeof(*new));

	if (!new)
		abort();
	*new = (struct http_transfer){.done = done,
		.context = context,
		.next = http->first,
		.due_ms = clock_steady_ms(),
		.result = CURLE_OK,
		.status = 200,
		.sent = true,
		.task = -1,
		.sink_fd = -1};
	http->first = *transfer = new;
	if (life_effect()) {
		start(new, request);
		(void)life_effect();
	}
	free(request->body);
	return 0;
}

static void take_out(struct http *http, struct http_transfer *transfer)
{
	struct http_transfer **link = &http->first;

	while (*link != transfer)
		link = &(*link)->next;
	*link = transfer->next;
}

void http_cancel(struct http *http, struct http_transfer *transfer)
{
	take_out(http, transfer);
	drop(transfer);
}

int64_t provider_next_ms(void)
{
	int64_t next = INT64_MAX;

	for (struct http_transfer *at = current ? current->first : NULL; at; at = at->next)
		next = at->due_ms < next ? at->due_ms : next;
	return next;
}

static void finish(struct http_transfer *transfer)
{
	struct http_reply reply = {.result = transfer->result,
		.error = transfer->result == CURLE_OK ? "" : "broke off",
		.sent = transfer->sent,
		.status = transfer->status,
		.body = transfer->body,
		.body_bytes = strlen(transfer->body),
		.content_type = "application/json",
		.content_length = -1,
		.resumed = transfer->resumed,
		.retry_after_ms = -1};

	if (transfer->sink_fd >= 0 && (int64_t)transfer->bytes > transfer->at) {
		reply.received = (int64_t)transfer->bytes - transfer->at;
		(void)!pwrite(transfer->sink_fd, transfer->video + transfer->at,
			(size_t)reply.received, transfer->at);
	}
	if (transfer->task >= 0 && !transfer->is_create)
		allowed_task_failed(task[transfer->task].order);
	transfer->done(transfer->context, &reply);
	drop(transfer);
}

void provider_deliver(void)
{
	struct http_transfer *due;

	while (current && !life_is_dead) {
		due = NULL;
		for (struct http_transfer *at = current->first; at; at = at->next)
			if (at->due_ms <= clock_steady_ms() && (!due || at->due_ms < due->due_ms))
				due = at;
		if (!due)
			return;
		take_out(current, due);
		finish(due);
	}
}

void http_run(struct http *http, int64_t wait_ms)
{
	int64_t next = provider_next_ms(), end = clock_steady_ms() + wait_ms;

	(void)http;
	clock_go_to(next < end ? next : end);
	provider_deliver();
}

void http_wake(struct http *http)
{
	(void)http;
}

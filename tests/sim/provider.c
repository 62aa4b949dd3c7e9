/* provider.c - http.h without a network: two providers that lose, delay, repeat and refuse. */
#include "fs/net/http.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/digest.h"
#include "fs/base/json.h"
#include "fs/net/parts.h"
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
	bool sent, unfinished;
	long status;
	char body[640];
	int task; /* a create that was accepted, a poll that says failed; else -1 */
	bool is_create;
	int order;
	int sink_fd;
	http_begin *begin;
	struct download file;
};

struct http {
	struct http_transfer *first;
};

struct task task[TASKS];
int tasks, provider_uploads, provider_polls, provider_renewed;
static struct http *current;
#define SLOWLY_MS 5000

static bool is_kind;
static unsigned one_fails_in;
static const char *script;
static int hung_polls, hung_files, lost, endless; /* of tasks below this number */

static const char *named, *path; /* of results; NULL: as they are */

static bool renews_links;
static int64_t takes_ms;
static int64_t polled_ms[128]; /* the last polls, a ring */
static int peak;

/* How many came within the last second. */
static void note_poll(void)
{
	const int room = sizeof(polled_ms) / sizeof(polled_ms[0]);
	int within = 0;

	polled_ms[provider_polls++ % room] = clock_steady_ms();
	while (within < room && within < provider_polls &&
		polled_ms[(provider_polls - 1 - within) % room] > clock_steady_ms() - 1000)
		within++;
	peak = within > peak ? within : peak;
}

int provider_peak(void)
{
	return peak;
}

void provider_take(int64_t ms)
{
	takes_ms = ms;
}

void provider_begin(void)
{
	takes_ms = peak = 0;
	tasks = provider_uploads = provider_polls = provider_renewed = 0;
	is_kind = false;
	one_fails_in = chance(STREAM_CREATE, 4) ? 10 : 2;
	script = "";
	named = path = NULL;
	renews_links = false;
	hung_polls = hung_files = lost = endless = 0;
	results_begin();
}

void provider_hang(int polls, int files)
{
	hung_polls = polls;
	hung_files = files;
}

void provider_name(const char *numbers, const char *beginning)
{
	named = numbers;
	path = beginning;
}

void provider_renew_links(void)
{
	renews_links = true;
}

void provider_script(const char *outcomes)
{
	script = outcomes;
}

void provider_be_kind(bool kind)
{
	is_kind = kind;
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
static int order_of(const char *text, bool is_flat)
{
	AUTO_JSON cJSON *body = cJSON_Parse(text);
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
		.fails = !is_kind && chance(STREAM_CREATE, one_fails_in) == 0};
	if (takes_ms)
		new->ends_ms = clock_steady_ms() + takes_ms *(90 + chance(STREAM_CREATE, 21)) / 100;
	results_draw(new, is_kind);
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

/* It takes no request with this picture; 500 as fs/net/API.md 5 says. */
static void refuse_picture(struct http_transfer *transfer, bool is_flat)
{
	refuse(transfer, is_flat, is_flat ? 400 : 500, "INVALID_IMAGE_FORMAT");
	if (!is_flat)
		say(transfer, "{\"code\":500,\"msg\":\"The image could not be downloaded\"}");
	allowed_refused(transfer->order);
}

static void say_accepted(struct http_transfer *transfer, const char *id, bool is_flat)
{
	if (is_flat)
		say(transfer, "{\"task_id\":\"%s\"}", id);
	else
		say(transfer, "{\"code\":200,\"msg\":\"success\",\"data\":{\"taskId\":\"%s\"}}",
			id);
}

/* Out of 100 creates, the first number of each outcome. */
enum { LOST = 0, NEVER_CAME = 6, LATER = 10, REFUSED = 16, BLOCKED = 19, ACCEPTED = 22 };

/* The body as a server has it; the caller frees. NULL: never whole. */
static char *body_of(struct http_request *request)
{
	struct parts *parts;
	char *body = TAKE(request->body);
	ssize_t got = 1;

	if (!request->part)
		return body;
	parts = parts_new(TAKE(request->part), request->parts);
	body = parts ? calloc(1, (size_t)parts_bytes(parts) + 1) : NULL;
	if (!body)
		abort();
	while (got > 0) /* in odd pieces */
		got = parts_read(parts, body + strlen(body), 7);
	if (got == 0 && strlen(body) != (size_t)parts_bytes(parts))
		failed("a body is not as long as it says");
	parts_free(parts);
	if (got < 0)
		free(TAKE(body));
	return body;
}

static void break_off(struct http_transfer *transfer)
{
	transfer->result = CURLE_READ_ERROR;
	transfer->status = 0;
	transfer->unfinished = true;
}

static void start_create(struct http_transfer *transfer, struct http_request *request, bool is_flat)
{
	AUTO_FREE char *body = body_of(request);
	unsigned luck = is_kind ? ACCEPTED : chance(STREAM_CREATE, 100);
	char outcome;

	if (!body) {
		break_off(transfer);
		if (*script == 'h') {
			script++;
			refuse(transfer, is_flat, is_flat ? 400 : 422, "ILLEGAL_PROMPT");
		}
		return;
	}
	outcome = *script ? *script++ : '\0';
	switch (outcome) {
	case 'l': luck = LOST; break;
	case 'n': luck = NEVER_CAME; break;
	case 'w': luck = LATER; break;
	case 'r': luck = REFUSED; break;
	case 'b': luck = BLOCKED; break;
	default: break;
	}
	transfer->is_create = true;
	transfer->order = order_of(body, is_flat);
	if (!request->once)
		failed("money: a create may go on the wire twice");
	allowed_sent(transfer->order);
	transfer->due_ms += outcome == 'd' ? SLOWLY_MS
	                    : is_kind      ? 100
	                                   : 50 + chance(STREAM_CREATE, 16) * 300;
	if (outcome == 'p') {
		refuse_picture(transfer, is_flat);
	} else if (luck < LATER) { /* it came, or not; nobody will ever know */
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
		task[transfer->task].blames_picture = outcome == 'q';
		task[transfer->task].fails =
			outcome == 'f' || outcome == 'q' || task[transfer->task].fails;
		task[transfer->task].names_nothing =
			outcome == 'e' || task[transfer->task].names_nothing;
		say_accepted(transfer, task[outcome == 's' ? 0 : transfer->task].id, is_flat);
	}
}

/* ------------------------------------------------------------------ the rest */

static void say_success(struct http_transfer *transfer, const struct task *of, bool is_flat)
{
	char links[384] = "", still[128] = "";
	const char *quote = is_flat ? "\"" : "\\\"";
	const char *numbers = named ?: of->results;
	/* in another order whenever it is not kind; at first as they are */
	size_t turned = is_kind ? 0 : (size_t)(of->polls - of->first_told);
	size_t at = 0;

	for (size_t k = 0; numbers[k]; k++) {
		int i = named ? numbers[k] - '0' : (int)((k + turned) % strlen(numbers));

		if (of->results[i] == 's') { /* one at most */
			(void)snprintf(still, sizeof(still),
				",\\\"lastFrameUrl\\\":[\\\"https://files.example/%s/v/%s-%d?t=%d\\\"]",
				path ?: "a", of->id, i, of->polls);
			continue;
		}
		at += (size_t)snprintf(links + at, sizeof(links) - at,
			"%s%s%s%s/%s/v/%s-%d?t=%d%s%s", at ? "," : "",
			is_flat ? "{\"video_url\":" : "", quote,
			of->results[i] == 'u' ? "ftp://files.example" : "https://files.example",
			path ?: "a", of->id, i, of->polls, quote, is_flat ? "}" : "");
	}
	if (is_flat)
		say(transfer, "{\"task\":{\"status\":\"TASK_STATUS_SUCCEED\"},\"videos\":[%s]}",
			links);
	else
		say(transfer,
			"{\"code\":200,\"data\":{\"state\":\"success\",\"resultJson\":"
			"\"{\\\"resultUrls\\\":[%s]%s}\"}}",
			links, still);
}

void provider_lose(int count)
{
	lost = count;
}

void provider_never_end(int count)
{
	endless = count;
}

static void hang(struct http_transfer *transfer, const struct http_request *request)
{
	transfer->due_ms += request->timeout_ms ? request->timeout_ms : 600 * 1000;
	transfer->result = CURLE_OPERATION_TIMEDOUT;
	transfer->status = 0;
}

static void start_poll(struct http_transfer *transfer, const struct http_request *request,
	const char *id, bool is_flat)
{
	struct task *of = NULL;
	unsigned luck = is_kind ? 99 : chance(STREAM_POLL, 100);

	note_poll();
	transfer->due_ms += is_kind ? 50 : 50 + chance(STREAM_POLL, 8) * 200;
	for (int i = 0; i < tasks && !of; i++)
		if (!strcmp(task[i].id, id))
			of = &task[i];
	if (!of) {
		failed("poll: nobody accepted %s", id);
	} else if (of - task < hung_polls) {
		hang(transfer, request);
	} else if (of - task < lost) {
		refuse(transfer, is_flat, 404, "TASK_NOT_FOUND");
	} else if (of - task < endless) {
		say(transfer, "{\"code\":200,\"data\":{\"state\":\"TELEPORTING\"}}");
	} else if (luck < 8) {
		transfer->result = CURLE_COULDNT_CONNECT;
		transfer->status = 0;
	} else if (luck < 12) {
		refuse(transfer, is_flat, 404, "TASK_NOT_FOUND");
	} else if (of->polls++, of->ends_ms ? clock_steady_ms() < of->ends_ms : of->left-- > 0) {
		say(transfer, is_flat ? "{\"task\":{\"status\":\"TASK_STATUS_PROCESSING\"}}"
				      : "{\"code\":200,\"data\":{\"state\":\"generating\"}}");
	} else if (of->names_nothing) {
		transfer->task = (int)(of - task); /* it fails for that, some polls later */
		say(transfer, is_flat ? "{\"task\":{\"status\":\"TASK_STATUS_SUCCEED\"}}"
				      : "{\"code\":200,\"data\":{\"state\":\"success\"}}");
	} else if (of->fails) {
		transfer->task = (int)(of - task);
		say(transfer,
			is_flat ? "{\"task\":{\"status\":\"TASK_STATUS_FAILED\"}}"
				: "{\"code\":200,\"data\":{\"state\":\"fail\",\"failMsg\":\"%s\"}}",
			of->blames_picture ? "Failed to fetch image_url" : "no");
	} else {
		of->told_ms = of->told_ms ?: transfer->due_ms;
		of->first_told = of->first_told ?: of->polls;
		say_success(transfer, of, is_flat);
	}
}

static void start_download(
	struct http_transfer *transfer, const struct http_request *request, const char *link)
{
	AUTO_FREE char *name = strndup(link, strcspn(link, "?"));

	if (!name)
		abort();
	if (strtol(name + 1, NULL, 10) < hung_files) { /* "T17-0" */
		hang(transfer, request);
		return;
	}
	transfer->due_ms += is_kind ? 50 : 50 + chance(STREAM_FILE, 8) * 300;
	results_answer(&transfer->file, name, request, is_kind);
	transfer->status = transfer->file.status;
	transfer->result = (CURLcode)transfer->file.result;
	transfer->sink_fd = dup(request->sink_fd);
	transfer->begin = request->begin;
}

int __real_digest_fd(int fd, char hex[DIGEST_HEX_BYTES]); /* the engine's own are counted */

static void start_upload(struct http_transfer *transfer, const struct http_request *request)
{
	const char *name = request->form_file_name;
	char hex[DIGEST_HEX_BYTES];
	unsigned luck = is_kind ? 99 : chance(STREAM_FILE, 100);

	provider_uploads++;
	if (*script == 'u') {
		script++;
		luck = 8;
	}
	transfer->due_ms += 50 + chance(STREAM_FILE, 4) * 500;
	if (__real_digest_fd(request->form_fd, hex) < 0 || strcmp(hex, request->form_sha256) != 0) {
		break_off(transfer);
	} else if (luck < 4) {
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

static void start_refresh(struct http_transfer *transfer, const struct http_request *request)
{
	AUTO_JSON cJSON *body = cJSON_Parse(request->body);
	const char *link = json_text(body, "url") ?: "";

	if (renews_links && strstr(link, "files.example") && strchr(link, '?'))
		say(transfer, "{\"code\":200,\"data\":\"https://short.example/s%.*s\"}",
			(int)strcspn(strstr(link, "/v/"), "?"), strstr(link, "/v/"));
	else /* it does not know it */
		say(transfer, "{\"code\":404,\"msg\":\"no\"}");
	provider_renewed += transfer->body[8] == '2';
}

static void start(struct http_transfer *transfer, struct http_request *request)
{
	bool is_flat = strstr(request->url, "/v3/async/") != NULL;
	const char *id;

	if ((id = strstr(request->url, "ask_id=")) || (id = strstr(request->url, "askId=")))
		start_poll(transfer, request, strchr(id, '=') + 1, is_flat);
	else if (strstr(request->url, "/createTask") ||
		 (is_flat && (request->body || request->part)))
		start_create(transfer, request, is_flat);
	else if (request->form_fd >= 0)
		start_upload(transfer, request);
	else if ((id = strstr(request->url, "/v/")))
		start_download(transfer, request, id + 3);
	else
		start_refresh(transfer, request);
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
	http_drop_body(request);
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

static void write_file(struct http_transfer *transfer, struct http_reply *reply)
{
	const struct download *from = &transfer->file;
	const struct http_file file = {.start = (int64_t)from->start,
		.length = from->length,
		.validator = from->has_validator ? from->validator : NULL};

	reply->local_error = transfer->begin(transfer->context, &file);
	if (reply->local_error) {
		reply->result = CURLE_WRITE_ERROR;
		return;
	}
	reply->resumed = from->start > 0;
	reply->end_marked = from->is_marked && reply->result == CURLE_OK;
	host_written(transfer->sink_fd, file.start);
	if (!reply->resumed)
		(void)!ftruncate(transfer->sink_fd, 0);
	if (from->bytes > from->start)
		reply->received = pwrite(transfer->sink_fd, from->content + from->start,
			from->bytes - from->start, file.start);
}

static void finish(struct http_transfer *transfer)
{
	struct http_reply reply = {.result = transfer->result,
		.error = transfer->result == CURLE_OK ? "" : "broke off",
		.sent = transfer->sent,
		.unfinished = transfer->unfinished,
		.status = transfer->status,
		.body = transfer->body,
		.body_bytes = strlen(transfer->body),
		.content_type = "application/json",
		.content_length = -1,
		.retry_after_ms = -1};

	if (transfer->sink_fd >= 0 && (transfer->status == 200 || transfer->status == 206))
		write_file(transfer, &reply);
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
	/* who is dead hears nothing more, and must not wait for it for ever */
	clock_go_to(next < end && !life_is_dead ? next : end);
	provider_deliver();
}

void http_wake(struct http *http)
{
	(void)http;
}

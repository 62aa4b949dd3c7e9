/*
 * kie.c - the kie.ai API: createTask, recordInfo, credit, download-url.
 *
 * HTTP says 200 to almost everything; the truth is the code in the body (fs/net/API.md 1.1). 429 is
 * the exception: the documents call it an HTTP status (fs/net/API.md 1.4).
 */
#include "contrib/simulator/api.h"
#include "contrib/simulator/rate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define JSON_TYPE "application/json;charset=UTF-8"

/* fs/net/API.md 5, word for word. */
#define UNAUTHORIZED                                                                               \
	"Unauthorized \xe2\x80\x93 Authentication failed. Please check that your Authorization "   \
	"and Content-Type headers are correctly set."
#define NO_PERMISSIONS "You do not have access permissions"
#define INSUFFICIENT                                                                               \
	"Credits insufficient : Your current balance isn't enough to run this request. Please "    \
	"top up to continue."
#define SERVER_ERROR "Server Error - An unexpected error occurred while processing the request"

void kie_say(struct reply *reply, int code, const char *text, cJSON *data)
{
	cJSON *body = cJSON_CreateObject();

	cJSON_AddNumberToObject(body, "code", code);
	cJSON_AddStringToObject(body, "msg", text);
	cJSON_AddItemToObject(body, "data", data ? data : cJSON_CreateNull());
	reply_json(reply, code == 429 ? 429 : 200, code, body);
	reply->type = JSON_TYPE;
}

/* The two answers that have no "data" (fs/net/API.md 1.3 and 5). */
static void say_short(struct reply *reply, int code, const char *text)
{
	cJSON *body = cJSON_CreateObject();

	cJSON_AddNumberToObject(body, "code", code);
	cJSON_AddStringToObject(body, "msg", text);
	reply_json(reply, 200, code, body);
	reply->type = JSON_TYPE;
}

bool kie_is_allowed(struct request *request)
{
	if (request_key(request, false))
		return true;
	say_short(&request->reply, 401, UNAUTHORIZED);
	return false;
}

static bool is_json(struct request *request)
{
	const char *type = request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);

	if (!type || strncasecmp(type, "application/json", 16) != 0) {
		say_short(&request->reply, 401, NO_PERMISSIONS); /* fs/net/API.md 5, 401 (doc) */
		return false;
	}
	if (cJSON_IsObject(request->json))
		return true;
	kie_say(&request->reply, 500, SERVER_ERROR, NULL);
	return false;
}

/* The words for a field outside of input are INFERRED. */
static char *check_frame(const cJSON *body)
{
	const cJSON *callback = cJSON_GetObjectItemCaseSensitive(body, "callBackUrl");
	const char *url = cJSON_GetStringValue(callback);
	const cJSON *member;
	char *problem = NULL;

	if (!cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(body, "input")))
		return strdup("input is required");
	if (callback && !cJSON_IsNull(callback) &&
		(!url || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)))
		return strdup("callBackUrl must be a URL");
	cJSON_ArrayForEach (member, body) {
		if (!strcmp(member->string, "model") || !strcmp(member->string, "input") ||
			!strcmp(member->string, "callBackUrl"))
			continue;
		if (asprintf(&problem, "%s is not a parameter of createTask", member->string) < 0)
			return NULL;
		return problem;
	}
	return NULL;
}

/* {"input":"<JSON STRING>","callBackUrl":…,"model":…}: the input is encoded twice
 * (fs/net/API.md 1.2). */
static char *param_text(const cJSON *body)
{
	AUTO_JSON cJSON *param = cJSON_CreateObject();
	AUTO_FREE char *input =
		cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(body, "input"));
	static const char *const keys[] = {"callBackUrl", "model"};

	cJSON_AddStringToObject(param, "input", input ? input : "");
	for (size_t i = 0; i < 2; i++) {
		const char *text =
			cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, keys[i]));

		if (text)
			cJSON_AddStringToObject(param, keys[i], text);
	}
	return cJSON_PrintUnformatted(param);
}

/* Only NO_BALANCE and PICTURE_TYPE are REPORTED wordings (fs/net/API.md 5). */
static const struct {
	int code;
	const char *text;
} refusals[REFUSALS] = {
	[NO_BALANCE] = {402, INSUFFICIENT},
	[PICTURE_MISSING] = {500, "The file could not be downloaded"},
	[TASK_MISSING] = {500, "task_id does not exist"},
	[PICTURE_TYPE] = {500, "File type not supported"},
	[PICTURE_SIZE] = {500, "File size exceeds the maximum"},
	[NO_ROOM] = {500, SERVER_ERROR},
};

static void create_checked(struct request *request, const struct job *job)
{
	enum refusal refusal =
		create_task(job, SIM_PICTURE_KIE, param_text(request->json), &request->task);
	cJSON *data;

	if (refusal) {
		kie_say(&request->reply, refusals[refusal].code, refusals[refusal].text, NULL);
		return;
	}
	data = cJSON_CreateObject();
	cJSON_AddStringToObject(data, "taskId", request->task->id);
	cJSON_AddStringToObject(data, "recordId", request->task->id);
	kie_say(&request->reply, 200, "success", data);
}

void kie_create(struct request *request)
{
	const char *name = request_string(request, "model");
	AUTO_FREE char *problem = NULL;
	struct job job;

	if (!kie_is_allowed(request) || !is_json(request))
		return;
	if (rate_full(KIE)) {
		kie_say(&request->reply, 429, "Rate limit exceeded", NULL);
		return;
	}
	if (!name || !models_has(KIE, name)) {
		kie_say(&request->reply, 422, KIE_UNKNOWN_MODEL, NULL);
		return;
	}
	problem = check_frame(request->json);
	if (!problem)
		problem = models_check(
			KIE, name, cJSON_GetObjectItemCaseSensitive(request->json, "input"), &job);
	if (problem) {
		kie_say(&request->reply, 500, problem, NULL);
		return;
	}
	create_checked(request, &job);
	job_clear(&job);
}

static cJSON *number_or_null(bool is_number, double number)
{
	return is_number ? cJSON_CreateNumber(number) : cJSON_CreateNull();
}

static cJSON *text_or_null(const char *text)
{
	return text ? cJSON_CreateString(text) : cJSON_CreateNull();
}

static char *result_json(const struct task *task)
{
	AUTO_JSON cJSON *result = cJSON_CreateObject();
	cJSON *urls = cJSON_AddArrayToObject(result, "resultUrls");

	for (size_t number = 0; number < task->result_count; number++) {
		AUTO_FREE char *link = result_link(task, number, 0);

		cJSON_AddItemToArray(urls, cJSON_CreateString(link ? link : ""));
	}
	return cJSON_PrintUnformatted(result);
}

/* Keys, order, nulls and empty strings: fs/net/API.md 1.2. costTime is in seconds. */
static cJSON *record(const struct task *task)
{
	bool is_good = task->state == TASK_SUCCESS;
	bool is_over = is_good || task->state == TASK_FAIL;
	AUTO_FREE char *result = is_good ? result_json(task) : NULL;
	cJSON *data = cJSON_CreateObject();

	cJSON_AddStringToObject(data, "taskId", task->id);
	cJSON_AddStringToObject(data, "model", task->model);
	cJSON_AddStringToObject(data, "state", task_state_names[task->state]);
	cJSON_AddStringToObject(data, "param", task->param ? task->param : "");
	cJSON_AddStringToObject(data, "resultJson", result ? result : "");
	cJSON_AddItemToObject(data, "failCode", text_or_null(is_over && !is_good ? "500" : NULL));
	cJSON_AddItemToObject(data, "failMsg", text_or_null(is_over ? task->reason : NULL));
	cJSON_AddItemToObject(data, "costTime",
		number_or_null(is_over, is_good ? round(task->ended - task->created) : 0));
	cJSON_AddItemToObject(
		data, "completeTime", number_or_null(is_over, floor(task->ended * 1000)));
	cJSON_AddNumberToObject(data, "createTime", floor(task->created * 1000));
	if (is_over)
		cJSON_AddNumberToObject(data, "creditsConsumed", is_good ? task->price : 0);
	return data;
}

void kie_poll(struct request *request)
{
	const char *id = request_argument(request, "taskId");

	if (!kie_is_allowed(request))
		return;
	if (!id || !*id) {
		say_short(&request->reply, 400, "taskId parameter is required");
		return;
	}
	if (!request->task) {
		kie_say(&request->reply, 422, "recordInfo is null", NULL);
		return;
	}
	task_settle(request->task);
	request->task->expired = false;
	kie_say(&request->reply, 200, "success", record(request->task));
}

void kie_credit(struct request *request)
{
	if (!kie_is_allowed(request))
		return;
	tasks_settle();
	kie_say(&request->reply, 200, "success", cJSON_CreateNumber(sim.credits));
}

void kie_fresh_link(struct request *request)
{
	AUTO_FREE char *link = NULL;
	size_t number = 0;

	if (!kie_is_allowed(request) || !is_json(request))
		return;
	request->task = result_task(request_string(request, "url"), &number);
	if (request->task)
		link = result_link(request->task, number, SIM_FRESH_SECONDS);
	if (link)
		kie_say(&request->reply, 200, "success", cJSON_CreateString(link));
	else
		kie_say(&request->reply, 422, "url is wrong", NULL);
}

/* Spring's own body, the one case with a real HTTP status (fs/net/API.md 1.1). */
void kie_unknown_path(struct request *request, int status)
{
	cJSON *body = cJSON_CreateObject();

	cJSON_AddNumberToObject(body, "timestamp", floor(now_seconds() * 1000));
	cJSON_AddNumberToObject(body, "status", status);
	cJSON_AddStringToObject(body, "error", status == 404 ? "Not Found" : "Method Not Allowed");
	cJSON_AddStringToObject(body, "message", "No message available");
	cJSON_AddStringToObject(body, "path", request->path);
	reply_json(&request->reply, status, -1, body);
}

/* fs/net/API.md 5 and 1.4; texts not quoted there are INFERRED. */
static const struct {
	int code;
	const char *text;
} codes[] = {
	{401, UNAUTHORIZED},
	{402, INSUFFICIENT},
	{404, KIE_UNKNOWN_MODEL}, /* fs/net/API.md 11.1 */
	{408, "Upstream returned no result for 10 minutes"},
	{422, "Validation Error"},
	{429, "Rate limit exceeded"},
	{433, "Sub-key usage exceeds its limit"},
	{455, "server is currently being maintained, please try again later~"},
	{501, "Generation Failed"},
	{505, "Feature Disabled"},
};

static const char *code_text(int code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == code)
			return codes[i].text;
	return SERVER_ERROR;
}

static void fault_http(struct reply *reply, int status)
{
	kie_say(reply, status, code_text(status), NULL);
	reply->status = status;
}

static void fault_code(struct reply *reply, const struct fault *fault)
{
	int code = fault->text ? 500 : (int)fault->number;

	kie_say(reply, code, fault->text ? fault->text : code_text(code), NULL);
	reply->status = 200;
}

const struct api kie_api = {fault_http, fault_code};

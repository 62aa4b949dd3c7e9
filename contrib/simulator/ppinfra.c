/*
 * ppinfra.c - the PPInfra (PPIO, Novita) API: v3/async/ENDPOINT, task-result, user.
 *
 * HTTP statuses are real; the body says {code, reason, message, metadata} (fs/net/API.md 7.4).
 */
#include "contrib/simulator/api.h"
#include "contrib/simulator/rate.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void refuse(struct reply *reply, int status, const char *reason, const char *message)
{
	cJSON *body = cJSON_CreateObject();

	cJSON_AddNumberToObject(body, "code", status);
	cJSON_AddStringToObject(body, "reason", reason);
	cJSON_AddStringToObject(body, "message", message);
	cJSON_AddObjectToObject(body, "metadata");
	reply_json(reply, status, status, body);
}

static bool is_allowed(struct request *request)
{
	if (request_key(request, true))
		return true;
	refuse(&request->reply, 403, "INVALID_API_KEY", "invalid api-key"); /* fs/net/API.md 7.4 */
	return false;
}

static const struct {
	int status;
	const char *reason;
	const char *message;
} refusals[REFUSALS] = {
	[NO_BALANCE] = {400, "BILLING_BALANCE_NOT_ENOUGH", "not enough balance"},
	[PICTURE_MISSING] = {400, "INVALID_REQUEST_BODY", "the image could not be downloaded"},
	[TASK_MISSING] = {400, "INVALID_REQUEST_BODY", "no such task"},
	[PICTURE_TYPE] = {400, "INVALID_IMAGE_FORMAT", "invalid image format"},
	[PICTURE_SIZE] = {400, "IMAGE_FILE_EXCEEDS_MAX_SIZE", "image file exceeds max size"},
	[NO_ROOM] = {500, "CREATE_TASK_FAILED", "create task failed"},
};

void ppinfra_create(struct request *request)
{
	struct reply *reply = &request->reply;
	AUTO_FREE char *problem = NULL;
	enum refusal refusal;
	struct job job;
	cJSON *body;

	if (!is_allowed(request))
		return;
	if (rate_full(PPINFRA)) {
		refuse(reply, 429, "RATE_LIMIT_EXCEEDED", "rate limit exceeded");
		return;
	}
	if (cJSON_IsObject(request->json))
		problem = models_check(PPINFRA, request->model, request->json, &job);
	else
		problem = strdup("the body is not a JSON object");
	if (problem) {
		refuse(reply, 400, "INVALID_REQUEST_BODY", problem);
		return;
	}
	refusal = create_task(&job, SIM_PICTURE_PP, NULL, &request->task);
	job_clear(&job);
	if (refusal) {
		refuse(reply, refusals[refusal].status, refusals[refusal].reason,
			refusals[refusal].message);
		return;
	}
	body = cJSON_CreateObject();
	cJSON_AddStringToObject(body, "task_id", request->task->id);
	reply_json(reply, 200, -1, body);
}

/* The product's name on the wire: MINIMAX_HAILUO_02_6S_768P (fs/net/API.md 7.3). */
static void task_type(const struct task *task, char *type, size_t size)
{
	(void)snprintf(type, size, "%s_%dS%s%s", task->model, task->seconds,
		task->resolution[0] ? "_" : "", task->resolution); /* a long name is cut */
	for (char *c = type; *c; c++)
		*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
}

/* progress_percent stays 0 even at the end (fs/net/API.md 7.3). */
static void add_task(cJSON *body, const struct task *task)
{
	static const char *const states[TASK_STATES] = {"TASK_STATUS_QUEUED",
		"TASK_STATUS_PROCESSING", "TASK_STATUS_SUCCEED", "TASK_STATUS_FAILED"};
	cJSON *object = cJSON_AddObjectToObject(body, "task");
	char type[160];

	task_type(task, type, sizeof(type));
	cJSON_AddNumberToObject(object, "eta", 0);
	cJSON_AddNumberToObject(object, "progress_percent", 0);
	cJSON_AddStringToObject(object, "reason", task->state == TASK_FAIL ? task->reason : "");
	cJSON_AddStringToObject(object, "status", states[task->state]);
	cJSON_AddStringToObject(object, "task_id", task->id);
	cJSON_AddStringToObject(object, "task_type", type);
}

/* The time to live is 0 although a link lives an hour: as text with a video or sound, as a number
 * with a picture (fs/net/API.md 7.3). */
static const struct shape {
	const char *list, *url, *ttl, *type;
	bool has_text, has_verdict;
} shapes[] = {
	[KIND_VIDEO] = {"videos", "video_url", "video_url_ttl", "video_type", true, true},
	[KIND_IMAGE] = {"images", "image_url", "image_url_ttl", "image_type", false, true},
	[KIND_AUDIO] = {"audios", "audio_url", "audio_url_ttl", "audio_type", true, false},
};

static cJSON *result_entry(const struct task *task, size_t number, const struct shape *shape)
{
	AUTO_FREE char *link = result_link(task, number, SIM_LINK_SECONDS);
	const char *type = task->results[number];
	cJSON *entry = cJSON_CreateObject();

	if (shape->has_verdict)
		cJSON_AddNullToObject(entry, "nsfw_detection_result");
	cJSON_AddStringToObject(entry, shape->type, strcmp(type, "jpg") != 0 ? type : "jpeg");
	cJSON_AddStringToObject(entry, shape->url, link ? link : "");
	if (shape->has_text)
		cJSON_AddStringToObject(entry, shape->ttl, "0");
	else
		cJSON_AddNumberToObject(entry, shape->ttl, 0);
	return entry;
}

static void add_results(cJSON *body, const struct task *task, enum kind wanted)
{
	cJSON *list = cJSON_AddArrayToObject(body, shapes[wanted].list);
	enum kind kind;

	for (size_t number = 0; task->state == TASK_SUCCESS && number < task->result_count;
		number++)
		if (result_kind(task->results[number], &kind) && kind == wanted)
			cJSON_AddItemToArray(list, result_entry(task, number, &shapes[wanted]));
}

void ppinfra_poll(struct request *request)
{
	const char *id = request_argument(request, "task_id");
	cJSON *body;

	if (!is_allowed(request))
		return;
	if (!id || !*id) {
		refuse(&request->reply, 400, "INVALID_REQUEST_BODY", "task_id is required");
		return;
	}
	if (!request->task) {
		refuse(&request->reply, 404, "TASK_NOT_FOUND", "task not found");
		return;
	}
	task_settle(request->task);
	request->task->expired = false;
	body = cJSON_CreateObject();
	add_results(body, request->task, KIND_AUDIO);
	cJSON_AddObjectToObject(body, "extra");
	add_results(body, request->task, KIND_IMAGE);
	add_task(body, request->task);
	add_results(body, request->task, KIND_VIDEO);
	reply_json(&request->reply, 200, -1, body);
}

/* The unit is UNKNOWN (fs/net/API.md 7.5). */
void ppinfra_user(struct request *request)
{
	cJSON *body;

	if (!is_allowed(request))
		return;
	tasks_settle();
	body = cJSON_CreateObject();
	cJSON_AddNumberToObject(body, "credit_balance", sim.credits);
	reply_json(&request->reply, 200, -1, body);
}

void ppinfra_unknown_path(struct request *request, int status)
{
	if (status == 404)
		refuse(&request->reply, 404, "API_NOT_FOUND", "api not found");
	else
		refuse(&request->reply, status, "API_NOT_ALLOWED", "method not allowed");
}

/* fs/net/API.md 7.4: the table of reasons. */
static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{400, "INVALID_REQUEST_BODY"},
	{403, "INVALID_API_KEY"},
	{404, "TASK_NOT_FOUND"},
	{429, "RATE_LIMIT_EXCEEDED"},
	{500, "CREATE_TASK_FAILED"},
	{503, "SERVICE_NOT_AVAILABLE"},
	{400, "BILLING_BALANCE_NOT_ENOUGH"},
	{400, "IMAGE_FILE_EXCEEDS_MAX_SIZE"},
	{400, "INVALID_IMAGE_FORMAT"},
	{400, "IMAGE_EXCEEDS_MAX_RESOLUTION"},
	{400, "INVALID_IMAGE_SIZE"},
	{400, "IMAGE_NO_FACE_DETECTED"},
	{400, "INVALID_CUSTOM_OUTPUT_PATH"},
	{400, "ILLEGAL_PROMPT"},
	{400, "ILLEGAL_IMAGE_CONTENT"},
	{400, "INVALID_AUDIO_FILE"},
	{400, "MISSING_API_KEY"},
	{401, "FAILED_TO_AUTH"},
	{403, "FEATURE_NOT_ALLOWED"},
	{403, "API_NOT_ALLOWED"},
	{403, "NEED_REAL_NAME_VERIFY"},
	{403, "BILLING_AUTH_FAILED"},
	{403, "NOT_ENOUGH_BALANCE"},
	{404, "API_NOT_FOUND"},
};

static void fault_http(struct reply *reply, int status)
{
	const char *reason = "UNKNOWN";

	for (size_t i = sizeof(reasons) / sizeof(reasons[0]); i-- > 0;)
		if (reasons[i].status == status)
			reason = reasons[i].reason;
	refuse(reply, status, reason, "a fault of the simulator");
}

static void fault_code(struct reply *reply, const struct fault *fault)
{
	int status = 500;

	if (!fault->text) {
		fault_http(reply,
			fault->number >= 200 && fault->number < 600 ? (int)fault->number : 500);
		return;
	}
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (!strcmp(reasons[i].reason, fault->text))
			status = reasons[i].status;
	refuse(reply, status, fault->text, "a fault of the simulator");
}

const struct api ppinfra_api = {fault_http, fault_code};

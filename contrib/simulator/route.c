/* route.c - which handler answers a request, and what a fault rule makes of it. */
#include "contrib/simulator/api.h"
#include "contrib/simulator/catalogue.h"
#include "contrib/simulator/rate.h"

#include <string.h>

static void model_of_body(struct request *request)
{
	request->model = request_string(request, "model");
}

static void model_of_path(struct request *request)
{
	request->model = strrchr(request->path, '/') + 1;
}

static void task_of_kie(struct request *request)
{
	request->task = task_find(KIE, request_argument(request, "taskId"));
}

static void task_of_ppinfra(struct request *request)
{
	request->task = task_find(PPINFRA, request_argument(request, "task_id"));
}

static void task_of_path(struct request *request)
{
	request->task = result_task(request->path, NULL);
}

static void model_of_catalogue(struct request *request)
{
	request->model = catalogue_model(request->path);
}

static const struct route {
	const char *method;
	const char *path; /* ends in a slash: everything below */
	enum fault_on kind;
	enum provider provider; /* of a create */
	const struct api *api;
	void (*identify)(struct request *request); /* its model or task, for the rules */
	void (*answer)(struct request *request);
} routes[] = {
	{"POST", "/api/v1/jobs/createTask", ON_CREATE, KIE, &kie_api, model_of_body, kie_create},
	{"GET", "/api/v1/jobs/recordInfo", ON_POLL, KIE, &kie_api, task_of_kie, kie_poll},
	{"GET", "/api/v1/chat/credit", ON_CREDIT, KIE, &kie_api, NULL, kie_credit},
	{"GET", "/api/v1/models", ON_CATALOGUE, KIE, &kie_api, NULL, catalogue_list},
	{"GET", "/api/v1/models/", ON_CATALOGUE, KIE, &kie_api, model_of_catalogue, catalogue_one},
	{"POST", "/api/v1/common/download-url", FAULT_ONS, KIE, &kie_api, NULL, kie_fresh_link},
	{"POST", "/api/file-stream-upload", ON_UPLOAD, KIE, &upload_api, NULL, upload_stream},
	{"POST", "/api/file-base64-upload", ON_UPLOAD, KIE, &upload_api, NULL, upload_base64},
	{"POST", "/api/file-url-upload", ON_UPLOAD, KIE, &upload_api, NULL, upload_url},
	{"GET", "/kieai/", FAULT_ONS, KIE, &upload_api, NULL, upload_get},
	{"POST", "/v3/async/", ON_CREATE, PPINFRA, &ppinfra_api, model_of_path, ppinfra_create},
	{"GET", "/v3/async/task-result", ON_POLL, PPINFRA, &ppinfra_api, task_of_ppinfra,
		ppinfra_poll},
	{"GET", "/v3/user", ON_CREDIT, PPINFRA, &ppinfra_api, NULL, ppinfra_user},
	{"GET", "/files/", ON_DOWNLOAD, KIE, &result_api, task_of_path, result_get},
	{"GET", "/sim/stats", FAULT_ONS, KIE, NULL, NULL, control_stats},
	{"GET", "/sim/tasks", FAULT_ONS, KIE, NULL, NULL, control_tasks},
	{"POST", "/sim/faults", FAULT_ONS, KIE, NULL, NULL, control_faults},
};

/* Of PPInfra's endpoints there are only those of a model. */
static bool path_matches(const char *path, const char *pattern)
{
	size_t length = strlen(pattern);

	if (!strcmp(pattern, "/v3/async/") && !strncmp(path, pattern, length))
		return models_has(PPINFRA, path + length);
	return pattern[length - 1] == '/' ? !strncmp(path, pattern, length)
	                                  : !strcmp(path, pattern);
}

/* *ret_status says why when there is none. */
static const struct route *route_find(const struct request *request, int *ret_status)
{
	const char *method = strcmp(request->method, "HEAD") != 0 ? request->method : "GET";

	*ret_status = 404;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!path_matches(request->path, routes[i].path))
			continue;
		if (!strcmp(routes[i].method, method))
			return &routes[i];
		*ret_status = 405;
	}
	return NULL;
}

static void route_nowhere(struct request *request, int status)
{
	if (!strncmp(request->path, "/v3/", 4))
		ppinfra_unknown_path(request, status);
	else
		kie_unknown_path(request, status);
}

/* The effects. One that comes around the real answer is called before and after it. */

static void do_http(struct request *request, const struct api *api, const struct fault *fault)
{
	api->http(&request->reply, (int)fault->number);
}

static void do_code(struct request *request, const struct api *api, const struct fault *fault)
{
	api->code(&request->reply, fault);
}

static void do_reset(struct request *request, const struct api *api, const struct fault *fault)
{
	(void)api, (void)fault;
	request->reply.ending = END_RESET;
}

static void do_stall(struct request *request, const struct api *api, const struct fault *fault)
{
	(void)api, (void)fault;
	request->reply.ending = END_STALL;
}

static void do_delay(struct request *request, const struct api *api, const struct fault *fault)
{
	(void)api;
	request->reply.delay = fault->number;
}

static void do_truncate(struct request *request, const struct api *api, const struct fault *fault)
{
	(void)api, (void)fault;
	request->reply.ending = END_TRUNCATE;
}

static void do_garbage(struct request *request, const struct api *api, const struct fault *fault)
{
	const size_t count = 1024;
	void *bytes = malloc(count);

	(void)api, (void)fault;
	if (bytes)
		random_bytes(bytes, count);
	reply_bytes(&request->reply, bytes, count);
}

static void do_html(struct request *request, const struct api *api, const struct fault *fault)
{
	(void)api, (void)fault;
	reply_text(&request->reply, 200, "text/html; charset=utf-8",
		"<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head>\n"
		"<body><h1>Checking your browser</h1></body></html>\n");
}

static void do_huge(struct request *request, const struct api *api, const struct fault *fault)
{
	(void)api, (void)fault;
	reply_text(&request->reply, 200, "application/json", "");
	request->reply.ending = END_HUGE;
}

static void do_redirect(struct request *request, const struct api *api, const struct fault *fault)
{
	(void)api;
	reply_text(&request->reply, 302, "text/plain", "");
	reply_header(&request->reply, MHD_HTTP_HEADER_LOCATION, fault->text);
}

/* Before: a task that is polled ends now. After: one just created ends in its time. */
static void do_fail(struct request *request, const struct api *api, const struct fault *fault)
{
	(void)api;
	if (request->task)
		task_doom(request->task,
			fault->text ? fault->text : "internal error, please try again later.",
			request->kind == ON_POLL);
}

/* A download finds its link expired; a poll, which renews links, leaves expired ones. */
static void do_expire(struct request *request, const struct api *api, const struct fault *fault)
{
	(void)api, (void)fault;
	if (request->task)
		request->task->expired = true;
}

/*
 * An answer that somebody else gives (a proxy, a portal, an overloaded front) is INSTEAD: the API
 * did nothing. An answer spoilt on its way comes AFTER: the API did act.
 */
static const struct effect {
	enum { AFTER, INSTEAD, AROUND } when;
	void (*apply)(struct request *request, const struct api *api, const struct fault *fault);
} effects[FAULT_DOS] = {
	[DO_HTTP] = {INSTEAD, do_http},
	[DO_CODE] = {INSTEAD, do_code},
	[DO_RESET_BEFORE] = {INSTEAD, do_reset},
	[DO_RESET_AFTER] = {AFTER, do_reset},
	[DO_STALL] = {AFTER, do_stall},
	[DO_DELAY] = {AFTER, do_delay},
	[DO_TRUNCATE] = {AFTER, do_truncate},
	[DO_GARBAGE] = {AFTER, do_garbage},
	[DO_HTML] = {INSTEAD, do_html},
	[DO_HUGE] = {INSTEAD, do_huge},
	[DO_REDIRECT] = {INSTEAD, do_redirect},
	[DO_FAIL] = {AROUND, do_fail},
	[DO_EXPIRE] = {AROUND, do_expire},
};

static void route_answer(struct request *request, const struct route *route)
{
	struct fault fault = {.what = DO_NOTHING};
	const struct effect *effect;

	if (route->kind != FAULT_ONS)
		fault = faults_take(route->kind, request->model);
	effect = &effects[fault.what];
	if (effect->apply && effect->when != AFTER)
		effect->apply(request, route->api, &fault);
	if (!effect->apply || effect->when != INSTEAD)
		route->answer(request);
	if (effect->apply && effect->when != INSTEAD)
		effect->apply(request, route->api, &fault);
}

void route_serve(struct request *request)
{
	int status;
	const struct route *route = route_find(request, &status);

	request->kind = route ? route->kind : FAULT_ONS;
	control_count(request->kind);
	if (request->too_large) {
		reply_text(&request->reply, 413, "text/plain", "the body is too large\n");
		return;
	}
	if (!route) {
		route_nowhere(request, status);
		return;
	}
	if (request->kind == ON_CREATE)
		rate_see(route->provider);
	if (route->identify)
		route->identify(request);
	if (request->task)
		request->model = request->task->model;
	route_answer(request, route);
}

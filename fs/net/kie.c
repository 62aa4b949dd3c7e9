/*
 * kie.c - kie.ai: POST /api/v1/jobs/createTask, GET …/recordInfo, and around
 * them the upload host, the balance and fresh links (API.md 1, 3, 4, 5).
 *
 * HTTP is 200 even for errors; what happened is "code" in the body (API.md
 * 1.1). The documents list the same numbers as HTTP statuses, so both count.
 */
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/net/answer.h"
#include "fs/net/kie_results.h"
#include "fs/net/url.h"

#include <math.h>
#include <string.h>

#define ADVICE_KEY                                                                                 \
	"The key was refused. Put a valid kie.ai key into KIE_API_KEY or the key file, mount "     \
	"again, then: kinofs retry PATH"
#define ADVICE_CREDITS                                                                             \
	"The account has not enough credits. Top it up at kie.ai, then: kinofs retry PATH"
#define ADVICE_SUB_KEY                                                                             \
	"The key has reached its own spending limit. Raise it at kie.ai/api-key or use another "   \
	"key, then: kinofs retry PATH"
#define ADVICE_SOON "kie.ai takes no more requests at the moment; kinofs tries again by itself."
#define ADVICE_SPEC                                                                                \
	"kie.ai did not take this request, and nothing was billed. Change the job's files as the " \
	"message says; the same request again: kinofs retry PATH"
#define ADVICE_MODEL                                                                               \
	"kie.ai does not offer this model at the moment, and nothing was billed. Use another "     \
	"model, or later: kinofs retry PATH"
#define ADVICE_GONE                                                                                \
	"kie.ai does not offer this model any more, and nothing was billed. Put the files into "   \
	"the folder of another model: README.txt at the top of the mount names them all. If it "   \
	"is offered again: kinofs retry PATH"
#define ADVICE_ADDRESS                                                                             \
	"This is not the address of the API. Check the base URL of kie in config.json or "         \
	"KINOFS_KIE_URL, mount again, then: kinofs retry PATH"
#define ADVICE_SMALLER                                                                              \
	"The request was too large to be taken, and nothing was billed. Use a smaller picture, or " \
	"again: kinofs retry PATH"
#define ADVICE_FAILED                                                                              \
	"Change the job's files as the message says; the same request again: kinofs retry PATH"
#define ADVICE_UNKNOWN                                                                             \
	"It may have been accepted and billed, so it is not sent again by itself. Look into the "  \
	"task log at kie.ai; if it is not there: kinofs retry PATH"

#define STATUS(number)    .first_status = (number), .last_status = (number)
#define STATUS_4XX        .first_status = 400, .last_status = 499
#define LINK_LIFETIME_MS  (24 * 3600 * 1000LL) /* or 14 days: both are documented (API.md 1.4) */
#define TIME_MAX_MS       (1LL << 50)
#define CREDITS_ARE_SHORT "Credits insufficient"
#define NO_SUCH_MODEL     "model name you specified is not supported"
#define WRONG_TYPE        "File type not supported"

/* What an answer to createTask without a task id says about money. No line: CREATE_UNKNOWN. */
static const struct rule create_rules[] = {
	/* "success" without a task id explains nothing */
	{.code = 200, .verdict = CREATE_UNKNOWN},
	/* API.md 5 with 422, 11.1 with 404: not taken, so not billed, whatever stands beside it */
	{.text = NO_SUCH_MODEL, .verdict = CREATE_REFUSED, .advice = ADVICE_GONE},
	/* API.md 5, seen: Authentication failed. 403: not documented, says the same */
	{.code = 401, .verdict = CREATE_BLOCKED, .advice = ADVICE_KEY},
	{.code = 403, .verdict = CREATE_BLOCKED, .advice = ADVICE_KEY},
	/* API.md 5, seen: "Credits insufficient …" as 402 and, on 2026-09-13, as 500 */
	{.code = 402, .verdict = CREATE_BLOCKED, .advice = ADVICE_CREDITS},
	{.code = 500,
		.text = CREDITS_ARE_SHORT,
		.verdict = CREATE_BLOCKED,
		.advice = ADVICE_CREDITS},
	/* API.md 1.4, code list of 5 */
	{.code = 433, .verdict = CREATE_BLOCKED, .advice = ADVICE_SUB_KEY},
	/* API.md 1.4: "rejected, not queued" */
	{.code = 429, .verdict = CREATE_LATER, .advice = ADVICE_SOON},
	/* API.md 5, seen: "server is currently being maintained, please try again later~" */
	{.code = 455, .verdict = CREATE_LATER, .advice = ADVICE_SOON},
	/* API.md 1.4: the upstream gave no result for ten minutes; so it had the request */
	{.code = 408, .verdict = CREATE_UNKNOWN},
	/* API.md 11.2: "generation failed", sometimes billed; so it may have been taken */
	{.code = 501, .verdict = CREATE_UNKNOWN},
	/* API.md 5: 500 is the usual code for a bad field, checked before billing, and that of a
         * server that broke, which may have happened after it. Only these words say the former.
         * 505: switched off. 400, 404: code list */
	{.code = 500, .text = "paused", .verdict = CREATE_REFUSED, .advice = ADVICE_MODEL},
	{.code = 400, .verdict = CREATE_REFUSED, .advice = ADVICE_SPEC},
	{.code = 404, .verdict = CREATE_REFUSED, .advice = ADVICE_GONE},
	{.code = 422, .verdict = CREATE_REFUSED, .advice = ADVICE_SPEC},
	{.code = 500, .text = "is required", .verdict = CREATE_REFUSED, .advice = ADVICE_SPEC},
	{.code = 500,
		.text = "not within the range of allowed options",
		.verdict = CREATE_REFUSED,
		.advice = ADVICE_SPEC},
	{.code = 500, .text = WRONG_TYPE, .verdict = CREATE_REFUSED, .advice = ADVICE_SPEC},
	{.code = 500,
		.text = "could not be downloaded",
		.verdict = CREATE_REFUSED,
		.advice = ADVICE_SPEC},
	{.code = 500,
		.text = "size exceeds the maximum",
		.verdict = CREATE_REFUSED,
		.advice = ADVICE_SMALLER},
	{.code = 505, .verdict = CREATE_REFUSED, .advice = ADVICE_MODEL},
	/* the same as HTTP statuses (API.md 1.1), from a gateway in front of the API as well */
	{STATUS(401), .verdict = CREATE_BLOCKED, .advice = ADVICE_KEY},
	{STATUS(402), .verdict = CREATE_BLOCKED, .advice = ADVICE_CREDITS},
	{STATUS(403), .verdict = CREATE_BLOCKED, .advice = ADVICE_KEY},
	{STATUS(408), .verdict = CREATE_UNKNOWN},
	{STATUS(429), .verdict = CREATE_LATER, .advice = ADVICE_SOON},
	{STATUS(433), .verdict = CREATE_BLOCKED, .advice = ADVICE_SUB_KEY},
	{STATUS(455), .verdict = CREATE_LATER, .advice = ADVICE_SOON},
	/* API.md 5.1: with these a gateway says that it passed nothing on */
	{STATUS(405), .verdict = CREATE_REFUSED, .advice = ADVICE_ADDRESS},
	{STATUS(411), .verdict = CREATE_REFUSED, .advice = ADVICE_ADDRESS},
	{STATUS(413), .verdict = CREATE_REFUSED, .advice = ADVICE_SMALLER},
	{STATUS(414), .verdict = CREATE_REFUSED, .advice = ADVICE_ADDRESS},
	{STATUS(415), .verdict = CREATE_REFUSED, .advice = ADVICE_ADDRESS},
	{STATUS(431), .verdict = CREATE_REFUSED, .advice = ADVICE_ADDRESS},
	/* API.md 1.1: an unknown path, answered by Spring */
	{STATUS(404), .explained = true, .verdict = CREATE_REFUSED, .advice = ADVICE_ADDRESS},
	{STATUS_4XX, .explained = true, .verdict = CREATE_REFUSED, .advice = ADVICE_SPEC},
};

/* What an answer to recordInfo without a state says. No line: POLL_ERROR. */
static const struct rule poll_rules[] = {
	/* API.md 1.3: both are documented; only the 422 was seen. Any other 422 is no answer */
	{.code = 422, .text = "recordInfo is null", .verdict = POLL_NOT_KNOWN},
	{.code = 404, .verdict = POLL_NOT_KNOWN},
	{.code = 401, .verdict = POLL_BLOCKED, .advice = ADVICE_KEY},
	{.code = 403, .verdict = POLL_BLOCKED, .advice = ADVICE_KEY},
	{STATUS(401), .verdict = POLL_BLOCKED, .advice = ADVICE_KEY},
	{STATUS(403), .verdict = POLL_BLOCKED, .advice = ADVICE_KEY},
	{STATUS(404), .verdict = POLL_ERROR, .advice = ADVICE_ADDRESS},
	{.first_status = 300, .last_status = 399, .verdict = POLL_ERROR, .advice = ADVICE_ADDRESS},
};

/* What an answer to an upload without a link says (API.md 3). An upload costs nothing, so all that
 * is unclear is simply done again. */
static const struct rule upload_rules[] = {
	{.code = 401, .verdict = UPLOAD_BLOCKED, .advice = ADVICE_KEY},
	{.code = 402, .verdict = UPLOAD_BLOCKED, .advice = ADVICE_CREDITS},
	{.code = 403, .verdict = UPLOAD_BLOCKED, .advice = ADVICE_KEY},
	{.code = 433, .verdict = UPLOAD_BLOCKED, .advice = ADVICE_SUB_KEY},
	{.code = 400, .verdict = UPLOAD_REFUSED, .advice = ADVICE_SPEC},
	{.code = 405, .verdict = UPLOAD_REFUSED, .advice = ADVICE_ADDRESS},
	{.code = 413, .verdict = UPLOAD_REFUSED, .advice = ADVICE_SMALLER},
	{.code = 415, .verdict = UPLOAD_REFUSED, .advice = ADVICE_SPEC},
	{.code = 422, .verdict = UPLOAD_REFUSED, .advice = ADVICE_SPEC},
	/* API.md 5: the code beside this text is not recorded */
	{.text = WRONG_TYPE, .verdict = UPLOAD_REFUSED, .advice = ADVICE_SPEC},
	{STATUS(401), .verdict = UPLOAD_BLOCKED, .advice = ADVICE_KEY},
	{STATUS(402), .verdict = UPLOAD_BLOCKED, .advice = ADVICE_CREDITS},
	{STATUS(403), .verdict = UPLOAD_BLOCKED, .advice = ADVICE_KEY},
	{STATUS(408), .verdict = UPLOAD_RETRY},
	{STATUS(429), .verdict = UPLOAD_RETRY},
	{STATUS(404), .verdict = UPLOAD_REFUSED, .advice = ADVICE_ADDRESS},
	{STATUS(405), .verdict = UPLOAD_REFUSED, .advice = ADVICE_ADDRESS},
	{STATUS(413), .verdict = UPLOAD_REFUSED, .advice = ADVICE_SMALLER},
	{STATUS(455), .verdict = UPLOAD_RETRY},
	{STATUS_4XX, .verdict = UPLOAD_REFUSED, .advice = ADVICE_SPEC},
	{.first_status = 300,
		.last_status = 399,
		.verdict = UPLOAD_REFUSED,
		.advice = ADVICE_ADDRESS},
};

static char *join(const char *base, const char *path, const char *rest)
{
	return base ? format("%s%s%s", base, path, rest) : NULL;
}

static char *create_url(const struct account *account, const struct model *model)
{
	(void)model; /* its name stands in the body */
	return join(account->base_url, "/api/v1/jobs/createTask", "");
}

static char *poll_url(const struct account *account, const char *task)
{
	char *escaped = curl_easy_escape(NULL, task, 0);
	char *url = NULL;

	if (escaped)
		url = join(account->base_url, "/api/v1/jobs/recordInfo?taskId=", escaped);
	curl_free(escaped);
	return url;
}

static char *upload_url(const struct account *account)
{
	return join(account->upload_url, "/api/file-stream-upload", "");
}

/* file-stream-upload (API.md 3): the host keeps what it gets under uploadPath/fileName. */
static size_t upload_form(const char *name, struct http_field field[UPLOAD_FIELDS])
{
	field[0] = (struct http_field){"uploadPath", "kinofs"};
	field[1] = (struct http_field){"fileName", name};
	return 2;
}

static char *balance_url(const struct account *account)
{
	return join(account->base_url, "/api/v1/chat/credit", "");
}

static char *refresh_url(const struct account *account)
{
	return join(account->base_url, "/api/v1/common/download-url", "");
}

static char *refresh_body(const char *link)
{
	AUTO_JSON cJSON *body = cJSON_CreateObject();

	if (!body || !cJSON_AddStringToObject(body, "url", link))
		return NULL;
	return cJSON_PrintUnformatted(body);
}

static void read_create(const struct http_reply *reply, struct create_answer *answer)
{
	struct api_answer opened;
	const cJSON *data;
	const char *task;

	answer_open(reply, &opened);
	data = json_object(opened.json, "data");
	task = json_task(data, "taskId");
	if (!task || !task[0])
		task = json_task(data, "recordId"); /* the same value on the wire (API.md 5) */
	answer->code = opened.code;
	create_conclude(
		reply, &opened, task, create_rules, COUNT(create_rules), ADVICE_UNKNOWN, answer);
	answer_close(&opened);
}

/* failCode: a number, or a word such as SENSITIVE_WORD_ERROR (API.md 1.2). */
static void read_failure(const cJSON *data, struct poll_answer *answer)
{
	const char *text = json_text(data, "failMsg");
	const char *word = json_text(data, "failCode");
	int64_t code = json_count(data, "failCode", INT32_MAX);
	AUTO_FREE char *words = NULL;

	if (code >= 0)
		words = format("%s (%lld)", text && text[0] ? text : "kie.ai gave no reason",
			(long long)code);
	else if (text && text[0] && word && word[0])
		words = format("%s (%s)", text, word);
	else if (text && text[0])
		words = strdup(text);
	else
		words = strdup(word && word[0] ? word : "kie.ai gave no reason");
	answer->verdict = POLL_FAILED;
	answer->advice = ADVICE_FAILED;
	answer->words = words_printable(words);
	answer->names_picture = words_name_picture(answer->words);
}

static void read_record(const struct http_reply *reply, const cJSON *data, const char *state,
	unsigned int wanted, struct poll_answer *answer)
{
	double consumed = json_number(data, "creditsConsumed");
	int64_t created = json_count(data, "createTime", TIME_MAX_MS);
	int64_t completed = json_count(data, "completeTime", TIME_MAX_MS);

	answer->state = words_printable(state);
	answer->progress = (int)json_count(data, "progress", 100);
	answer->credits = consumed >= 0 ? consumed : NAN;
	/* both in ms (API.md 1.2); costTime is in ms or in seconds */
	if (created > 0 && completed > created)
		answer->took_ms = completed - created;
	if (strcmp(state, "success") == 0)
		kie_read_success(reply, data, wanted, answer);
	else if (strcmp(state, "fail") == 0)
		read_failure(data, answer);
	else
		answer->verdict = POLL_RUNNING;
}

static void read_poll(
	const struct http_reply *reply, unsigned int results, struct poll_answer *answer)
{
	const char *state = NULL;
	struct api_answer opened;
	const cJSON *data;

	answer_open(reply, &opened);
	data = json_object(opened.json, "data");
	/* a record with a state is an answer whatever the code beside it: callbacks carry 501 with
	 * "fail" (API.md 2) */
	if (reply->result == CURLE_OK && reply->status == 200)
		state = json_text(data, "state");
	poll_begin(reply, answer);
	if (state && state[0])
		read_record(reply, data, state, results, answer);
	else
		poll_conclude(reply, &opened, poll_rules, COUNT(poll_rules), answer);
	answer_close(&opened);
}

static void read_upload(const struct http_reply *reply, struct upload_answer *answer)
{
	const struct rule *rule = NULL;
	const char *link = NULL;
	struct api_answer opened;
	const cJSON *data;

	answer_open(reply, &opened);
	data = json_object(opened.json, "data");
	if (reply->result == CURLE_OK) {
		rule = rule_find(upload_rules, COUNT(upload_rules), reply, &opened);
		/* the wire uses downloadUrl, one page shows fileUrl (API.md 3) */
		link = json_text(data, "downloadUrl") ?: json_text(data, "fileUrl");
	}
	if (!rule && link && url_is_http(link) && reply->status == 200 &&
		(opened.code == 200 || opened.code == 0) &&
		!cJSON_IsFalse(json_get(opened.json, "success")))
		answer->url = strdup(link);
	answer->verdict = answer->url ? UPLOAD_OK : UPLOAD_RETRY;
	if (!answer->url) {
		answer->words = answer_words(reply, &opened);
		answer->advice = rule ? rule->advice : NULL;
	}
	if (rule)
		answer->verdict = (enum upload_verdict)rule->verdict;
	answer_close(&opened);
}

static void read_balance(const struct http_reply *reply, struct balance_answer *answer)
{
	struct api_answer opened;

	answer_open(reply, &opened);
	answer->unit = "credits";
	answer->amount = json_number(opened.json, "data");
	answer->known = reply->result == CURLE_OK && reply->status == 200 && opened.code == 200 &&
	                !isnan(answer->amount);
	if (!answer->known)
		answer->words = answer_words(reply, &opened);
	answer_close(&opened);
}

static char *read_refresh(const struct http_reply *reply)
{
	char *fresh = NULL;
	struct api_answer opened;
	const char *link;

	answer_open(reply, &opened);
	link = json_text(opened.json, "data");
	if (reply->result == CURLE_OK && reply->status == 200 && opened.code == 200 && link &&
		url_is_http(link))
		fresh = strdup(link);
	answer_close(&opened);
	return fresh;
}

static const char *const key_variables[] = {"KIE_API_KEY", "KIE_AI_API_KEY", "KIEAI_API_KEY", NULL};

const struct provider provider_kie = {
	.name = "kie",
	.title = "kie.ai",
	.uploads = true,
	.link_lifetime_ms = LINK_LIFETIME_MS,
	.default_base_url = "https://api.kie.ai",
	.default_upload_url = "https://kieai.redpandaai.co",
	.default_creates = 20, /* in 10 s, of an account (API.md 1.4) */
	.default_per_ms = 10 * 1000,
	.creates_key = "creates_per_10s",
	.key_variables = key_variables,
	.url_variable = "KINOFS_KIE_URL",
	.upload_url_variable = "KINOFS_KIE_UPLOAD_URL",
	.create_url = create_url,
	.poll_url = poll_url,
	.upload_url = upload_url,
	.upload_form = upload_form,
	.balance_url = balance_url,
	.refresh_url = refresh_url,
	.refresh_body = refresh_body,
	.read_create = read_create,
	.read_poll = read_poll,
	.read_upload = read_upload,
	.read_balance = read_balance,
	.read_refresh = read_refresh,
};

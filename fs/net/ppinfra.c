/*
 * ppinfra.c - PPInfra, PPIO and Novita, one API under several names: POST
 * /v3/async/ENDPOINT, GET /v3/async/task-result (API.md 7).
 *
 * HTTP statuses are real; what an error means stands in "reason", and the
 * documents disagree on the status beside it (API.md 7.4), so the reason counts.
 */
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/net/answer.h"

#include <math.h>
#include <string.h>

#define ADVICE_KEY                                                                                 \
	"The key was refused. Put a valid PPInfra key into PPINFRA_API_KEY or the key file, "      \
	"mount again, then: kinofs retry PATH"
#define ADVICE_BALANCE                                                                             \
	"The account's balance is too low. Top it up at the provider, then: kinofs retry PATH"
#define ADVICE_NAME                                                                                \
	"The provider wants the account holder's real-name check for this model. Do it on its "    \
	"site, then: kinofs retry PATH"
#define ADVICE_RIGHTS                                                                              \
	"The account may not use this model. Have it enabled at the provider, then: kinofs retry " \
	"PATH"
#define ADVICE_SOON                                                                                \
	"The provider takes no more requests at the moment; kinofs tries again by itself."
#define ADVICE_SPEC                                                                                \
	"The provider did not take this request, and nothing was billed. Change the job's files "  \
	"as the message says; the same request again: kinofs retry PATH"
#define ADVICE_THEIRS                                                                              \
	"The provider could not make the task. The same request again: kinofs retry PATH"
#define ADVICE_ADDRESS                                                                             \
	"This address has no such API. Check the base URL of ppinfra in config.json or "           \
	"KINOFS_PPINFRA_URL, and the model's endpoint; mount again, then: kinofs retry PATH"
#define ADVICE_GONE                                                                                \
	"The provider does not offer this model any more, or not at this address, and nothing "    \
	"was billed. Put the files into the folder of another model (README.txt at the top of "    \
	"the mount names them all), or check the base URL of ppinfra in config.json or "           \
	"KINOFS_PPINFRA_URL and the model's endpoint; then: kinofs retry PATH"
#define ADVICE_SMALLER                                                                              \
	"The request was too large to be taken, and nothing was billed. Use a smaller picture, or " \
	"again: kinofs retry PATH"
#define ADVICE_FAILED                                                                              \
	"Change the job's files as the message says; the same request again: kinofs retry PATH"
#define ADVICE_UNKNOWN                                                                             \
	"It may have been accepted and billed, so it is not sent again by itself. Look into the "  \
	"provider's console; if it is not there: kinofs retry PATH"

#define STATUS(number)   .first_status = (number), .last_status = (number)
#define STATUS_4XX       .first_status = 400, .last_status = 499
#define REASON(word)     .reason = (word), .first_status = 400, .last_status = 599
#define LINK_LIFETIME_MS (3600 * 1000LL) /* video_url_ttl's default (API.md 7.3) */
#define STATUS_PREFIX    "TASK_STATUS_"
#define TTL_SECONDS_MAX  (366 * 24 * 3600LL)

/* What an answer to a create without a task id says about money. No line: CREATE_UNKNOWN. Reasons
 * are those of API.md 7.4. */
static const struct rule create_rules[] = {
	{REASON("RATE_LIMIT_EXCEEDED"), .verdict = CREATE_LATER, .advice = ADVICE_SOON},
	{REASON("INVALID_API_KEY"), .verdict = CREATE_BLOCKED, .advice = ADVICE_KEY},
	{REASON("MISSING_API_KEY"), .verdict = CREATE_BLOCKED, .advice = ADVICE_KEY},
	{REASON("FAILED_TO_AUTH"), .verdict = CREATE_BLOCKED, .advice = ADVICE_KEY},
	{REASON("BILLING_AUTH_FAILED"), .verdict = CREATE_BLOCKED, .advice = ADVICE_KEY},
	{REASON("BILLING_BALANCE_NOT_ENOUGH"), .verdict = CREATE_BLOCKED, .advice = ADVICE_BALANCE},
	{REASON("NOT_ENOUGH_BALANCE"), .verdict = CREATE_BLOCKED, .advice = ADVICE_BALANCE},
	{REASON("NEED_REAL_NAME_VERIFY"), .verdict = CREATE_BLOCKED, .advice = ADVICE_NAME},
	{REASON("FEATURE_NOT_ALLOWED"), .verdict = CREATE_BLOCKED, .advice = ADVICE_RIGHTS},
	{REASON("API_NOT_ALLOWED"), .verdict = CREATE_BLOCKED, .advice = ADVICE_RIGHTS},
	{REASON("ACCESS_DENY"), .verdict = CREATE_BLOCKED, .advice = ADVICE_RIGHTS},
	{REASON("ACCESS_DENIED"), .verdict = CREATE_BLOCKED, .advice = ADVICE_RIGHTS},
	/* API.md 11.3: a retired model is a path that is not there */
	{REASON("API_NOT_FOUND"), .verdict = CREATE_REFUSED, .advice = ADVICE_GONE},
	{REASON("MODEL_NOT_FOUND"), .verdict = CREATE_REFUSED, .advice = ADVICE_GONE},
	{REASON("IMAGE_FILE_EXCEEDS_MAX_SIZE"), .verdict = CREATE_REFUSED,
		.advice = ADVICE_SMALLER},
	/* the two reasons of a 500 that say there is no task */
	{REASON("CREATE_TASK_FAILED"), .verdict = CREATE_REFUSED, .advice = ADVICE_THEIRS},
	{REASON("BILLING_FAILED"), .verdict = CREATE_REFUSED, .advice = ADVICE_THEIRS},
	/* and the two that speak of one */
	{REASON("TASK_FAILED"), .verdict = CREATE_UNKNOWN},
	{REASON("GET_RESULT_FAILED"), .verdict = CREATE_UNKNOWN},
	/* without a reason we know */
	{STATUS(401), .verdict = CREATE_BLOCKED, .advice = ADVICE_KEY},
	{STATUS(402), .verdict = CREATE_BLOCKED, .advice = ADVICE_BALANCE},
	{STATUS(403), .verdict = CREATE_BLOCKED, .advice = ADVICE_KEY},
	{STATUS(408), .verdict = CREATE_UNKNOWN},
	{STATUS(429), .verdict = CREATE_LATER, .advice = ADVICE_SOON},
	/* API.md 5.1: with these a gateway says that it passed nothing on; pictures stand in the
         * body */
	{STATUS(405), .verdict = CREATE_REFUSED, .advice = ADVICE_ADDRESS},
	{STATUS(411), .verdict = CREATE_REFUSED, .advice = ADVICE_ADDRESS},
	{STATUS(413), .verdict = CREATE_REFUSED, .advice = ADVICE_SMALLER},
	{STATUS(414), .verdict = CREATE_REFUSED, .advice = ADVICE_ADDRESS},
	{STATUS(415), .verdict = CREATE_REFUSED, .advice = ADVICE_ADDRESS},
	{STATUS(431), .verdict = CREATE_REFUSED, .advice = ADVICE_ADDRESS},
	{STATUS(404), .explained = true, .verdict = CREATE_REFUSED, .advice = ADVICE_GONE},
	{STATUS_4XX, .text = "model name", .verdict = CREATE_REFUSED, .advice = ADVICE_GONE},
	/* INVALID_REQUEST_BODY, ILLEGAL_PROMPT, INVALID_IMAGE_FORMAT … and what comes to them */
	{STATUS_4XX, .explained = true, .verdict = CREATE_REFUSED, .advice = ADVICE_SPEC},
};

/* What an answer to task-result without a task says. No line: POLL_ERROR. */
static const struct rule poll_rules[] = {
	{REASON("TASK_NOT_FOUND"), .verdict = POLL_NOT_KNOWN},
	{REASON("API_NOT_FOUND"), .verdict = POLL_ERROR, .advice = ADVICE_ADDRESS},
	{REASON("INVALID_API_KEY"), .verdict = POLL_BLOCKED, .advice = ADVICE_KEY},
	{REASON("MISSING_API_KEY"), .verdict = POLL_BLOCKED, .advice = ADVICE_KEY},
	{REASON("FAILED_TO_AUTH"), .verdict = POLL_BLOCKED, .advice = ADVICE_KEY},
	{STATUS(401), .verdict = POLL_BLOCKED, .advice = ADVICE_KEY},
	{STATUS(403), .verdict = POLL_BLOCKED, .advice = ADVICE_KEY},
	{STATUS(404), .verdict = POLL_ERROR, .advice = ADVICE_ADDRESS},
	{.first_status = 300, .last_status = 399, .verdict = POLL_ERROR, .advice = ADVICE_ADDRESS},
};

static char *create_url(const struct account *account, const struct model *model)
{
	return format("%s/v3/async/%s", account->base_url, model->endpoint);
}

static char *poll_url(const struct account *account, const char *task)
{
	char *escaped = curl_easy_escape(NULL, task, 0);
	char *url = NULL;

	if (escaped)
		url = format("%s/v3/async/task-result?task_id=%s", account->base_url, escaped);
	curl_free(escaped);
	return url;
}

static char *balance_url(const struct account *account)
{
	return format("%s/v3/user", account->base_url);
}

static void read_create(const struct http_reply *reply, struct create_answer *answer)
{
	struct api_answer opened;

	answer_open(reply, &opened);
	answer->code = (int)reply->status;
	create_conclude(reply, &opened, json_task(opened.json, "task_id"), create_rules,
		COUNT(create_rules), ADVICE_UNKNOWN, answer);
	answer_close(&opened);
}

/* The links of some kinds of results, and the shortest life any of them has: a string or a number
 * of seconds, 0 for "not said" (API.md 7.3). */
static void add_urls(struct poll_answer *answer, const cJSON *json, unsigned int wanted)
{
	static const struct {
		const char *name, *ttl;
		unsigned int kinds;
	} lists[] = {{"videos", "video_url_ttl", RESULT_VIDEO},
		{"images", "image_url_ttl", RESULT_IMAGE},
		{"audios", "audio_url_ttl", RESULT_AUDIO}};
	const cJSON *result;

	for (size_t i = 0; i < COUNT(lists); i++) {
		const cJSON *results =
			lists[i].kinds & wanted ? json_array(json, lists[i].name) : NULL;

		poll_add_results(answer, results, lists[i].kinds);
		cJSON_ArrayForEach (result, results) {
			int64_t seconds = json_count(result, lists[i].ttl, TTL_SECONDS_MAX);

			if (seconds > 0 &&
				(answer->lifetime_ms < 0 || seconds * 1000 < answer->lifetime_ms))
				answer->lifetime_ms = seconds * 1000;
		}
	}
}

/* What a task has beside what its model makes, a cover beside sound, is not the result. */
static void read_success(const struct http_reply *reply, const cJSON *json, unsigned int wanted,
	struct poll_answer *answer)
{
	add_urls(answer, json, wanted);
	if (answer->nurl == 0)
		add_urls(answer, json, ~wanted);
	poll_conclude_success(reply, answer, "The provider", json);
}

/* Ends without a result, the first as documented, the others in the code of two published clients
 * (API.md 7.3). */
static bool is_failure(const char *status)
{
	static const char *const ends[] = {"FAILED", "CANCELED", "CANCELLED", "EXPIRED"};

	if (strncmp(status, STATUS_PREFIX, strlen(STATUS_PREFIX)) != 0)
		return false;
	for (size_t i = 0; i < COUNT(ends); i++)
		if (!strcmp(status + strlen(STATUS_PREFIX), ends[i]))
			return true;
	return false;
}

static void read_failure(const char *status, const char *reason, struct poll_answer *answer)
{
	AUTO_FREE char *words = NULL;

	answer->verdict = POLL_FAILED;
	answer->advice = ADVICE_FAILED;
	if (!reason || !reason[0])
		words = format("The provider gave no reason (%s).", status);
	answer->words = words_printable(words ? words : reason);
	answer->names_picture = words_name_picture(answer->words);
}

static void read_task(const struct http_reply *reply, const cJSON *json, const cJSON *task,
	const char *status, unsigned int wanted, struct poll_answer *answer)
{
	const char *reason = json_text(task, "reason");
	int64_t percent = json_count(task, "progress_percent", 100);

	answer->state = words_printable(status);
	answer->progress = percent > 0 ? (int)percent : -1; /* 0 even when done (API.md 7.3) */
	if (strcmp(status, STATUS_PREFIX "SUCCEED") == 0) {
		read_success(reply, json, wanted, answer);
	} else if (is_failure(status)) {
		read_failure(status, reason, answer);
	} else {
		answer->verdict = POLL_RUNNING;
	}
}

static void read_poll(
	const struct http_reply *reply, unsigned int results, struct poll_answer *answer)
{
	const char *status = NULL;
	struct api_answer opened;
	const cJSON *task;

	answer_open(reply, &opened);
	task = json_object(opened.json, "task");
	if (reply->result == CURLE_OK && reply->status == 200)
		status = json_text(task, "status");
	poll_begin(reply, answer);
	if (status && status[0])
		read_task(reply, opened.json, task, status, results, answer);
	else
		poll_conclude(reply, &opened, poll_rules, COUNT(poll_rules), answer);
	answer_close(&opened);
}

static void read_balance(const struct http_reply *reply, struct balance_answer *answer)
{
	struct api_answer opened;

	answer_open(reply, &opened);
	answer->unit = "units"; /* of what is not documented (API.md 7.5) */
	answer->amount = json_number(opened.json, "credit_balance");
	answer->known = reply->result == CURLE_OK && reply->status == 200 && !isnan(answer->amount);
	if (!answer->known)
		answer->words = answer_words(reply, &opened);
	answer_close(&opened);
}

static const char *const key_variables[] = {
	"PPINFRA_API_KEY", "PPIO_API_KEY", "NOVITA_API_KEY", NULL};

const struct provider provider_ppinfra = {
	.name = "ppinfra",
	.title = "PPInfra",
	.endpoints = true,
	.link_lifetime_ms = LINK_LIFETIME_MS,
	.default_base_url = "https://api.ppinfra.com",
	.default_creates = 20, /* a minute, of a model (API.md 7.5) */
	.default_per_ms = 60 * 1000,
	.creates_per_model = true,
	.creates_key = "creates_per_minute",
	.key_variables = key_variables,
	.url_variable = "KINOFS_PPINFRA_URL",
	.create_url = create_url,
	.poll_url = poll_url,
	.balance_url = balance_url,
	.read_create = read_create,
	.read_poll = read_poll,
	.read_balance = read_balance,
};

#include "fs/net/answer.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "fs/net/url.h"
#include "spec/text.h"

#include <string.h>

#define TASK_CHARS 128

void answer_open(const struct http_reply *reply, struct api_answer *answer)
{
	int64_t code;

	*answer = (struct api_answer){.reason = ""};
	answer->json = cJSON_ParseWithLength(reply->body, reply->body_bytes);
	if (!cJSON_IsObject(answer->json)) {
		answer_close(answer);
		return;
	}
	code = json_count(answer->json, "code", 999);
	answer->code = code > 0 ? (int)code : 0;
	/* the wire uses msg, documents of 2025 message (API.md 1.1) */
	answer->text = json_text(answer->json, "msg");
	if (!answer->text || !answer->text[0])
		answer->text = json_text(answer->json, "message") ?: answer->text;
	answer->reason = json_text(answer->json, "reason") ?: "";
}

void answer_close(struct api_answer *answer)
{
	cJSON_Delete(TAKE(answer->json));
}

static bool rule_matches(
	const struct rule *rule, const struct http_reply *reply, const struct api_answer *answer)
{
	if (rule->first_status &&
		(reply->status < rule->first_status || reply->status > rule->last_status))
		return false;
	if (rule->code && (rule->code != answer->code || !answer->text))
		return false;
	if (rule->reason && strcmp(rule->reason, answer->reason) != 0)
		return false;
	if (rule->text && !(answer->text && strcasestr(answer->text, rule->text)))
		return false;
	if (rule->explained && !answer->reason[0] && !(answer->text && answer->text[0]))
		return false;
	return true;
}

const struct rule *rule_find(const struct rule *rules, size_t count, const struct http_reply *reply,
	const struct api_answer *answer)
{
	for (size_t i = 0; i < count; i++)
		if (rule_matches(&rules[i], reply, answer))
			return &rules[i];
	return NULL;
}

char *words_printable(const char *text)
{
	return text ? text_printable(text, strlen(text), LIMIT_MESSAGE_CHARS) : NULL;
}

char *answer_words(const struct http_reply *reply, const struct api_answer *answer)
{
	const char *text = answer->text && answer->text[0] ? answer->text : NULL;
	AUTO_FREE char *words = NULL;

	if (reply->result != CURLE_OK)
		return words_printable(reply->error);
	if (text && answer->reason[0])
		words = format("%s (%s)", text, answer->reason);
	else if (text || answer->reason[0])
		words = strdup(text ? text : answer->reason);
	else if (answer->code)
		words = format("code %d without an explanation", answer->code);
	else
		words = format("HTTP status %ld without an explanation", reply->status);
	return words_printable(words);
}

static bool is_task(const char *id)
{
	size_t length = strlen(id);

	return length >= 1 && length <= TASK_CHARS &&
	       strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
	               length;
}

const char *json_task(const cJSON *object, const char *name)
{
	const cJSON *id = json_get(object, name);

	if (!id || cJSON_IsNull(id))
		return NULL;
	return cJSON_IsString(id) ? id->valuestring : "?";
}

static void create_unknown(struct create_answer *answer, const char *advice, const char *words)
{
	answer->verdict = CREATE_UNKNOWN;
	answer->advice = advice;
	answer->words = words_printable(words);
}

void create_conclude(const struct http_reply *reply, const struct api_answer *opened,
	const char *task, const struct rule *rules, size_t count, const char *unknown_advice,
	struct create_answer *answer)
{
	const struct rule *rule;

	answer->retry_after_ms = reply->retry_after_ms;
	if (task && is_task(task)) {
		answer->verdict = CREATE_ACCEPTED;
		answer->task = strdup(task);
		if (!answer->task)
			create_unknown(answer, unknown_advice, "No memory for the task id.");
		return;
	}
	if (task && task[0]) {
		create_unknown(
			answer, unknown_advice, "The answer holds a task id that cannot be one.");
		return;
	}
	if (reply->result != CURLE_OK && !reply->sent) {
		answer->verdict = CREATE_LATER;
		answer->advice =
			"No connection was made, so nothing was billed; kinofs tries again "
			"by itself.";
		answer->words = answer_words(reply, opened);
		return;
	}
	rule = reply->result == CURLE_OK ? rule_find(rules, count, reply, opened) : NULL;
	answer->verdict = rule ? (enum create_verdict)rule->verdict : CREATE_UNKNOWN;
	answer->advice = rule && rule->advice ? rule->advice : unknown_advice;
	answer->words = answer_words(reply, opened);
}

void poll_conclude(const struct http_reply *reply, const struct api_answer *opened,
	const struct rule *rules, size_t count, struct poll_answer *answer)
{
	const struct rule *rule =
		reply->result == CURLE_OK ? rule_find(rules, count, reply, opened) : NULL;

	answer->verdict = rule ? (enum poll_verdict)rule->verdict : POLL_ERROR;
	answer->advice = rule ? rule->advice : NULL;
	answer->words = answer_words(reply, opened);
}

void poll_add_url(struct poll_answer *answer, const char *url)
{
	if (!url || !url_is_http(url) || answer->nurl == COUNT(answer->url))
		return;
	answer->url[answer->nurl] = strdup(url);
	if (answer->url[answer->nurl])
		answer->nurl++;
}

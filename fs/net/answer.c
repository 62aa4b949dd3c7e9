#include "fs/net/answer.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "fs/net/secret.h"
#include "fs/net/url.h"
#include "spec/text.h"

#include <math.h>
#include <string.h>

#define TASK_CHARS 128

/* A NUL, as a byte or as \u0000, would end cJSON's string: "abc\u0000/../x" is not the id "abc". In
 * its place stands what no id, link or word of a table has, in as many bytes. */
static void replace_nuls(char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (!text[i])
			text[i] = '?';
		if (text[i] != '\\')
			continue;
		if (bytes - i >= 6 && !memcmp(text + i, "\\u0000", 6))
			memcpy(text + i, "\\ufffd", 6);
		i++; /* what is escaped is no beginning of an escape */
	}
}

static void hide_in_all(cJSON *item, const char *key)
{
	for (; item; item = item->next) {
		if (item->valuestring)
			secret_hide(item->valuestring, strlen(item->valuestring), key);
		if (item->string) /* an answer may be shown as it is */
			secret_hide(item->string, strlen(item->string), key);
		hide_in_all(item->child, key); /* cJSON nests 1,000 deep at most */
	}
}

static cJSON *parse(const char *text, size_t bytes, const char *key)
{
	AUTO_FREE char *copy = malloc(bytes + 1);
	cJSON *json;

	if (!copy)
		return NULL;
	memcpy(copy, text, bytes);
	replace_nuls(copy, bytes);
	json = cJSON_ParseWithLength(copy, bytes);
	if (key)
		hide_in_all(json, key);
	return json;
}

cJSON *answer_inner(const char *text, const struct http_reply *reply)
{
	return text ? parse(text, strlen(text), reply->secret) : NULL;
}

void answer_open(const struct http_reply *reply, struct api_answer *answer)
{
	int64_t code;

	*answer = (struct api_answer){.reason = ""};
	answer->json = parse(reply->body, reply->body_bytes, reply->secret);
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
	size_t length = text ? strlen(text) : 0;

	while (length && text[length - 1] == ' ') /* "recordInfo is null " (API.md 1.3) */
		length--;
	return text ? text_printable(text, length, LIMIT_MESSAGE_CHARS) : NULL;
}

bool words_name_picture(const char *words)
{
	/* a word too many costs an upload, which is free; one too few, an order with a dead link */
	static const char *const part[] = {
		"image", "picture", "photo", "frame", "file", "url", "link", "download", "upload"};

	for (size_t i = 0; words && i < COUNT(part); i++)
		if (strcasestr(words, part[i]))
			return true;
	return false;
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
	answer->names_picture = words_name_picture(answer->words);
}

void poll_begin(const struct http_reply *reply, struct poll_answer *answer)
{
	answer->progress = -1;
	answer->credits = NAN;
	answer->lifetime_ms = answer->took_ms = -1;
	answer->retry_after_ms = reply->retry_after_ms;
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
	char *copy;

	if (!url_is_http(url) || answer->nurl == LIMIT_RESULT_URLS) {
		answer->left++;
		return;
	}
	copy = strdup(url);
	if (!copy || ARRAY_ROOM(answer->url, answer->nurl, answer->url_room) < 0) {
		free(copy);
		answer->short_of_memory = true;
		return;
	}
	answer->url[answer->nurl++] = copy;
}

/* A link, or what has some under names that the APIs use. */
static void add_result(struct poll_answer *answer, const cJSON *result, unsigned int wanted)
{
	static const struct {
		const char *name;
		unsigned int kinds;
	} known[] = {{"video_url", RESULT_VIDEO}, {"image_url", RESULT_IMAGE},
		{"audio_url", RESULT_AUDIO}, {"url", 0}};
	const char *url = cJSON_GetStringValue(result), *any = url;
	bool added = false;

	for (size_t i = 0; i < COUNT(known); i++) {
		url = json_text(result, known[i].name);
		any = url ?: any;
		if (url && *url && (known[i].kinds & wanted)) {
			poll_add_url(answer, url);
			added = true;
		}
	}
	if (!added && (any ? *any : !cJSON_IsNull(result))) /* else its place is empty */
		poll_add_url(answer, any ?: "");
}

void poll_add_results(struct poll_answer *answer, const cJSON *results, unsigned int wanted)
{
	const cJSON *result;

	if (cJSON_IsString(results))
		add_result(answer, results, wanted);
	else if (cJSON_IsArray(results))
		cJSON_ArrayForEach (result, results)
			add_result(answer, result, wanted);
}

void poll_conclude_success(const struct http_reply *reply, struct poll_answer *answer,
	const char *title, const cJSON *said)
{
	AUTO_FREE char *printed = cJSON_IsString(said) ? NULL : cJSON_PrintUnformatted(said);
	const char *text = printed ?: cJSON_GetStringValue(said);
	AUTO_FREE char *words = NULL;

	answer->verdict = answer->nurl ? POLL_SUCCEEDED : POLL_NOTHING;
	if (answer->short_of_memory) {
		answer->verdict = POLL_ERROR; /* asked again */
		answer->words = strdup("No memory for the links to the results.");
	} else if (answer->nurl == 0) {
		words = format("%s says that the task is done, but names no result that can be "
			       "fetched. It says: %s",
			title, text && *text ? text : "nothing");
		if (words) /* what was printed again may spell the key anew */
			secret_hide(words, strlen(words), reply->secret);
		answer->words = words_printable(words);
	}
}

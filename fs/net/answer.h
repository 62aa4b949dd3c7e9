/*
 * answer.h - what the readers of both APIs share: an answer opened once, rules
 * that say what an error means, and the checks on what is taken out of it.
 * Pure; private to fs/net.
 */
#ifndef KINOFS_NET_ANSWER_H
#define KINOFS_NET_ANSWER_H

#include "fs/base/array.h"
#include "fs/base/json.h"
#include "fs/net/provider.h"

/* The API's own words in an answer; strings point into json. */
struct api_answer {
	cJSON *json;        /* the body when it is a JSON object, else NULL */
	int code;           /* "code" of the body, 0: none */
	const char *text;   /* "msg", else "message"; "" when empty, NULL: the body has neither */
	const char *reason; /* "reason"; "" when absent */
};

/* Every string in json is fit to leave fs/net but for what text_printable() does: the key is hidden
 * in it, and it has no NUL where cJSON's strings would end too early. */
void answer_open(const struct http_reply *reply, struct api_answer *answer);
/* JSON inside a string of an answer, the same way; NULL: none, or no memory. cJSON_Delete(). */
cJSON *answer_inner(const char *text, const struct http_reply *reply);
void answer_close(struct api_answer *answer);

/* One line of a table that says what an error means. A zero member matches everything; the first
 * line that matches counts. */
struct rule {
	int first_status, last_status; /* HTTP */
	int code;                      /* of a body that also has a message */
	const char *reason;
	const char *text; /* part of the message, any case */
	bool explained;   /* only when the body has a message or a reason */
	int verdict;
	const char *advice;
};

/* NULL: no rule matches. */
const struct rule *rule_find(const struct rule *rules, size_t count, const struct http_reply *reply,
	const struct api_answer *answer);

/* What went wrong, printable, in the words of libcurl or the API. The caller frees. NULL: no
 * memory. */
char *answer_words(const struct http_reply *reply, const struct api_answer *answer);
char *words_printable(const char *text); /* NULL text gives NULL */

/* Whether they speak of a picture, a file or a link, so that an upload may have died (API.md 5). */
bool words_name_picture(const char *words);

/* The id under this name: NULL when absent or null, "?" when it is there but no string, which no
 * check lets pass. */
const char *json_task(const cJSON *object, const char *name);

/* Completes the answer to a create. A task id counts whatever else the answer says, because it is
 * paid for and must be followed. Without one the rules decide, and without a rule it is
 * CREATE_UNKNOWN. */
void create_conclude(const struct http_reply *reply, const struct api_answer *opened,
	const char *task, const struct rule *rules, size_t count, const char *unknown_advice,
	struct create_answer *answer);

/* The answer to a poll before it is read: it says nothing but when to ask again. */
void poll_begin(const struct http_reply *reply, struct poll_answer *answer);

/* Completes an answer to a poll that has no state of the task, by the rules; else POLL_ERROR. */
void poll_conclude(const struct http_reply *reply, const struct api_answer *opened,
	const struct rule *rules, size_t count, struct poll_answer *answer);

/* Adds a result link; one that is no http(s) URL, or beyond LIMIT_RESULT_URLS, is counted only. */
void poll_add_url(struct poll_answer *answer, const char *url);
/* Adds what stands where results are named: a list of links or of objects that have some, or one
 * link; what else it is counts as nothing. Of an object that has links of several kinds, those of
 * `wanted` (a mask of enum result_kind) count; any one, if there is none of these. */
void poll_add_results(struct poll_answer *answer, const cJSON *results, unsigned int wanted);
/* The verdict on a task that is done. said: what was looked at for its results, quoted when there
 * is none; NULL: nothing. */
void poll_conclude_success(const struct http_reply *reply, struct poll_answer *answer,
	const char *title, const cJSON *said);

#endif

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

void answer_open(const struct http_reply *reply, struct api_answer *answer);
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

/* The id under this name: NULL when absent or null, "?" when it is there but no string, which no
 * check lets pass. */
const char *json_task(const cJSON *object, const char *name);

/* Completes the answer to a create. A task id counts whatever else the answer says, because it is
 * paid for and must be followed. Without one the rules decide, and without a rule it is
 * CREATE_UNKNOWN. */
void create_conclude(const struct http_reply *reply, const struct api_answer *opened,
	const char *task, const struct rule *rules, size_t count, const char *unknown_advice,
	struct create_answer *answer);

/* Completes an answer to a poll that has no state of the task, by the rules; else POLL_ERROR. */
void poll_conclude(const struct http_reply *reply, const struct api_answer *opened,
	const struct rule *rules, size_t count, struct poll_answer *answer);

/* Adds a result link, if it is an http(s) URL and there is room. */
void poll_add_url(struct poll_answer *answer, const char *url);

#endif

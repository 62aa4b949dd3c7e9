/* replies.h - answers as the HTTP client would hand them over, for the tests of the readers. */
#ifndef KINOFS_TESTS_UNIT_REPLIES_H
#define KINOFS_TESTS_UNIT_REPLIES_H

#include "fs/base/limits.h"
#include "fs/net/provider.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/run.h"

static inline struct http_reply reply(long status, const char *body)
{
	return (struct http_reply){.result = CURLE_OK,
		.error = "",
		.sent = true,
		.status = status,
		.body = body,
		.body_bytes = strlen(body),
		.content_length = -1,
		.retry_after_ms = -1};
}

static inline struct http_reply broken(CURLcode result, bool sent, long status, const char *body)
{
	struct http_reply made = reply(status, body);

	made.result = result;
	made.error = "curl's own words";
	made.sent = sent;
	return made;
}

/* One line of a table of create answers. words and advice: a part of them; NULL: not looked at. */
struct create_row {
	const char *why;
	long status;
	const char *body;
	enum create_verdict verdict;
	const char *words, *advice;
};

static inline void assert_part(const char *why, const char *text, const char *part)
{
	if (part && (!text || !strstr(text, part)))
		fail_msg("%s: \"%s\" is not in \"%s\"", why, part, text ? text : "(null)");
}

static inline void check_create(const struct provider *provider, const struct create_row *row)
{
	struct http_reply made = reply(row->status, row->body);
	struct create_answer answer = {0};

	provider->read_create(&made, &answer);
	if (answer.verdict != row->verdict)
		fail_msg("%s: verdict %d instead of %d", row->why, answer.verdict, row->verdict);
	if (row->verdict == CREATE_ACCEPTED) {
		assert_non_null(answer.task);
	} else {
		assert_null(answer.task);
		assert_non_null(answer.words);
		assert_string_not_equal(answer.words, "");
		assert_non_null(answer.advice);
		assert_part(row->why, answer.words, row->words);
		assert_part(row->why, answer.advice, row->advice);
	}
	create_answer_clear(&answer);
}

/* Of a model that makes these. */
static inline struct poll_answer poll_for(
	const struct provider *provider, unsigned int results, const char *body)
{
	struct http_reply made = reply(200, body);
	struct poll_answer answer = {0};

	provider->read_poll(&made, results, &answer);
	return answer;
}

static inline struct poll_answer poll_of(
	const struct provider *provider, long status, const char *body)
{
	struct http_reply made = reply(status, body);
	struct poll_answer answer = {0};

	provider->read_poll(&made, RESULT_VIDEO, &answer);
	return answer;
}

static inline void check_poll(const struct provider *provider, long status, const char *body,
	enum poll_verdict verdict, const char *words)
{
	struct poll_answer answer = poll_of(provider, status, body);

	if (answer.verdict != verdict)
		fail_msg("%s: verdict %d instead of %d", body, answer.verdict, verdict);
	assert_part(body, answer.words, words);
	assert_true(verdict == POLL_RUNNING || verdict == POLL_SUCCEEDED || answer.words);
	poll_answer_clear(&answer);
}

/* Bodies nothing can be learnt from. */
static const char *const nonsense[] = {"", "null", "[]", "{}", "\"text\"",
	"{\"code\":", "<html><body>502 Bad Gateway</body></html>", "\x01\x02\x03\xff",
	"{\"code\":200}", "{\"task_id\":null}", "{\"data\":[]}", "{\"task\":7,\"data\":7}",
	"[{\"task_id\":\"a\"}]"};

static inline void check_create_without_answer(const struct provider *provider)
{
	struct {
		struct http_reply made;
		enum create_verdict verdict;
	} row[] = {
		{broken(CURLE_COULDNT_CONNECT, false, 0, ""), CREATE_LATER},
		{broken(CURLE_COULDNT_RESOLVE_HOST, false, 0, ""), CREATE_LATER},
		{broken(CURLE_PEER_FAILED_VERIFICATION, false, 0, ""), CREATE_LATER},
		{broken(CURLE_OPERATION_TIMEDOUT, false, 0, ""), CREATE_LATER},
		{broken(CURLE_GOT_NOTHING, true, 0, ""), CREATE_UNKNOWN},
		{broken(CURLE_OPERATION_TIMEDOUT, true, 0, ""), CREATE_UNKNOWN},
		{broken(CURLE_RECV_ERROR, true, 0, ""), CREATE_UNKNOWN},
		{broken(CURLE_PARTIAL_FILE, true, 200, "{\"code\":200,\"msg\""), CREATE_UNKNOWN},
		{broken(CURLE_PARTIAL_FILE, true, 429, "{\"code\":429,\"msg\":\"x\"}"),
			CREATE_UNKNOWN},
		{broken(CURLE_ABORTED_BY_CALLBACK, true, 307, ""), CREATE_UNKNOWN},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct create_answer answer = {0};

		provider->read_create(&row[i].made, &answer);
		assert_int_equal(answer.verdict, row[i].verdict);
		assert_string_equal(answer.words, "curl's own words");
		assert_non_null(answer.advice);
		create_answer_clear(&answer);
	}
}

static inline void check_create_nonsense(const struct provider *provider)
{
	static const long status[] = {200, 201, 204, 301, 302, 307, 408, 500, 502, 503, 504, 520};
	struct create_row row = {.why = "nonsense", .verdict = CREATE_UNKNOWN};

	for (size_t i = 0; i < sizeof(status) / sizeof(status[0]); i++)
		for (size_t j = 0; j < sizeof(nonsense) / sizeof(nonsense[0]); j++) {
			row.status = status[i];
			row.body = nonsense[j];
			check_create(provider, &row);
		}
}

static inline void check_poll_nonsense(const struct provider *provider)
{
	static const long status[] = {200, 204, 302, 400, 404, 408, 429, 500, 502, 503};
	struct http_reply made = broken(CURLE_RECV_ERROR, true, 0, "");
	struct poll_answer answer = {0};

	for (size_t i = 0; i < sizeof(status) / sizeof(status[0]); i++)
		for (size_t j = 0; j < sizeof(nonsense) / sizeof(nonsense[0]); j++)
			check_poll(provider, status[i], nonsense[j], POLL_ERROR,
				"without an explanation");
	provider->read_poll(&made, RESULT_VIDEO, &answer);
	assert_int_equal(answer.verdict, POLL_ERROR);
	assert_string_equal(answer.words, "curl's own words");
	poll_answer_clear(&answer);
}

#endif

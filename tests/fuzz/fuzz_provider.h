/* fuzz_provider.h - what must hold for every reader of answers, whatever came. */
#ifndef KINOFS_TESTS_FUZZ_FUZZ_PROVIDER_H
#define KINOFS_TESTS_FUZZ_FUZZ_PROVIDER_H

#include "fs/base/limits.h"
#include "fs/net/provider.h"
#include "fs/net/url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static inline void must(bool holds)
{
	if (!holds)
		abort();
}

#define FUZZ_KEY "fuzz-key/0123456789"

static inline void fuzz_words(const char *words)
{
	must(!words || !strcasestr(words, FUZZ_KEY));
	for (const char *c = words; c && *c; c++)
		must((unsigned char)*c >= ' ' && *c != 0x7f);
	must(!words || strlen(words) <= 4 * (LIMIT_MESSAGE_CHARS + 1));
}

static inline void fuzz_create(const struct provider *provider, const struct http_reply *reply)
{
	struct create_answer answer = {0};

	provider->read_create(reply, &answer);
	must((answer.verdict == CREATE_ACCEPTED) == (answer.task != NULL));
	/* money: what may have arrived and is not explained by a whole answer is never sent again
	 */
	if (reply->result != CURLE_OK && reply->sent)
		must(answer.verdict == CREATE_ACCEPTED || answer.verdict == CREATE_UNKNOWN);
	must(answer.verdict == CREATE_ACCEPTED || (answer.words && answer.advice));
	fuzz_words(answer.words);
	create_answer_clear(&answer);
}

static inline void fuzz_poll(
	const struct provider *provider, const struct http_reply *reply, unsigned int results)
{
	struct poll_answer answer = {0};

	provider->read_poll(reply, results, &answer);
	must((answer.verdict == POLL_SUCCEEDED) == (answer.nurl > 0));
	/* a task only ends by a whole answer of the API */
	if (reply->result != CURLE_OK || reply->status != 200)
		must(answer.verdict != POLL_FAILED && answer.verdict != POLL_SUCCEEDED);
	must(answer.progress >= -1 && answer.progress <= 100);
	must(answer.nurl <= LIMIT_RESULT_URLS);
	must(answer.stills == 0 || answer.stills < answer.nurl);
	for (size_t i = 0; i < answer.nurl; i++)
		must(url_is_http(answer.url[i]));
	fuzz_words(answer.words);
	fuzz_words(answer.state);
	poll_answer_clear(&answer);
}

static inline void fuzz_others(const struct provider *provider, const struct http_reply *reply)
{
	struct upload_answer upload = {0};
	struct balance_answer balance = {0};
	char *link = NULL;

	if (provider->read_upload) {
		provider->read_upload(reply, &upload);
		must((upload.verdict == UPLOAD_OK) == (upload.url != NULL));
		must(!upload.url || url_is_http(upload.url));
		fuzz_words(upload.words);
		upload_answer_clear(&upload);
	}
	provider->read_balance(reply, &balance);
	must(balance.known || balance.words);
	fuzz_words(balance.words);
	balance_answer_clear(&balance);
	if (provider->read_refresh)
		link = provider->read_refresh(reply);
	must(!link || url_is_http(link));
	free(link);
}

static inline void fuzz_provider(const struct provider *provider, const uint8_t *data, size_t size)
{
	static const long status[] = {200, 200, 200, 200, 201, 302, 400, 401, 402, 403, 404, 408,
		422, 429, 433, 455, 500, 501, 502, 503, 505, 0};
	uint8_t pick = size ? data[0] : 0;
	char *body = calloc(1, size + 1);
	struct http_reply reply = {
		.error = "", .sent = true, .body = body, .secret = FUZZ_KEY, .retry_after_ms = -1};

	if (!body)
		return;
	if (size) {
		memcpy(body, data + 1, size - 1);
		reply.body_bytes = size - 1;
	}
	reply.status = status[(pick & 0x3f) % (sizeof(status) / sizeof(status[0]))];
	if (pick & 0x40) {
		reply.result = CURLE_PARTIAL_FILE;
		reply.error = "words of libcurl";
		reply.sent = !(pick & 0x80);
	}
	fuzz_create(provider, &reply);
	for (unsigned int results = 1; results < 8; results++) /* each mask of enum result_kind */
		fuzz_poll(provider, &reply, results);
	fuzz_others(provider, &reply);
	free(body);
}

#endif

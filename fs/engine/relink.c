#include "fs/engine/relink.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/limits.h"
#include "fs/config/config.h"
#include "fs/engine/core.h"
#include "fs/engine/fetch.h"

#include <string.h>

#define REFRESH_TIMEOUT_MS (60 * 1000)

void relink_set_lifetime(struct job *job, const struct poll_answer *answer)
{
	int64_t lifetime =
		answer->lifetime_ms > 0 ? answer->lifetime_ms : job->provider->link_lifetime_ms;

	job->row.links_until_ms = clock_wall_ms() + lifetime;
}

/* Whatever came of it, the link is tried. */
static void done(struct job *job)
{
	if (job->at >= 0)
		job->row.output[job->at].now.stale = false;
	fetch_next(job);
}

/* ------------------------------------------------------------------ whose link it is */

/* Outputs and the links of an answer, each with its index. */
struct matching {
	struct job *job;
	const struct poll_answer *answer;
	bool taken[LIMIT_RESULT_URLS]; /* a link */
	bool found[LIMIT_RESULT_URLS]; /* an output */
	size_t outputs;
};

typedef bool same_link(const char *one, const char *other);

static bool is_same(const char *one, const char *other)
{
	return !strcmp(one, other);
}

static const char *path_of(const char *url)
{
	const char *host = strstr(url, "://");

	return host ? host + 3 + strcspn(host + 3, "/?#") : url;
}

/* The host may be any of the provider's, and what follows the path signs it for a time. */
static bool is_same_path(const char *one, const char *other)
{
	const char *a = path_of(one), *b = path_of(other);
	size_t bytes = strcspn(a, "?#");

	return bytes == strcspn(b, "?#") && !memcmp(a, b, bytes);
}

static bool is_any(const char *one, const char *other)
{
	return one && other;
}

static void set_link(struct output *output, const char *url)
{
	char *copy = output->state == OUTPUT_LINKED ? strdup(url) : NULL;

	if (!copy) /* else the old one is tried again */
		return;
	free(TAKE(output->now.link));
	free(output->url);
	output->url = copy;
	output->now.stale = false;
}

/* Where as many links look like one as outputs do, they are theirs in their order. */
static void match(struct matching *with, same_link *same)
{
	struct output *output = with->job->row.output;

	for (size_t i = 0; i < with->outputs; i++) {
		size_t wanted = 0, there = 0, first = 0;

		if (with->found[i])
			continue;
		for (size_t j = 0; j < with->outputs; j++)
			wanted += !with->found[j] && same(output[j].url, output[i].url);
		for (size_t k = with->answer->nurl; k-- > 0;)
			if (!with->taken[k] && same(with->answer->url[k], output[i].url)) {
				there++;
				first = k;
			}
		if (there != wanted)
			continue;
		with->found[i] = with->taken[first] = true;
		set_link(&output[i], with->answer->url[first]);
	}
}

/* Answers need not name the results in the same order, nor all of them: one that is there already
 * is not to be fetched again in place of another. */
static void match_all(struct job *job, const struct poll_answer *answer)
{
	struct matching with = {.job = job, .answer = answer};

	/* the last may stand for all that have no link (fetch_plan()) */
	while (with.outputs < job->row.noutputs && with.outputs < LIMIT_RESULT_URLS &&
		*job->row.output[with.outputs].url)
		with.outputs++;
	match(&with, is_same);
	match(&with, is_same_path);
	match(&with, is_any);
}

void relink_polled(struct job *job, const struct poll_answer *answer)
{
	if (answer && answer->verdict == POLL_SUCCEEDED) {
		match_all(job, answer);
		if (job->at >= 0)
			job->row.output[job->at].now.answered = true;
		relink_set_lifetime(job, answer);
	}
	done(job);
}

/* ------------------------------------------------------------------ the service for links */

/* It lives for minutes, and is no link that the service would renew (fs/net/API.md 4): the one of
 * the task stays. */
static void came(void *context, const struct http_reply *reply)
{
	struct job *job = context;

	job->transfer = NULL;
	free(TAKE(job->row.output[job->at].now.link));
	job->row.output[job->at].now.link = job->provider->read_refresh(reply);
	job->row.output[job->at].now.answered = reply->result == CURLE_OK;
	done(job);
}

static bool ask_service(struct engine *engine, struct job *job)
{
	const struct account *account = config_account(engine->setup.config, job->provider);
	AUTO_FREE char *url = NULL;
	struct http_request request = {.bearer = account->key,
		.form_fd = -1,
		.sink_fd = -1,
		.timeout_ms = REFRESH_TIMEOUT_MS};

	if (!job->provider->refresh_url || !account->key)
		return false;
	url = job->provider->refresh_url(account);
	request.url = url;
	request.body = job->provider->refresh_body(job->row.output[job->at].url);
	if (!url || !request.body) {
		free(request.body);
		return false;
	}
	request.body_bytes = strlen(request.body);
	if (http_start(engine->http, &request, came, job, &job->transfer) == 0)
		return true;
	job->transfer = NULL;
	return false;
}

void relink(struct engine *engine, struct job *job)
{
	bool is_second = job->row.output[job->at].tries % 2 == 0;

	if (!is_second || !ask_service(engine, job))
		slots_enter(&engine->slots.polls, job, true);
}

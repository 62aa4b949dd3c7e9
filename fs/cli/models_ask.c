#include "fs/cli/models_ask.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"

#include <string.h>

#define TIMEOUT_MS      30000
#define LATER_MS        2000
#define LATER_MOST_MS   60000
#define TRIES           4 /* of a request that the provider does not take for now */
#define UNANSWERED_MOST 3 /* then it is the provider or the way to it, not the model */

struct exchange {
	const struct catalogue *catalogue;
	struct catalogue_answer *answer;
	bool done;
};

static void answered(void *context, const struct http_reply *reply)
{
	struct exchange *exchange = context;

	exchange->catalogue->read(reply, exchange->answer);
	exchange->done = true;
}

static void wait_until(int64_t due_ms)
{
	int64_t left_ms = due_ms - clock_steady_ms();
	struct timespec pause = {left_ms / 1000, left_ms % 1000 * 1000000};

	if (left_ms > 0)
		(void)nanosleep(&pause, NULL); /* a signal that ends it ends the program */
}

/* 0, or -errno when nothing was asked. */
static int ask_once(struct asking *asking, enum catalogue_call call, const char *model,
	struct catalogue_answer *answer)
{
	AUTO_FREE char *url = asking->catalogue->url(asking->account, call, model);
	struct exchange exchange = {asking->catalogue, answer, false};
	struct http_request request = {.url = url,
		.bearer = asking->account->key,
		.form_fd = -1,
		.sink_fd = -1,
		.timeout_ms = TIMEOUT_MS};
	struct http_transfer *transfer;
	int error;

	if (!url)
		return -EINVAL;
	wait_until(asking->next_ms);
	error = http_start(asking->http, &request, answered, &exchange, &transfer);
	while (!error && !exchange.done)
		http_run(asking->http, -1);
	asking->next_ms = clock_steady_ms() + asking->catalogue->pause_ms;
	return error;
}

cJSON *models_ask(struct asking *asking, enum catalogue_call call, const char *model, char **words)
{
	struct catalogue_answer answer = {0};
	cJSON *data = NULL;
	int error = 0;

	*words = NULL;
	for (int i = 0; i < TRIES && !error; i++) {
		int64_t pause_ms;

		catalogue_answer_clear(&answer);
		error = ask_once(asking, call, model, &answer);
		if (error || !answer.later)
			break;
		pause_ms = answer.retry_after_ms > 0 ? answer.retry_after_ms : LATER_MS;
		asking->next_ms += (pause_ms < LATER_MOST_MS ? pause_ms : LATER_MOST_MS) -
		                   asking->catalogue->pause_ms;
	}
	data = TAKE(answer.data);
	if (error)
		*words = strdup("the URL in the configuration is not usable");
	else if (!data)
		*words = TAKE(answer.words);
	asking->unanswered = data ? 0 : asking->unanswered + 1;
	asking->is_hopeless = error || answer.refused || asking->unanswered >= UNANSWERED_MOST;
	catalogue_answer_clear(&answer);
	return data;
}

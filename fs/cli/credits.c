/* kinofs credits: asks each provider that a key is there for what is left on the account. */
#include "fs/cli/cli.h"

#include "fs/base/cleanup.h"
#include "fs/cli/mounts.h"
#include "fs/config/config.h"
#include "fs/net/http.h"

#define TIMEOUT_MS 30000

struct question {
	const struct provider *provider;
	bool done;
	int status;
};

static void answered(void *context, const struct http_reply *reply)
{
	struct question *question = context;
	struct balance_answer answer = {0};

	question->provider->read_balance(reply, &answer);
	question->done = true;
	question->status = answer.known ? CLI_OK : CLI_FAILED;
	if (answer.known)
		printf("%-8s %.10g %s\n", question->provider->name, answer.amount, answer.unit);
	else
		(void)fprintf(stderr, "%s: %s\n", question->provider->name,
			answer.words ? answer.words : "no answer");
	balance_answer_clear(&answer);
}

int cli_ask_balance(
	struct http *http, const struct provider *provider, const struct account *account)
{
	AUTO_FREE char *url = provider->balance_url(account);
	struct question question = {.provider = provider, .status = CLI_FAILED};
	struct http_request request = {.url = url,
		.bearer = account->key,
		.form_fd = -1,
		.sink_fd = -1,
		.timeout_ms = TIMEOUT_MS};
	struct http_transfer *transfer;

	if (!account->key) {
		printf("%-8s no key (%s)\n", provider->name, provider->key_variables[0]);
		return CLI_OK;
	}
	if (!url || http_start(http, &request, answered, &question, &transfer) < 0) {
		(void)fprintf(
			stderr, "%s: the URL in the configuration is not usable\n", provider->name);
		return CLI_FAILED;
	}
	while (!question.done)
		http_run(http, -1);
	return question.status;
}

static int ask_all(struct http *http, const struct config *config)
{
	int status = CLI_OK;

	for (size_t i = 0; i < PROVIDERS; i++)
		if (cli_ask_balance(http, provider_at(i), &config->account[i]) != CLI_OK)
			status = CLI_FAILED;
	return status;
}

/* Of the accounts that a mount goes by which was started with another configuration. */
static int ask_of(struct http *http, const char *file)
{
	struct config config = {0};
	int status = config_read(file, &config) < 0 ? CLI_FAILED : CLI_OK;

	printf("%s:\n", file);
	if (status == CLI_OK)
		status = ask_all(http, &config);
	config_clear(&config);
	return status;
}

static int ask_of_mounts(struct http *http)
{
	struct mounts files = {0};
	int status = mounts_configs(&files) ? CLI_OK : CLI_FAILED;

	for (size_t i = 0; i < files.count; i++)
		if (ask_of(http, files.item[i]) != CLI_OK)
			status = CLI_FAILED;
	mounts_free(&files);
	return status;
}

int cli_credits(int argc, char **argv)
{
	struct config config = {0};
	struct http *http;
	int status = CLI_FAILED;

	if (argc > 1) {
		cli_usage(argv[0]);
		return CLI_USAGE;
	}
	http = cli_online(&config);
	if (http) {
		status = ask_all(http, &config);
		if (ask_of_mounts(http) != CLI_OK)
			status = CLI_FAILED;
		http_free(http);
	}
	config_clear(&config);
	return status;
}

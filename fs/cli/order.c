/* kinofs retry, cancel, release: orders to a mount. */
#include "fs/cli/cli.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/base/quote.h"
#include "fs/cli/several.h"
#include "spec/price.h"

#include <getopt.h>
#include <string.h>

/* Gives one order ("retry -n 3") and prints what is answered. */
static int give_order(const char *order, const struct chosen *job)
{
	AUTO_FREE char *answer = NULL;
	int error = cli_tell(job->mount, order, job->inside, &answer);

	if (answer)
		(void)fprintf(error ? stderr : stdout, "%s\n", answer);
	else if (error)
		cli_complain("%s/%s: %s", job->mount, job->inside, strerror(-error));
	return error ? CLI_FAILED : CLI_OK;
}

/* The words before the first path, which optind then is. */
static bool read_order(int argc, char **argv, struct several *several, bool *yes)
{
	static const struct option options[] = {{"yes", no_argument, NULL, 'y'},
		{"failed", no_argument, NULL, 'f'}, {NULL, 0, NULL, 0}};
	bool retries = !strcmp(argv[0], "retry");
	char *end = NULL;
	long takes = 1;
	int letter;

	while ((letter = getopt_long(argc, argv, retries ? "n:y" : "y", options, NULL)) != -1) {
		if (letter == 'n')
			takes = strtol(optarg, &end, 10);
		if (letter == '?' || (letter == 'f' && !retries) ||
			(letter == 'n' && (*end || takes < 1 || takes > LIMIT_TAKES)))
			break;
		*yes = *yes || letter == 'y';
		several->failed_only = several->failed_only || letter == 'f';
	}
	several->takes = (int)takes;
	if (letter == -1 && optind < argc)
		return true;
	cli_usage(argv[0]);
	if (letter == 'n')
		(void)fprintf(stderr, "TAKES is 1 to %d\n", LIMIT_TAKES);
	return false;
}

/* "3 are to be paid for, about 135 credits ($0.675)" */
static void print_price(int paid, double credits, int unpriced)
{
	(void)fprintf(stderr, "%d are to be paid for", paid);
	if (unpriced < paid)
		(void)fprintf(
			stderr, ", about %.10g credits ($%.3f)", credits, credits * USD_PER_CREDIT);
	if (unpriced)
		(void)fprintf(stderr, "%s %d %s", unpriced < paid ? ", and" : ";", unpriced,
			unpriced == 1 ? "has no known price" : "have no known price");
	(void)fputs(".\n", stderr);
}

/* Asks before more than one is paid for. 0: it may go on. Where nobody can be asked, files that
 * were named one by one go as they are, and what was only found, or is to be had several times,
 * does not. */
static int confirm(const struct several *several, bool yes)
{
	bool terminal = isatty(STDIN_FILENO);
	double credits;
	int paid, unpriced, answer;

	if (!several->found && several->takes < 2 && (yes || !terminal || several->count < 2))
		return CLI_OK;
	paid = several_paid(several, &credits, &unpriced);
	if (paid < 2)
		return CLI_OK;
	print_price(paid, credits, unpriced);
	if (yes)
		return CLI_OK;
	if (!terminal) {
		(void)fprintf(stderr, "kinofs: nothing was ordered; to pay for them: %s -y\n",
			several->verb);
		return CLI_USAGE;
	}
	(void)fputs("Go on? [y/N] ", stderr);
	answer = getchar();
	if (answer == 'y' || answer == 'Y')
		return CLI_OK;
	(void)fputs("Nothing was ordered.\n", stderr);
	return CLI_FAILED;
}

static int give_all(const struct several *several)
{
	AUTO_FREE char *order = several->takes > 1
	                                ? format("%s -n %d", several->verb, several->takes)
	                                : strdup(several->verb);
	int status = order ? CLI_OK : CLI_FAILED;

	for (size_t i = 0; order && i < several->count; i++)
		if (give_order(order, &several->item[i]) != CLI_OK)
			status = CLI_FAILED;
	return status;
}

static void print_left(const struct several *several)
{
	if (!several->count)
		(void)fprintf(stderr, "kinofs: there is nothing to %s\n", several->verb);
	if (several->unknown)
		(void)fprintf(stderr,
			"kinofs: left alone: %d unknown, which may have been paid for; retry such a job "
			"by its name\n",
			several->unknown);
}

int cli_order(int argc, char **argv)
{
	struct several several = {.verb = argv[0]};
	bool yes = false;
	int status;

	if (!read_order(argc, argv, &several, &yes))
		return CLI_USAGE;
	status = cli_models_load(&several.models) < 0 ? CLI_FAILED : CLI_OK;
	for (int i = optind; i < argc && !status; i++)
		status = several_add(&several, argv[i]);
	if (!status)
		status = confirm(&several, yes);
	if (!status) {
		print_left(&several);
		status = give_all(&several);
	}
	several_clear(&several);
	return status;
}

/* kinofs retry [-n N] PATH…, cancel|release PATH…, status, models: the short subcommands. */
#include "fs/cli/cli.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "fs/base/path.h"
#include "spec/price.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>

/* Writes one order ("retry -n 3") to .kinofs/ctl and prints what is answered. */
static int give_order(const char *order, const char *path)
{
	AUTO_FREE char *mount = NULL, *inside = NULL, *control = NULL, *line = NULL;
	AUTO_FD int fd = -1;
	char answer[4096];
	ssize_t got;
	int error = 0;

	if (!cli_find_mount(path, &mount, &inside))
		return CLI_USAGE;
	control = path_join(mount, ".kinofs/ctl");
	line = format("%s %s\n", order, inside);
	if (!control || !line)
		return CLI_FAILED;
	fd = open(control, O_RDWR | O_CLOEXEC);
	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		error = errno;
	got = fd < 0 ? 0 : read(fd, answer, sizeof(answer) - 1);
	if (got > 0)
		(void)fprintf(error ? stderr : stdout, "%.*s\n",
			(int)(answer[got - 1] == '\n' ? got - 1 : got), answer);
	else if (error)
		(void)fprintf(stderr, "kinofs: %s: %s\n", path, strerror(error));
	return error ? CLI_FAILED : CLI_OK;
}

/* "retry", or "retry -n N"; optind is then that of the first path. NULL: used wrongly, or no
 * memory.
 */
static char *read_order(int argc, char **argv)
{
	bool counts = !strcmp(argv[0], "retry");
	char *end = NULL;
	long takes = 0;
	int letter;

	while ((letter = getopt(argc, argv, counts ? "n:" : "")) == 'n') {
		takes = strtol(optarg, &end, 10);
		if (*end || takes < 1 || takes > LIMIT_TAKES)
			break;
	}
	if (letter != -1 || optind == argc) {
		(void)fprintf(
			stderr, "usage: kinofs %s%s PATH…\n", argv[0], counts ? " [-n TAKES]" : "");
		if (letter == 'n')
			(void)fprintf(stderr, "TAKES is 1 to %d\n", LIMIT_TAKES);
		return NULL;
	}
	return takes ? format("%s -n %ld", argv[0], takes) : strdup(argv[0]);
}

int cli_order(int argc, char **argv)
{
	AUTO_FREE char *order = read_order(argc, argv);
	int status = CLI_OK;

	if (!order)
		return CLI_USAGE;
	for (int i = optind; i < argc; i++) {
		int result = give_order(order, argv[i]);

		if (result > status)
			status = result;
	}
	return status;
}

/* ------------------------------------------------------------------ status */

static void print_job(const cJSON *job)
{
	static const char *const reasons[] = {"waiting_for", "held_because", "error"};

	printf("%-12s %s/%s (take %d)\n", cli_text(job, "state"), cli_text(job, "model"),
		cli_text(job, "job"), (int)json_number(job, "take"));
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		const cJSON *line;

		cJSON_ArrayForEach (line, json_get(job, reasons[i]))
			printf("             %s\n", cJSON_GetStringValue(line));
	}
	if (*cli_text(job, "warning"))
		printf("             %s %s\n", cli_text(job, "warning"), cli_text(job, "advice"));
	if (*cli_text(job, "links_live_until"))
		printf("             the result links live until %s\n",
			cli_text(job, "links_live_until"));
}

int cli_status(int argc, char **argv)
{
	AUTO_FREE char *mount = NULL, *inside = NULL, *text = NULL;
	AUTO_JSON cJSON *document = NULL;
	bool json = argc > 1 && !strcmp(argv[1], "--json");
	const cJSON *job;

	if (argc > 2 + json || (argc > 1 + json && *argv[1 + json] == '-')) {
		(void)fputs("usage: kinofs status [--json] [MOUNTPOINT]\n", stderr);
		return CLI_USAGE;
	}
	if (!cli_find_mount(argc > 1 + json ? argv[1 + json] : ".", &mount, &inside))
		return CLI_USAGE;
	document = cli_read_json(mount, ".kinofs/jobs.json");
	if (!document) {
		(void)fprintf(stderr, "kinofs: %s does not answer\n", mount);
		return CLI_FAILED;
	}
	if (json) {
		text = cJSON_Print(document);
		puts(text ? text : "");
		return CLI_OK;
	}
	cJSON_ArrayForEach (job, json_get(document, "jobs"))
		print_job(job);
	return CLI_OK;
}

/* ------------------------------------------------------------------ models */

int cli_models(int argc, char **argv)
{
	bool json = argc == 2 && !strcmp(argv[1], "--json");
	struct model_set models = {0};
	AUTO_JSON cJSON *list = cJSON_CreateArray();
	AUTO_FREE char *text = NULL;
	int error = cli_models_load(&models);

	if (argc > 1 && !json) {
		(void)fputs("usage: kinofs models [--json]\n", stderr);
		error = CLI_USAGE;
	}
	for (size_t i = 0; i < models.count && !error; i++) {
		const struct model *model = models.item[i];

		if (json)
			cJSON_AddItemToArray(list, cJSON_Duplicate(model->schema, true));
		else
			printf("%-36s %-8s %s\n", model->id, model->provider, model->title);
	}
	if (json && !error && (text = cJSON_Print(list)))
		puts(text);
	models_free(&models);
	return error < 0 ? CLI_FAILED : error;
}

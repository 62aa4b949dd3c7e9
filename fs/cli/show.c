/* kinofs show: what happened to a job, in words, and what it costs. */
#include "fs/cli/cli.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "spec/price.h"

#include <getopt.h>
#include <string.h>

/* What was shown so far. */
struct sum {
	cJSON *seen; /* the paths of records, as keys: a job has several files */
	double credits;
	int jobs, unpriced;
};

static void print_lines(const cJSON *record, const char *key)
{
	const cJSON *value = json_get(record, key), *line;

	if (cJSON_IsString(value))
		cli_print(stdout, "  ", value, "\n");
	cJSON_ArrayForEach (line, value) /* of a text: none */
		cli_print(stdout, "  ", line, "\n");
}

/* It goes on without being ordered anew, so it is not paid for twice. */
static bool is_to_be_paid(const cJSON *record)
{
	static const char *const states[] = {"waiting", "held", "queued", "uploading"};

	for (size_t i = 0; i < COUNT(states); i++)
		if (!strcmp(cli_text(record, "state"), states[i]))
			return true;
	return false;
}

static void print_price(const cJSON *record, struct sum *sum)
{
	const cJSON *price = json_get(json_get(record, "estimate"), "credits");
	const char *what = is_to_be_paid(record) ? "It" : "Another take";

	sum->jobs++;
	if (cJSON_IsNumber(price)) {
		sum->credits += price->valuedouble;
		printf("  %s costs about %.10g credits ($%.3f).\n", what, price->valuedouble,
			price->valuedouble * USD_PER_CREDIT);
	} else {
		sum->unpriced++;
		printf("  What %s costs is not known.\n",
			is_to_be_paid(record) ? "it" : "another take");
	}
}

static void print_record(const cJSON *record, struct sum *sum)
{
	static const char *const keys[] = {
		"waiting_for", "held_because", "error", "warning", "money", "advice"};
	AUTO_FREE char *name = cli_job_shown(record);

	printf("%s/%s: %s (take %d)\n", cli_text(record, "model"), name ? name : "",
		cli_text(record, "state"), (int)json_number(record, "take"));
	for (size_t i = 0; i < COUNT(keys); i++)
		print_lines(record, keys[i]);
	print_lines(record, json_get(record, "outputs_quoted") ? "outputs_quoted" : "outputs");
	print_price(record, sum);
}

static int show(const char *path, struct sum *sum)
{
	AUTO_FREE char *mount = NULL, *inside = NULL, *answer = NULL, *file = NULL, *whole = NULL;
	AUTO_JSON cJSON *record = NULL;
	int error;

	if (!cli_find_mount(path, &mount, &inside))
		return CLI_USAGE;
	error = cli_tell(mount, "find", inside, &answer);
	file = error || !answer ? NULL : unquote_name(answer);
	whole = file ? path_join(mount, file) : NULL;
	if (whole && json_get(sum->seen, whole))
		return CLI_OK;
	record = whole ? cli_read_json(mount, file) : NULL;
	if (whole)
		cJSON_AddTrueToObject(sum->seen, whole);
	if (record)
		print_record(record, sum);
	else
		(void)fprintf(stderr, "kinofs: %s\n",
			answer && error ? answer : "the job cannot be read now");
	return record ? CLI_OK : CLI_USAGE;
}

int cli_show(int argc, char **argv)
{
	struct sum sum = {0};
	int status = CLI_OK;

	if (getopt(argc, argv, "") != -1 || optind == argc) {
		cli_usage(argv[0]);
		return CLI_USAGE;
	}
	sum.seen = cJSON_CreateObject();
	for (int i = optind; i < argc; i++) {
		int result = show(argv[i], &sum);

		if (result > status)
			status = result;
	}
	if (sum.jobs > 1)
		printf("All %d together: about %.10g credits ($%.3f)%s\n", sum.jobs, sum.credits,
			sum.credits * USD_PER_CREDIT,
			sum.unpriced ? ", and what is not known" : "");
	cJSON_Delete(sum.seen);
	return status;
}

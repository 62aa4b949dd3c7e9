/* kinofs spend: where the money of a month went, by model, folder, day or user. */
#include "fs/cli/cli.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/cli/mounts.h"
#include "fs/cli/screen.h"
#include "fs/cli/spent.h"
#include "spec/nearest.h"
#include "spec/price.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

/* A line of the table; key is what is shown. */
struct line {
	char *key;
	struct spent sum;
};

struct table {
	char month[SPENT_MONTH_BYTES];
	const char *by;
	bool csv;
	struct line *line;
	size_t count, room;
};

/* ------------------------------------------------------------------ reading */

static char *user_of(const cJSON *order, uid_t owner)
{
	const double said = json_number(order, "uid");
	const uid_t uid = said >= 0 ? (uid_t)said : owner;
	const struct passwd *user = getpwuid(uid);

	return user ? quote_name(user->pw_name) : format("%u", (unsigned)uid);
}

/* As it is shown; the caller frees. */
static char *key_of(const struct table *table, const cJSON *order, uid_t owner)
{
	const char *quoted = json_text(order, "folder_quoted"); /* of what is no UTF-8 */
	AUTO_FREE char *folder = quoted ? strdup(quoted) : quote_name(cli_text(order, "folder"));
	AUTO_FREE char *model = quote_name(cli_text(order, "model"));

	if (!strcmp(table->by, "user"))
		return user_of(order, owner);
	if (!strcmp(table->by, "day"))
		return quote_name(cli_text(order, "day"));
	if (!strcmp(table->by, "folder"))
		return model && folder ? path_join(model, folder) : NULL;
	return TAKE(model);
}

static bool add_order(struct table *table, const cJSON *order, uid_t owner)
{
	AUTO_FREE char *key = key_of(table, order, owner);
	struct line *line;

	if (!key || ARRAY_ROOM(table->line, table->count, table->room) < 0)
		return false;
	line = &table->line[table->count++];
	*line = (struct line){.key = TAKE(key)};
	spent_add(&line->sum, order);
	return true;
}

/* Whether a month that cannot be read is none: nothing was ordered then. */
static bool explain(const char *mount, const char *month)
{
	AUTO_FREE char *folder = path_join(mount, ".kinofs/spending");
	AUTO_FREE char *path = format("%s/%s.json", folder, month);

	if (!folder || !path)
		return false;
	if (access(path, R_OK) < 0 && errno == ENOENT && access(folder, F_OK) == 0)
		return true;
	cli_complain("%s: %s", mount,
		errno == EACCES ? "what was spent is only for who mounted it" : "does not answer");
	return false;
}

static bool add_mount(struct table *table, const char *mount)
{
	AUTO_JSON cJSON *month = spent_read(mount, table->month);
	struct stat info = {.st_uid = getuid()};
	const cJSON *order;
	bool added = true;
	AUTO_FREE char *control = path_join(mount, ".kinofs/ctl");

	if (!month)
		return explain(mount, table->month);
	if (control)
		(void)stat(control, &info); /* whose it is whose files say nothing else */
	cJSON_ArrayForEach (order, json_get(month, "orders"))
		added = added && add_order(table, order, info.st_uid);
	return added;
}

/* ------------------------------------------------------------------ one line a key */

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->key, ((const struct line *)b)->key);
}

/* The dearest first. */
static int by_money(const void *a, const void *b)
{
	const struct spent *one = &((const struct line *)a)->sum;
	const struct spent *other = &((const struct line *)b)->sum;

	if (one->taken != other->taken)
		return one->taken < other->taken ? 1 : -1;
	return by_key(a, b);
}

static void add_sum(struct spent *to, const struct spent *sum)
{
	to->orders += sum->orders;
	to->estimated += sum->estimated;
	to->taken += sum->taken;
	to->unsaid_orders += sum->unsaid_orders;
	to->unsaid += sum->unsaid;
}

static void merge(struct table *table)
{
	size_t kept = 0;

	if (!table->count)
		return;
	qsort(table->line, table->count, sizeof(*table->line), by_key);
	for (size_t i = 1; i < table->count; i++)
		if (!strcmp(table->line[i].key, table->line[kept].key)) {
			add_sum(&table->line[kept].sum, &table->line[i].sum);
			free(table->line[i].key);
		} else {
			table->line[++kept] = table->line[i];
		}
	table->count = kept + 1;
	if (strcmp(table->by, "day") != 0)
		qsort(table->line, table->count, sizeof(*table->line), by_money);
}

/* ------------------------------------------------------------------ printing */

#define NUMBERS 54 /* columns of a line behind its key */

static void print_line(int width, const char *key, const struct spent *sum)
{
	const int columns = screen_columns(key);

	screen_put_cut(stdout, key, width);
	printf("%*s  %6.0f  %10.10g  $%8.2f  %10.10g  $%8.2f\n",
		columns < width ? width - columns : 0, "", sum->orders,
		spent_rounded(sum->estimated), sum->estimated * USD_PER_CREDIT,
		spent_rounded(sum->taken), sum->taken * USD_PER_CREDIT);
}

static void print_table(const struct table *table, const struct screen *screen)
{
	AUTO_FREE char *total = format("in %s", table->month), *unsaid = NULL;
	const int room = screen->width - NUMBERS;
	struct spent all = {0};
	int width = total ? screen_columns(total) : 0;

	for (size_t i = 0; i < table->count; i++) {
		int columns = screen_columns(table->line[i].key);

		width = columns > width ? columns : width;
		add_sum(&all, &table->line[i].sum);
	}
	if (screen->width && width > room)
		width = room > 10 ? room : 10;
	if (!table->count) {
		printf("nothing was ordered in %s\n", table->month);
		return;
	}
	printf("%-*s  %6s  %10s  %9s  %10s  %9s\n", width, "CREDITS", "ORDERS", "ESTIMATED", "",
		"TAKEN", "");
	for (size_t i = 0; i < table->count; i++)
		print_line(width, table->line[i].key, &table->line[i].sum);
	print_line(width, total ? total : "", &all);
	if (all.unsaid_orders > 0) {
		unsaid = format("Of %.0f the provider did not say what was taken: the estimate "
				"stands for it, %.10g credits.",
			all.unsaid_orders, spent_rounded(all.unsaid));
		screen_put_wrapped(stdout, screen, 0, unsaid ? unsaid : "");
	}
}

/* As RFC 4180 has it. */
static void print_field(const char *text)
{
	if (!text[strcspn(text, ",\"\r\n")]) {
		(void)fputs(text, stdout); /* flush_output() tells */
		return;
	}
	(void)putchar('"');
	for (; *text; text++)
		(void)printf(*text == '"' ? "\"\"" : "%c", *text);
	(void)putchar('"');
}

static void print_csv(const struct table *table)
{
	printf("month,%s,orders,estimated_credits,estimated_usd,taken_credits,taken_usd,"
	       "unsaid_orders,unsaid_credits\n",
		table->by);
	for (size_t i = 0; i < table->count; i++) {
		const struct spent *sum = &table->line[i].sum;

		printf("%s,", table->month);
		print_field(table->line[i].key);
		printf(",%.0f,%.10g,%.10g,%.10g,%.10g,%.0f,%.10g\n", sum->orders, sum->estimated,
			sum->estimated * USD_PER_CREDIT, sum->taken, sum->taken * USD_PER_CREDIT,
			sum->unsaid_orders, sum->unsaid);
	}
}

/* ------------------------------------------------------------------ arguments */

static bool set_month(struct table *table, const char *text)
{
	const size_t digits = strspn(text, "0123456789");
	const long month = digits == 4 && text[4] == '-' ? strtol(text + 5, NULL, 10) : 0;

	if (strlen(text) != 7 || strspn(text + digits + 1, "0123456789") != 2 || month < 1 ||
		month > 12) {
		(void)fprintf(stderr, "kinofs: --month %s: must be as 2026-11\n", text);
		return false;
	}
	(void)memcpy(table->month, text, SPENT_MONTH_BYTES);
	return true;
}

static bool set_by(struct table *table, const char *text)
{
	static const char *const ways[] = {"model", "folder", "day", "user"};
	const char *near = nearest_name(text, ways, COUNT(ways));

	for (size_t i = 0; i < COUNT(ways); i++)
		if (!strcmp(text, ways[i])) {
			table->by = ways[i];
			return true;
		}
	(void)fprintf(stderr, "kinofs: --by %s: must be model, folder, day or user%s%s%s\n", text,
		near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	return false;
}

static bool read_options(int argc, char **argv, struct table *table)
{
	static const struct option options[] = {{"month", required_argument, NULL, 'm'},
		{"by", required_argument, NULL, 'b'}, {"csv", no_argument, NULL, 'c'},
		{NULL, 0, NULL, 0}};
	bool usable = true;
	int letter;

	spent_this_month(table->month);
	table->by = "model";
	while (usable && (letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (letter == 'm')
			usable = set_month(table, optarg);
		else if (letter == 'b')
			usable = set_by(table, optarg);
		else if (letter == 'c')
			table->csv = true;
		else
			usable = false, cli_usage(argv[0]);
	}
	if (usable && argc - optind > 1) {
		cli_usage(argv[0]);
		usable = false;
	}
	return usable;
}

int cli_spend(int argc, char **argv)
{
	struct table table = {.by = NULL};
	struct mounts mounts = {0};
	struct screen screen;
	int status = CLI_USAGE;

	screen_look(STDOUT_FILENO, &screen); /* from here on all characters have their width */
	if (read_options(argc, argv, &table) &&
		mounts_find(optind < argc ? argv[optind] : NULL, &mounts)) {
		status = CLI_OK;
		for (size_t i = 0; i < mounts.count; i++)
			if (!add_mount(&table, mounts.item[i]))
				status = CLI_FAILED;
		merge(&table);
		if (status == CLI_OK && table.csv)
			print_csv(&table);
		else if (status == CLI_OK)
			print_table(&table, &screen);
	}
	for (size_t i = 0; i < table.count; i++)
		free(table.line[i].key);
	free(table.line);
	mounts_free(&mounts);
	return status;
}

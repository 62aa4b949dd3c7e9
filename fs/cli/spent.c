#include "fs/cli/spent.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/cli/cli.h"

#include <math.h>
#include <string.h>

void spent_this_month(char month[SPENT_MONTH_BYTES])
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm parts = {.tm_mday = 1};

	(void)localtime_r(&now, &parts);                           /* cannot fail for the present */
	(void)strftime(month, SPENT_MONTH_BYTES, "%Y-%m", &parts); /* fits until the year 10000 */
}

cJSON *spent_read(const char *mount, const char *month)
{
	AUTO_FREE char *name = format(".kinofs/spending/%s.json", month);

	return name ? cli_read_json(mount, name) : NULL;
}

static double number(const cJSON *order, const char *key)
{
	double value = json_number(order, key);

	return isnan(value) ? 0 : value;
}

double spent_rounded(double credits)
{
	return round(credits * 100) / 100;
}

void spent_add(struct spent *sum, const cJSON *order)
{
	sum->orders += number(order, "orders");
	sum->estimated += number(order, "estimated_credits");
	sum->taken += number(order, "taken_credits");
	sum->unsaid_orders += number(order, "unsaid_orders");
	sum->unsaid += number(order, "unsaid_credits");
}

struct spent spent_of(const cJSON *month, const char *day)
{
	struct spent sum = {0};
	const cJSON *order;

	cJSON_ArrayForEach (order, json_get(month, "orders"))
		if (!day || !strcmp(day, cli_text(order, "day")))
			spent_add(&sum, order);
	return sum;
}

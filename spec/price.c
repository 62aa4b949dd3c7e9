#include "spec/price.h"

#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "spec/address.h"
#include "spec/rule.h"
#include "spec/spec.h"
#include "spec/text.h"

#include <math.h>

/* A request as prices look at it. */
struct order {
	const struct model *model;
	const cJSON *effective, *sent;
	const struct picture *file;
	size_t files;
};

struct price price_of_row(const cJSON *row)
{
	const cJSON *credits = json_get(row, "credits");
	const cJSON *usd = json_get(row, "usd");
	const cJSON *date = json_get(row, "date");

	return (struct price){
		.known = true,
		.credits = credits ? credits->valuedouble : usd->valuedouble / USD_PER_CREDIT,
		.usd = usd ? usd->valuedouble : credits->valuedouble * USD_PER_CREDIT,
		.date = date->valuestring,
	};
}

/* Of the local files at the address or inside it; NAN when one is a link, or of no known length. */
static double seconds_at(const struct order *order, const char *address)
{
	double seconds = 0, wanted = rule_count(order->model, address, order->sent), found = 0;

	for (size_t i = 0; i < order->files; i++) {
		if (!address_is_within(order->file[i].field, address))
			continue;
		if (!(order->file[i].seconds > 0))
			return NAN;
		seconds += ceil(order->file[i].seconds);
		found++;
	}
	return found == wanted ? seconds : NAN;
}

/* A number, a length of a list, or of a text of any words; NAN: what it would be is not known. */
static double count_at(const struct order *order, const char *address)
{
	const struct model_field *field = model_field(order->model, address);
	const cJSON *value = address_get(order->effective, address);

	if (field->type == FIELD_STRING && !field->allowed && !field->media)
		return value ? (double)text_chars(value->valuestring) : 0;
	if (!value && field->type != FIELD_LIST && !field->media)
		return NAN;
	return rule_count(order->model, address, order->effective);
}

static double count_of(const struct order *order, const cJSON *row)
{
	const cJSON *per = json_get(row, "per");
	const double beyond = json_number(row, "beyond"), each = json_number(row, "each");
	double count = 1;

	if (cJSON_IsString(per))
		count = count_at(order, per->valuestring);
	else if (per)
		count = seconds_at(order, json_text(per, "seconds_of"));
	if (!isnan(beyond))
		count = count > beyond ? count - beyond : isnan(count) ? NAN : 0;
	return isnan(each) ? count : count / each;
}

static void add_row(const struct order *order, const cJSON *row, struct price *total)
{
	const struct price one = price_of_row(row);
	const double count = count_of(order, row);

	total->credits += one.credits * count;
	total->usd += one.usd * count;
	total->date = total->date ? total->date : one.date;
}

static struct price estimate(const struct order *order)
{
	struct price total = {0};
	const cJSON *row;
	bool has_base = false;

	cJSON_ArrayForEach (row, order->model->prices) {
		bool is_plus = json_is_true(row, "plus");

		if ((!is_plus && has_base) || !rule_matches(order->model, json_get(row, "when"),
						      order->effective, order->sent))
			continue;
		add_row(order, row, &total);
		has_base = has_base || !is_plus;
	}
	total.known = has_base && isfinite(total.credits);
	return total.known ? total : (struct price){0};
}

struct price price_estimate(
	const struct model *model, const cJSON *body, const struct picture *files, size_t count)
{
	AUTO_JSON cJSON *effective = model->prices ? spec_effective(model, body) : NULL;
	const struct order order = {.model = model,
		.effective = effective,
		.sent = model->wrapped ? json_get(body, "input") : body,
		.file = files,
		.files = count};

	return effective ? estimate(&order) : (struct price){0};
}

#include "spec/price.h"

#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "spec/spec.h"

static bool matches(const cJSON *when, const cJSON *effective)
{
	const cJSON *wanted;

	cJSON_ArrayForEach (wanted, when) {
		if (!cJSON_Compare(wanted, json_get(effective, wanted->string), true))
			return false;
	}
	return true;
}

static struct price price_of(const cJSON *row)
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

struct price price_estimate(const struct model *model, const cJSON *body)
{
	AUTO_JSON cJSON *effective = model->prices ? spec_effective(model, body) : NULL;
	const cJSON *row;

	if (!effective)
		return (struct price){0};
	cJSON_ArrayForEach (row, model->prices) {
		if (matches(json_get(row, "when"), effective))
			return price_of(row);
	}
	return (struct price){0};
}

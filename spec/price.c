#include "spec/price.h"

#include "fs/base/cleanup.h"
#include "spec/spec.h"

static bool matches(const cJSON *when, const cJSON *effective)
{
	const cJSON *wanted;

	cJSON_ArrayForEach (wanted, when) {
		if (!cJSON_Compare(wanted,
			    cJSON_GetObjectItemCaseSensitive(effective, wanted->string), true))
			return false;
	}
	return true;
}

static struct price price_of(const cJSON *row)
{
	const cJSON *credits = cJSON_GetObjectItemCaseSensitive(row, "credits");
	const cJSON *usd = cJSON_GetObjectItemCaseSensitive(row, "usd");
	const cJSON *date = cJSON_GetObjectItemCaseSensitive(row, "date");

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
		if (matches(cJSON_GetObjectItemCaseSensitive(row, "when"), effective))
			return price_of(row);
	}
	return (struct price){0};
}

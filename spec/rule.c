#include "spec/rule.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "spec/address.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The number that a value is, or a text of digits says; else NAN. */
static double number_of(const cJSON *value)
{
	char *end;
	double number;

	if (cJSON_IsNumber(value))
		return value->valuedouble;
	if (!cJSON_IsString(value) || !*value->valuestring)
		return NAN;
	number = strtod(value->valuestring, &end);
	return *end ? NAN : number;
}

static bool is_within(const cJSON *bounds, const cJSON *value, bool is_given)
{
	const double number = number_of(value), items = cJSON_GetArraySize(value);
	const double minimum = json_number(bounds, "minimum"),
		     maximum = json_number(bounds, "maximum");
	const double least = json_number(bounds, "minItems"),
		     most = json_number(bounds, "maxItems");
	const cJSON *given = json_get(bounds, "given");

	if (given && cJSON_IsTrue(given) != is_given)
		return false;
	if ((!isnan(minimum) || !isnan(maximum)) && isnan(number))
		return false;
	if ((!isnan(least) || !isnan(most)) && !cJSON_IsArray(value))
		return false;
	return !(number < minimum) && !(number > maximum) && !(items < least) && !(items > most);
}

static bool is_one_of(const cJSON *list, const cJSON *value)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, list) {
		if (cJSON_Compare(entry, value, true))
			return true;
	}
	return false;
}

static bool is_wanted(
	const struct model *model, const cJSON *wanted, const cJSON *effective, const cJSON *sent)
{
	const struct model_field *field = model_field(model, wanted->string);
	const cJSON *value = address_get(effective ?: sent, wanted->string);
	const bool is_given = address_get(sent, wanted->string) != NULL;

	if (!effective && !is_given) /* another file may still say it */
		return false;
	if (cJSON_IsBool(wanted) && field && field->type != FIELD_BOOLEAN)
		return cJSON_IsTrue(wanted) == is_given;
	if (cJSON_IsArray(wanted))
		return is_one_of(wanted, value);
	if (cJSON_IsObject(wanted))
		return is_within(wanted, value, is_given);
	return cJSON_Compare(wanted, value, true);
}

bool rule_matches(
	const struct model *model, const cJSON *when, const cJSON *effective, const cJSON *sent)
{
	const cJSON *wanted;

	cJSON_ArrayForEach (wanted, when) {
		if (!is_wanted(model, wanted, effective, sent))
			return false;
	}
	return true;
}

double rule_count(const struct model *model, const char *address, const cJSON *input)
{
	const struct model_field *field = model_field(model, address);
	const cJSON *value = address_get(input, address);

	if (!value)
		return 0;
	if (cJSON_IsArray(value))
		return cJSON_GetArraySize(value);
	return field && field->media ? 1 : number_of(value);
}

static bool is_over(const struct model *model, const cJSON *sum, const cJSON *sent)
{
	const cJSON *address;
	double total = 0;

	cJSON_ArrayForEach (address, json_get(sum, "of"))
		total += rule_count(model, address->valuestring, sent);
	return total > json_number(sum, "over");
}

/* The addresses a rule is about, with commas. The caller frees; NULL: no memory. */
static char *addresses_of(const cJSON *rule)
{
	const cJSON *item;
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);
	const char *comma = "";

	if (!out)
		return NULL;
	cJSON_ArrayForEach (item, json_get(rule, "refuse")) {
		(void)fprintf(out, "%s%s", comma, item->string); /* the stream tells */
		comma = ", ";
	}
	cJSON_ArrayForEach (item, json_get(json_get(rule, "sum"), "of")) {
		(void)fprintf(out, "%s%s", comma, item->valuestring);
		comma = ", ";
	}
	return stream_text(out, &text);
}

/* Whether the rule only wants one of some things to be given, which a file beside the spec may do.
 */
static bool is_for_want(const struct model *model, const cJSON *rule)
{
	const cJSON *wanted;
	bool by_file = false;

	cJSON_ArrayForEach (wanted, json_get(rule, "refuse")) {
		const struct model_field *field = model_field(model, wanted->string);

		if (!cJSON_IsFalse(wanted) || field->type == FIELD_BOOLEAN)
			return false;
		by_file = by_file || field->marks || field == model->prompt;
	}
	return by_file;
}

void rules_judge(const struct model *model, const cJSON *effective, const cJSON *sent,
	struct problems *problems, struct problems *missing)
{
	const cJSON *rule;

	cJSON_ArrayForEach (rule, model->rules) {
		const cJSON *refuse = json_get(rule, "refuse"), *sum = json_get(rule, "sum");
		AUTO_FREE char *addresses = NULL;

		if ((refuse && !rule_matches(model, refuse, effective, sent)) ||
			(sum && !is_over(model, sum, sent)))
			continue;
		addresses = addresses_of(rule);
		problems_add(missing && is_for_want(model, rule) ? missing : problems, addresses,
			"%s", json_text(rule, "message"));
	}
}

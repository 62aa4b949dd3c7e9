/* rules.c - conditions over an input, and what hangs on them: refusals and prices. */
#include "contrib/simulator/schema.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DOLLARS_A_CREDIT 0.005 /* fs/net/API.md 8 */

/* The limits of a number also hold of a text of digits. */
static bool is_within(const cJSON *want, const cJSON *value)
{
	AUTO_JSON cJSON *number = cJSON_CreateNumber(value_number(value, NAN));
	bool is_count = schema_get(want, "minimum") || schema_get(want, "maximum");
	const cJSON *counted = is_count && cJSON_IsString(value) ? number : value;
	AUTO_FREE char *wrong = NULL;

	if (is_count && isnan(value_number(value, NAN)))
		return false;
	wrong = schema_check(want, counted, NULL);
	return !wrong;
}

static bool object_holds(const cJSON *want, const cJSON *value, bool is_given)
{
	const cJSON *given = schema_get(want, "given");

	if (given && cJSON_IsTrue(given) != is_given)
		return false;
	if (given && cJSON_GetArraySize(want) == 1)
		return true;
	return value && is_within(want, value);
}

/* "given" is asked of what was sent, a value of what holds with the defaults filled in. */
static bool want_holds(const cJSON *schema, const cJSON *input, const cJSON *want)
{
	const char *address = want->string;
	const char *type = schema_text(schema_at(schema, address), "type");
	const cJSON *value = value_effective(schema, input, address);
	bool is_given = value_at(input, address) != NULL;
	const cJSON *choice;

	if (cJSON_IsBool(want) && !(type && !strcmp(type, "boolean")))
		return cJSON_IsTrue(want) == is_given;
	if (cJSON_IsObject(want))
		return object_holds(want, value, is_given);
	if (!cJSON_IsArray(want))
		return cJSON_Compare(want, value, true);
	cJSON_ArrayForEach (choice, want)
		if (cJSON_Compare(choice, value, true))
			return true;
	return false;
}

static bool condition_holds(const cJSON *schema, const cJSON *input, const cJSON *condition)
{
	const cJSON *want;

	cJSON_ArrayForEach (want, condition)
		if (!want_holds(schema, input, want))
			return false;
	return true;
}

/* A list counts its length, a file that is given 1, a number its value. */
static double weight(const cJSON *schema, const char *address, const cJSON *value)
{
	if (cJSON_IsArray(value))
		return cJSON_GetArraySize(value);
	if (schema_file(schema_at(schema, address)))
		return value ? 1 : 0;
	return value_number(value, 0);
}

static bool sum_is_over(const cJSON *schema, const cJSON *input, const cJSON *sum)
{
	double total = 0;
	const cJSON *address;

	cJSON_ArrayForEach (address, schema_get(sum, "of"))
		if (address->valuestring)
			total += weight(schema, address->valuestring,
				value_at(input, address->valuestring)); /* as sent */
	return total > value_number(schema_get(sum, "over"), INFINITY);
}

char *rules_check(const cJSON *schema, const cJSON *input)
{
	const cJSON *rule;

	cJSON_ArrayForEach (rule, schema_get(schema, "x-kinofs-rules")) {
		const cJSON *sum = schema_get(rule, "sum");
		const char *message = schema_text(rule, "message");

		if (condition_holds(schema, input, schema_get(rule, "refuse")) &&
			(!sum || sum_is_over(schema, input, sum)))
			return strdup(message ? message : "Validation Error");
	}
	return NULL;
}

/* How many times the price of a row counts. */
static double times(const cJSON *schema, const cJSON *input, const cJSON *row)
{
	const cJSON *per = schema_get(row, "per");
	const char *film = schema_text(per, "seconds_of");
	const char *address = film ? film : cJSON_GetStringValue(per);
	double count = 1;

	if (address)
		count = weight(schema, address, value_effective(schema, input, address));
	if (film)
		count *= RULES_SECONDS;
	return fmax(0, count - value_number(schema_get(row, "beyond"), 0));
}

double rules_price(const cJSON *schema, const cJSON *input)
{
	double price = 0;
	bool is_found = false;
	const cJSON *row;

	cJSON_ArrayForEach (row, schema_get(schema, "x-kinofs-prices")) {
		bool is_more = cJSON_IsTrue(schema_get(row, "plus"));
		const cJSON *credits = schema_get(row, "credits");
		double dollars = value_number(schema_get(row, "usd"), 0);

		if ((is_found && !is_more) ||
			!condition_holds(schema, input, schema_get(row, "when")))
			continue;
		is_found |= !is_more;
		price += value_number(credits, dollars / DOLLARS_A_CREDIT) *
		         times(schema, input, row);
	}
	return is_found ? price : 0;
}

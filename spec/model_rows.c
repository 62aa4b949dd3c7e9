/* model_rows.c - what may be wrong with a model file's prices and rules, and with what must fit its
 * fields (model_check.h). */
#include "spec/model_check.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "spec/address.h"
#include "spec/check.h"

#include <errno.h>
#include <string.h>

static const struct key price_keys[] = {
	{"when", OBJECT, false},
	{"credits", NUMBER, false},
	{"usd", NUMBER, false},
	{"per", ANY, false},
	{"beyond", NUMBER, false},
	{"each", NUMBER, false},
	{"plus", BOOLEAN, false},
	{"date", TEXT, true},
	{"source", TEXT, true},
	{NULL, ANY, false},
};

static const struct key seconds_keys[] = {{"seconds_of", TEXT, true}, {NULL, ANY, false}};

static const struct key rule_keys[] = {
	{"refuse", OBJECT, false},
	{"sum", OBJECT, false},
	{"message", TEXT, true},
	{NULL, ANY, false},
};

static const struct key sum_keys[] = {
	{"of", LIST, true}, {"over", NUMBER, true}, {NULL, ANY, false}};

static const struct key bound_keys[] = {
	{"minimum", NUMBER, false},
	{"maximum", NUMBER, false},
	{"minItems", SIZE, false},
	{"maxItems", SIZE, false},
	{"given", BOOLEAN, false},
	{NULL, ANY, false},
};

static bool is_date(const char *text)
{
	static const char form[] = "0000-00-00";

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	return true;
}

static void check_price(const cJSON *row, struct problems *problems)
{
	static const char where[] = "x-kinofs-prices";
	const cJSON *credits = json_get(row, "credits"), *usd = json_get(row, "usd");
	const cJSON *per = json_get(row, "per");

	if (!model_check_keys(row, price_keys, where, problems))
		return;
	if (!credits == !usd || (credits ? credits : usd)->valuedouble < 0)
		problems_add(
			problems, where, "each row has either \"credits\" or \"usd\", not below 0");
	if (!is_date(json_text(row, "date")))
		problems_add(
			problems, where, "\"%s\" is no date YYYY-MM-DD", json_text(row, "date"));
	if (per && !cJSON_IsString(per))
		(void)model_check_keys(per, seconds_keys, where, problems); /* which says it */
	if ((json_get(row, "beyond") || json_get(row, "each")) && !per)
		problems_add(problems, where, "\"beyond\" and \"each\" need \"per\"");
	if (json_get(row, "each") && json_number(row, "each") <= 0)
		problems_add(problems, where, "\"each\" is above 0");
}

static void check_rule(const cJSON *row, struct problems *problems)
{
	static const char where[] = "x-kinofs-rules";
	const cJSON *refuse = json_get(row, "refuse"), *sum = json_get(row, "sum"), *entry;

	if (!model_check_keys(row, rule_keys, where, problems) ||
		(sum && !model_check_keys(sum, sum_keys, where, problems)))
		return;
	if ((!refuse && !sum) || (refuse && !refuse->child))
		problems_add(problems, where,
			refuse ? "\"refuse\" is empty" : "a rule has \"refuse\" or \"sum\"");
	cJSON_ArrayForEach (entry, json_get(sum, "of")) {
		if (!model_key_is(entry, TEXT))
			problems_add(problems, where, "\"of\" holds what is no name of a field");
	}
}

void model_check_rows(const cJSON *schema, struct problems *problems)
{
	const char *retired = json_text(schema, "x-kinofs-retired");
	const cJSON *row;

	if (retired && !is_date(retired))
		problems_add(problems, "x-kinofs-retired", "\"%s\" is no date YYYY-MM-DD", retired);
	cJSON_ArrayForEach (row, json_get(schema, "x-kinofs-prices"))
		check_price(row, problems);
	cJSON_ArrayForEach (row, json_get(schema, "x-kinofs-rules"))
		check_rule(row, problems);
}

/* ------------------------------------------------------------------ what must fit the fields */

static const struct model_field *known_field(const struct model *model, const char *address,
	const char *where, struct problems *problems)
{
	const struct model_field *field = model_field(model, address);

	if (!field)
		problems_add_in(problems, where, address, "no such field");
	return field;
}

/* A value that the field may have, written as its type has it. */
static int check_value(const struct model *model, const struct model_field *field,
	const cJSON *value, const char *where, struct problems *problems)
{
	struct check check = {.model = model, .problems = problems, .file = where, .dir = ""};
	AUTO_JSON cJSON *input = cJSON_CreateObject();
	size_t before = problems->count;
	int error;

	if (strchr(field->address, '*')) /* inside lists nothing is asked for */
		return 0;
	error = input ? address_put(input, field->address, cJSON_Duplicate(value, true)) : -ENOMEM;
	if (!error)
		error = check_at(&check, input, field);
	if (!error && problems->count == before &&
		!cJSON_Compare(address_get(input, field->address), value, true))
		problems_add_in(
			problems, where, field->address, "write the value as its type has it");
	check_clear(&check);
	return error;
}

/* What a WHEN (rule.h) asks of one field. */
static int check_wanted(const struct model *model, const cJSON *wanted, const char *where,
	struct problems *problems)
{
	const struct model_field *field = known_field(model, wanted->string, where, problems);
	const cJSON *entry;
	int error = 0;

	if (!field)
		return 0;
	if (cJSON_IsObject(wanted)) {
		(void)model_check_keys(wanted, bound_keys, where, problems); /* which says it */
		return 0;
	}
	if (cJSON_IsBool(wanted) && field->type != FIELD_BOOLEAN)
		return 0;
	if (!cJSON_IsArray(wanted))
		return check_value(model, field, wanted, where, problems);
	cJSON_ArrayForEach (entry, wanted) {
		if (!error)
			error = check_value(model, field, entry, where, problems);
	}
	return error;
}

static int check_when(
	const struct model *model, const cJSON *when, const char *where, struct problems *problems)
{
	const cJSON *wanted;
	int error = 0;

	cJSON_ArrayForEach (wanted, when) {
		if (!error)
			error = check_wanted(model, wanted, where, problems);
	}
	return error;
}

static int check_prices(const struct model *model, struct problems *problems)
{
	static const char where[] = "x-kinofs-prices";
	const cJSON *row;
	int error = 0;

	cJSON_ArrayForEach (row, model->prices) {
		const cJSON *per = json_get(row, "per");
		const char *address =
			cJSON_IsString(per) ? per->valuestring : json_text(per, "seconds_of");

		if (address)
			(void)known_field(model, address, where, problems); /* which says it */
		if (!error)
			error = check_when(model, json_get(row, "when"), where, problems);
	}
	return error;
}

static int check_rules(const struct model *model, struct problems *problems)
{
	static const char where[] = "x-kinofs-rules";
	const cJSON *row, *entry;
	int error = 0;

	cJSON_ArrayForEach (row, model->rules) {
		cJSON_ArrayForEach (entry, json_get(json_get(row, "sum"), "of"))
			(void)known_field(model, entry->valuestring, where, problems);
		if (!error)
			error = check_when(model, json_get(row, "refuse"), where, problems);
	}
	return error;
}

static int check_defaults(
	const struct model *model, const struct model_field *object, struct problems *problems)
{
	int error = 0;

	for (size_t i = 0; i < object->nfield && !error; i++) {
		const struct model_field *field = &object->field[i];

		if (field->fallback)
			error = check_value(model, field, field->fallback, "default", problems);
		if (!error)
			error = check_defaults(model, field, problems);
	}
	return error;
}

/* No name of a file may fit two places. */
static void check_slots(const struct model *model, struct problems *problems)
{
	for (size_t i = 0; i < model->nslot; i++)
		for (size_t j = 0; j < i; j++)
			if (model->slot[i].field->media & model->slot[j].field->media &&
				!strcmp(model->slot[i].mark, model->slot[j].mark))
				problems_add(problems, model->slot[i].field->address,
					"its mark \"%s\" is that of %s", model->slot[i].mark,
					model->slot[j].field->address);
}

static void check_prompt(const struct model *model, struct problems *problems)
{
	static const char key[] = "x-kinofs-prompt";
	const char *name = json_text(model->schema, key);

	if (name && !model->prompt)
		problems_add(problems, key, "\"%s\" is not in \"properties\"", name);
	else if (name && (model->prompt->type != FIELD_STRING || model->prompt->media))
		problems_add(problems, key, "\"%s\" is no text field", name);
}

int model_check_values(const struct model *model, struct problems *problems)
{
	int error = check_defaults(model, &model->root, problems);

	check_prompt(model, problems);
	check_slots(model, problems);
	if (!error)
		error = check_prices(model, problems);
	return error ? error : check_rules(model, problems);
}

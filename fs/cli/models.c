/* kinofs models: what can be made, out of what, and for how much. */
#include "fs/cli/cli.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/cli/models_update.h"
#include "fs/net/provider.h"
#include "spec/kind.h"
#include "spec/media_field.h"
#include "spec/price.h"

#include <math.h>
#include <string.h>

#define CELL 40

/* ------------------------------------------------------------------ what goes in */

/* Fields for files of one kind. */
struct intake {
	bool is_needed, is_several;
	size_t fields;
};

/* Of what is inside of lists and objects it is not said whether it is needed. */
static void add_field(
	const struct model_field *field, unsigned int kind, bool is_needed, struct intake *intake)
{
	if (field->media & kind) {
		intake->is_needed = intake->is_needed || (is_needed && field->required);
		intake->is_several =
			intake->is_several || (field->type == FIELD_LIST && field->max_items != 1);
		intake->fields++;
		return;
	}
	for (size_t i = 0; i < field->nfield; i++)
		add_field(&field->field[i], kind, false, intake);
}

static void add_words(char cell[CELL], const char *words, bool is_needed)
{
	const size_t used = strlen(cell);

	(void)snprintf(cell + used, CELL - used, "%s%s%s%s", used ? " " : "", is_needed ? "" : "[",
		words, is_needed ? "" : "]"); /* what does not fit is cut */
}

/* "text picture/film [sounds]": what is not needed stands in brackets; a film, where it may be in
 * place of the picture. */
static void print_in(const struct model *model, char cell[CELL])
{
	static const unsigned int kinds[] = {MEDIA_PICTURE, MEDIA_FILM, MEDIA_SOUND};

	cell[0] = '\0';
	if (model->prompt)
		add_words(cell, "text", model->prompt->required);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct intake intake = {0};
		char words[16];

		for (size_t j = 0; j < model->root.nfield; j++)
			add_field(&model->root.field[j], kinds[i], true, &intake);
		if (!intake.fields)
			continue;
		(void)snprintf(words, sizeof(words), "%s%s%s", media_noun(kinds[i]),
			intake.is_several || intake.fields > 1 ? "s" : "",
			kinds[i] == MEDIA_PICTURE && media_frame_slot(model) ? "/film"
									     : ""); /* fits */
		add_words(cell, words, intake.is_needed);
	}
	if (!*cell)
		add_words(cell, "a spec", true);
}

/* ------------------------------------------------------------------ what it costs */

struct range {
	double low, high; /* credits */
	const char *date; /* the latest */
	const char *per;  /* what is not known before, and is counted */
};

static double value_of(const cJSON *value)
{
	const char *text = cJSON_GetStringValue(value);

	return text ? strtod(text, NULL) : cJSON_IsNumber(value) ? value->valuedouble : NAN;
}

/* How often the row is paid at least and at most. false: nothing limits it. */
static bool count_of(const struct model *model, const cJSON *row, double *least, double *most)
{
	const char *address = json_text(row, "per");
	const struct model_field *field = address ? model_field(model, address) : NULL;
	const cJSON *value;

	*least = *most = 1;
	if (!json_get(row, "per"))
		return true;
	if (!field || json_get(row, "each") || json_get(row, "beyond"))
		return false;
	*least = INFINITY;
	*most = 0;
	cJSON_ArrayForEach (value, field->allowed) {
		*least = fmin(*least, value_of(value));
		*most = fmax(*most, value_of(value));
	}
	if (!field->allowed && field->has_minimum && field->has_maximum) {
		*least = field->minimum;
		*most = field->maximum;
	}
	return *least > 0 && *most >= *least;
}

static const char *unit_of(const cJSON *row)
{
	const char *per = json_text(row, "per");

	if (json_object(row, "per") || (per && strcmp(per, "duration") == 0))
		return "a second";
	return json_number(row, "each") > 1 ? "for so many characters" : "each";
}

static struct range range_of(const struct model *model)
{
	struct range range = {.low = INFINITY};
	const cJSON *row;
	bool is_whole = true;

	cJSON_ArrayForEach (row, model->prices) {
		double least, most;

		if (!json_is_true(row, "plus") && !count_of(model, row, &least, &most))
			is_whole = false;
	}
	cJSON_ArrayForEach (row, model->prices) {
		const struct price price = price_of_row(row);
		double least = 1, most = 1;

		if (json_is_true(row, "plus"))
			continue;
		if (is_whole)
			(void)count_of(model, row, &least, &most);
		else if (json_get(row, "per"))
			range.per = unit_of(row);
		range.low = fmin(range.low, price.credits * least);
		range.high = fmax(range.high, price.credits * most);
		if (!range.date || strcmp(price.date, range.date) > 0)
			range.date = price.date;
	}
	return range;
}

static void print_price(const struct model *model)
{
	const struct range range = range_of(model);
	const char *retired = json_text(model->schema, "x-kinofs-retired");

	if (!range.date)
		printf("price not known");
	else if (range.low < range.high)
		printf("%.10g to %.10g credits", range.low, range.high);
	else
		printf("%.10g credits", range.low);
	if (range.per)
		printf(" %s", range.per);
	if (range.date)
		printf(", %s", range.date);
	printf(retired ? "; not offered any more, %s\n" : "%s\n", retired ? retired : "");
}

/* ------------------------------------------------------------------ the table */

static void print_table(const struct model_set *models)
{
	size_t folder = strlen("FOLDER"), in = strlen("IN");
	char cell[CELL];

	for (size_t i = 0; i < models->count; i++) {
		print_in(models->item[i], cell);
		folder =
			strlen(models->item[i]->id) > folder ? strlen(models->item[i]->id) : folder;
		in = strlen(cell) > in ? strlen(cell) : in;
	}
	if (isatty(STDOUT_FILENO)) /* programs read the first word of each line */
		printf("%-*s  %-*s  %-8s  PRICE OF ONE\n", (int)folder, "FOLDER", (int)in, "IN",
			"OUT");
	for (size_t i = 0; i < models->count; i++) {
		print_in(models->item[i], cell);
		printf("%-*s  %-*s  %-8s  ", (int)folder, models->item[i]->id, (int)in, cell,
			model_noun(models->item[i]));
		print_price(models->item[i]);
	}
}

static int print_json(const struct model_set *models)
{
	AUTO_JSON cJSON *list = cJSON_CreateArray();
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; i < models->count; i++) {
		cJSON *file = cJSON_Duplicate(models->item[i]->schema, true);

		if (!cJSON_AddItemToArray(list, file))
			cJSON_Delete(file);
	}
	text = cJSON_Print(list);
	puts(text ? text : "");
	return text ? CLI_OK : CLI_FAILED;
}

int cli_models(int argc, char **argv)
{
	const bool is_json = argc == 2 && !strcmp(argv[1], "--json");
	struct model_set models = {0};
	int status = CLI_FAILED;

	if (argc > 1 && !strcmp(argv[1], "update"))
		return models_update(argc - 1, argv + 1);
	if (argc > 1 && !is_json) {
		cli_usage(argv[0]);
		return CLI_USAGE;
	}
	if (cli_models_load(&models) == 0)
		status = is_json ? print_json(&models) : CLI_OK;
	if (status == CLI_OK && !is_json)
		print_table(&models);
	models_free(&models);
	return status;
}

#include "spec/catalogue_parts.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "spec/model.h"
#include "spec/text.h"

#include <string.h>

void making_put(struct making *making, cJSON *object, const char *key, cJSON *value)
{
	if (!value || !object) {
		making->lost = true;
		cJSON_Delete(value);
		return;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	if (!cJSON_AddItemToObject(object, key, value)) {
		making->lost = true;
		cJSON_Delete(value);
	}
}

void making_add(struct making *making, cJSON *list, cJSON *value)
{
	if (value && cJSON_AddItemToArray(list, value))
		return;
	making->lost = true;
	cJSON_Delete(value);
}

/* ------------------------------------------------------------------ what it makes */

static const struct {
	const char *result, *words;
} results[] = {
	{"video", "video|film|movie"},
	{"image", "image|picture|photo"},
	{"audio", "audio|speech|music|sound|voice|song|dialogue"},
};

/* "Image to Video" makes videos, "Video Upscale" too. */
static void put_task(bool found[COUNT(results)], const char *task)
{
	regmatch_t group[CATALOGUE_GROUPS];

	if (catalogue_finds(task, ".*(^|[^a-z])to([^a-z]|$)", group))
		task += group[0].rm_eo;
	for (size_t i = 0; i < COUNT(results); i++)
		if (catalogue_finds(task, results[i].words, group))
			found[i] = true;
}

/* Returns how many kinds it makes. */
static size_t results_of(const struct catalogue_entry *said, bool found[COUNT(results)])
{
	AUTO_FREE char *copy = strdup(said->tasks ? said->tasks : "");
	char *rest = copy, *task;
	size_t count = 0;

	while ((task = strsep(&rest, ",")))
		put_task(found, task);
	for (size_t i = 0; i < COUNT(results); i++)
		count += found[i];
	return count;
}

bool catalogue_is_media(const struct catalogue_entry *said)
{
	bool found[COUNT(results)] = {false};

	return results_of(said, found) > 0;
}

static void put_result(struct making *making, cJSON *file)
{
	bool found[COUNT(results)] = {false};
	size_t count = results_of(making->said, found);
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < COUNT(results); i++)
		if (found[i])
			making_add(making, list, cJSON_CreateString(results[i].result));
	if (count == 0)
		problems_add(&making->problems, NULL,
			"it makes neither videos nor pictures nor sounds: \"%s\"",
			making->said->tasks ? making->said->tasks : "");
	if (count == 1 && !found[0])
		making_put(making, file, "x-kinofs-result", cJSON_Duplicate(list->child, false));
	if (count > 1)
		making_put(making, file, "x-kinofs-result", list);
	else
		cJSON_Delete(list);
}

/* ------------------------------------------------------------------ the file */

static void put_text(struct making *making, cJSON *file, const char *key, const char *text)
{
	AUTO_FREE char *plain = text_printable(text, strlen(text), 1000);

	making_put(making, file, key, plain ? cJSON_CreateString(plain) : NULL);
}

/* The field that the words of a person fill. */
static void put_prompt(struct making *making, const cJSON *properties, cJSON *file)
{
	static const char *const names[] = {"prompt", "text"};

	for (size_t i = 0; i < COUNT(names); i++) {
		const cJSON *field = json_get(properties, names[i]);
		const char *type = json_text(field, "type");

		if (!type || strcmp(type, "string") != 0 || json_get(field, "x-kinofs-file") ||
			json_get(field, "enum"))
			continue;
		making_put(making, file, "x-kinofs-prompt", cJSON_CreateString(names[i]));
		return;
	}
}

/* Keys of the whole input that a model file has no words for. */
static void check_input(struct making *making, const cJSON *input)
{
	static const char *const known[] = {
		"type", "description", "properties", "required", "additionalProperties", "default"};
	const cJSON *key;

	cJSON_ArrayForEach (key, input) {
		bool is_known = false;

		for (size_t i = 0; i < COUNT(known); i++)
			is_known = is_known || strcmp(key->string, known[i]) == 0;
		if (!is_known)
			problems_add(&making->problems, NULL,
				"its schema says \"%s\", which a model file cannot say",
				key->string);
	}
}

static void put_rows(struct making *making, cJSON *file)
{
	cJSON *prices = catalogue_prices(making, file);

	if (prices)
		making_put(making, file, "x-kinofs-prices", prices);
	if (making->rules && making->rules->child)
		making_put(making, file, "x-kinofs-rules", TAKE(making->rules));
}

static cJSON *make(struct making *making)
{
	const struct catalogue_entry *said = making->said;
	AUTO_JSON cJSON *input = catalogue_input(making);
	cJSON *file = cJSON_CreateObject();

	making_put(making, file, "$schema",
		cJSON_CreateString("https://json-schema.org/draft/2020-12/schema"));
	making_put(making, file, "$id", cJSON_CreateString(said->id));
	put_text(making, file, "title", said->title && *said->title ? said->title : said->id);
	if (said->description && !text_blank(said->description))
		put_text(making, file, "description", said->description);
	making_put(making, file, "type", cJSON_CreateString("object"));
	making_put(making, file, "x-kinofs-provider", cJSON_CreateString(said->provider));
	put_result(making, file);
	making_put(making, file, "x-kinofs-source", cJSON_CreateString(said->source));
	if (!input)
		return file;
	catalogue_rules(making, input);
	check_input(making, input);
	catalogue_members(making, input, file, "", 0);
	making_put(making, file, "additionalProperties", cJSON_CreateFalse());
	if (making->problems.count || making->lost)
		return file;
	catalogue_marks(making, json_get(file, "properties"));
	put_prompt(making, json_get(file, "properties"), file);
	put_rows(making, file);
	return file;
}

/* What kinofs itself would say of the file. NULL: nothing, or no memory. */
static char *fault_of(const cJSON *file, bool *lost)
{
	AUTO_FREE char *text = cJSON_PrintUnformatted(file);
	char *fault = NULL;
	struct model *model = text ? model_parse(text, strlen(text), &fault) : NULL;

	*lost = !model && !fault;
	model_free(model);
	return fault;
}

int catalogue_make(const struct catalogue_entry *said, cJSON **file, char **why)
{
	struct making making = {.said = said, .document = said->schema};
	AUTO_JSON cJSON *made = NULL;
	bool lost = false;

	*file = NULL;
	*why = NULL;
	making.rules = cJSON_CreateArray();
	made = make(&making);
	if (making.problems.count)
		*why = problems_text(&making.problems);
	else if (!making.lost)
		*why = fault_of(made, &lost);
	lost = lost || making.lost || (making.problems.count && !*why);
	problems_clear(&making.problems);
	cJSON_Delete(making.rules);
	if (*why)
		return -EINVAL;
	if (lost)
		return -ENOMEM;
	*file = TAKE(made);
	return 0;
}

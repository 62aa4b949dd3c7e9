/* docs_fields.c - the fields of a model, for people (docs_parts.h). */
#include "spec/docs_parts.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "spec/address.h"
#include "spec/kind.h"
#include "spec/media_field.h"
#include "spec/rule.h"
#include "spec/text.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* ------------------------------------------------------------------ the example */

static cJSON *example_of(const struct model *model, const struct model_field *field);

static cJSON *example_file(const struct model *model, const struct model_field *field)
{
	char name[80] = "dog";

	for (size_t i = 0; i < model->nslot; i++)
		if (model->slot[i].field == field && *model->slot[i].mark)
			(void)snprintf(name, sizeof(name), "dog-%s", model->slot[i].mark);
	(void)strncat(name, media_suffix(field->media), sizeof(name) - strlen(name) - 1);
	return cJSON_CreateString(name);
}

/* A number within the bounds, or a text of the least length. */
static cJSON *example_plain(const struct model_field *field)
{
	switch (field->type) {
	case FIELD_BOOLEAN: return cJSON_CreateFalse();
	case FIELD_INTEGER:
	case FIELD_NUMBER:
		return cJSON_CreateNumber(field->has_minimum   ? field->minimum
					  : field->has_maximum ? field->maximum
							       : 1);
	default: return cJSON_CreateString(field->is_link ? "https://example.com/dog" : "…");
	}
}

static cJSON *example_list(const struct model *model, const struct model_field *field)
{
	AUTO_JSON cJSON *list = cJSON_CreateArray();
	size_t count = field->min_items ? field->min_items : 1;

	for (size_t i = 0; i < count && list; i++) {
		cJSON *item =
			field->media ? example_file(model, field) : example_of(model, field->field);

		if (!item || !cJSON_AddItemToArray(list, item)) {
			cJSON_Delete(item);
			return NULL;
		}
	}
	return TAKE(list);
}

/* Only what must be given. NULL: no memory. */
static cJSON *example_object(const struct model *model, const struct model_field *object)
{
	AUTO_JSON cJSON *spec = cJSON_CreateObject();

	for (size_t i = 0; i < object->nfield && spec; i++) {
		const struct model_field *field = &object->field[i];

		if (field->required && address_put(spec, field->name, example_of(model, field)) < 0)
			return NULL;
	}
	return TAKE(spec);
}

/* What a user would most likely write. NULL: no memory. */
static cJSON *example_of(const struct model *model, const struct model_field *field)
{
	if (field == model->prompt)
		return cJSON_CreateString(
			model->results & RESULT_VIDEO
				? "A dog runs along the beach, the camera follows it."
				: "A dog runs along the beach, barking at the waves.");
	if (field->fallback)
		return cJSON_Duplicate(field->fallback, true);
	if (field->allowed)
		return cJSON_Duplicate(field->allowed->child, true);
	if (field->type == FIELD_LIST)
		return example_list(model, field);
	if (field->type == FIELD_OBJECT)
		return example_object(model, field);
	return field->media ? example_file(model, field) : example_plain(field);
}

/* How many rules a spec breaks; SIZE_MAX: no memory. */
static size_t count_broken(const struct model *model, cJSON *spec)
{
	AUTO_JSON cJSON *body = cJSON_CreateObject();
	AUTO_JSON cJSON *effective = NULL;
	struct problems problems = {0};
	size_t count;

	if (!body || (model->wrapped && !cJSON_AddItemReferenceToObject(body, "input", spec)))
		return SIZE_MAX;
	effective = spec_effective(model, model->wrapped ? body : spec);
	if (!effective)
		return SIZE_MAX;
	rules_judge(model, effective, spec, &problems, NULL);
	count = problems.count;
	problems_clear(&problems);
	return count;
}

/* What is worth showing although it may be left out: 2, the prompt and the file of the job's own
 * name; 1, what has a default; 0, the rest. */
static int worth(const struct model *model, const struct model_field *field)
{
	for (size_t i = 0; i < model->nslot; i++)
		if (model->slot[i].field == field && !*model->slot[i].mark)
			return 2;
	return field == model->prompt ? 2 : field->fallback ? 1 : 0;
}

/* Adds a field unless more rules are broken with it; what is worth nothing only if fewer are. */
static int try_field(const struct model *model, const struct model_field *field, cJSON **spec)
{
	AUTO_JSON cJSON *with = cJSON_Duplicate(*spec, true);
	const size_t before = count_broken(model, *spec);
	size_t after;

	if (!with || before == SIZE_MAX ||
		address_put(with, field->name, example_of(model, field)) < 0)
		return -ENOMEM;
	after = count_broken(model, with);
	if (after == SIZE_MAX)
		return -ENOMEM;
	if (after < before || (after == before && worth(model, field))) {
		cJSON_Delete(*spec);
		*spec = TAKE(with);
	}
	return 0;
}

static cJSON *example_spec(const struct model *model)
{
	AUTO_JSON cJSON *spec = example_object(model, &model->root);
	int error = spec ? 0 : -ENOMEM;

	for (int least = 2; least >= 0; least--)
		for (size_t i = 0; i < model->root.nfield && !error; i++) {
			const struct model_field *field = &model->root.field[i];

			if (!json_get(spec, field->name) && worth(model, field) == least)
				error = try_field(model, field, &spec);
		}
	return error ? NULL : TAKE(spec);
}

/* "prompt and image_url" of what no file but a spec, and no default, gives. */
static void print_needs(struct page *page, const struct model *model)
{
	char needs[400] = "";
	size_t used = 0;

	for (size_t i = 0; i < model->root.nfield; i++) {
		const struct model_field *field = &model->root.field[i];

		if (field->required && !field->fallback && used < sizeof(needs))
			used += (size_t)snprintf(needs + used, sizeof(needs) - used, "%s%s",
				used ? ", " : "", field->name);
	}
	page_words(page,
		"%s%s must be given%s; files beside it may give what they are for instead. The "
		"request body of the provider's own documentation works as it is. Numbers may be "
		"written as 6 or \"6\".",
		*needs ? "Only " : "Nothing", needs, *needs ? "" : " in it");
}

void docs_example(struct page *page, const struct model *model)
{
	AUTO_JSON cJSON *spec = example_spec(model);
	AUTO_FREE char *text = spec ? cJSON_Print(spec) : NULL;

	page_section(page, "OR WITH A SPEC: dog.json");
	if (text)
		(void)fprintf(page->out, "%s\n\n", text); /* see page.c on errors */
	page->lost = page->lost || !text;
	print_needs(page, model);
	page_words(page,
		"What all jobs of a folder share goes into defaults.json in that folder: "
		"the same fields, each used where a job does not say otherwise. schema.json helps "
		"an editor to complete and check a spec; add \"$schema\": \"schema.json\" to it.");
	page_words(page, "Several jobs in one file: dog.jsonl, one spec a line; they are named "
			 "dog-0001 and so on.");
}

/* ------------------------------------------------------------------ the fields */

static void print_media(struct page *page, const char *lead, const struct model_field *field)
{
	char types[200];

	page_item(page, lead, "%s, at most %.4g MB.", media_types(field, types),
		(double)media_limit(field) / (1 << 20));
	page_item(page, lead,
		"An http(s) link, or the path of a %s in this mount, relative to the spec%s.",
		media_noun(field->media), field->data_uri ? "; also data:image/…;base64,…" : "");
	if (field->media & MEDIA_PICTURE && media_frame_type(field))
		page_item(page, lead,
			"\"NAME.mp4#last\" is the last picture of that film, #first its first.");
}

static void print_bounds(struct page *page, const char *lead, const struct model_field *field)
{
	if (field->has_minimum && field->has_maximum)
		page_item(page, lead, "From %.15g to %.15g.", field->minimum, field->maximum);
	else if (field->has_minimum || field->has_maximum)
		page_item(page, lead, "%s %.15g.", field->has_minimum ? "At least" : "At most",
			field->has_minimum ? field->minimum : field->maximum);
	if (field->multiple_of > 0)
		page_item(page, lead, "A multiple of %.15g.", field->multiple_of);
	if (field->min_items && field->max_items)
		page_item(page, lead, "%zu to %zu of them.", field->min_items, field->max_items);
	else if (field->min_items || field->max_items)
		page_item(page, lead, "At %s %zu of them.", field->min_items ? "least" : "most",
			field->min_items ? field->min_items : field->max_items);
}

static void print_limits(struct page *page, const char *lead, const struct model_field *field)
{
	AUTO_FREE char *list = field->allowed ? text_list(field->allowed) : NULL;
	char shown[TEXT_SHOWN_BYTES];

	if (list)
		page_item(page, lead, "Possible: %s.", list);
	page->lost = page->lost || (field->allowed && !list);
	if (field->only)
		page_item(page, lead, "Always %s.", text_value(field->only, shown));
	if (field->media)
		print_media(page, lead, field);
	else if (field->is_job)
		page_item(page, lead,
			"The path of a result in this mount, relative to the spec, stands for the task "
			"that made it.");
	else if (field->max_chars)
		page_item(page, lead, "At most %zu characters.", field->max_chars);
	print_bounds(page, lead, field);
}

static const char *type_words(const struct model_field *field, char words[80])
{
	static const char *const types[][2] = {[FIELD_STRING] = {"text", "texts"},
		[FIELD_INTEGER] = {"whole number", "whole numbers"},
		[FIELD_NUMBER] = {"number", "numbers"},
		[FIELD_BOOLEAN] = {"true or false", "true or false"},
		[FIELD_LIST] = {"list", "lists"},
		[FIELD_OBJECT] = {"object", "objects"}};
	bool is_list = field->type == FIELD_LIST;

	if (field->media)
		(void)snprintf(words, 80, "%s%s%s", is_list ? "list of " : "",
			media_noun(field->media), is_list ? "s" : "");
	else if (is_list)
		(void)snprintf(words, 80, "list of %s", types[field->field->type][1]);
	else
		(void)snprintf(words, 80, "%s", types[field->type][0]);
	return words;
}

static void print_files(struct page *page, const char *lead, const struct model *model,
	const struct model_field *field)
{
	if (field == model->prompt)
		page_item(page, lead, "File: dog.txt.");
	for (size_t i = 0; i < model->nslot; i++) {
		const struct model_slot *slot = &model->slot[i];
		const char *dot = *slot->mark ? "." : "", *suffix = media_suffix(field->media);

		if (slot->field != field)
			continue;
		if (!strcmp(slot->mark, "end") && field->media == MEDIA_PICTURE)
			page_item(page, lead,
				"File: dog.end.png; also dog_end, dog-end, dog.last, dog_last, "
				"dog.tail.");
		else if (slot->numbered)
			page_item(page, lead, "Files: dog%s%s%s, dog.%s2%s, dog.%s3%s …", dot,
				slot->mark, suffix, slot->mark, suffix, slot->mark, suffix);
		else
			page_item(page, lead, "File: dog%s%s%s%s%s.", dot, slot->mark, suffix,
				field->media == MEDIA_PICTURE ? " (or .jpg, .jpeg, .webp)" : "",
				slot == media_frame_slot(model) ? ", or a film, dog.mp4" : "");
	}
}

static void print_members(
	struct page *page, const struct model *model, const struct model_field *object, int depth);

/* What each item of a list may be, lists of lists to their insides. */
static void print_items(struct page *page, const char *lead, const struct model_field *item)
{
	char words[80];

	for (; item->type == FIELD_LIST; item = item->field) {
		page_item(page, lead, "Each of them a %s:", type_words(item, words));
		print_bounds(page, lead, item);
	}
	print_limits(page, lead, item);
}

static void print_field(
	struct page *page, const struct model *model, const struct model_field *field, int depth)
{
	char head[32], lead[32], words[80], shown[TEXT_SHOWN_BYTES];

	(void)snprintf(head, sizeof(head), "%*s", 2 + 4 * depth, "");
	(void)snprintf(lead, sizeof(lead), "%*s", 6 + 4 * depth, "");
	page_item(page, head, "%s (%s%s%s%s)", field->name, type_words(field, words),
		field->required ? ", needed" : "",
		field->fallback ? field->required ? ", else " : ", default " : "",
		field->fallback ? text_value(field->fallback, shown) : "");
	if (field->description)
		page_item(page, lead, "%s", field->description);
	print_limits(page, lead, field);
	print_files(page, lead, model, field);
	if (field->type == FIELD_OBJECT)
		print_members(page, model, field, depth + 1);
	else if (field->type == FIELD_LIST && field->field->type == FIELD_OBJECT)
		print_members(page, model, field->field, depth + 1);
	else if (field->type == FIELD_LIST && !field->media)
		print_items(page, lead, field->field);
}

static void print_members(
	struct page *page, const struct model *model, const struct model_field *object, int depth)
{
	for (size_t i = 0; i < object->nfield; i++)
		print_field(page, model, &object->field[i], depth);
}

void docs_fields(struct page *page, const struct model *model)
{
	const cJSON *rule;

	page_section(page, "FIELDS");
	print_members(page, model, &model->root, 0);
	cJSON_ArrayForEach (rule, model->rules) {
		const cJSON *message = json_get(rule, "message");

		if (rule->prev && rule != model->rules->child &&
			cJSON_Compare(message, json_get(rule->prev, "message"), true))
			continue; /* one that takes several rows */
		page_gap(page);
		page_item(page, "  ", "Note: %s.", message->valuestring);
	}
}

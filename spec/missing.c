/* missing.c - what a job still waits for. */
#include "fs/base/json.h"
#include "spec/address.h"
#include "spec/build.h"
#include "spec/kind.h"

#include <string.h>

static const struct model_slot *first_slot(
	const struct model *model, const struct model_field *field)
{
	for (size_t i = 0; i < model->nslot; i++)
		if (model->slot[i].field == field)
			return &model->slot[i];
	return NULL;
}

static const char *stem_of(const struct build *build)
{
	return build->source->stem ? build->source->stem : "NAME";
}

static void say_prompt(
	const struct build *build, const struct model_field *field, struct problems *missing)
{
	const char *stem = stem_of(build);

	problems_add(missing, field->address,
		"a prompt is needed: write %s into %s.txt, or as \"%s\" in %s.json",
		makes_wish(build->model->results), stem, field->address, stem);
}

static void say_media(
	const struct build *build, const struct model_slot *slot, struct problems *missing)
{
	const char *stem = stem_of(build), *suffix = media_suffix(slot->field->media);
	bool is_end = !strcmp(slot->mark, "end");

	problems_add(missing, slot->field->address,
		"a %s is needed: put %s%s%s%s%s beside %s.%s, or name one as \"%s\" in %s.json",
		is_end ? "last frame" : media_noun(slot->field->media), stem,
		*slot->mark ? "." : "", slot->mark, suffix,
		slot->field->media & MEDIA_PICTURE ? " (or .jpg, .jpeg, .webp)" : "", stem,
		build->source->json ? "json" : "txt", slot->field->address, stem);
}

static void say_missing(
	const struct build *build, const struct model_field *field, struct problems *missing)
{
	const struct model_slot *slot = first_slot(build->model, field);

	if (field == build->model->prompt)
		say_prompt(build, field, missing);
	else if (slot)
		say_media(build, slot, missing);
	else
		problems_add(missing, field->address,
			"is needed: give it in %s.json or in defaults.json", stem_of(build));
}

/* Whether it is told of already, by a gap among the files that fill it. */
static bool is_told(const struct problems *missing, const char *address)
{
	for (size_t i = 0; i < missing->count; i++)
		if (missing->item[i].field && !strcmp(missing->item[i].field, address))
			return true;
	return false;
}

static void find_in(const struct build *build, const struct model_field *object, const cJSON *input,
	struct problems *missing)
{
	for (size_t i = 0; i < object->nfield; i++) {
		const struct model_field *field = &object->field[i];
		const cJSON *there = json_get(input, field->name);

		if (field->type == FIELD_OBJECT && (there || field->required))
			find_in(build, field, there, missing);
		else if (field->required && !there && !is_told(missing, field->address))
			say_missing(build, field, missing);
	}
}

void missing_find(const struct build *build, struct problems *missing)
{
	const struct model_field *prompt = build->model->prompt;

	find_in(build, &build->model->root, build_input(build), missing);
	/* files alone are not an order where words may follow; a spec says that there are none */
	if (prompt && !prompt->required && !build->source->json && !build->source->prompt &&
		!address_get(build_input(build), prompt->address))
		problems_add(missing, prompt->address,
			"a prompt may follow: write it into %s.txt, or {} into %s.json to go without",
			stem_of(build), stem_of(build));
}

/* beside.c - the files beside a spec fill what it does not say itself, by their names. */
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "spec/address.h"
#include "spec/build.h"
#include "spec/kind.h"

#include <errno.h>
#include <string.h>

/* How a spec in the job's folder would name the file for this field: "dog.png"; "./a:b.png", so
 * that no name is taken for a link; "dog.mp4#last" of a film in place of a picture. NULL: no
 * memory.
 */
static char *name_in_spec(const char *dir, const struct model_field *field, const char *path)
{
	const char *name = path_below(path, dir) ?: path;
	size_t suffix;
	bool is_frame = media_kind_of_name(name, strlen(name), &suffix) == MEDIA_FILM &&
	                !(field->media & MEDIA_FILM);

	return format("%s%s%s", strchr(name, ':') ? "./" : "", name, is_frame ? "#last" : "");
}

static void refuse_homeless(const struct build *build)
{
	for (size_t i = 0; i < build->source->nbeside; i++) {
		const struct spec_beside *file = &build->source->beside[i];
		const char *name = path_last(file->path);
		size_t suffix;

		if (!file->slot)
			problems_add(build->problems, name,
				"%s takes no %s; move this file away, or into the folder of a "
				"model that does",
				build->model->id,
				file->is_end ? "last frame"
					     : media_noun(media_kind_of_name(
						       name, strlen(name), &suffix)));
	}
}

/* "dog.2.png" and so on, which is not there. */
static void say_gap(const struct build *build, const struct model_slot *slot, int number,
	struct problems *missing)
{
	const char *stem = build->source->stem ? build->source->stem : "NAME";
	char count[16] = "";

	if (number > 1)
		(void)snprintf(count, sizeof(count), "%s%d", *slot->mark ? "" : ".", number);
	if (missing)
		problems_add(missing, slot->field->address,
			"%s%s%s%s%s (or another %s) is needed as well", stem,
			*slot->mark ? "." : "", slot->mark, count, media_suffix(slot->field->media),
			media_noun(slot->field->media));
}

/* The file for this place of the field, or NULL. */
static const struct spec_beside *find(
	const struct build *build, const struct model_field *field, size_t at, int number)
{
	for (size_t i = 0; i < build->source->nbeside; i++) {
		const struct spec_beside *file = &build->source->beside[i];

		if (file->slot && file->slot->field == field && file->slot->at == at &&
			file->number == number)
			return file;
	}
	return NULL;
}

static const struct model_slot *slot_at(
	const struct model *model, const struct model_field *field, size_t at)
{
	for (size_t i = 0; i < model->nslot; i++)
		if (model->slot[i].field == field && model->slot[i].at == at)
			return &model->slot[i];
	return NULL;
}

/* The names of a field's files in order, as a list. Fills *gap when one before the last is not
 * there. NULL: no memory, or a gap. */
static cJSON *names_of(const struct build *build, const struct model_field *field, size_t count,
	struct problems *missing, bool *gap)
{
	AUTO_JSON cJSON *list = cJSON_CreateArray();

	for (size_t i = 0, found = 0; list && found < count; i++) {
		const struct model_slot *slot = slot_at(build->model, field, 0);
		const bool numbered = slot->numbered;
		const struct spec_beside *file =
			find(build, field, numbered ? 0 : i, numbered ? (int)i + 1 : 1);
		AUTO_FREE char *name =
			file ? name_in_spec(build->source->dir, field, file->path) : NULL;
		cJSON *text = name ? cJSON_CreateString(name) : NULL;

		if (!file) {
			say_gap(build, numbered ? slot : slot_at(build->model, field, i),
				numbered ? (int)i + 1 : 1, missing);
			*gap = true;
			return NULL;
		}
		if (!text || !cJSON_AddItemToArray(list, text)) {
			cJSON_Delete(text);
			return NULL;
		}
		found++;
	}
	return TAKE(list);
}

/* Whether files beside the spec can fill all that a list must have. */
static bool has_places(const struct model *model, const struct model_field *field)
{
	return slot_at(model, field, 0)->numbered || slot_at(model, field, field->min_items - 1);
}

static int fill(struct build *build, const struct model_field *field, struct problems *missing)
{
	cJSON *value;
	size_t count = 0;
	bool gap = false;

	for (size_t i = 0; i < build->source->nbeside; i++)
		count += build->source->beside[i].slot &&
		         build->source->beside[i].slot->field == field;
	if (!count || address_get(build_input(build), field->address))
		return 0;
	if (missing && count < field->min_items && has_places(build->model, field))
		count = field->min_items; /* the next of them is waited for */
	value = names_of(build, field, count, missing, &gap);
	if (!value)
		return gap ? 0 : -ENOMEM;
	if (field->type != FIELD_LIST) {
		cJSON *only = cJSON_DetachItemFromArray(value, 0);

		cJSON_Delete(value);
		value = only;
	}
	return build_put(build, field, value);
}

int beside_add(struct build *build, struct problems *missing)
{
	int error = 0;

	refuse_homeless(build);
	for (size_t i = 0; i < build->model->nslot && !error; i++)
		if (build->model->slot[i].at == 0)
			error = fill(build, build->model->slot[i].field, missing);
	return error;
}

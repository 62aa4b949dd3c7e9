#include "spec/model.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "spec/field.h"
#include "spec/json_text.h"
#include "spec/model_check.h"

#include <string.h>

static size_t count_marks(const struct model_field *field)
{
	size_t count = (size_t)cJSON_GetArraySize(field->marks);

	for (size_t i = 0; i < field->nfield; i++)
		count += count_marks(&field->field[i]);
	return count;
}

static void add_slots(struct model *model, const struct model_field *field)
{
	const size_t count = (size_t)cJSON_GetArraySize(field->marks);
	const cJSON *mark;
	size_t at = 0;

	cJSON_ArrayForEach (mark, field->marks)
		model->slot[model->nslot++] = (struct model_slot){.field = field,
			.mark = mark->valuestring,
			.at = at++,
			.numbered =
				count == 1 && field->type == FIELD_LIST && field->max_items != 1};
	for (size_t i = 0; i < field->nfield; i++)
		add_slots(model, &field->field[i]);
}

/* From a schema that model_check_shape() has found sound. 0 or -ENOMEM. */
static int fill_model(struct model *model)
{
	const cJSON *envelope = json_get(model->schema, "x-kinofs-envelope");
	const char *prompt = json_text(model->schema, "x-kinofs-prompt");
	size_t order = 0;
	int error;

	model->root = (struct model_field){.name = "", .address = strdup(""), .type = FIELD_OBJECT};
	if (!model->root.address)
		return -ENOMEM;
	error = field_fill_members(model->schema, &model->root, &order);
	if (error)
		return error;
	model->slot = calloc(count_marks(&model->root) + 1, sizeof(*model->slot));
	if (!model->slot)
		return -ENOMEM;
	add_slots(model, &model->root);
	model->id = json_text(model->schema, "$id");
	model->name = json_text(model->schema, "x-kinofs-model") ?: model->id;
	model->title = json_text(model->schema, "title");
	model->provider = json_text(model->schema, "x-kinofs-provider");
	model->endpoint = json_text(model->schema, "x-kinofs-endpoint");
	/* with one URL for all models the body must name its own */
	model->wrapped = envelope ? cJSON_IsTrue(envelope) : !model->endpoint;
	model->results = makes_read(json_get(model->schema, "x-kinofs-result"));
	model->prompt = prompt ? model_field(model, prompt) : NULL;
	model->prices = json_get(model->schema, "x-kinofs-prices");
	model->rules = json_get(model->schema, "x-kinofs-rules");
	return 0;
}

static int parse(struct model *model, const char *json, size_t bytes, struct problems *problems)
{
	int error = json_read(json, bytes, LIMIT_MODEL_BYTES, NULL, problems, &model->schema);

	if (error)
		return error;
	model_check_shape(model->schema, problems);
	if (problems->count > 0)
		return -EINVAL;
	error = fill_model(model);
	if (error)
		return error;
	error = model_check_values(model, problems);
	return error ? error : problems->count > 0 ? -EINVAL : 0;
}

struct model *model_parse(const char *json, size_t bytes, char **fault)
{
	struct problems problems = {0};
	struct model *model = calloc(1, sizeof(*model));
	int error = model ? parse(model, json, bytes, &problems) : -ENOMEM;

	*fault = error == -EINVAL ? problems_text(&problems) : NULL;
	problems_clear(&problems);
	if (error == 0)
		return model;
	model_free(model);
	return NULL;
}

void model_free(struct model *model)
{
	if (!model)
		return;
	field_clear(&model->root);
	free(model->slot);
	cJSON_Delete(model->schema);
	free(model);
}

const struct model_slot *model_slot(
	const struct model *model, enum media_kind kind, const char *mark)
{
	for (size_t i = 0; i < model->nslot; i++)
		if (model->slot[i].field->media & kind && strcmp(model->slot[i].mark, mark) == 0)
			return &model->slot[i];
	return NULL;
}

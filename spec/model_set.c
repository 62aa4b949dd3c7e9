#include "fs/base/cleanup.h"
#include "spec/builtin.h"
#include "spec/model.h"

#include <string.h>

int models_builtin(struct model_set *set)
{
	*set = (struct model_set){0};
	for (const struct model_file *file = model_files; file->path; file++) {
		AUTO_FREE char *error = NULL;
		struct model *model =
			model_parse(file->start, (size_t)(file->end - file->start), &error);
		int result = model ? models_add(set, model) : -ENOMEM; /* tests parse every one */

		if (result) {
			model_free(model);
			return result;
		}
	}
	return 0;
}

static bool inside(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 && path[length] == '/';
}

int models_add(struct model_set *set, struct model *model)
{
	struct model **grown;
	size_t at = 0;

	for (size_t i = 0; i < set->count; i++) {
		int order = strcmp(set->item[i]->id, model->id);

		if (inside(model->id, set->item[i]->id) || inside(set->item[i]->id, model->id))
			return -EINVAL;
		if (order == 0) {
			model_free(set->item[i]);
			set->item[i] = model;
			return 0;
		}
		at += order < 0;
	}
	grown = realloc(set->item, (set->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	set->item = grown;
	memmove(grown + at + 1, grown + at, (set->count - at) * sizeof(*grown));
	grown[at] = model;
	set->count++;
	return 0;
}

const struct model *models_find(const struct model_set *set, const char *id)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->item[i]->id, id) == 0)
			return set->item[i];
	return NULL;
}

void models_free(struct model_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		model_free(set->item[i]);
	free(set->item);
	*set = (struct model_set){0};
}

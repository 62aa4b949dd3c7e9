#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/path.h"
#include "spec/builtin.h"
#include "spec/model.h"

#include <string.h>

int models_builtin(struct model_set *set)
{
	*set = (struct model_set){0};
	for (const struct model_file *file = model_files; file->path; file++) {
		AUTO_FREE char *fault = NULL;
		struct model *model =
			model_parse(file->start, (size_t)(file->end - file->start), &fault);
		int error = model ? models_add(set, model) : -ENOMEM; /* tests parse every one */

		if (error) {
			model_free(model);
			return error;
		}
	}
	return 0;
}

int models_add(struct model_set *set, struct model *model)
{
	size_t at = 0;

	for (size_t i = 0; i < set->count; i++) {
		int order = strcmp(set->item[i]->id, model->id);

		if (path_below(model->id, set->item[i]->id) ||
			path_below(set->item[i]->id, model->id))
			return -EINVAL;
		if (order == 0) {
			model_free(set->item[i]);
			set->item[i] = model;
			return 0;
		}
		at += order < 0;
	}
	if (ARRAY_ROOM(set->item, set->count, set->room))
		return -ENOMEM;
	memmove(set->item + at + 1, set->item + at, (set->count - at) * sizeof(*set->item));
	set->item[at] = model;
	set->count++;
	return 0;
}

/* As strcmp(3) of the first `bytes` of a text and an id. */
static int compare(const char *text, size_t bytes, const char *id)
{
	int order = strncmp(text, id, bytes);

	return order ? order : id[bytes] ? -1 : 0;
}

static struct model *find(const struct model_set *set, const char *id, size_t bytes)
{
	size_t first = 0, end = set->count;

	while (first < end) {
		size_t middle = first + (end - first) / 2;
		int order = compare(id, bytes, set->item[middle]->id);

		if (order == 0)
			return set->item[middle];
		if (order < 0)
			end = middle;
		else
			first = middle + 1;
	}
	return NULL;
}

const struct model *models_find(const struct model_set *set, const char *id)
{
	return find(set, id, strlen(id));
}

const struct model *models_of_path(const struct model_set *set, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		const struct model *model = find(set, path, (size_t)(slash - path));

		if (model)
			return model;
	}
	return NULL;
}

void models_free(struct model_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		model_free(set->item[i]);
	free(set->item);
	*set = (struct model_set){0};
}

/* models.c - the table of models, out of files. */
#include "contrib/simulator/models.h"
#include "spec/builtin.h"

#include <fts.h>
#include <stdio.h>
#include <string.h>

static struct model *models; /* one with schema NULL ends it */
static size_t count;

static bool model_read(struct model *model, cJSON *schema)
{
	const char *provider = schema_text(schema, "x-kinofs-provider");
	const char *other = schema_text(schema, "x-kinofs-model");

	model->schema = schema;
	model->id = schema_text(schema, "$id");
	if (!provider || !model->id)
		return false;
	if (!strcmp(provider, "kie")) {
		model->provider = KIE;
		model->name = other ? other : model->id;
		return true;
	}
	model->provider = PPINFRA;
	model->name = schema_text(schema, "x-kinofs-endpoint");
	return model->name && !strcmp(provider, "ppinfra");
}

static void model_add(const struct model *model)
{
	struct model *grown;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(models[i].id, model->id) != 0)
			continue;
		cJSON_Delete(models[i].schema);
		models[i] = *model;
		return;
	}
	grown = reallocarray(models, count + 2, sizeof(*models));
	if (!grown) {
		cJSON_Delete(model->schema);
		return;
	}
	models = grown;
	models[count++] = *model;
	models[count] = (struct model){.schema = NULL};
}

static void take_text(const char *path, const char *text, size_t length)
{
	cJSON *schema = cJSON_ParseWithLength(text, length);
	struct model model;

	if (schema && model_read(&model, schema)) {
		model_add(&model);
		return;
	}
	(void)fprintf(stderr, "kinofs-sim: %s: not a model file\n", path);
	cJSON_Delete(schema);
}

static void take_file(const char *path)
{
	AUTO_FREE char *text = NULL;
	size_t size = 0;
	FILE *file = fopen(path, "re");
	ssize_t length = file ? getdelim(&text, &size, '\0', file) : -1;

	take_text(path, text ? text : "", length > 0 ? (size_t)length : 0);
	if (file)
		(void)fclose(file); /* only read */
}

static int compare_names(const FTSENT **left, const FTSENT **right)
{
	return strcmp((*left)->fts_name, (*right)->fts_name);
}

void models_load(const char *folder)
{
	AUTO_FREE char *root = strdup(folder ? folder : "");
	char *const roots[] = {root, NULL};
	FTS *tree =
		folder && root ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, compare_names) : NULL;
	const FTSENT *entry;

	for (const struct model_file *file = model_files; file->path; file++)
		take_text(file->path, file->start, (size_t)(file->end - file->start));
	while (tree && (entry = fts_read(tree))) {
		const char *suffix = strrchr(entry->fts_name, '.');

		if (entry->fts_info == FTS_F && suffix && !strcmp(suffix, ".json"))
			take_file(entry->fts_path);
	}
	if (tree)
		(void)fts_close(tree); /* nothing was written */
}

void models_free(void)
{
	for (size_t i = 0; i < count; i++)
		cJSON_Delete(models[i].schema);
	free(models);
	models = NULL;
	count = 0;
}

const struct model *models_next(const struct model *model)
{
	const struct model *next = model ? model + 1 : models;

	return next && next->schema ? next : NULL;
}

static const struct model *next_named(
	const struct model *model, enum provider provider, const char *name)
{
	do
		model = models_next(model);
	while (model && (model->provider != provider || strcmp(model->name, name) != 0));
	return model;
}

bool models_has(enum provider provider, const char *name)
{
	return next_named(NULL, provider, name) != NULL;
}

/* Of several shapes one that fits; if none does, what the first says. */
char *models_check(
	enum provider provider, const char *name, const cJSON *input, struct job *ret_job)
{
	char *first = NULL;

	*ret_job = (struct job){.provider = provider};
	for (const struct model *model = next_named(NULL, provider, name); model;
		model = next_named(model, provider, name)) {
		AUTO_FREE char *problem = schema_check(model->schema, input, NULL);

		if (!problem)
			problem = rules_check(model->schema, input);
		if (!problem && !job_read(model, input, ret_job))
			problem = strdup("no memory");
		if (!problem) {
			free(first);
			return NULL;
		}
		if (!first)
			first = strdup(problem);
	}
	return first ? first : strdup("unknown model");
}

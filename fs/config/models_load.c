#include "fs/config/models_load.h"

#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/base/log.h"
#include "fs/base/read.h"
#include "fs/config/trust.h"
#include "fs/net/provider.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>

/* What is wrong with a model's file that only its provider knows; the caller frees. NULL: nothing,
 * or no memory to say it. */
static char *fault_of(const struct model *model)
{
	const struct provider *provider = provider_find(model->provider);

	if (!provider)
		return format("x-kinofs-provider: \"%s\" is not possible; see kinofs-spec(5)",
			model->provider);
	if (provider->endpoints && !model->endpoint)
		return strdup("x-kinofs-endpoint: is missing: the last part of the create URL");
	if (!provider->endpoints && model->endpoint)
		return format("x-kinofs-endpoint: %s has one URL for all models", provider->name);
	return NULL;
}

static int load_file(struct model_set *models, const char *path)
{
	AUTO_FREE char *text = NULL, *why = NULL;
	struct model *model;
	size_t bytes;
	int error = read_whole_at(AT_FDCWD, path, LIMIT_MODEL_BYTES, &text, &bytes);

	if (error) {
		log_error("cannot read the model file %s: %s", path, strerror(-error));
		return error;
	}
	model = bytes <= LIMIT_MODEL_BYTES ? model_parse(text, bytes, &why) : NULL;
	if (model)
		why = fault_of(model);
	if (!model || why) {
		model_free(model);
		log_error("the model file %s: %s", path, why ? why : "is too long");
		return -EINVAL;
	}
	error = models_add(models, model);
	if (error) {
		log_error("the model file %s: its directory %s would lie inside another model's",
			path, model->id);
		model_free(model);
	}
	return error;
}

static int compare_names(const FTSENT **left, const FTSENT **right)
{
	return strcmp((*left)->fts_name, (*right)->fts_name);
}

static int load_folder(struct model_set *models, char *folder)
{
	char *const roots[] = {folder, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, compare_names);
	FTSENT *entry;
	int error = 0;

	while (tree && (entry = fts_read(tree))) {
		const char *suffix = strrchr(entry->fts_name, '.');

		if ((entry->fts_info == FTS_F || entry->fts_info == FTS_D) && !error)
			error = trust_check(entry->fts_path, entry->fts_statp);
		if (entry->fts_info == FTS_F && suffix && !strcmp(suffix, ".json") && !error)
			error = load_file(models, entry->fts_path);
	}
	if (tree)
		(void)fts_close(tree); /* nothing was written */
	return error;
}

int models_load(struct model_set *models)
{
	AUTO_FREE char *folder = xdg_path(XDG_CONFIG, "kinofs/models");
	int error = models_builtin(models);

	if (error)
		return error;
	if (!folder)
		return -ENOMEM;
	return access(folder, F_OK) == 0 ? load_folder(models, folder) : 0;
}

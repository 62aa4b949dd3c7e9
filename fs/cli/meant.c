#include "fs/cli/meant.h"

#include "fs/base/cleanup.h"
#include "fs/base/path.h"
#include "fs/cli/cli.h"
#include "fs/input/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static int lines_of(const char *mount, const char *batch)
{
	AUTO_FD int fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct tree tree = {.fd = fd};

	return batch_lines(&tree, batch);
}

/* The folder whose jobs have their results, or records, here. The caller frees. NULL: no memory. */
static char *folder_of(const struct model_set *models, const char *inside)
{
	AUTO_FREE char *file = path_join(inside, "x");
	char *folder = NULL;
	struct place place;

	if (strcmp(inside, "out") == 0) /* of the root */
		return strdup("");
	if (!file || place_of(models, file, &place) < 0)
		return NULL;
	if (place.area == AREA_OUT || place.area == AREA_JOBS)
		folder = path_join(place.model->id, place.dir);
	else
		folder = strdup(inside);
	place_clear(&place);
	return folder;
}

int meant_of(
	const struct model_set *models, const char *mount, const char *inside, struct meant *meant)
{
	int error;

	*meant = (struct meant){.kind = MEANT_FOLDER};
	error = place_of(models, inside, &meant->place);
	if (error)
		return error;
	if (meant->place.role == ROLE_BATCH) {
		meant->kind = MEANT_BATCH;
		meant->lines = lines_of(mount, inside);
	} else if (meant->place.stem) {
		meant->kind = MEANT_JOB;
	} else {
		meant->folder = folder_of(models, inside);
	}
	return meant->kind != MEANT_FOLDER || meant->folder ? 0 : -ENOMEM;
}

void meant_clear(struct meant *meant)
{
	place_clear(&meant->place);
	free(meant->folder);
	*meant = (struct meant){0};
}

static bool is_line(const struct meant *meant, const char *model, const char *name)
{
	AUTO_FREE char *dir = path_folder(name), *stem = NULL;
	int line = 0;

	return dir && !strcmp(model, meant->place.model->id) && !strcmp(dir, meant->place.dir) &&
	       batch_of(path_last(name), &stem, &line) && !strcmp(stem, meant->place.stem) &&
	       (meant->lines < 0 || line <= meant->lines);
}

bool meant_has(const struct meant *meant, const cJSON *record)
{
	const char *model = cli_text(record, "model");
	AUTO_FREE char *name = cli_job_bytes(record);
	AUTO_FREE char *path = name ? path_join(model, name) : NULL;

	if (!path)
		return false;
	return meant->kind == MEANT_BATCH ? is_line(meant, model, name)
	                                  : path_below(path, meant->folder) != NULL;
}

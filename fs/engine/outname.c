#include "fs/engine/outname.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/engine/core.h"
#include "spec/place.h"

#include <errno.h>

#define TAKES_MAX 10000 /* cat.10000.mp4 */

bool outname_is_free(struct engine *engine, const char *path)
{
	struct stat info;

	return tree_stat(&engine->tree, path, &info) == -ENOENT;
}

char *outname_free(struct engine *engine, const struct job *job, int number, const char *type)
{
	for (int take = 1; take < TAKES_MAX; take++) {
		AUTO_FREE char *stem = NULL, *path = NULL;
		char nth[16] = "", result[16] = "";

		if (take > 1)
			(void)snprintf(nth, sizeof(nth), ".%d", take); /* fits */
		if (number > 0)
			(void)snprintf(result, sizeof(result), "-%d", number + 1); /* fits */
		stem = format("%s%s%s", job->row.stem, nth, result);
		path = stem ? place_path(job->model, AREA_OUT, job->row.dir, stem, type) : NULL;
		if (!path)
			return NULL;
		if (outname_is_free(engine, path))
			return TAKE(path);
	}
	return NULL;
}

/*
 * Names of any bytes through place_of(), as the tree may hold them. What must hold: a stem is never
 * empty, and model, folder and stem lead back to the path.
 */
#include "fs/base/cleanup.h"
#include "fs/base/path.h"
#include "spec/place.h"
#include "tests/fuzz/fuzz_demand.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct model_set models;

static void check(const char *path)
{
	struct place place;
	AUTO_FREE char *back = NULL;

	demand(place_of(&models, path, &place) == 0);
	demand(place.dir != NULL);
	demand((place.model != NULL) == (place.area != AREA_NONE && place.area != AREA_CONTROL));
	demand(place.area == AREA_INPUT || place.role == ROLE_NONE);
	demand(!place.stem || *place.stem);
	if (place.model && place.stem) {
		back = place_path(place.model, place.area, place.dir, place.stem, "");
		demand(back != NULL);
		demand(place_is_cut(path_last(back)) || strncmp(path, back, strlen(back)) == 0);
	}
	place_clear(&place);
}

/* What a scratch copy will be is a name of its own, with that role and that stem. */
static void check_to_be(const char *name)
{
	const struct model *model = models.item[1];
	struct named as = name_role_to_be(model, name, true);
	AUTO_FREE char *copy = strdup(name);

	demand(copy && as.at + as.stem <= strlen(name));
	demand(as.role != ROLE_NONE || as.stem == 0);
	if (as.role == ROLE_NONE)
		return;
	demand(name_is_scratch(name));
	for (size_t end = strlen(copy); end > as.at + as.stem; end--) {
		struct named same;

		copy[end] = '\0';
		same = name_role(model, copy + as.at, true);
		if (same.role == as.role && same.stem == as.stem && same.slot == as.slot &&
			same.number == as.number)
			return;
	}
	demand(false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *path = strndup((const char *)data, size);
	AUTO_FREE char *inside = NULL;

	if (path && (*path == '/' || strstr(path, "//")))
		return 0; /* no path of a tree */
	if (models.count == 0)
		demand(models_builtin(&models) == 0);
	demand(path && asprintf(&inside, "%s/%s", models.item[0]->id, path) > 0);
	check(path);
	check(inside);
	check_to_be(strrchr(inside, '/') + 1);
	return 0;
}

/*
 * Names of any bytes through place_of(), as the tree may hold them. What must hold: a stem is never
 * empty, and model, folder and stem lead back to the path.
 */
#include "fs/base/cleanup.h"
#include "spec/place.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct model_set models;

static void demand(bool holds)
{
	if (!holds)
		abort();
}

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
		demand(strncmp(path, back, strlen(back) - 1) == 0); /* but for the last dot */
	}
	place_clear(&place);
}

/* What a scratch copy will be is a name of its own, with that role and that stem. */
static void check_to_be(const char *name)
{
	size_t at, stem, same;
	enum role role = name_role_to_be(name, true, &at, &stem);
	AUTO_FREE char *copy = strdup(name);

	demand(copy && at + stem <= strlen(name));
	demand(role != ROLE_NONE || stem == 0);
	if (role == ROLE_NONE)
		return;
	demand(name_is_scratch(name));
	for (size_t end = strlen(copy); end > at + stem; end--) {
		copy[end] = '\0';
		if (name_role(copy + at, true, &same) == role && same == stem)
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

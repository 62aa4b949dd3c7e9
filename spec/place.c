#include "spec/place.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"

#include <string.h>
#include <strings.h>

#define CONTROL_DIR ".kinofs"

static bool has_suffix(const char *name, size_t length, const char *suffix)
{
	size_t tail = strlen(suffix);

	return length >= tail && strncasecmp(name + length - tail, suffix, tail) == 0;
}

/* "sed" + 6 and "tmp" + 8: what mkstemp(3) of sed -i and Python's tempfile make up. Letters,
 * digits and "_" only, so that sedan.txt and tmpcat.json are jobs like any other. */
static bool is_temporary(const char *name, size_t length)
{
	static const char drawn[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_";
	bool of_length = (length == 9 && strncmp(name, "sed", 3) == 0) ||
	                 (length == 11 && strncmp(name, "tmp", 3) == 0);

	return of_length && strspn(name, drawn) == length;
}

bool name_is_scratch(const char *name)
{
	static const char *const begins[] = {".", "readme.", "license."};
	static const char *const ends[] = {"~", ".swp", ".swx", ".tmp", ".part", ".partial",
		".crdownload", ".filepart", ".bak", ".lock", ".save"};
	size_t length = strlen(name);

	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
		if (strncasecmp(name, begins[i], strlen(begins[i])) == 0)
			return true;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (has_suffix(name, length, ends[i]))
			return true;
	if (length >= 2 && name[0] == '#' && name[length - 1] == '#') /* emacs' auto-save */
		return true;
	return strcmp(name, "4913") == 0 || is_temporary(name, length); /* 4913: vim's probe */
}

bool name_is_video(const char *name)
{
	static const char *const ends[] = {".mp4", ".m4v", ".mov", ".webm", ".mkv", ".gif"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (has_suffix(name, strlen(name), ends[i]))
			return true;
	return false;
}

/* A role by suffix; *stem is what is left of the name, never nothing. */
static enum role role_by_suffix(const char *name, size_t *stem)
{
	static const struct {
		const char *suffix;
		enum role role;
	} known[] = {
		{".json", ROLE_SPEC},
		{".jsonl", ROLE_BATCH},
		{".txt", ROLE_PROMPT},
		{".png", ROLE_FIRST_FRAME},
		{".jpg", ROLE_FIRST_FRAME},
		{".jpeg", ROLE_FIRST_FRAME},
		{".webp", ROLE_FIRST_FRAME},
	};
	size_t length = strlen(name);

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		size_t suffix = strlen(known[i].suffix);

		if (length > suffix && has_suffix(name, length, known[i].suffix)) {
			*stem = length - suffix;
			return known[i].role;
		}
	}
	*stem = 0;
	return ROLE_NONE;
}

/* Takes a last-frame mark off the stem. "_end.png" alone has no stem to share: a first frame. */
static enum role role_of_picture(const char *name, size_t *stem)
{
	static const char *const marks[] = {".end", "_end", "-end", ".last", "_last", ".tail"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		size_t mark = strlen(marks[i]);

		if (*stem > mark && has_suffix(name, *stem, marks[i])) {
			*stem -= mark;
			return ROLE_LAST_FRAME;
		}
	}
	return ROLE_FIRST_FRAME;
}

enum role name_role(const char *name, bool at_top, size_t *stem)
{
	enum role role;

	*stem = 0;
	if (name_is_scratch(name))
		return ROLE_NONE;
	if (strcasecmp(name, "defaults.json") == 0)
		return ROLE_DEFAULTS;
	if (at_top && strcasecmp(name, "schema.json") == 0)
		return ROLE_NONE; /* generated there, and edited copies are no jobs either */
	role = role_by_suffix(name, stem);
	return role == ROLE_FIRST_FRAME ? role_of_picture(name, stem) : role;
}

/* How many bytes of a scratch name are the name of what it will be; 0: that is not told. */
static size_t name_to_be(const char *name, size_t length, bool hidden)
{
	static const char *const ends[] = {".part", ".partial", ".tmp", ".crdownload", ".filepart"};
	static const char drawn[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (has_suffix(name, length, ends[i]))
			return length - strlen(ends[i]);
	if (hidden && dot && strspn(dot + 1, drawn) == 6 && !dot[7]) /* as mkstemp(3) draws them */
		return (size_t)(dot - name);
	return 0;
}

enum role name_role_to_be(const char *name, bool at_top, size_t *at, size_t *stem)
{
	char copy[256]; /* NAME_MAX and NUL */
	size_t length;

	*stem = 0;
	*at = *name == '.';
	length = name_to_be(name + *at, strlen(name + *at), *at);
	if (length == 0 || length >= sizeof(copy))
		return ROLE_NONE;
	(void)memcpy(copy, name + *at, length);
	copy[length] = '\0';
	return name_role(copy, at_top, stem);
}

static bool in_hidden_folder(const char *path)
{
	const char *slash;

	for (; (slash = strchr(path, '/')) != NULL; path = slash + 1)
		if (*path == '.')
			return true;
	return false;
}

static const char *find_model(
	const struct model_set *models, const char *path, const struct model **model)
{
	for (size_t i = 0; i < models->count; i++) {
		const char *rest = path_below(path, models->item[i]->id);

		if (rest) {
			*model = models->item[i];
			return rest;
		}
	}
	return NULL;
}

/* Settles model and area; returns the path inside the area. */
static const char *find_area(const struct model_set *models, const char *path, struct place *place)
{
	const char *rest = path_below(path, CONTROL_DIR);
	const char *inner;

	if (rest || strcmp(path, CONTROL_DIR) == 0) {
		place->area = AREA_CONTROL;
		return rest ? rest : "";
	}
	rest = in_hidden_folder(path) ? NULL : find_model(models, path, &place->model);
	if (!rest)
		return path;
	if ((inner = path_below(rest, "out")) != NULL)
		place->area = AREA_OUT;
	else if ((inner = path_below(rest, "jobs")) != NULL)
		place->area = AREA_JOBS;
	else
		place->area = AREA_INPUT;
	return inner ? inner : rest;
}

int place_of(const struct model_set *models, const char *path, struct place *place)
{
	const char *inside, *name, *slash;
	size_t stem = 0;

	*place = (struct place){0};
	inside = find_area(models, path, place);
	slash = strrchr(inside, '/');
	name = slash ? slash + 1 : inside;
	place->dir = strndup(inside, slash ? (size_t)(slash - inside) : 0);
	if (!place->dir)
		return -ENOMEM;
	if (place->area == AREA_INPUT)
		place->role = name_role(name, !slash, &stem);
	else if (place->area == AREA_JOBS && strlen(name) > 5 &&
		 strcmp(name + strlen(name) - 5, ".json") == 0)
		stem = strlen(name) - 5;
	if (stem == 0)
		return 0;
	place->stem = strndup(name, stem);
	if (place->stem)
		return 0;
	place_clear(place);
	return -ENOMEM;
}

void place_clear(struct place *place)
{
	free(place->dir);
	free(place->stem);
	*place = (struct place){0};
}

char *place_path(const struct model *model, enum area area, const char *dir, const char *stem,
	const char *suffix)
{
	const char *folder = area == AREA_OUT ? "/out" : area == AREA_JOBS ? "/jobs" : "";

	return format("%s%s%s%s/%s.%s", model->id, folder, *dir ? "/" : "", dir, stem, suffix);
}

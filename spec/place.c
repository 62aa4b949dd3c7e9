#include "spec/place.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/digest.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "spec/kind.h"
#include "spec/media_field.h"

#include <stdlib.h>
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

const char *name_result_suffix(size_t number)
{
	static const char *const ends[] = {".mp4", ".m4v", ".mov", ".webm", ".mkv", ".gif", ".png",
		".jpg", ".jpeg", ".webp", ".avif", ".heic", ".mp3", ".wav", ".m4a", ".flac", ".ogg",
		".aac", ".weba", ".mka"};

	return number < COUNT(ends) ? ends[number] : NULL;
}

bool name_is_result(const char *name)
{
	const char *suffix;

	for (size_t i = 0; (suffix = name_result_suffix(i)); i++)
		if (has_suffix(name, strlen(name), suffix))
			return true;
	return false;
}

size_t name_note(const char *name)
{
	static const char *const ends[] = {
		".error.txt", ".held.txt", ".waiting.txt", ".running.txt"};
	size_t length = strlen(name);

	for (size_t i = 0; i < COUNT(ends); i++)
		if (length > strlen(ends[i]) && has_suffix(name, length, ends[i]))
			return strlen(ends[i]);
	return 0;
}

/* A role by suffix; stem is what is left of the name, never nothing. */
static struct named role_by_suffix(const char *name)
{
	static const struct {
		const char *suffix;
		enum role role;
	} known[] = {{".json", ROLE_SPEC}, {".jsonl", ROLE_BATCH}, {".txt", ROLE_PROMPT}};
	size_t length = strlen(name);

	for (size_t i = 0; i < COUNT(known); i++) {
		size_t suffix = strlen(known[i].suffix);

		if (length > suffix && has_suffix(name, length, known[i].suffix))
			return (struct named){.role = known[i].role, .stem = length - suffix};
	}
	return (struct named){0};
}

/* Takes a last-frame mark off the stem. "_end.png" alone has no stem to share: it has no mark. */
static void take_end(const char *name, struct named *named)
{
	static const char *const marks[] = {".end", "_end", "-end", ".last", "_last", ".tail"};

	for (size_t i = 0; i < COUNT(marks) && !named->is_end; i++) {
		size_t mark = strlen(marks[i]);

		if (named->stem > mark && has_suffix(name, named->stem, marks[i])) {
			named->stem -= mark;
			named->is_end = true;
		}
	}
}

/* Takes the mark of a slot off the stem: ".ref", ".ref2" of a numbered one, ".2" of one whose mark
 * is "". */
static bool take_mark(const char *name, const struct model_slot *slot, struct named *named)
{
	size_t end = named->stem, digits = 0, mark = strlen(slot->mark);
	long number = 1;

	while (slot->numbered && digits < 3 && end > digits && name[end - digits - 1] >= '0' &&
		name[end - digits - 1] <= '9')
		digits++;
	if (digits)
		number = strtol(name + end - digits, NULL, 10);
	if (digits && (number < 2 || name[end - digits] == '0'))
		return false;
	end -= digits;
	if ((!mark && !digits) || end < mark + 2 || name[end - mark - 1] != '.' ||
		!has_suffix(name, end, slot->mark))
		return false;
	named->stem = end - mark - 1;
	named->slot = slot;
	named->number = (int)number;
	return true;
}

/* A film or sound that the model has no place for is an ordinary file, unless a picture of it can
 * be used; a picture is a mistake, as people try. */
static struct named role_of_media(const struct model *model, const char *name)
{
	struct named named = {.role = ROLE_MEDIA, .number = 1};
	enum media_kind kind = media_kind_of_name(name, strlen(name), &named.stem);

	if (!kind)
		return (struct named){0};
	for (size_t i = 0; i < model->nslot; i++)
		if (model->slot[i].field->media & kind && take_mark(name, &model->slot[i], &named))
			return named;
	if (kind == MEDIA_PICTURE)
		take_end(name, &named);
	named.slot = model_slot(model, kind, named.is_end ? "end" : "");
	if (!named.slot && kind == MEDIA_FILM)
		named.slot = media_frame_slot(model);
	return named.slot || kind == MEDIA_PICTURE ? named : (struct named){0};
}

struct named name_role(const struct model *model, const char *name, bool at_top)
{
	struct named named;

	if (name_is_scratch(name))
		return (struct named){0};
	if (strcasecmp(name, "defaults.json") == 0)
		return (struct named){.role = ROLE_DEFAULTS};
	if (at_top && strcasecmp(name, "schema.json") == 0)
		return (struct named){
			0}; /* generated there, and edited copies are no jobs either */
	named = role_by_suffix(name);
	return named.role == ROLE_NONE ? role_of_media(model, name) : named;
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

/* The role of a part of the name: so many bytes, from there on. */
static struct named role_of_part(
	const struct model *model, const char *name, size_t at, size_t length, bool at_top)
{
	struct named named;
	char copy[256]; /* NAME_MAX and NUL */

	if (length == 0 || length >= sizeof(copy))
		return (struct named){0};
	(void)memcpy(copy, name + at, length);
	copy[length] = '\0';
	named = name_role(model, copy, at_top);
	named.at = at;
	return named;
}

struct named name_role_to_be(const struct model *model, const char *name, bool at_top)
{
	size_t at = *name == '.';

	return role_of_part(model, name, at, name_to_be(name + at, strlen(name + at), at), at_top);
}

/* Whether what follows the name of the file is that of Vim's swap file: .swp, and when there are
 * others .swo, .swn … .swa; not .swx, which it makes and removes at once. */
static bool is_swap(const char *tail)
{
	return !strncmp(tail, ".sw", 3) && tail[3] >= 'a' && tail[3] <= 'p' && !tail[4];
}

struct named name_role_locked(const struct model *model, const char *name, bool at_top)
{
	static const struct {
		const char *before, *after;
	} known[] = {{".~lock.", "#"}, {".#", ""}, {".", ".kate-swp"}};
	size_t length = strlen(name);

	for (size_t i = 0; i < COUNT(known); i++) {
		size_t before = strlen(known[i].before), after = strlen(known[i].after);

		if (length > before + after && !strncmp(name, known[i].before, before) &&
			!strcmp(name + length - after, known[i].after))
			return role_of_part(model, name, before, length - before - after, at_top);
	}
	if (*name == '.' && length > 5 && is_swap(name + length - 4))
		return role_of_part(model, name, 1, length - 5, at_top);
	return (struct named){0};
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
	*model = models_of_path(models, path);
	return *model ? path_below(path, (*model)->id) : NULL;
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
	struct named named = {0};

	*place = (struct place){0};
	inside = find_area(models, path, place);
	slash = strrchr(inside, '/');
	name = slash ? slash + 1 : inside;
	place->dir = strndup(inside, slash ? (size_t)(slash - inside) : 0);
	if (!place->dir)
		return -ENOMEM;
	if (place->area == AREA_INPUT)
		named = name_role(place->model, name, !slash);
	else if (place->area == AREA_JOBS && strlen(name) > 5 &&
		 strcmp(name + strlen(name) - 5, ".json") == 0)
		named.stem = strlen(name) - 5;
	place->role = named.role;
	place->slot = named.slot;
	if (named.stem == 0)
		return 0;
	place->stem = strndup(name, named.stem);
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

#define CUT_DIGITS 16 /* 64 bits: no two stems in a folder meet by accident */
#define CUT_BYTES  (1 + CUT_DIGITS)

char *place_fit(const char *stem, const char *tail, size_t name_max)
{
	size_t bytes = strlen(stem), room = name_max - strlen(tail);
	char hex[DIGEST_HEX_BYTES];

	if (bytes <= room)
		return format("%s%s", stem, tail);
	if (digest_bytes(stem, bytes, hex) < 0)
		return NULL;
	bytes = room - CUT_BYTES;
	/* of at most four bytes; where they are none of UTF-8, any end will do */
	for (int back = 0; back < 3 && ((unsigned char)stem[bytes] & 0xc0) == 0x80; back++)
		bytes--;
	return format("%.*s~%.*s%s", (int)bytes, stem, CUT_DIGITS, hex, tail);
}

bool place_is_cut(const char *stem)
{
	size_t bytes = strlen(stem);

	return bytes > CUT_BYTES && stem[bytes - CUT_BYTES] == '~' &&
	       strspn(stem + bytes - CUT_DIGITS, "0123456789abcdef") == CUT_DIGITS;
}

bool place_is_cut_of(const char *cut, const char *stem)
{
	size_t bytes = strlen(stem), kept = strlen(cut) - CUT_BYTES;
	char hex[DIGEST_HEX_BYTES];

	return place_is_cut(cut) && strlen(cut) < bytes && !strncmp(cut, stem, kept) &&
	       digest_bytes(stem, bytes, hex) == 0 && !strncmp(cut + kept + 1, hex, CUT_DIGITS);
}

char *place_path(const struct model *model, enum area area, const char *dir, const char *stem,
	const char *tail)
{
	const char *folder = area == AREA_OUT ? "/out" : area == AREA_JOBS ? "/jobs" : "";
	AUTO_FREE char *name = place_fit(stem, tail, PLACE_NAME_MAX);

	if (!name)
		return NULL;
	return format("%s%s%s%s/%s", model->id, folder, *dir ? "/" : "", dir, name);
}

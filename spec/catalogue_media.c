/* catalogue_media.c - which fields name files, of which kinds, and what beside a spec fills them.
 */
#include "spec/catalogue_parts.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "spec/kind.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#define MB      (1024.0 * 1024)
#define MOST_MB 900 /* model_check.c: a size is at most 1e9 */

static bool finds(const char *text, const char *expression)
{
	regmatch_t group[CATALOGUE_GROUPS];

	return catalogue_finds(text, expression, group);
}

/* Whether a text names a file, judging by its name and what is said of it. */
static bool names_file(const char *name, const cJSON *field)
{
	static const char noun[] = "(^|_)(image|picture|photo|video|film|clip|audio|mask|frame)s?"
				   "(_(input|list))?$";
	const cJSON *items = json_get(field, "items");
	const cJSON *text = items ? items : field;
	const char *type = json_text(text, "type"), *unit = json_text(text, "format");
	const char *about = json_text(field, "description");

	if (!type || strcmp(type, "string") != 0 || json_get(text, "enum") ||
		json_get(text, "const") || finds(name, "callback|webhook|(^|_)ids?$|taskid"))
		return false;
	return (unit && (strcmp(unit, "uri") == 0 || strcmp(unit, "url") == 0)) ||
	       finds(name, "(^|_)urls?$") || finds(name, "^(image|video|audio|mask)$") ||
	       (finds(name, noun) && about && finds(about, "url|accepted .*types|formats?:"));
}

/* ------------------------------------------------------------------ kinds and types */

static const struct {
	enum media_kind kind;
	const char *words;    /* in a name or a description */
	const char *usual[5]; /* types, where none is said */
} kinds[] = {
	{MEDIA_PICTURE, "image|picture|photo|portrait|frame|mask|avatar",
		{"image/jpeg", "image/png", "image/webp"}},
	{MEDIA_FILM, "video|film|movie|clip", {"video/mp4", "video/quicktime"}},
	{MEDIA_SOUND, "audio|voice|sound|music|song|speech",
		{"audio/mpeg", "audio/wav", "audio/mp4", "audio/aac", "audio/ogg"}},
};

static const struct {
	const char *word, *type;
} formats[] = {{"jpe?g", "image/jpeg"}, {"png", "image/png"}, {"webp", "image/webp"},
	{"bmp", "image/bmp"}, {"tiff?", "image/tiff"}, {"gif", "image/gif"}, {"heic", "image/heic"},
	{"heif", "image/heif"}, {"avif", "image/avif"}, {"mp4", "video/mp4"},
	{"mov", "video/quicktime"}, {"webm", "video/webm"}, {"mkv", "video/x-matroska"},
	{"avi", "video/x-msvideo"}, {"mp3", "audio/mpeg"}, {"wav", "audio/wav"},
	{"m4a", "audio/mp4"}, {"flac", "audio/flac"}, {"ogg", "audio/ogg"}, {"aac", "audio/aac"}};

static void add_type(struct making *making, cJSON *types, const char *type)
{
	static const char *const same[][2] = {{"image/jpg", "image/jpeg"},
		{"audio/mp3", "audio/mpeg"}, {"audio/m4a", "audio/mp4"},
		{"audio/x-m4a", "audio/mp4"}};
	const cJSON *entry;

	for (size_t i = 0; i < COUNT(same); i++)
		if (strcasecmp(type, same[i][0]) == 0)
			type = same[i][1];
	cJSON_ArrayForEach (entry, types) {
		if (strcasecmp(entry->valuestring, type) == 0)
			return;
	}
	making_add(making, types, cJSON_CreateString(type));
}

/* "Accepted types: image/jpeg, image/png". */
static unsigned int add_mime(struct making *making, cJSON *types, const char *text)
{
	regmatch_t group[CATALOGUE_GROUPS];
	unsigned int found = 0;

	while (catalogue_finds(text, "(image|video|audio)/[a-z0-9.+-]*[a-z0-9]", group)) {
		AUTO_FREE char *type =
			strndup(text + group[0].rm_so, (size_t)(group[0].rm_eo - group[0].rm_so));

		for (char *c = type; c && *c; c++)
			*c = (char)tolower((unsigned char)*c);
		if (type)
			add_type(making, types, type);
		found |= type ? media_kind_of_type(type) : 0;
		text += group[0].rm_eo;
	}
	return found;
}

/* "Supports PNG, JPEG or WebP", without the sentences that say what is not supported. */
static void add_words(struct making *making, cJSON *types, const char *text, unsigned int wanted)
{
	AUTO_FREE char *plain = strdup(text);
	regmatch_t group[CATALOGUE_GROUPS];
	char expression[64];

	while (plain && catalogue_finds(plain, "not support[^.;]*[.;]?|encoding[^.;]*", group))
		memset(plain + group[0].rm_so, ' ', (size_t)(group[0].rm_eo - group[0].rm_so));
	for (size_t i = 0; plain && i < COUNT(formats); i++) {
		if (!(media_kind_of_type(formats[i].type) & wanted))
			continue;
		(void)snprintf(expression, sizeof(expression), "(^|[^a-z0-9/])%s([^a-z0-9]|$)",
			formats[i].word); /* it fits */
		if (finds(plain, expression))
			add_type(making, types, formats[i].type);
	}
}

static unsigned int kinds_in(const char *text)
{
	unsigned int found = 0;

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (finds(text, kinds[i].words))
			found |= kinds[i].kind;
	return found;
}

/* A name says it; else what is said of it does. A mask of a picture is one of the kinds' words too,
 * so only different kinds are several. */
static unsigned int kinds_of(const char *name, const char *about)
{
	unsigned int found = kinds_in(name);

	return found ? found : kinds_in(about);
}

static void add_usual(struct making *making, cJSON *types, unsigned int wanted)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		for (size_t j = 0; j < COUNT(kinds[i].usual) && kinds[i].usual[j]; j++)
			if (kinds[i].kind & wanted)
				add_type(making, types, kinds[i].usual[j]);
}

/* Of several kinds each has a type. */
static unsigned int kinds_typed(const cJSON *types)
{
	const cJSON *type;
	unsigned int found = 0;

	cJSON_ArrayForEach (type, types)
		found |= media_kind_of_type(type->valuestring);
	return found;
}

/* ------------------------------------------------------------------ sizes and links */

/* The one size that is said. NAN: none, or several. */
static double size_in(const char *text)
{
	regmatch_t group[CATALOGUE_GROUPS];
	double found = NAN;

	while (catalogue_finds(text, "([0-9]+(\\.[0-9]+)?) ?mb?([^a-z0-9]|$)", group)) {
		double size = catalogue_number(text, &group[1]);

		if (!isnan(found) && found != size)
			return NAN;
		found = size;
		text += group[1].rm_eo;
	}
	return found > 0 && found <= MOST_MB ? trunc(found * MB) : NAN;
}

/* Those that a pattern of links has beside http and https (catalogue_field.c lets no other by). */
static void add_schemes(struct making *making, const char *pattern, cJSON *schemes)
{
	regmatch_t group[CATALOGUE_GROUPS];

	while (catalogue_finds(pattern, "\\|([a-z]+)", group)) {
		AUTO_FREE char *scheme = strndup(
			pattern + group[1].rm_so, (size_t)(group[1].rm_eo - group[1].rm_so));

		if (scheme && strncmp(scheme, "http", 4) != 0)
			making_add(making, schemes, cJSON_CreateString(scheme));
		pattern += group[0].rm_eo;
	}
}

static void put_schemes(struct making *making, const char *about, cJSON *field, cJSON *file)
{
	cJSON *schemes = cJSON_CreateArray();
	cJSON *text = json_get(field, "items") ?: field;
	const char *pattern = json_text(text, "pattern");

	if (pattern)
		add_schemes(making, pattern, schemes);
	else if (finds(about, "(^|[^a-z])oss([^a-z]|$)"))
		making_add(making, schemes, cJSON_CreateString("oss"));
	if (finds(about, "asset://"))
		making_add(making, schemes, cJSON_CreateString("asset"));
	cJSON_DeleteItemFromObjectCaseSensitive(text, "pattern");
	if (schemes && schemes->child)
		making_put(making, file, "schemes", schemes);
	else
		cJSON_Delete(schemes);
}

void catalogue_media(struct making *making, const char *name, cJSON *field, const char *address)
{
	const char *about = json_text(field, "description") ?: "";
	unsigned int found;
	double size;
	cJSON *file, *types;

	if (!names_file(name, field))
		return;
	types = cJSON_CreateArray();
	found = add_mime(making, types, about);
	found = found ? found : kinds_of(name, about);
	if (!found)
		problems_add(&making->problems, address, "which kind of file it names is not said");
	if (types && !types->child)
		add_words(making, types, about, found);
	if (found & ~kinds_typed(types))
		making_put(making, field, "$comment", cJSON_CreateString(CATALOGUE_TYPES_UNSAID));
	add_usual(making, types, found & ~kinds_typed(types));
	size = size_in(about);
	file = cJSON_CreateObject();
	making_put(making, file, "types", types);
	if (!isnan(size))
		making_put(making, file, "max_bytes", cJSON_CreateNumber(size));
	put_schemes(making, about, field, file);
	making_put(making, field, "x-kinofs-file", file);
}

/* ------------------------------------------------------------------ marks */

struct places { /* which marks are taken, of each kind */
	bool plain, end, ref, mask;
};

static bool is_list(const cJSON *field)
{
	return strcmp(json_text(field, "type"), "array") == 0;
}

/* A list of a first and a last frame. */
static bool is_pair(const cJSON *field)
{
	const char *about = json_text(field, "description") ?: "";
	const double most = json_number(field, "maxItems");

	return is_list(field) && (isnan(most) || most == 2) &&
	       finds(about, "first(-| |_)?(frame)?[a-z ]*(and|,|/)[a-z ]*last(-| )?frame|"
			    "index 1 is the last");
}

static void put_marks(struct making *making, cJSON *field, const char *one, const char *two)
{
	cJSON *marks = cJSON_CreateArray();

	making_add(making, marks, cJSON_CreateString(one));
	if (two)
		making_add(making, marks, cJSON_CreateString(two));
	making_put(making, json_get(field, "x-kinofs-file"), "marks", marks);
}

static const char *mark_by_name(const char *name)
{
	if (finds(name, "mask"))
		return "mask";
	if (finds(name, "(^|_)(last|end|tail)(_|$)"))
		return "end";
	return finds(name, "(^|_)(reference|references|ref|element|style|character)(_|$)") ? "ref"
	                                                                                   : "";
}

static bool take(bool *place)
{
	bool was = *place;

	*place = true;
	return !was;
}

static void mark_field(struct making *making, cJSON *field, struct places *places)
{
	const char *mark = mark_by_name(field->string);
	bool *const place = strcmp(mark, "mask") == 0  ? &places->mask
	                    : strcmp(mark, "end") == 0 ? &places->end
	                    : strcmp(mark, "ref") == 0 ? &places->ref
	                                               : &places->plain;

	if (place == &places->plain && is_pair(field) && !places->end && !places->plain) {
		places->plain = places->end = true;
		if (!json_get(field, "maxItems"))
			making_put(making, field, "maxItems", cJSON_CreateNumber(2));
		put_marks(making, field, "", "end");
	} else if (take(place)) {
		put_marks(making, field, mark, NULL);
	} else if (place == &places->plain && take(&places->ref)) {
		put_marks(making, field, "ref", NULL);
	}
}

static bool is_of_kind(const cJSON *field, unsigned int kind)
{
	return kinds_typed(json_get(json_get(field, "x-kinofs-file"), "types")) == kind;
}

/* The only field for files of a kind takes the plain name, whatever it is called; so do references
 * where there is nothing else. */
static void mark_alone(
	struct making *making, cJSON *properties, unsigned int kind, const struct places *places)
{
	cJSON *field;

	if (places->plain || !places->ref)
		return;
	cJSON_ArrayForEach (field, properties) {
		if (is_of_kind(field, kind) && strcmp(mark_by_name(field->string), "ref") == 0) {
			put_marks(making, field, "", NULL);
			return;
		}
	}
}

void catalogue_marks(struct making *making, cJSON *properties)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct places places = {0};
		cJSON *field;

		cJSON_ArrayForEach (field, properties) {
			if (is_of_kind(field, kinds[i].kind))
				mark_field(making, field, &places);
		}
		mark_alone(making, properties, kinds[i].kind, &places);
	}
}

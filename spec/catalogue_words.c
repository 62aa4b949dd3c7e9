/* catalogue_words.c - limits that stand only in the prose of a field, where it can be read in one
 * way only. */
#include "spec/catalogue_parts.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER "([0-9][0-9,]*)"
#define TO     " ?(-|–|—|~|to|and) ?"

bool catalogue_finds(const char *text, const char *expression, regmatch_t group[CATALOGUE_GROUPS])
{
	regex_t compiled;
	bool found;

	if (regcomp(&compiled, expression, REG_EXTENDED | REG_ICASE) != 0)
		return false; /* no memory: as if it were not said */
	found = regexec(&compiled, text, CATALOGUE_GROUPS, group, 0) == 0;
	regfree(&compiled);
	return found;
}

double catalogue_number(const char *text, const regmatch_t *group)
{
	char digits[24];
	size_t count = 0;

	if (group->rm_so < 0)
		return NAN;
	for (regoff_t at = group->rm_so; at < group->rm_eo && count < sizeof(digits) - 1; at++)
		if (text[at] != ',')
			digits[count++] = text[at];
	digits[count] = '\0';
	return count ? strtod(digits, NULL) : NAN;
}

/* What one way of saying it gives, which is looked for over the whole text. */
struct wording {
	const char *expression;
	size_t low, high; /* groups; 0: it does not say */
};

struct bounds {
	double low, high; /* NAN: not said */
	bool doubtful;    /* it is said twice, and differently */
};

static void note(double *known, double found, bool *doubtful)
{
	if (isnan(found))
		return;
	if (!isnan(*known) && *known != found)
		*doubtful = true;
	*known = found;
}

static void read_wording(const char *text, const struct wording *wording, struct bounds *bounds)
{
	regmatch_t group[CATALOGUE_GROUPS];

	while (catalogue_finds(text, wording->expression, group) && group[0].rm_eo > 0) {
		if (wording->low)
			note(&bounds->low, catalogue_number(text, &group[wording->low]),
				&bounds->doubtful);
		if (wording->high)
			note(&bounds->high, catalogue_number(text, &group[wording->high]),
				&bounds->doubtful);
		text += group[0].rm_eo;
	}
}

static struct bounds read_all(const char *text, const struct wording *wording, size_t count)
{
	struct bounds bounds = {NAN, NAN, false};

	for (size_t i = 0; i < count; i++)
		read_wording(text, &wording[i], &bounds);
	if (bounds.low > bounds.high)
		bounds.doubtful = true;
	return bounds;
}

/* Words with which a number is said of something else, or not always. */
static bool depends(const char *text, const char *also)
{
	static const char words[] = "special|when |if |depend|unless|combined|total|sum of|=";
	regmatch_t group[CATALOGUE_GROUPS];

	return catalogue_finds(text, words, group) || (also && catalogue_finds(text, also, group));
}

static void put_number(struct making *making, cJSON *field, const char *key, double value)
{
	if (!isnan(value) && !json_get(field, key))
		making_put(making, field, key, cJSON_CreateNumber(value));
}

static void read_text(struct making *making, const char *text, cJSON *field)
{
	static const struct wording wordings[] = {
		{"max(imum)? ?(length|len|characters)[: ]*(of |is )?" NUMBER, 0, 4},
		{"min(imum)? ?(length|len|characters)[: ]*(of |is )?" NUMBER, 4, 0},
		{"up to " NUMBER " char", 0, 1},
		{"maximum (of )?" NUMBER " char", 0, 2},
		{"(limited to|between|is|from) " NUMBER TO NUMBER " char", 2, 4},
	};
	const struct bounds bounds = read_all(text, wordings, COUNT(wordings));

	if (bounds.doubtful || depends(text, NULL))
		return;
	put_number(making, field, "maxLength", bounds.high);
	if (json_number(field, "maxLength") >= bounds.low)
		put_number(making, field, "minLength", bounds.low);
}

static struct bounds read_range(const char *text)
{
	static const struct wording wordings[] = {
		{"(in|range|range is|from|between|supports|values|duration:|seconds\\)?) "
		 "?\\(?" NUMBER " ?s?" TO NUMBER "([ .,;)s]|$)",
			2, 4},
		{"\\(" NUMBER "-" NUMBER "\\)", 1, 2},
		{"minimum: ?" NUMBER ",? ?maximum: ?" NUMBER, 1, 2},
	};

	return read_all(text, wordings, COUNT(wordings));
}

static void read_count(struct making *making, const char *text, cJSON *field)
{
	const struct bounds bounds = read_range(text);

	if (bounds.doubtful || isnan(bounds.low) || isnan(bounds.high) ||
		depends(text, "(^|[^0-9])-[0-9]"))
		return;
	put_number(making, field, "minimum", bounds.low);
	put_number(making, field, "maximum", bounds.high);
}

#define MOST_SECONDS 60

/* A length in seconds that is written as a text: "3", "4", … */
static void read_seconds(struct making *making, const char *text, cJSON *field)
{
	const struct bounds bounds = read_range(text);
	cJSON *list;

	if (bounds.doubtful || depends(text, NULL) || !(bounds.low >= 1) ||
		!(bounds.high <= MOST_SECONDS))
		return;
	list = cJSON_CreateArray();
	for (int i = (int)bounds.low; i <= (int)bounds.high; i++) {
		AUTO_FREE char *digits = format("%d", i);

		making_add(making, list, digits ? cJSON_CreateString(digits) : NULL);
	}
	making_put(making, field, "enum", list);
}

#define THINGS                                                                                     \
	" ?(input |reference |more )?(image|picture|video|audio|file|url|shot|element|speaker)"

static void read_list(struct making *making, const char *text, cJSON *field)
{
	static const struct wording wordings[] = {
		{"up to " NUMBER THINGS, 0, 1},
		{"[( ]" NUMBER TO NUMBER THINGS, 1, 3},
		{"exactly " NUMBER THINGS, 1, 1},
	};
	static const char one[] =
		"exactly (one|a single)" THINGS "|array containing a single" THINGS;
	regmatch_t group[CATALOGUE_GROUPS];
	struct bounds bounds = read_all(text, wordings, COUNT(wordings));

	if (catalogue_finds(text, one, group)) {
		note(&bounds.low, 1, &bounds.doubtful);
		note(&bounds.high, 1, &bounds.doubtful);
	}
	if (bounds.doubtful || depends(text, "mixed|subject"))
		return;
	put_number(making, field, "maxItems", bounds.high > 0 ? bounds.high : NAN);
	if (bounds.low >= 1 && !(bounds.low > json_number(field, "maxItems")))
		put_number(making, field, "minItems", bounds.low);
}

void catalogue_limits(struct making *making, const char *name, cJSON *field)
{
	const char *type = json_text(field, "type"), *text = json_text(field, "description");
	const bool has_values = json_get(field, "enum") || json_get(field, "const");

	if (!text || has_values)
		return;
	if (strcmp(type, "array") == 0)
		read_list(making, text, field);
	else if (strcmp(type, "string") == 0 && strcmp(name, "duration") == 0)
		read_seconds(making, text, field);
	else if (strcmp(type, "string") == 0)
		read_text(making, text, field);
	else if ((strcmp(type, "integer") == 0 || strcmp(type, "number") == 0) &&
		 !json_get(field, "minimum") && !json_get(field, "maximum"))
		read_count(making, text, field);
}

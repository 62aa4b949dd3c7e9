/*
 * catalogue_price.c - prices out of prose: "A 5-second video costs 160 credits ($0.80), and a
 * 10-second video costs 320 credits ($1.60)." (API.md 11.1)
 *
 * Every word must be understood, every amount have its conditions, and no two rows fit one order;
 * else there is no price.
 */
#include "spec/catalogue_parts.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "spec/price.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#define MOST_ROWS  64
#define MOST_BYTES 4000
#define ABOUT      "(about |≈ ?|~ ?)?"
#define MOST_APART 0.03 /* between an amount in credits and the same in dollars */

/* A row as it is read. */
struct reading {
	struct making *making;
	const cJSON *file, *properties;
	cJSON *when;
	double credits, usd; /* NAN: not said */
	const char *per;     /* a field; NULL: the whole result */
	double each;         /* so many of it together; 0: one */
	bool lost;           /* a word is not understood */
};

/* Whether text goes on with the expression, which is passed over. */
static bool goes_on(const char **text, const char *expression, regmatch_t group[CATALOGUE_GROUPS])
{
	AUTO_FREE char *anchored = format("^(%s)", expression);

	if (!anchored || !catalogue_finds(*text, anchored, group))
		return false;
	return group[0].rm_eo > 0;
}

/* ------------------------------------------------------------------ amounts */

static void note_amount(double *known, double amount, bool *lost)
{
	if (!isnan(*known) || !(amount >= 0))
		*lost = true;
	*known = amount;
}

/* "160 credits", "$0.80", either in brackets behind the other. */
static bool read_amount(struct reading *row, const char **text)
{
	regmatch_t group[CATALOGUE_GROUPS];

	if (goes_on(text,
		    "\\(?" ABOUT "(([0-9]+|[1-9][0-9]{0,2}(,[0-9]{3})+)(\\.[0-9]+)?) credits?\\)?",
		    group))
		note_amount(&row->credits, catalogue_number(*text, &group[3]), &row->lost);
	else if (goes_on(text, "\\(?" ABOUT "\\$ ?([0-9]+(\\.[0-9]+)?)( usd)?\\)?", group))
		note_amount(&row->usd, catalogue_number(*text, &group[3]), &row->lost);
	else
		return false;
	*text += group[0].rm_eo;
	return true;
}

/* ------------------------------------------------------------------ conditions */

static void put_condition(struct reading *row, const char *field, const cJSON *value)
{
	const cJSON *known = json_get(row->when, field);

	if (known && !cJSON_Compare(known, value, true))
		row->lost = true;
	making_put(row->making, row->when, field, cJSON_Duplicate(value, true));
}

/* Whether a value of an enumeration is called by this word. */
static bool is_called(const cJSON *value, const char *word, size_t bytes)
{
	AUTO_FREE char *text = cJSON_IsString(value) ? strdup(value->valuestring) : NULL;

	return text && strlen(text) == bytes && strncasecmp(text, word, bytes) == 0;
}

/* A word that is the value of one field. */
static bool read_value(struct reading *row, const char **text)
{
	regmatch_t group[CATALOGUE_GROUPS];
	const cJSON *field, *value, *found = NULL;
	const char *name = NULL;

	if (!goes_on(text, "[a-z0-9]+(:[0-9]+)?", group))
		return false;
	cJSON_ArrayForEach (field, row->properties) {
		if (strcmp(field->string, "duration") == 0)
			continue;
		cJSON_ArrayForEach (value, json_get(field, "enum")) {
			if (!is_called(value, *text, (size_t)group[0].rm_eo))
				continue;
			row->lost = row->lost || found;
			found = value;
			name = field->string;
		}
	}
	if (!found)
		return false;
	put_condition(row, name, found);
	*text += group[0].rm_eo;
	return true;
}

/* A length in seconds that the field can have, as its type writes it. NULL: it cannot. */
static cJSON *length_of(const cJSON *field, double seconds)
{
	const char *type = json_text(field, "type");
	const cJSON *value;
	AUTO_FREE char *digits = format("%g", seconds);

	cJSON_ArrayForEach (value, json_get(field, "enum")) {
		const char *text = cJSON_GetStringValue(value);

		if (text ? digits && strcmp(text, digits) == 0 : value->valuedouble == seconds)
			return cJSON_Duplicate(value, true);
	}
	if (json_get(field, "enum") || !type || strcmp(type, "integer") != 0 ||
		seconds < json_number(field, "minimum") || seconds > json_number(field, "maximum"))
		return NULL;
	return cJSON_CreateNumber(seconds);
}

/* "5-second", "10 seconds", "5s", "5.0s". */
static bool read_length(struct reading *row, const char **text)
{
	regmatch_t group[CATALOGUE_GROUPS];
	AUTO_JSON cJSON *value = NULL;

	if (!goes_on(text, "([0-9]+(\\.0)?)[ -]?s(ec(ond)?s?)?([^a-z]|$)", group))
		return false;
	value = length_of(
		json_get(row->properties, "duration"), catalogue_number(*text, &group[2]));
	if (value)
		put_condition(row, "duration", value);
	else
		row->lost = true;
	*text += group[6].rm_so;
	return true;
}

/* "with audio", "without sound": of a field that says whether there is any. */
static bool read_sound(struct reading *row, const char **text)
{
	static const char *const names[] = {
		"sound", "audio", "generate_audio", "generate_audio_switch"};
	regmatch_t group[CATALOGUE_GROUPS];
	AUTO_JSON cJSON *value = NULL;
	const char *name = NULL;

	if (!goes_on(text, "(with|without|no) (audio|sound)( generation)?", group))
		return false;
	for (size_t i = 0; i < COUNT(names); i++) {
		const char *type = json_text(json_get(row->properties, names[i]), "type");

		if (type && strcmp(type, "boolean") == 0)
			name = names[i];
	}
	value = cJSON_CreateBool(group[2].rm_eo - group[2].rm_so == 4);
	if (name && value)
		put_condition(row, name, value);
	else
		row->lost = true;
	*text += group[0].rm_eo;
	return true;
}

/* ------------------------------------------------------------------ units */

/* Whether what is paid for can be counted by it: it is always there, and always a number from 1. */
static bool counts(const cJSON *file, const cJSON *field)
{
	regmatch_t group[CATALOGUE_GROUPS];
	const cJSON *value, *entry;
	bool is_there = json_get(field, "default") != NULL;

	cJSON_ArrayForEach (entry, json_get(file, "required"))
		is_there = is_there || strcmp(entry->valuestring, field->string) == 0;
	cJSON_ArrayForEach (value, json_get(field, "enum")) {
		if (cJSON_IsString(value)
				? !catalogue_finds(value->valuestring, "^[1-9][0-9]*$", group)
				: !(value->valuedouble >= 1))
			return false;
	}
	return is_there && (json_get(field, "enum") || json_number(field, "minimum") >= 1);
}

/* The field that says how many seconds or results there will be. */
static void put_per(struct reading *row, bool seconds)
{
	static const char *const names[] = {"duration", "n", "num_images", "max_images",
		"num_outputs", "image_count", "batch_size"};

	for (size_t i = seconds ? 0 : 1; i < (seconds ? 1 : COUNT(names)); i++) {
		const cJSON *field = json_get(row->properties, names[i]);

		if (!field)
			continue;
		if (row->per || !counts(row->file, field))
			row->lost = true;
		row->per = names[i];
	}
	if (seconds && !row->per)
		row->lost = true;
}

/* "per second", "/image"; "each video" and the like say nothing. */
static bool read_unit(struct reading *row, const char **text)
{
	regmatch_t group[CATALOGUE_GROUPS];
	bool seconds;

	if (!goes_on(text,
		    "(per|/|each|every) ?(1 )?(seconds?|secs?|s|images?|pictures?)([^a-z]|$)",
		    group))
		return false;
	seconds = strncasecmp(*text + group[4].rm_so, "s", 1) == 0;
	put_per(row, seconds);
	*text += group[5].rm_so;
	return true;
}

/* "per 1000 characters" of what is said. */
static bool read_characters(struct reading *row, const char **text)
{
	const char *prompt = json_text(row->file, "x-kinofs-prompt");
	regmatch_t group[CATALOGUE_GROUPS];

	if (!goes_on(text, "(per|/|each|every) ?([1-9][0-9,]*)? ?characters?([^a-z]|$)", group))
		return false;
	if (row->per || !prompt)
		row->lost = true;
	row->per = prompt;
	row->each = catalogue_number(*text, &group[3]);
	*text += group[4].rm_so;
	return true;
}

static bool read_noise(const char **text)
{
	static const char noise[] =
		"(a|an|the|it|this|model|each|per|one|costs?|is|are|priced|price|"
		"prices|pricing|at|for|of|in|with|and|video|videos|vedio|image|"
		"images|picture|pictures|generation|request|resolution|output|"
		"quality|charged|consumes|about|/)([^a-z0-9]|$)";
	regmatch_t group[CATALOGUE_GROUPS];

	if (goes_on(text, "[ \t\r\n,:/-]+", group)) {
		*text += group[0].rm_eo;
		return true;
	}
	if (!goes_on(text, noise, group))
		return false;
	*text += group[2].rm_eo;
	return true;
}

/* ------------------------------------------------------------------ rows */

static bool read_word(struct reading *row, const char **text)
{
	return read_amount(row, text) || read_length(row, text) || read_sound(row, text) ||
	       read_unit(row, text) || read_characters(row, text) || read_value(row, text) ||
	       read_noise(text);
}

/* NULL: a word is not understood, or the amounts do not agree. */
static cJSON *read_row(struct making *making, const cJSON *file, const char *text)
{
	AUTO_JSON cJSON *when = cJSON_CreateObject();
	struct reading row = {.making = making,
		.file = file,
		.properties = json_get(file, "properties"),
		.when = when,
		.credits = NAN,
		.usd = NAN};
	cJSON *made;

	while (*text && !row.lost)
		if (!read_word(&row, &text))
			row.lost = true;
	if (row.lost || (isnan(row.credits) && isnan(row.usd)))
		return NULL;
	if (!isnan(row.credits) && fabs(row.credits * USD_PER_CREDIT - row.usd) >
					   MOST_APART * row.credits * USD_PER_CREDIT)
		return NULL;
	if (row.per && json_get(when, row.per))
		return NULL;
	made = cJSON_CreateObject();
	making_put(making, made, "when", TAKE(when));
	making_put(making, made, isnan(row.credits) ? "usd" : "credits",
		cJSON_CreateNumber(isnan(row.credits) ? row.usd : row.credits));
	if (row.per)
		making_put(making, made, "per", cJSON_CreateString(row.per));
	if (row.per && row.each > 1)
		making_put(making, made, "each", cJSON_CreateNumber(row.each));
	making_put(making, made, "date", cJSON_CreateString(making->said->date));
	making_put(making, made, "source", cJSON_CreateString(making->said->source));
	return made;
}

/* Whether every row asks of the same fields, and no two of them the same. */
static bool are_apart(const cJSON *rows)
{
	const cJSON *row, *other, *value;

	cJSON_ArrayForEach (row, rows) {
		for (other = row->next; other; other = other->next) {
			const cJSON *one = json_get(row, "when"), *two = json_get(other, "when");

			if (cJSON_GetArraySize(one) != cJSON_GetArraySize(two) ||
				cJSON_Compare(one, two, true))
				return false;
			cJSON_ArrayForEach (value, one) {
				if (!json_get(two, value->string))
					return false;
			}
		}
	}
	return true;
}

/* Ends the clause that begins at text, and returns what is behind it; NULL: it was the last. A
 * comma or "and" ends it only when it has its amount. */
static char *cut_clause(char *text)
{
	static const char amount[] = "credits?|\\$ ?[0-9]";
	static const char always[] = "[;\n]|[.] |[.]$";
	static const char behind[] = "[;\n]|[.] |[.]$|, and |, | and ";
	regmatch_t group[CATALOGUE_GROUPS];
	size_t skipped = 0;

	if (catalogue_finds(text, amount, group)) {
		regmatch_t end[CATALOGUE_GROUPS];

		if (!catalogue_finds(text, always, end) || end[0].rm_so > group[0].rm_so)
			skipped = (size_t)group[0].rm_eo;
	}
	if (!catalogue_finds(text + skipped, skipped ? behind : always, group))
		return NULL;
	text[skipped + (size_t)group[0].rm_so] = '\0';
	return text + skipped + group[0].rm_eo;
}

cJSON *catalogue_prices(struct making *making, const cJSON *file)
{
	const char *prose = making->said->price;
	AUTO_FREE char *copy = prose && strlen(prose) <= MOST_BYTES ? strdup(prose) : NULL;
	AUTO_JSON cJSON *rows = cJSON_CreateArray();
	char *clause = copy, *next;

	for (; clause; clause = next) {
		cJSON *row;

		next = cut_clause(clause);
		if (strspn(clause, " \t\r\n") == strlen(clause))
			continue;
		row = read_row(making, file, clause);
		if (!row || cJSON_GetArraySize(rows) == MOST_ROWS) {
			cJSON_Delete(row);
			return NULL;
		}
		making_add(making, rows, row);
	}
	return rows && rows->child && are_apart(rows) ? TAKE(rows) : NULL;
}

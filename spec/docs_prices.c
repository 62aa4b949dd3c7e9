/* docs_prices.c - what a model costs, for people (docs_parts.h). */
#include "spec/docs_parts.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "spec/price.h"
#include "spec/text.h"

#include <string.h>

#define ROWS_TOLD 8 /* beside a field; of more it is only said that it matters */

/* "with last_frame_url", "without sound", "768P": one condition of a row. */
static void print_wanted(FILE *out, const struct model *model, const cJSON *wanted)
{
	const struct model_field *field = model_field(model, wanted->string);
	AUTO_FREE char *list = cJSON_IsArray(wanted) ? text_list(wanted) : NULL;
	const cJSON *given = json_get(wanted, "given");
	char shown[TEXT_SHOWN_BYTES];

	if (given || (cJSON_IsBool(wanted) && field && field->type != FIELD_BOOLEAN))
		(void)fprintf(out, "%s %s", cJSON_IsTrue(given ?: wanted) ? "with" : "without",
			wanted->string);
	else if (cJSON_IsString(wanted))
		(void)fprintf(out, "%s %s", wanted->string, wanted->valuestring);
	else
		(void)fprintf(
			out, "%s %s", wanted->string, list ? list : text_value(wanted, shown));
}

/* "resolution 768P, duration 6" of a price row; the caller frees. NULL: no memory. */
static char *row_words(const struct model *model, const cJSON *row)
{
	const cJSON *when = json_get(row, "when");
	const cJSON *wanted;
	struct page line;

	if (page_open(&line))
		return NULL;
	if (json_is_true(row, "plus"))
		(void)fputs(when && when->child ? "added, " : "added", line.out);
	else if (!when || !when->child)
		(void)fputs("each", line.out); /* see page.c on errors */
	cJSON_ArrayForEach (wanted, when) {
		(void)fputs(wanted == when->child ? "" : ", ", line.out);
		print_wanted(line.out, model, wanted);
	}
	return page_close(&line);
}

/* " for each of duration", " a second of video_url beyond 5". */
static const char *per_words(const struct model *model, const cJSON *row, char words[160])
{
	const cJSON *per = json_get(row, "per");
	const struct model_field *field =
		cJSON_IsString(per) ? model_field(model, per->valuestring) : NULL;
	char beyond[40] = "", each[24] = "each";

	words[0] = '\0';
	if (json_get(row, "each"))
		(void)snprintf(each, sizeof(each), "%.15g", json_number(row, "each"));
	if (json_get(row, "beyond"))
		(void)snprintf(beyond, sizeof(beyond), " beyond %.15g", json_number(row, "beyond"));
	if (field && strstr(field->name, "duration"))
		(void)snprintf(words, 160, " a second%s", beyond);
	else if (cJSON_IsString(per))
		(void)snprintf(words, 160, " for %s of %s%s", each, per->valuestring, beyond);
	else if (per)
		(void)snprintf(
			words, 160, " a second of %s%s", json_text(per, "seconds_of"), beyond);
	return words;
}

/* "0.10", "0.225": cents, and a digit more where there is one. */
static const char *dollars(double usd, char amount[32])
{
	int length = snprintf(amount, 32, "%.*f", usd < 0.1 ? 4 : 3, usd);

	while (length > 0 && length < 32 && amount[length - 1] == '0' &&
		strlen(strchr(amount, '.')) > strlen(".00"))
		amount[--length] = '\0';
	return amount;
}

/* Where the rows above come from, unless the next row comes from there too. */
static void print_source(struct page *page, const cJSON *row)
{
	const char *source = json_text(row, "source");
	const char *date = json_text(row, "date");
	const cJSON *next = row->next;

	if (next && strcmp(source, json_text(next, "source")) == 0 &&
		strcmp(date, json_text(next, "date")) == 0)
		return;
	page_gap(page);
	page_item(page, "  ", "Estimate of %s (%s). Prices move: the provider's own page counts.",
		date, source);
}

/* "resolution 768P, duration 6: 45 credits ($0.225)"; the caller frees. NULL: no memory. */
static char *row_line(const struct model *model, const cJSON *row)
{
	AUTO_FREE char *words = row_words(model, row);
	struct price price = price_of_row(row);
	char amount[32], per[160];

	if (!words)
		return NULL;
	if (json_get(row, "credits"))
		return format("%s: %.15g credits ($%s)%s", words, price.credits,
			dollars(price.usd, amount), per_words(model, row, per));
	return format("%s: $%s%s", words, dollars(price.usd, amount), per_words(model, row, per));
}

void docs_prices(struct page *page, const struct model *model)
{
	const cJSON *row;

	page_section(page, "PRICE (estimate)");
	if (!model->prices || !model->prices->child)
		page_line(page, "  Not known; see the provider's own page.");
	cJSON_ArrayForEach (row, model->prices) {
		AUTO_FREE char *line = row_line(model, row);

		page->lost = page->lost || !line;
		page_item(page, "  ", "%s", line ? line : "");
		print_source(page, row);
	}
}

static bool is_about(const cJSON *row, const char *field)
{
	const cJSON *per = json_get(row, "per");
	const char *counted = cJSON_IsString(per) ? per->valuestring : json_text(per, "seconds_of");

	return json_get(json_get(row, "when"), field) || (counted && !strcmp(counted, field));
}

char *docs_price_by(const struct model *model, const char *field)
{
	char *stream = NULL;
	size_t bytes, rows = 0;
	FILE *out = open_memstream(&stream, &bytes);
	const cJSON *row;
	bool lost = false;

	if (!out)
		return NULL;
	cJSON_ArrayForEach (row, model->prices) {
		AUTO_FREE char *line = is_about(row, field) ? row_line(model, row) : NULL;

		lost = lost || (!line && is_about(row, field));
		if (line && ++rows <= ROWS_TOLD)
			(void)fprintf(out, "%s%s", rows > 1 ? "; " : "", line); /* stream_text() */
	}
	stream = stream_text(out, &stream);
	if (lost || rows > ROWS_TOLD)
		free(TAKE(stream));
	return lost               ? NULL
	       : rows > ROWS_TOLD ? strdup("it depends on this, see README.txt")
	                          : stream;
}

/* The rows that are counted the same way as the first: others cannot be compared with it. */
char *docs_price_words(const struct model *model)
{
	double least = 0, most = 0;
	char low[32], high[32], per[160] = "", other[160], each[24];
	const char *date = NULL;
	const cJSON *row;

	(void)snprintf(each, sizeof(each), " a %s", model_noun(model)); /* fits */
	cJSON_ArrayForEach (row, model->prices) {
		double usd = price_of_row(row).usd;

		if (json_is_true(row, "plus") ||
			(date && strcmp(per_words(model, row, other), per) != 0))
			continue;
		(void)per_words(model, row, per);
		least = !date || usd < least ? usd : least;
		most = usd > most ? usd : most;
		date = json_text(row, "date");
	}
	if (!date)
		return strdup("Price not known.");
	if (least < most)
		return format("$%s to $%s%s (estimate of %s).", dollars(least, low),
			dollars(most, high), *per ? per : each, date);
	return format("$%s%s (estimate of %s).", dollars(least, low), *per ? per : each, date);
}

void docs_price_range(struct page *page, const struct model *model)
{
	AUTO_FREE char *words = docs_price_words(model);

	page->lost = page->lost || !words;
	page_item(page, "      ", "%s", words ? words : "");
}

#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "spec/docs.h"
#include "spec/page.h"
#include "spec/picture.h"
#include "spec/price.h"
#include "spec/text.h"

#include <string.h>

static const char *description_of(const struct model *model)
{
	const cJSON *words = json_get(model->schema, "description");

	return words ? words->valuestring : "";
}

/* The files of a job, in the order in which they are best put there: with an optional picture, a
 * prompt by itself may go before the picture comes. */
static void print_steps(struct page *page, const struct model *model)
{
	const struct model_field *first = model->first_frame;
	bool optional = first && !first->required;
	const char *end = model->last_frame ? " It ends with dog.end.png, if there is one." : "";

	if (optional)
		page_item(page, "1. ",
			"If you like, put a picture here: dog.png. The video begins with it.%s",
			end);
	page_item(page, optional ? "2. " : "1. ",
		"Write what the video shall show into a text file: dog.txt.");
	if (first && !optional)
		page_item(page, "2. ",
			"Put a picture of the same name beside it: dog.png. The video begins with "
			"it.%s",
			end);
	page_item(page, first ? "3. " : "2. ",
		"Wait a few minutes. The video appears as out/dog.mp4.");
	page_gap(page);
	if (optional)
		page_words(page,
			"Picture first, then words: a text file without a picture waits for one, "
			"15 seconds unless set otherwise, and is then ordered without. To order it "
			"at once, put dog.json with {} in it beside it.");
}

static void print_how(struct page *page, const struct model *model)
{
	page_section(page, "MAKE A VIDEO");
	print_steps(page, model);
	page_words(page,
		"All files of one name (without its ending) are one job. It starts when "
		"all it needs is there and nothing has changed for a moment (2 seconds, unless set "
		"otherwise). In a folder inside this one, summer/dog.txt, the video becomes "
		"out/summer/dog.mp4.");
	page_words(page,
		"Each video costs money, once: saving the same again, renaming, moving or reading "
		"costs nothing. A copy of dog.txt under another name is held: its note in out/ "
		"names the job it is a copy of, and that one's video. Change the copy, or pay for "
		"another video of the same: kinofs release FILE.");
}

/* A value for the example: what a user would most likely write. */
static cJSON *example_value(const struct model *model, const struct model_field *field)
{
	if (field == model->prompt)
		return cJSON_CreateString("A dog runs along the beach, the camera follows it.");
	if (field->picture)
		return cJSON_CreateString(field == model->last_frame ? "dog-home.png" : "dog.png");
	return cJSON_Duplicate(field->fallback, true);
}

static char *example(const struct model *model)
{
	AUTO_JSON cJSON *spec = cJSON_CreateObject();

	for (size_t i = 0; i < model->nfield; i++) {
		const struct model_field *field = &model->field[i];
		cJSON *value;

		if (!field->required && !field->fallback && field != model->first_frame)
			continue;
		value = example_value(model, field);
		if (!value || !cJSON_AddItemToObject(spec, field->name, value)) {
			cJSON_Delete(value);
			return NULL;
		}
	}
	return cJSON_Print(spec);
}

static void print_example(struct page *page, const struct model *model)
{
	AUTO_FREE char *text = example(model);

	page_section(page, "OR WITH A SPEC: dog.json");
	if (text)
		(void)fprintf(page->out, "%s\n\n", text); /* see page.c on errors */
	page->lost = page->lost || !text;
	page_words(page,
		"Only %s must be given; dog.txt%s may give %s instead. The "
		"request body of the provider's own documentation works as it is. Numbers may be "
		"written as 6 or \"6\".",
		model->first_frame && model->first_frame->required ? "prompt and picture"
								   : "the prompt",
		model->first_frame ? " and a picture beside it" : "",
		model->first_frame ? "them" : "it");
	page_words(page,
		"What all jobs of a folder share goes into defaults.json in that folder: "
		"the same fields, each used where a job does not say otherwise. schema.json helps "
		"an editor to complete and check a spec; add \"$schema\": \"schema.json\" to it.");
	page_words(page, "Several jobs in one file: dog.jsonl, one spec a line; they are named "
			 "dog-0001 and so on.");
}

static void print_picture(struct page *page, const char *lead, const struct model_field *field)
{
	size_t limit = field->picture_max_bytes ? field->picture_max_bytes : LIMIT_PICTURE_BYTES;
	char types[200];

	page_item(page, lead, "%s, at most %.4g MB.", picture_types(field, types),
		(double)limit / (1 << 20));
	page_item(page, lead,
		"An http(s) link, or the path of a picture in this mount, relative "
		"to the spec%s.",
		field->picture_data_uri ? "; also data:image/…;base64,…" : "");
}

static void print_limits(struct page *page, const char *lead, const struct model_field *field)
{
	AUTO_FREE char *list = field->allowed ? text_list(field->allowed) : NULL;

	if (list)
		page_item(page, lead, "Possible: %s.", list);
	page->lost = page->lost || (field->allowed && !list);
	if (field->picture)
		print_picture(page, lead, field);
	else if (field->max_chars)
		page_item(page, lead, "At most %zu characters.", field->max_chars);
	if (field->has_minimum && field->has_maximum)
		page_item(page, lead, "From %.15g to %.15g.", field->minimum, field->maximum);
	else if (field->has_minimum || field->has_maximum)
		page_item(page, lead, "%s %.15g.", field->has_minimum ? "At least" : "At most",
			field->has_minimum ? field->minimum : field->maximum);
}

static void print_field(
	struct page *page, const struct model *model, const struct model_field *field)
{
	static const char lead[] = "      ";
	static const char *const types[] = {[FIELD_STRING] = "text",
		[FIELD_INTEGER] = "whole number",
		[FIELD_NUMBER] = "number",
		[FIELD_BOOLEAN] = "true or false"};
	char shown[TEXT_SHOWN_BYTES];

	page_item(page, "  ", "%s (%s%s%s%s)", field->name,
		field->picture ? "picture" : types[field->type], field->required ? ", needed" : "",
		field->fallback ? ", default " : "",
		field->fallback ? text_value(field->fallback, shown) : "");
	if (field->description)
		page_item(page, lead, "%s", field->description);
	print_limits(page, lead, field);
	if (field == model->prompt)
		page_item(page, lead, "File: dog.txt.");
	else if (field == model->first_frame)
		page_item(page, lead, "File: dog.png, dog.jpg, dog.jpeg or dog.webp.");
	else if (field == model->last_frame)
		page_item(page, lead,
			"File: dog.end.png; also dog_end, dog-end, dog.last, "
			"dog_last, dog.tail.");
}

static void print_fields(struct page *page, const struct model *model)
{
	const cJSON *rule;

	page_section(page, "FIELDS");
	for (size_t i = 0; i < model->nfield; i++)
		print_field(page, model, &model->field[i]);
	cJSON_ArrayForEach (rule, model->rules) {
		const cJSON *message = json_get(rule, "message");

		page_gap(page);
		page_item(page, "  ", "Note: %s.", message->valuestring);
	}
}

/* "768P, 6" of a price row; the caller frees. NULL: no memory. */
static char *row_words(const cJSON *row)
{
	const cJSON *when = json_get(row, "when");
	const cJSON *value;
	char shown[TEXT_SHOWN_BYTES];
	struct page line;

	if (page_open(&line))
		return NULL;
	if (!when || !when->child)
		(void)fputs("each video", line.out); /* see page.c on errors */
	cJSON_ArrayForEach (value, when) {
		(void)fprintf(line.out, "%s%s %s", value == when->child ? "" : ", ", value->string,
			cJSON_IsString(value) ? value->valuestring : text_value(value, shown));
	}
	return page_close(&line);
}

static struct price row_price(const cJSON *row)
{
	const cJSON *credits = json_get(row, "credits");
	const cJSON *usd = json_get(row, "usd");

	return (struct price){
		.known = true,
		.credits = credits ? credits->valuedouble : 0,
		.usd = usd ? usd->valuedouble : credits->valuedouble * USD_PER_CREDIT,
	};
}

/* "0.10", "0.225": cents, and a digit more where there is one. */
static const char *dollars(double usd, char amount[32])
{
	int length = snprintf(amount, 32, "%.3f", usd);

	if (length > 0 && length < 32 && amount[length - 1] == '0')
		amount[length - 1] = '\0';
	return amount;
}

/* Where the rows above come from, unless the next row comes from there too. */
static void print_source(struct page *page, const cJSON *row)
{
	const char *source = json_get(row, "source")->valuestring;
	const char *date = json_get(row, "date")->valuestring;
	const cJSON *next = row->next;

	if (next && strcmp(source, json_get(next, "source")->valuestring) == 0 &&
		strcmp(date, json_get(next, "date")->valuestring) == 0)
		return;
	page_gap(page);
	page_item(page, "  ", "Estimate of %s (%s). Prices move: the provider's own page counts.",
		date, source);
}

static void print_prices(struct page *page, const struct model *model)
{
	const cJSON *row;

	page_section(page, "PRICE (estimate)");
	if (!model->prices || !model->prices->child)
		page_line(page, "  Not known; see the provider's own page.");
	cJSON_ArrayForEach (row, model->prices) {
		AUTO_FREE char *words = row_words(row);
		struct price price = row_price(row);
		char amount[32];
		const char *usd;

		page->lost = page->lost || !words;
		usd = dollars(price.usd, amount);
		if (price.credits > 0)
			page_item(page, "  ", "%s: %.15g credits ($%s)", words ? words : "",
				price.credits, usd);
		else
			page_item(page, "  ", "%s: $%s", words ? words : "", usd);
		print_source(page, row);
	}
}

static void print_results(struct page *page)
{
	static const char *const files[][2] = {
		{"out/dog.mp4", "The video. A second take is out/dog.2.mp4; nothing is ever "
				"overwritten."},
		{"out/dog.waiting.txt", "What the job still waits for."},
		{"out/dog.held.txt", "Why the job was not sent (no key, a cap, a copy), and what "
				     "to do."},
		{"out/dog.error.txt", "What went wrong, whether money was spent, what to do next."},
		{"jobs/dog.json", "The live record of the job. Remove it to cancel a job not yet "
				  "sent, or to forget one that has ended."},
	};

	page_section(page, "WHERE THINGS GO");
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char lead[32];

		(void)snprintf(lead, sizeof(lead), "  %-21s ", files[i][0]);
		page_item(page, lead, "%s", files[i][1]);
	}
	page_section(page, "AGAIN");
	page_words(page,
		"\"takes\": 3 in a spec makes three videos of it in all, and each costs its "
		"price; it may be 1 to %d.",
		LIMIT_TAKES);
	page_words(page,
		"After an error: mend the file and save it; a changed job is sent anew. After a "
		"failure that was not your doing: save the file again, or kinofs retry dog.json "
		"(or dog.txt). Another take of a job that is done: kinofs retry, with -n 3 three "
		"of them. Every take costs its price; whether a failed one was charged stands in "
		"its note.");
	page_words(page,
		"Never sent, only stored: README and LICENSE files, names that begin with "
		"a dot or end in ~, temporary files, and everything below out/ and jobs/.");
}

char *docs_readme(const struct model *model)
{
	struct page page;

	if (page_open(&page))
		return NULL;
	page_title(&page, model->title);
	page_words(&page, "%s", description_of(model));
	page_words(&page, "Model: %s. Provider: %s.", model->id, model->provider);
	print_how(&page, model);
	print_example(&page, model);
	print_fields(&page, model);
	print_prices(&page, model);
	print_results(&page);
	return page_close(&page);
}

/* "$0.225 to $0.45 a video (estimate of 2026-06-30)". */
static void print_range(struct page *page, const struct model *model)
{
	double least = 0, most = 0;
	char low[32], high[32];
	const char *date = NULL;
	const cJSON *row;

	cJSON_ArrayForEach (row, model->prices) {
		double usd = row_price(row).usd;

		least = !date || usd < least ? usd : least;
		most = usd > most ? usd : most;
		date = json_get(row, "date")->valuestring;
	}
	if (!date)
		page_item(page, "      ", "Price not known.");
	else if (least < most)
		page_item(page, "      ", "$%s to $%s a video (estimate of %s).",
			dollars(least, low), dollars(most, high), date);
	else
		page_item(
			page, "      ", "$%s a video (estimate of %s).", dollars(least, low), date);
}

static void print_start(struct page *page)
{
	page_section(page, "IN TWO MINUTES");
	page_item(page, "1. ", "Choose a model below and open its folder.");
	page_item(page, "2. ",
		"Put a text file in it, dog.txt, that says what the video shall "
		"show. For a model that starts from a picture, put dog.png beside it.");
	page_item(page, "3. ",
		"Wait a few minutes. The video appears in that folder's out/ as "
		"dog.mp4. If something is wrong, out/dog.error.txt says what. "
		"The folder out/ beside this page shows the videos of all models together.");
	page_gap(page);
	page_words(page,
		"Each video costs money, once; looking at files never does. To set length "
		"or resolution, write a spec, dog.json; README.txt in each model's folder shows "
		"one, with every field, its limits and the price, and schema.json lets an editor "
		"help.");
}

char *docs_root_readme(const struct model_set *models)
{
	struct page page;

	if (page_open(&page))
		return NULL;
	page_title(&page, "kinofs: folders that make videos");
	page_words(&page,
		"Each folder named below is an AI model. Put words, and for some models a "
		"picture, into it; a video comes out.");
	print_start(&page);
	page_section(&page, "MODELS");
	for (size_t i = 0; i < models->count; i++) {
		const struct model *model = models->item[i];

		page_line(&page, "  %s/", model->id);
		page_item(&page, "      ", "%s.", model->title);
		print_range(&page, model);
	}
	page_section(&page, "MORE");
	page_words(&page,
		"kinofs status shows all jobs, kinofs retry FILE makes another take, "
		"kinofs doctor looks for what is set up wrong. The same state for programs is in "
		".kinofs/ (jobs.json, events.jsonl). man kinofs has the rest.");
	return page_close(&page);
}

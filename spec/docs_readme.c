#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "spec/docs.h"
#include "spec/docs_parts.h"
#include "spec/kind.h"
#include "spec/media_field.h"

#include <ctype.h>
#include <string.h>

static const char *description_of(const struct model *model)
{
	const cJSON *words = json_get(model->schema, "description");

	return words ? words->valuestring : "";
}

/* "dog.end.png", with more of a numbered slot: "dog.ref.png, dog.ref2.png …". */
static const char *slot_files(const struct model_slot *slot, char text[80])
{
	const char *dot = *slot->mark ? "." : "", *suffix = media_suffix(slot->field->media);

	if (slot->numbered)
		(void)snprintf(text, 80, "dog%s%s%s, dog.%s2%s …", dot, slot->mark, suffix,
			slot->mark, suffix);
	else
		(void)snprintf(text, 80, "dog%s%s%s", dot, slot->mark, suffix);
	return text;
}

static bool is_optional(const struct model_slot *slot)
{
	return !slot->field->required ||
	       slot->at >= slot->field->min_items + !slot->field->min_items;
}

static void print_file_step(struct page *page, const char *lead, const struct model *model,
	const struct model_slot *slot)
{
	char files[80];

	page_item(page, lead, "%s %s of the same name here: %s.%s%s%s",
		is_optional(slot) ? "If you like, put a" : "Put a", media_noun(slot->field->media),
		slot_files(slot, files), slot->field->description ? " " : "",
		slot->field->description ?: "",
		slot == media_frame_slot(model)
			? " Or a film, dog.mp4: it begins where that ends. (ffmpeg must be installed.)"
			: "");
}

/* The files of a job, in the order in which they are best put there: what is optional first, as a
 * prompt by itself may go before it comes. */
static void print_steps(struct page *page, const struct model *model)
{
	bool optional = false, needs_prompt = model->prompt && model->prompt->required;
	char lead[16];
	int step = 1;

	for (size_t i = 0; i < model->nslot; i++) {
		if (!is_optional(&model->slot[i]) && model->prompt)
			continue;
		(void)snprintf(lead, sizeof(lead), "%d. ", step++);
		print_file_step(page, lead, model, &model->slot[i]);
		optional = optional || is_optional(&model->slot[i]);
	}
	if (model->prompt) {
		(void)snprintf(lead, sizeof(lead), "%d. ", step++);
		page_item(page, lead, "%s %s into a text file: dog.txt.",
			needs_prompt ? "Write" : "If you like, write", makes_wish(model->results));
	}
	for (size_t i = 0; i < model->nslot && model->prompt; i++) {
		if (is_optional(&model->slot[i]))
			continue;
		(void)snprintf(lead, sizeof(lead), "%d. ", step++);
		print_file_step(page, lead, model, &model->slot[i]);
	}
	(void)snprintf(lead, sizeof(lead), "%d. ", step);
	page_item(page, lead, "Wait a few minutes. The %s appears as out/dog.%s.",
		model_noun(model), makes_suffix(model->results));
	page_gap(page);
	if (optional && needs_prompt)
		page_words(page,
			"Files first, then words: a text file by itself waits for one, 15 seconds "
			"unless set otherwise, and is then ordered without. To order it at once, put "
			"dog.json with {} in it beside it.");
	else if (model->prompt && !needs_prompt)
		page_words(page, "Without words: put dog.json with {} in it beside the files.");
}

static void print_how(struct page *page, const struct model *model)
{
	const char *noun = model_noun(model), *suffix = makes_suffix(model->results);
	char title[24];

	(void)snprintf(title, sizeof(title), "MAKE A %s", noun); /* fits */
	for (char *letter = title; *letter; letter++)
		*letter = (char)toupper((unsigned char)*letter);
	page_section(page, title);
	print_steps(page, model);
	page_words(page,
		"All files of one name (without its ending) are one job. It starts when "
		"all it needs is there and nothing has changed for a moment (2 seconds, unless set "
		"otherwise). In a folder inside this one, summer/dog.txt, the %s becomes "
		"out/summer/dog.%s.",
		noun, suffix);
	page_words(page,
		"Each %s costs money, once: saving the same again, renaming, moving or reading "
		"costs nothing. A copy of dog.txt under another name is held: its note in out/ "
		"names the job it is a copy of, and that one's %s. Change the copy, or pay for "
		"another %s of the same: kinofs release FILE.",
		noun, noun, noun);
}

static void print_result_files(struct page *page, const struct model *model)
{
	static const char *const files[][2] = {
		{"out/dog.waiting.txt", "What the job still waits for."},
		{"out/dog.held.txt", "Why the job was not sent (no key, a cap, a copy), and what "
				     "to do."},
		{"out/dog.running.txt", "The job is under way: since when, how long it usually "
					"takes, what it costs."},
		{"out/dog.error.txt", "What went wrong, whether money was spent, what to do next."},
		{"jobs/dog.json", "The live record of the job. Remove it to cancel a job not yet "
				  "sent, or to forget one that has ended."},
	};
	const char *suffix = makes_suffix(model->results);
	char lead[32], name[24];

	(void)snprintf(name, sizeof(name), "out/dog.%s", suffix); /* fits */
	(void)snprintf(lead, sizeof(lead), "  %-21s ", name);
	page_item(page, lead,
		"The %s%s. A second take is out/dog.2.%s, a second result of one take "
		"out/dog-2.%s; nothing is ever overwritten.",
		model_noun(model),
		model->results == RESULT_VIDEO ? "" : ", or with the suffix of what came", suffix,
		suffix);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		(void)snprintf(lead, sizeof(lead), "  %-21s ", files[i][0]);
		page_item(page, lead, "%s", files[i][1]);
	}
}

static void print_results(struct page *page, const struct model *model)
{
	page_section(page, "WHERE THINGS GO");
	print_result_files(page, model);
	page_section(page, "AGAIN");
	page_words(page,
		"\"takes\": 3 in a spec makes three %ss of it in all, and each costs its "
		"price; it may be 1 to %d.",
		model_noun(model), LIMIT_TAKES);
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
	if (*description_of(model))
		page_words(&page, "%s", description_of(model));
	page_words(&page, "Model: %s. Provider: %s.", model->id, model->provider);
	if (json_text(model->schema, "x-kinofs-retired"))
		page_words(&page,
			"The provider does not offer it any more, as of %s: a job here is refused by "
			"it, and nothing is paid. Use another model.",
			json_text(model->schema, "x-kinofs-retired"));
	print_how(&page, model);
	docs_example(&page, model);
	docs_fields(&page, model);
	docs_prices(&page, model);
	print_results(&page, model);
	return page_close(&page);
}

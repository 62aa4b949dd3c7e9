/* docs_root.c - the README.txt of the mount itself: what there is, by what it does. */
#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "spec/docs.h"
#include "spec/page.h"

#include <string.h>

/* What a model is for, as a person looks for one. */
enum use {
	WORDS_TO_VIDEO,
	PICTURE_TO_VIDEO,
	MEDIA_TO_VIDEO,
	WORDS_TO_PICTURE,
	PICTURE_TO_PICTURE,
	TO_SOUND
};

static const char *const headings[] = {
	[WORDS_TO_VIDEO] = "VIDEO FROM WORDS (some take a picture too)",
	[PICTURE_TO_VIDEO] = "VIDEO FROM A PICTURE",
	[MEDIA_TO_VIDEO] = "VIDEO FROM A FILM OR A SOUND",
	[WORDS_TO_PICTURE] = "PICTURES FROM WORDS",
	[PICTURE_TO_PICTURE] = "PICTURES FROM PICTURES",
	[TO_SOUND] = "SOUND",
};

static unsigned int needed_media(const struct model *model)
{
	unsigned int needed = 0;

	for (size_t i = 0; i < model->nslot; i++)
		if (model->slot[i].field->required)
			needed |= model->slot[i].field->media;
	return needed;
}

static enum use use_of(const struct model *model)
{
	const unsigned int needed = needed_media(model);

	if (!(model->results & (RESULT_VIDEO | RESULT_IMAGE)))
		return TO_SOUND;
	if (!(model->results & RESULT_VIDEO))
		return needed ? PICTURE_TO_PICTURE : WORDS_TO_PICTURE;
	if (needed & (MEDIA_FILM | MEDIA_SOUND))
		return MEDIA_TO_VIDEO;
	return needed ? PICTURE_TO_VIDEO : WORDS_TO_VIDEO;
}

/* Bytes of the folder that a model shares with others of its maker, with the slash; 0: none. */
static size_t maker_bytes(const char *id)
{
	const char *slash = strchr(id, '/');

	return slash ? (size_t)(slash - id) + 1 : 0;
}

static bool is_of_maker(const struct model *model, const char *id, size_t bytes)
{
	return maker_bytes(model->id) == bytes && strncmp(model->id, id, bytes) == 0;
}

/* All models of this use in one maker's folder, from the one at `at` on, which is the first. */
static void print_maker(struct page *page, const struct model_set *models, size_t at, enum use use)
{
	const char *first = models->item[at]->id;
	const size_t bytes = maker_bytes(first);
	char *names = NULL, lead[64];
	size_t room = 0;
	FILE *out = open_memstream(&names, &room);
	AUTO_FREE char *owned = NULL;

	if (!out) {
		page->lost = true;
		return;
	}
	(void)fprintf(out, "%s", first + bytes); /* a memory stream: checked when closed */
	for (size_t i = at + 1; i < models->count; i++)
		if (is_of_maker(models->item[i], first, bytes) && use_of(models->item[i]) == use)
			(void)fprintf(out, ", %s", models->item[i]->id + bytes);
	owned = fclose(out) == 0 ? names : NULL;
	page->lost = page->lost || !owned;
	(void)snprintf(lead, sizeof(lead), "  %.*s%s", (int)bytes, first, bytes ? " " : "");
	page_item(page, lead, "%s", owned ? owned : "");
}

static bool is_first_of_maker(const struct model_set *models, size_t at, enum use use)
{
	const char *id = models->item[at]->id;

	for (size_t i = 0; i < at; i++)
		if (is_of_maker(models->item[i], id, maker_bytes(id)) &&
			use_of(models->item[i]) == use)
			return false;
	return true;
}

static void print_use(struct page *page, const struct model_set *models, enum use use)
{
	bool any = false;

	for (size_t i = 0; i < models->count; i++) {
		if (use_of(models->item[i]) != use || !is_first_of_maker(models, i, use))
			continue;
		if (!any)
			page_section(page, headings[use]);
		any = true;
		print_maker(page, models, i, use);
	}
}

static void print_start(struct page *page)
{
	page_section(page, "IN TWO MINUTES");
	page_item(page, "1. ", "Choose a model below and open its folder.");
	page_item(page, "2. ",
		"Put a text file in it, dog.txt, that says what is to be made. For a model "
		"that starts from a picture, put dog.png beside it; or a film, dog.mp4, and what is "
		"made goes on where that ends.");
	page_item(page, "3. ",
		"Wait a few minutes. The video appears in that folder's out/ as dog.mp4, a "
		"picture as dog.png, sound as dog.mp3. If something is wrong, "
		"out/dog.error.txt says what. The folder out/ beside this page has it too, with "
		"all that the other models have made.");
	page_gap(page);
	page_words(page,
		"Each result costs money, once; looking at files never does. To set length "
		"or resolution, write a spec, dog.json; README.txt in each model's folder shows "
		"one, with every field, its limits and the price, and schema.json lets an editor "
		"help.");
}

char *docs_root_readme(const struct model_set *models)
{
	struct page page;

	if (page_open(&page))
		return NULL;
	page_title(&page, "kinofs: folders that make videos, pictures and sound");
	page_words(&page,
		"Each folder named below is an AI model. Put words, a picture, a film or a sound "
		"into it, as its README.txt says; what it makes comes out.");
	print_start(&page);
	for (size_t use = 0; use < COUNT(headings); use++)
		print_use(&page, models, (enum use)use);
	page_section(&page, "MORE");
	page_words(&page,
		"gallery.html, opened in a browser, shows what was made, what goes on and what it "
		"cost.");
	page_words(&page,
		"kinofs models lists them all with their prices, kinofs status shows all jobs, "
		"kinofs retry FILE makes another take, kinofs doctor looks for what is set up "
		"wrong. The same state for programs is in .kinofs/ (jobs.json, events.jsonl). man "
		"kinofs has the rest.");
	return page_close(&page);
}

#include "spec/problem.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "spec/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#define FIELD_CHARS 200
#define TEXT_CHARS  1000

/* Stands where there was no memory for the words: the problem itself must not be lost. */
static char no_words[] = "something is wrong, and there was no memory to say what";
static struct problem no_memory = {NULL, no_words};

static void append(struct problems *list, const char *field, char *text)
{
	char *shown;

	if (list->count >= LIMIT_PROBLEMS || list->item == &no_memory)
		return;
	if (ARRAY_ROOM(list->item, list->count, list->room)) {
		if (list->count == 0)
			*list = (struct problems){.item = &no_memory, .count = 1};
		return;
	}
	shown = text ? text_printable(text, strlen(text), TEXT_CHARS) : NULL;
	list->item[list->count++] = (struct problem){
		.field = field ? text_printable(field, strlen(field), FIELD_CHARS) : NULL,
		.text = shown ? shown : no_words,
	};
}

void problems_add(struct problems *list, const char *field, const char *format, ...)
{
	AUTO_FREE char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	append(list, field, text);
}

void problems_add_in(
	struct problems *list, const char *file, const char *field, const char *format, ...)
{
	AUTO_FREE char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (file)
		problems_add(list, field, "%s (in %s)", text ? text : no_words, file);
	else
		append(list, field, text);
}

char *problems_text(const struct problems *list)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	for (size_t i = 0; i < list->count; i++) {
		const struct problem *item = &list->item[i];

		(void)fprintf(out, "%s%s%s\n", item->field ? item->field : "",
			item->field ? ": " : "", item->text); /* the stream tells */
	}
	return stream_text(out, &text);
}

void problems_clear(struct problems *list)
{
	bool ours = list->item != &no_memory;

	for (size_t i = 0; ours && i < list->count; i++) {
		free(list->item[i].field);
		if (list->item[i].text != no_words)
			free(list->item[i].text);
	}
	if (ours)
		free(list->item);
	*list = (struct problems){0};
}

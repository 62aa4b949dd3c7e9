#include "spec/page.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "spec/text.h"

#include <stdarg.h>
#include <string.h>

#define WIDTH 78

/* Writing errors are all the same here (no memory), are kept by the stream, and are asked for
 * once, in page_close(). */

int page_open(struct page *page)
{
	*page = (struct page){0};
	page->out = open_memstream(&page->text, &page->bytes);
	return page->out ? 0 : -ENOMEM;
}

char *page_close(struct page *page)
{
	AUTO_FREE char *text = stream_text(page->out, &page->text);

	return page->lost ? NULL : TAKE(text);
}

void page_title(struct page *page, const char *title)
{
	(void)fprintf(page->out, "%s\n", title);
	for (size_t i = text_chars(title); i > 0; i--)
		(void)fputc('=', page->out);
	(void)fputs("\n\n", page->out);
	page->gap = true;
}

void page_gap(struct page *page)
{
	(void)fputc('\n', page->out);
	page->gap = true;
}

void page_section(struct page *page, const char *title)
{
	(void)fprintf(page->out, "%s%s\n\n", page->gap ? "" : "\n", title);
	page->gap = true;
}

static void wrap(FILE *out, size_t indent, size_t column, const char *words)
{
	bool first = true;

	while (*words) {
		size_t length = strcspn(words, " ");
		size_t chars = 0;

		for (size_t i = 0; i < length; i++)
			chars += ((unsigned char)words[i] & 0xc0) != 0x80;
		if (!first && column + 1 + chars > WIDTH) {
			(void)fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			(void)fputc(' ', out);
			column++;
		}
		(void)fwrite(words, 1, length, out);
		column += chars;
		first = false;
		words += length;
		words += strspn(words, " ");
	}
	(void)fputc('\n', out);
}

__attribute__((format(printf, 3, 0))) static void item(
	struct page *page, const char *lead, const char *format, va_list arguments)
{
	AUTO_FREE char *words = NULL;
	size_t indent = text_chars(lead);

	if (vasprintf(&words, format, arguments) < 0) {
		words = NULL;
		page->lost = true;
		return;
	}
	(void)fputs(lead, page->out);
	wrap(page->out, indent, indent, words);
	page->gap = false;
}

void page_item(struct page *page, const char *lead, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	item(page, lead, format, arguments);
	va_end(arguments);
}

void page_words(struct page *page, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	item(page, "", format, arguments);
	va_end(arguments);
	page_gap(page);
}

void page_line(struct page *page, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vfprintf(page->out, format, arguments);
	va_end(arguments);
	(void)fputc('\n', page->out);
	page->gap = false;
}

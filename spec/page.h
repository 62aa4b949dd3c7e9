/*
 * page.h - plain text pages for people, no line wider than 78 characters.
 */
#ifndef KINOFS_SPEC_PAGE_H
#define KINOFS_SPEC_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct page {
	FILE *out;
	char *text;
	size_t bytes;
	bool gap;  /* the last line is empty */
	bool lost; /* there was no memory for some words */
};

/* 0 or -ENOMEM. */
int page_open(struct page *page);
/* The page's text, which the caller frees. NULL: memory ran out at some time since page_open(). */
char *page_close(struct page *page);

/* A heading, underlined. */
void page_title(struct page *page, const char *title);
void page_section(struct page *page, const char *title);

/* Words, wrapped. `lead` stands before the first line; the other lines are indented to match. */
void page_item(struct page *page, const char *lead, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Like page_item() without a lead, followed by an empty line. */
void page_words(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An empty line. */
void page_gap(struct page *page);
/* One line, not wrapped. */
void page_line(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

/*
 * problem.h - what is wrong with a drop, in words for the person who made it.
 *
 * A problem is one sentence about one field: the value it has, the limit it
 * broke, what is allowed. Lists grow up to LIMIT_PROBLEMS; what comes after is
 * dropped. No I/O, no locks: a list belongs to the thread that fills it.
 */
#ifndef KINOFS_SPEC_PROBLEM_H
#define KINOFS_SPEC_PROBLEM_H

#include <stddef.h>

struct problem {
	char *field; /* as the user knows it ("duration", "dog.png"); NULL: the whole job */
	char *text;  /* one sentence, no newline, no control characters, valid UTF-8 */
};

struct problems { /* zero-initialise */
	struct problem *item;
	size_t count, room;
};

/* Adds one; the text is made printable. Without memory the text is lost, but count is above 0. */
void problems_add(struct problems *list, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, about something in a file: " (in FILE)" follows the text unless file is NULL. */
void problems_add_in(struct problems *list, const char *file, const char *field, const char *format,
	...) __attribute__((format(printf, 4, 5)));

/* "field: text" a line each, for notes and terminals; the caller frees. NULL: no memory. */
char *problems_text(const struct problems *list);

void problems_clear(struct problems *list);

#endif

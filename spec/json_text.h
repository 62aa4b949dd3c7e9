/*
 * json_text.h - JSON as RFC 8259 defines it, with the line and column of an
 * error.
 *
 * cJSON alone accepts 01, raw line breaks inside strings, invalid UTF-8,
 * "\u0000" (which cuts a string short) and two fields of one name, and tells
 * only roughly where an error is. Pure, any thread.
 */
#ifndef KINOFS_SPEC_JSON_TEXT_H
#define KINOFS_SPEC_JSON_TEXT_H

#include "spec/problem.h"

#include <cjson/cJSON.h>

/*
 * Reads a text of at most limit bytes; a BOM is accepted. file is for messages, or NULL. Fields
 * given twice are problems, but do not end the reading. 0 with *json (the caller deletes),
 * -EINVAL with a problem added, -ENOMEM.
 */
int json_read(const char *text, size_t bytes, size_t limit, const char *file,
	struct problems *problems, cJSON **json);

/*
 * The checks that json_read() makes first and that a prompt file needs too: size, UTF-8, no NUL.
 * *text and *bytes are moved past a BOM. 0, or -EINVAL with a problem about `field` (may be NULL)
 * added.
 */
int utf8_check(const char **text, size_t *bytes, size_t limit, const char *file, const char *field,
	struct problems *problems);

#endif

/* rowjson.h - pictures and outputs as the JSON that stands in a row. Pure; any thread. */
#ifndef KINOFS_JOURNAL_ROWJSON_H
#define KINOFS_JOURNAL_ROWJSON_H

#include "fs/journal/job.h"

#include <cjson/cJSON.h>

/* [{"field", "path", "sha256"?, "bytes"?, "type"?, "url"?}]; as text each is followed by {"path"}
 * of the steps of its way. NULL: no memory, or none (picture is NULL). The caller deletes, or
 * frees. */
cJSON *pictures_json(const struct picture *picture, size_t count);
char *pictures_text(const struct picture *picture, size_t count);
/* [{"url", "type"?, "bytes"?, "file"?, "published"?, "lost"?, "promised"?, "kept"?, "validator"?,
 * "tries"?, "dead_ms"?, "other"?, "problem"?}], the same. */
char *outputs_text(const struct output *output, size_t count);

/* What such a text says; false: no memory, or it is none. text NULL: no pictures, no outputs. */
bool pictures_parse(const char *text, struct picture **picture, size_t *count);
bool outputs_parse(const char *text, struct output **output, size_t *count);

#endif

/* docs_parts.h - the parts of README.txt, for docs_readme.c, and what schema.json says of prices.
 */
#ifndef KINOFS_SPEC_DOCS_PARTS_H
#define KINOFS_SPEC_DOCS_PARTS_H

#include "spec/model.h"
#include "spec/page.h"

/* docs_fields.c: a spec as an example, and every field with its limits. */
void docs_example(struct page *page, const struct model *model);
void docs_fields(struct page *page, const struct model *model);

/* docs_prices.c: the rows as a table; "$0.225 to $0.45 a video (estimate of 2026-06-30)". */
void docs_prices(struct page *page, const struct model *model);
void docs_price_range(struct page *page, const struct model *model);
/* The same as one line. The caller frees. NULL: no memory. */
char *docs_price_words(const struct model *model);
/* The rows that go by a field, on one line; "": none does. The caller frees. NULL: no memory. */
char *docs_price_by(const struct model *model, const char *field);

#endif

/*
 * docs.h - the generated README.txt and schema.json, from the model files, so
 * that they cannot disagree with what is checked. The caller frees. NULL: no memory.
 */
#ifndef KINOFS_SPEC_DOCS_H
#define KINOFS_SPEC_DOCS_H

#include "spec/model.h"

char *docs_readme(const struct model *model);
char *docs_schema(const struct model *model); /* an editor completes a spec with it */
char *docs_root_readme(const struct model_set *models);

#endif

/* models_load.h - the built-in models and the user's own. */
#ifndef KINOFS_CONFIG_MODELS_LOAD_H
#define KINOFS_CONFIG_MODELS_LOAD_H

#include "spec/model.h"

/* Reads $XDG_CONFIG_HOME/kinofs/models/ over the built-in models, every .json below it. 0 or
 * -errno, with what is wrong logged; models_free() in any case. */
int models_load(struct model_set *models);

#endif

/* models_load.h - the built-in models and the user's own. */
#ifndef KINOFS_CONFIG_MODELS_LOAD_H
#define KINOFS_CONFIG_MODELS_LOAD_H

#include "spec/model.h"

/* The built-in models, then every .json file below $XDG_CONFIG_HOME/kinofs/models/, which may
 * replace them. 0, or -errno with each error logged. models_free() in any case. */
int models_load(struct model_set *models);

#endif

/* models_update.h - kinofs models update [ID…]: model files from what the providers say of their
 * models. */
#ifndef KINOFS_CLI_MODELS_UPDATE_H
#define KINOFS_CLI_MODELS_UPDATE_H

/* argv[0] is "update". Returns the exit status. */
int models_update(int argc, char **argv);

#endif

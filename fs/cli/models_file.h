/* models_file.h - the model files that `kinofs models update` makes, and how it knows them from
 * those that a person wrote. Any thread. */
#ifndef KINOFS_CLI_MODELS_FILE_H
#define KINOFS_CLI_MODELS_FILE_H

#include <cjson/cJSON.h>

enum models_file {
	MODELS_FILE_NONE, /* there is none */
	MODELS_FILE_MADE, /* made here, and not changed since: its "$comment" has its digest */
	MODELS_FILE_OWN,  /* somebody wrote or changed it: never touched */
};

/* Where the file of a model is, below the folder of model files. The caller frees; NULL: no
 * memory. */
char *models_file_path(const char *folder, const char *id);

enum models_file models_file_look(const char *path);

/* Writes it, with the comment that says who made it; whole or not at all. 0, -E2BIG for more than a
 * model file may have, or -errno. */
int models_file_write(const char *path, cJSON *model);

#endif

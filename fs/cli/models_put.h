/* models_put.h - what becomes of a model that a provider was asked for, and what is printed of it.
 * For models_update.c; one thread. */
#ifndef KINOFS_CLI_MODELS_PUT_H
#define KINOFS_CLI_MODELS_PUT_H

#include "fs/cli/models_ask.h"

struct update {
	struct asking asking;
	struct model_set builtin; /* as kinofs has them */
	struct model_set known;   /* with the files of the configuration */
	char *folder;             /* of these files */
	char date[16];            /* today */
	char *source;
	char **wanted; /* names of the command line */
	int nwanted;   /* 0: all */
	size_t fresh, changed, same, gone, own, others, unread;
	int status;
	bool has_bar; /* stderr is a terminal, and a bar stands there */
};

/* One line of what came of a model; words: NULL, or more of it. */
void update_tell(struct update *update, const char *what, const char *name, const char *words);
/* Something was not done that was to be done: the exit status says so. words NULL: no memory. */
void update_fail(struct update *update, const char *name, const char *words);
void update_not_read(struct update *update, const char *name, const char *why);

/* How far it is, where stderr is a terminal. */
void update_show_bar(struct update *update, int at, int of, const char *name);
void update_hide_bar(struct update *update);

/* The first of count models that are known under this name at the provider. NULL: none. */
const struct model *update_known(const struct update *update, const char *name, size_t *count);
/* Whether a person wrote the model's file, wherever it is. */
bool update_is_own(const struct update *update, const char *id, const struct model *model);

/* Puts a model file to the others, in the words of a built-in one, and says what is new in it. */
void update_put(struct update *update, const char *name, cJSON **file);
/* Marks a model that the provider does not name any more. */
void update_retire(struct update *update, const struct model *model);

#endif

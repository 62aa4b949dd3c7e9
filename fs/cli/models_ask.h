/* models_ask.h - asking a provider for its catalogue, no faster than it allows. One thread. */
#ifndef KINOFS_CLI_MODELS_ASK_H
#define KINOFS_CLI_MODELS_ASK_H

#include "fs/net/catalogue.h"

struct asking {
	const struct catalogue *catalogue;
	const struct account *account;
	struct http *http;
	int64_t next_ms;  /* when the next request may go */
	int unanswered;   /* requests in a row without an answer that is one */
	bool is_hopeless; /* there is no use in asking on */
};

/* The answer's data, which the caller deletes; NULL with *words, which the caller frees (NULL: no
 * memory). Waits where the provider takes no more for now. */
cJSON *models_ask(struct asking *asking, enum catalogue_call call, const char *model, char **words);

#endif

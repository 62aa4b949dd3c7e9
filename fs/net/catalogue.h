/*
 * catalogue.h - what a provider says of its own models, as pure functions like
 * those of provider.h: a list, and of each model its schema and its price.
 */
#ifndef KINOFS_NET_CATALOGUE_H
#define KINOFS_NET_CATALOGUE_H

#include "fs/net/provider.h"

enum catalogue_call { CATALOGUE_LIST, CATALOGUE_SCHEMA, CATALOGUE_PRICE };

struct catalogue_answer {
	cJSON *data;            /* NULL: words */
	bool later;             /* it takes no more requests for now: again after a pause */
	bool refused;           /* the key is: there is no use in asking on */
	char *words;            /* printable: why there is none */
	int64_t retry_after_ms; /* -1: not said */
};

struct catalogue {
	const struct provider *provider;
	int64_t pause_ms; /* between two requests */
	/* model: its name at the provider, of letters, digits and . _ - /, no part of it empty or
	 * beginning with a dot; NULL with CATALOGUE_LIST. Returns a URL to free(), NULL: no memory.
	 */
	char *(*url)(const struct account *account, enum catalogue_call call, const char *model);
	/* Fills the zeroed answer. */
	void (*read)(const struct http_reply *reply, struct catalogue_answer *answer);
};

/* Those that there are, NULL at the end. */
const struct catalogue *catalogue_at(size_t index);

void catalogue_answer_clear(struct catalogue_answer *answer);

#endif

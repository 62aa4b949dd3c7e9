#include "fs/net/provider.h"

#include "fs/base/array.h"

#include <stdlib.h>
#include <string.h>

static const struct provider *const providers[] = {
	&provider_kie,
	&provider_ppinfra,
};

_Static_assert(COUNT(providers) == PROVIDERS, "every provider has an account");

const struct provider *provider_at(size_t index)
{
	return index < PROVIDERS ? providers[index] : NULL;
}

size_t provider_index(const struct provider *provider)
{
	size_t index = 0;

	while (index < PROVIDERS - 1 && providers[index] != provider)
		index++;
	return index;
}

const struct provider *provider_find(const char *name)
{
	const struct provider *provider;

	for (size_t i = 0; (provider = provider_at(i)); i++)
		if (strcmp(provider->name, name) == 0)
			return provider;
	return NULL;
}

void create_answer_clear(struct create_answer *answer)
{
	free(answer->task);
	free(answer->words);
	*answer = (struct create_answer){0};
}

void poll_answer_clear(struct poll_answer *answer)
{
	free(answer->state);
	free(answer->words);
	for (size_t i = 0; i < answer->nurl; i++)
		free(answer->url[i]);
	free(answer->url);
	*answer = (struct poll_answer){0};
}

void upload_answer_clear(struct upload_answer *answer)
{
	free(answer->url);
	free(answer->words);
	*answer = (struct upload_answer){0};
}

void balance_answer_clear(struct balance_answer *answer)
{
	free(answer->words);
	*answer = (struct balance_answer){0};
}

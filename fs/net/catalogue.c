#include "fs/net/catalogue.h"

#include "fs/base/format.h"
#include "fs/net/answer.h"

static char *kie_url(const struct account *account, enum catalogue_call call, const char *model)
{
	static const char *const ends[] = {
		[CATALOGUE_SCHEMA] = "/schema", [CATALOGUE_PRICE] = "/price"};

	if (!account->base_url)
		return NULL;
	/* API.md 11.1: the slash of a model is not encoded */
	return call == CATALOGUE_LIST
	               ? format("%s/api/v1/models", account->base_url)
	               : format("%s/api/v1/models/%s%s", account->base_url, model, ends[call]);
}

static bool is_status(const struct http_reply *reply, const struct api_answer *opened, int wanted)
{
	return reply->result == CURLE_OK && (reply->status == wanted || opened->code == wanted);
}

static void kie_read(const struct http_reply *reply, struct catalogue_answer *answer)
{
	struct api_answer opened;
	cJSON *data;

	answer_open(reply, &opened);
	data = json_object(opened.json, "data");
	answer->retry_after_ms = reply->retry_after_ms;
	answer->later = is_status(reply, &opened, 429) || is_status(reply, &opened, 455);
	answer->refused = is_status(reply, &opened, 401) || is_status(reply, &opened, 403);
	if (reply->result == CURLE_OK && reply->status == 200 && opened.code == 200 && data)
		answer->data = cJSON_DetachItemViaPointer(opened.json, data);
	else
		answer->words = answer_words(reply, &opened);
	answer_close(&opened);
}

static const struct catalogue kie = {
	.provider = &provider_kie,
	.pause_ms = 1000, /* API.md 11.1: one budget of 1 request a second for all calls */
	.url = kie_url,
	.read = kie_read,
};

const struct catalogue *catalogue_at(size_t index)
{
	static const struct catalogue *const known[] = {&kie};

	return index < COUNT(known) ? known[index] : NULL;
}

void catalogue_answer_clear(struct catalogue_answer *answer)
{
	cJSON_Delete(answer->data);
	free(answer->words);
	*answer = (struct catalogue_answer){0};
}

#include "fs/net/kie_results.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "spec/makes.h"

/* JSON inside a string, or as it is (API.md 1.2). The caller deletes. NULL: there is none. */
static cJSON *open_results(const struct http_reply *reply, const cJSON *record)
{
	cJSON *inner = answer_inner(cJSON_GetStringValue(record), reply);

	return inner ? inner : cJSON_Duplicate(record, true);
}

/* The frames of a video that return_last_frame asks for (API.md 1.2). */
static void add_stills(const cJSON *record, struct poll_answer *answer)
{
	size_t before = answer->nurl;

	if (before == 0) /* without it they are no result */
		return;
	poll_add_results(answer, json_get(record, "firstFrameUrl"), RESULT_IMAGE);
	poll_add_results(answer, json_get(record, "lastFrameUrl"), RESULT_IMAGE);
	answer->stills = answer->nurl - before;
}

static void add_results(const cJSON *record, unsigned int wanted, struct poll_answer *answer)
{
	static const struct {
		const char *name;
		unsigned int kinds;
	} lists[] = {{"videos", RESULT_VIDEO}, {"images", RESULT_IMAGE}, {"audios", RESULT_AUDIO},
		{"data", 0} /* Suno's sounds, each with a picture (API.md 11.2) */};

	answer->left = 0;
	poll_add_results(answer, json_get(record, "resultUrls"), wanted);
	if (answer->nurl == 0)
		for (size_t i = 0; i < COUNT(lists); i++)
			if (lists[i].kinds & wanted)
				poll_add_results(answer, json_get(record, lists[i].name), wanted);
	for (size_t i = 0; i < COUNT(lists) && answer->nurl == 0; i++)
		if (!(lists[i].kinds & wanted))
			poll_add_results(answer, json_get(record, lists[i].name), wanted);
	if (answer->nurl == 0) /* of models that find things in a picture (API.md 1.2) */
		poll_add_results(
			answer, json_get(json_object(record, "resultObject"), "mask_urls"), wanted);
	add_stills(record, answer);
}

static bool says_something(const cJSON *record)
{
	const char *text = cJSON_GetStringValue(record);

	return text ? *text : cJSON_IsObject(record);
}

/* resultJson, and where that is missing or names nothing, response (API.md 11.2). */
void kie_read_success(const struct http_reply *reply, const cJSON *data, unsigned int wanted,
	struct poll_answer *answer)
{
	AUTO_JSON cJSON *result = open_results(reply, json_get(data, "resultJson"));
	AUTO_JSON cJSON *response = open_results(reply, json_get(data, "response"));
	const cJSON *said = says_something(result) ? result : response;

	add_results(result, wanted, answer);
	if (answer->nurl == 0)
		add_results(response, wanted, answer);
	poll_conclude_success(reply, answer, "kie.ai", says_something(said) ? said : NULL);
}

/*
 * models.c - the model table and its reading.
 *
 * Where the providers' behaviour is UNKNOWN (fs/net/API.md 10) this is strict: an unknown field, a
 * wrong type or a blank prompt is refused, because a client that sends one has a bug. Wordings not
 * quoted in fs/net/API.md 5 are INFERRED.
 */
#include "contrib/simulator/models.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum kind {
	TEXT,
	WEB_PICTURE, /* an http(s) URL */
	ANY_PICTURE, /* or a data: URI */
	WORD,        /* a string out of a list */
	COUNT,       /* an integer out of a list */
	FLAG,
	SEED,
	OBJECT,
};

enum role {
	NO_ROLE,
	PROMPT,
	FIRST,
	LAST,
	DURATION,
	RESOLUTION,
};

struct field {
	const char *name;
	enum kind kind;
	enum role role;
	bool required;
	long most;           /* characters of a TEXT */
	const char *choices; /* between bars, the default first: "|6|10|" */
};

struct price {
	const char *resolution;
	int seconds; /* 0: the price is for one second */
	double credits;
};

struct model {
	enum provider provider;
	const char *name;
	int seconds; /* unless a field says otherwise */
	const char *resolution;
	struct field fields[10];
	struct price prices[4];
};

/* Fields: fs/net/API.md 6.1, 6.3, 7.2. Prices: fs/net/API.md 8.1; PPInfra's is UNKNOWN (8.2) and
 * counts as 0. */
static const struct model models[] = {
	{KIE, "hailuo/2-3-image-to-video-pro", 6, "768P",
		{
			{"prompt", TEXT, PROMPT, true, 5000, NULL},
			{"image_url", WEB_PICTURE, FIRST, true, 0, NULL},
			{"duration", WORD, DURATION, false, 0, "|6|10|"},
			{"resolution", WORD, RESOLUTION, false, 0, "|768P|1080P|"},
			{"nsfw_checker", FLAG, NO_ROLE, false, 0, NULL},
		},
		{{"768P", 6, 45}, {"768P", 10, 90}, {"1080P", 6, 80}}},
	{KIE, "hailuo/02-image-to-video-standard", 10, "768P",
		{
			{"prompt", TEXT, PROMPT, true, 1500, NULL},
			{"image_url", WEB_PICTURE, FIRST, true, 0, NULL},
			{"end_image_url", WEB_PICTURE, LAST, false, 0, NULL},
			{"duration", WORD, DURATION, false, 0, "|10|6|"},
			{"resolution", WORD, RESOLUTION, false, 0, "|768P|512P|"},
			{"prompt_optimizer", FLAG, NO_ROLE, false, 0, NULL},
			{"nsfw_checker", FLAG, NO_ROLE, false, 0, NULL},
		},
		{{"768P", 6, 30}, {"768P", 10, 50}, {"512P", 6, 12}, {"512P", 10, 20}}},
	{KIE, "hailuo/02-text-to-video-pro", 6, "1080P",
		{
			{"prompt", TEXT, PROMPT, true, 1500, NULL},
			{"prompt_optimizer", FLAG, NO_ROLE, false, 0, NULL},
			{"nsfw_checker", FLAG, NO_ROLE, false, 0, NULL},
		},
		{{"1080P", 6, 57}}},
	{KIE, "bytedance/v1-pro-image-to-video", 5, "720p",
		{
			{"prompt", TEXT, PROMPT, true, 10000, NULL},
			{"image_url", WEB_PICTURE, FIRST, true, 0, NULL},
			{"duration", WORD, DURATION, false, 0, "|5|10|"},
			{"resolution", WORD, RESOLUTION, false, 0, "|720p|480p|1080p|"},
			{"camera_fixed", FLAG, NO_ROLE, false, 0, NULL},
			{"seed", SEED, NO_ROLE, false, 0, NULL},
			{"enable_safety_checker", FLAG, NO_ROLE, false, 0, NULL},
			{"nsfw_checker", FLAG, NO_ROLE, false, 0, NULL},
		},
		{{"480p", 0, 2.8}, {"720p", 0, 6}, {"1080p", 0, 14}}},
	{PPINFRA, "minimax-hailuo-02", 6, "768P",
		{
			{"prompt", TEXT, PROMPT, true, 2000, NULL},
			{"image_url", ANY_PICTURE, FIRST, false, 0, NULL}, /* older name */
			{"image", ANY_PICTURE, FIRST, false, 0, NULL},
			{"end_image", ANY_PICTURE, LAST, false, 0, NULL},
			{"duration", COUNT, DURATION, false, 0, "|6|10|"},
			{"resolution", WORD, RESOLUTION, false, 0, "|768P|1080P|"},
			{"enable_prompt_expansion", FLAG, NO_ROLE, false, 0, NULL},
			{"fast_pretreatment", FLAG, NO_ROLE, false, 0, NULL},
			{"extra", OBJECT, NO_ROLE, false, 0, NULL},
		},
		{{"768P", 6, 0}, {"768P", 10, 0}, {"1080P", 6, 0}}},
};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

const struct model *model_find(enum provider provider, const char *name)
{
	for (size_t i = 0; i < COUNT_OF(models); i++)
		if (models[i].provider == provider && !strcmp(models[i].name, name))
			return &models[i];
	return NULL;
}

const char *model_name(const struct model *model)
{
	return model->name;
}

enum provider model_provider(const struct model *model)
{
	return model->provider;
}

static char *problem(const char *name, const char *text)
{
	char *message = NULL;

	return asprintf(&message, "%s %s", name, text) < 0 ? NULL : message;
}

static bool is_choice(const char *choices, const char *word)
{
	size_t length = strlen(word);

	for (const char *bar = choices; length && bar[1]; bar = strchr(bar + 1, '|'))
		if (!strncmp(bar + 1, word, length) && bar[length + 1] == '|')
			return true;
	return false;
}

static bool is_blank(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return !*text;
}

static char *check_text(const struct field *field, const cJSON *value)
{
	char limit[64];
	long length;

	if (!cJSON_IsString(value))
		return problem(field->name, "must be a string");
	length = text_length(value->valuestring);
	if (length < 0)
		return problem(field->name, "is not valid UTF-8");
	if (is_blank(value->valuestring))
		return problem(field->name, "is required");
	if (length <= field->most)
		return NULL;
	(void)snprintf(limit, sizeof(limit), "exceeds the maximum length of %ld", field->most);
	return problem(field->name, limit);
}

static char *check_picture(const struct field *field, const cJSON *value)
{
	const char *text = cJSON_GetStringValue(value);

	if (!text || is_blank(text))
		return problem(
			field->name, field->required && text ? "is required" : "must be a URL");
	if (!strncasecmp(text, "http://", 7) || !strncasecmp(text, "https://", 8))
		return NULL;
	if (field->kind == ANY_PICTURE && !strncasecmp(text, "data:", 5))
		return NULL;
	return problem(field->name, "must be a URL");
}

static char *check_choice(const struct field *field, const cJSON *value)
{
	char word[32];

	if (field->kind == WORD && cJSON_IsString(value)) {
		if (is_choice(field->choices, value->valuestring))
			return NULL;
	} else if (field->kind == COUNT && cJSON_IsNumber(value)) {
		(void)snprintf(word, sizeof(word), "%.9g", value->valuedouble);
		if (is_choice(field->choices, word))
			return NULL;
	}
	return problem(field->name, "is not within the range of allowed options");
}

static char *check_seed(const struct field *field, const cJSON *value)
{
	double seed = cJSON_IsNumber(value) ? value->valuedouble : -2;

	if (seed >= -1 && seed <= 2147483647 && seed == (double)(long)seed)
		return NULL;
	return problem(field->name, "is not within the range of allowed options");
}

static char *check_field(const struct field *field, const cJSON *value)
{
	switch (field->kind) {
	case TEXT: return check_text(field, value);
	case WEB_PICTURE:
	case ANY_PICTURE: return check_picture(field, value);
	case WORD:
	case COUNT: return check_choice(field, value);
	case SEED: return check_seed(field, value);
	case FLAG: return cJSON_IsBool(value) ? NULL : problem(field->name, "must be a boolean");
	case OBJECT:
		return cJSON_IsObject(value) ? NULL : problem(field->name, "must be an object");
	}
	return NULL;
}

static void take_field(const struct field *field, const cJSON *value, struct job *job)
{
	switch (field->role) {
	case NO_ROLE: break;
	case PROMPT: job->prompt = value->valuestring; break;
	case FIRST: job->first = value->valuestring; break;
	case LAST: job->last = value->valuestring; break;
	case RESOLUTION: job->resolution = value->valuestring; break;
	case DURATION:
		job->seconds = cJSON_IsString(value) ? (int)strtol(value->valuestring, NULL, 10)
		                                     : value->valueint;
		break;
	}
}

static char *check_unknown(const struct model *model, const cJSON *input)
{
	const cJSON *value;

	cJSON_ArrayForEach (value, input) {
		const struct field *field = model->fields;

		while (field->name && strcmp(field->name, value->string) != 0)
			field++;
		if (!field->name)
			return problem(value->string, "is not a parameter of this model");
	}
	return NULL;
}

static char *find_price(const struct model *model, struct job *job)
{
	for (size_t i = 0; i < COUNT_OF(model->prices) && model->prices[i].resolution; i++) {
		const struct price *price = &model->prices[i];

		if (strcmp(price->resolution, job->resolution) != 0)
			continue;
		if (price->seconds && price->seconds != job->seconds)
			continue;
		job->price = price->seconds ? price->credits : price->credits * job->seconds;
		return NULL;
	}
	/* The one pair without a price row is also the one the pages forbid. */
	return problem("resolution", "1080P is not supported for 10-second videos");
}

char *model_check(const struct model *model, const cJSON *input, struct job *ret_job)
{
	char *message = NULL;

	*ret_job = (struct job){
		.model = model, .seconds = model->seconds, .resolution = model->resolution};
	for (const struct field *field = model->fields; field->name && !message; field++) {
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(input, field->name);

		if (value && !cJSON_IsNull(value))
			message = check_field(field, value);
		else if (field->required)
			message = problem(field->name, "is required");
		else
			continue;
		if (!message)
			take_field(field, value, ret_job);
	}
	if (!message)
		message = check_unknown(model, input);
	return message ? message : find_price(model, ret_job);
}

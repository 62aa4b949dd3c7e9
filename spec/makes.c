#include "spec/makes.h"

#include "fs/base/array.h"

#include <string.h>

static const struct {
	enum result_kind kind;
	const char *name, *noun, *wish, *suffix;
} known[] = {
	{RESULT_VIDEO, "video", "video", "what the video shall show", "mp4"},
	{RESULT_IMAGE, "image", "picture", "what the picture shall show", "png"},
	{RESULT_AUDIO, "audio", "sound", "what shall be heard", "mp3"},
};

static unsigned int read_one(const cJSON *said)
{
	const char *name = cJSON_GetStringValue(said);

	for (size_t i = 0; name && i < COUNT(known); i++)
		if (strcmp(name, known[i].name) == 0)
			return known[i].kind;
	return 0;
}

unsigned int makes_read(const cJSON *said)
{
	unsigned int kinds = 0;
	const cJSON *one;

	if (!said)
		return RESULT_VIDEO;
	if (!cJSON_IsArray(said))
		return read_one(said);
	cJSON_ArrayForEach (one, said) {
		if (!read_one(one))
			return 0;
		kinds |= read_one(one);
	}
	return kinds;
}

const char *makes_noun(unsigned int kinds)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (kinds == known[i].kind)
			return known[i].noun;
	return "result";
}

const char *makes_wish(unsigned int kinds)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (kinds == known[i].kind)
			return known[i].wish;
	return "what shall be made";
}

const char *makes_suffix(unsigned int kinds)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (kinds & known[i].kind)
			return known[i].suffix;
	return "bin";
}

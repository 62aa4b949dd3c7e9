#include "spec/kind.h"

#include "fs/base/array.h"
#include "fs/base/limits.h"

#include <string.h>
#include <strings.h>

unsigned int media_kind_of_type(const char *type)
{
	static const struct {
		const char *begins;
		unsigned int kind;
	} known[] = {{"image/", MEDIA_PICTURE}, {"video/", MEDIA_FILM}, {"audio/", MEDIA_SOUND}};

	for (size_t i = 0; i < COUNT(known); i++)
		if (strncmp(type, known[i].begins, strlen(known[i].begins)) == 0)
			return known[i].kind;
	return 0;
}

unsigned int media_kind_of_name(const char *name, size_t length, size_t *suffix)
{
	static const struct {
		const char *suffix;
		unsigned int kind;
	} known[] = {
		{".png", MEDIA_PICTURE},
		{".jpg", MEDIA_PICTURE},
		{".jpeg", MEDIA_PICTURE},
		{".webp", MEDIA_PICTURE},
		{".mp4", MEDIA_FILM},
		{".mov", MEDIA_FILM},
		{".webm", MEDIA_FILM},
		{".mkv", MEDIA_FILM},
		{".mp3", MEDIA_SOUND},
		{".wav", MEDIA_SOUND},
		{".m4a", MEDIA_SOUND},
		{".flac", MEDIA_SOUND},
		{".ogg", MEDIA_SOUND},
		{".aac", MEDIA_SOUND},
	};

	for (size_t i = 0; i < COUNT(known); i++) {
		size_t bytes = strlen(known[i].suffix);

		if (length > bytes &&
			strncasecmp(name + length - bytes, known[i].suffix, bytes) == 0) {
			*suffix = length - bytes;
			return known[i].kind;
		}
	}
	return 0;
}

const char *media_noun(unsigned int kinds)
{
	switch (kinds) {
	case MEDIA_PICTURE: return "picture";
	case MEDIA_FILM: return "film";
	case MEDIA_SOUND: return "sound";
	default: return "file";
	}
}

const char *media_suffix(unsigned int kinds)
{
	if (kinds & MEDIA_PICTURE)
		return ".png";
	return kinds & MEDIA_FILM ? ".mp4" : ".mp3";
}

size_t media_limit(const struct model_field *field)
{
	if (field->max_bytes)
		return field->max_bytes;
	if (field->media & MEDIA_FILM)
		return LIMIT_FILM_BYTES;
	return field->media & MEDIA_SOUND ? LIMIT_SOUND_BYTES : LIMIT_PICTURE_BYTES;
}

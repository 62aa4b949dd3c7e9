#include "spec/local.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"

#include <string.h>

static const char *const frames[] = {[FRAME_FIRST] = "first", [FRAME_LAST] = "last"};

const char *film_frame_name(enum film_frame frame)
{
	return frames[frame];
}

enum film_frame film_frame_parse(const char *name)
{
	for (size_t i = FRAME_FIRST; name && i < COUNT(frames); i++)
		if (strcmp(name, frames[i]) == 0)
			return (enum film_frame)i;
	return FRAME_NONE;
}

enum film_frame film_frame_take(const char *text, size_t *length)
{
	const char *mark = strrchr(text, '#');
	enum film_frame frame = film_frame_parse(mark ? mark + 1 : NULL);

	*length = frame ? (size_t)(mark - text) : strlen(text);
	return frame;
}

void still_free(struct still *still)
{
	if (!still)
		return;
	cleanup_fd(&still->fd);
	free(still);
}

void pictures_free(struct picture *picture, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(picture[i].field);
		free(picture[i].path);
		for (size_t j = 0; j < picture[i].nway; j++)
			free(picture[i].way[j]);
		free(picture[i].way);
		free(picture[i].sha256);
		free(picture[i].type);
		free(picture[i].url);
		still_free(picture[i].still);
	}
	free(picture);
}

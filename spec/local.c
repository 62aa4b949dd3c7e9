#include "spec/local.h"

#include <stdlib.h>

void pictures_free(struct picture *picture, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(picture[i].field);
		free(picture[i].path);
		free(picture[i].sha256);
		free(picture[i].type);
		free(picture[i].url);
	}
	free(picture);
}

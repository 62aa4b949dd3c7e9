#include "spec/nearest.h"

#include "spec/text.h"

#include <stdbool.h>
#include <string.h>

/* A slip of the pen, or a longer or shorter name for the same thing ("image", "image_url"). */
static bool is_near(const char *wrong, const char *name, size_t distance)
{
	size_t length = strlen(wrong);

	return distance <= 2 + length / 8 ||
	       (length >= 4 && (strcasestr(name, wrong) || strcasestr(wrong, name)));
}

const char *nearest_name(const char *wrong, const char *const *names, size_t count)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < count; i++) {
		size_t distance = text_distance(wrong, names[i]);

		if (distance < least && is_near(wrong, names[i], distance)) {
			least = distance;
			nearest = names[i];
		}
	}
	return nearest;
}

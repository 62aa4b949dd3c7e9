#include "fs/input/look.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"

#include <inttypes.h>

static int64_t ns(const struct timespec *time)
{
	return time->tv_sec * INT64_C(1000000000) + time->tv_nsec;
}

static int note(const struct tree *tree, const char *path, FILE *notes)
{
	struct stat info;
	int error = tree_stat(tree, path, &info);

	if (error && !tree_is_absence(error))
		return error;
	if (error)
		(void)fprintf(notes, "%s -\n", path); /* a memory stream: checked when closed */
	else
		(void)fprintf(notes, "%s %ju %jd %" PRId64 " %" PRId64 "\n", path,
			(uintmax_t)info.st_ino, (intmax_t)info.st_size, ns(&info.st_mtim),
			ns(&info.st_ctim));
	return 0;
}

int look_note(const struct tree *tree, const char *path, FILE *notes)
{
	struct way way = {0};
	int error = note(tree, path, notes);
	int leads = error ? error : tree_way(tree, path, &way);

	if (!error && leads && !tree_is_absence(leads))
		error = leads;
	if (!error && way.end)
		error = note(tree, way.end, notes);
	way_clear(&way);
	return error;
}

int look_at(
	const struct tree *tree, const char *const *path, size_t count, char hex[DIGEST_HEX_BYTES])
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *notes = open_memstream(&text, &bytes);
	int error = notes ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !error; i++)
		error = look_note(tree, path[i], notes);
	if (notes)
		text = stream_text(notes, &text);
	if (!error)
		error = text ? digest_bytes(text, bytes, hex) : -ENOMEM;
	free(text);
	return error;
}

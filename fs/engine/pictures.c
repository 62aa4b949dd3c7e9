#include "fs/engine/pictures.h"

#include "fs/base/cleanup.h"

#include <errno.h>
#include <string.h>

/* Takes over where the same bytes were uploaded to. */
static void keep_links(struct job_row *row, struct assembly *assembly)
{
	for (size_t i = 0; i < assembly->npictures; i++)
		for (size_t j = 0; j < row->npictures; j++)
			if (row->picture[j].url && row->picture[j].sha256 &&
				assembly->picture[i].sha256 && !assembly->picture[i].url &&
				!strcmp(assembly->picture[i].sha256, row->picture[j].sha256))
				assembly->picture[i].url = TAKE(row->picture[j].url);
}

void pictures_take(struct job_row *row, struct assembly *assembly)
{
	keep_links(row, assembly);
	pictures_free(row->picture, row->npictures);
	row->picture = TAKE(assembly->picture);
	row->npictures = assembly->npictures;
	assembly->npictures = 0;
}

int pictures_copy(struct job_row *to, const struct job_row *from)
{
	to->picture = from->picture ? calloc(from->npictures + 1, sizeof(*to->picture)) : NULL;
	if (from->picture && !to->picture)
		return -ENOMEM;
	for (size_t i = 0; i < from->npictures; i++) {
		const struct picture *old = &from->picture[i];
		struct picture *new = &to->picture[to->npictures++];

		job_set_text(&new->field, old->field);
		job_set_text(&new->path, old->path);
		job_set_text(&new->sha256, old->sha256);
		job_set_text(&new->type, old->type);
		new->bytes = old->bytes;
		if (!new->field || !new->path || (old->sha256 && !new->sha256) ||
			(old->type && !new->type))
			return -ENOMEM;
	}
	return 0;
}

bool pictures_name(const struct job_row *row, const char *path)
{
	for (size_t i = 0; i < row->npictures; i++)
		if (!strcmp(row->picture[i].path, path))
			return true;
	return false;
}

#include "fs/engine/pictures.h"

#include "fs/base/cleanup.h"
#include "fs/engine/named.h"

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

void pictures_take(struct job *job, struct assembly *assembly)
{
	struct job_row *row = &job->row;

	named_remove(job->jobs, job);
	keep_links(row, assembly);
	pictures_free(row->picture, row->npictures);
	row->picture = TAKE(assembly->picture);
	row->npictures = assembly->npictures;
	assembly->npictures = 0;
	named_add(job->jobs, job);
}

static int copy_way(struct picture *to, const struct picture *from)
{
	to->way = from->nway ? calloc(from->nway, sizeof(*to->way)) : NULL;
	if (from->nway && !to->way)
		return -ENOMEM;
	for (; to->nway < from->nway; to->nway++) {
		to->way[to->nway] = strdup(from->way[to->nway]);
		if (!to->way[to->nway])
			return -ENOMEM;
	}
	return 0;
}

static int copy(struct job_row *to, const struct job_row *from)
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
		new->frame = old->frame;
		if (!new->field || !new->path || (old->sha256 && !new->sha256) ||
			(old->type && !new->type) || copy_way(new, old) < 0)
			return -ENOMEM;
	}
	return 0;
}

int pictures_copy(struct job *to, const struct job *from)
{
	int error = copy(&to->row, &from->row);

	if (!error)
		named_add(to->jobs, to);
	return error;
}

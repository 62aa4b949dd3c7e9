#include "fs/engine/repeat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *copy_text(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* The same pictures, each to be looked up or uploaded again. */
static int copy_pictures(struct job_row *to, const struct job_row *from)
{
	to->picture = from->picture ? calloc(from->npictures + 1, sizeof(*to->picture)) : NULL;
	if (from->picture && !to->picture)
		return -ENOMEM;
	for (size_t i = 0; i < from->npictures; i++) {
		const struct picture *old = &from->picture[i];
		struct picture *new = &to->picture[to->npictures++];

		new->field = copy_text(old->field);
		new->path = copy_text(old->path);
		new->sha256 = copy_text(old->sha256);
		new->type = copy_text(old->type);
		new->bytes = old->bytes;
		if (!new->field || !new->path || (old->sha256 && !new->sha256) ||
			(old->type && !new->type))
			return -ENOMEM;
	}
	return 0;
}

static int copy(struct job *next, const struct job *old, bool without_files)
{
	struct job_row *row = &next->row;

	row->request = journal_request(next->jobs->journal, old->row.id);
	row->fingerprint = copy_text(old->row.fingerprint);
	row->seen = without_files ? strdup("") : copy_text(old->row.seen);
	row->estimate = old->row.estimate;
	row->saved_ms = old->row.saved_ms;
	if (!row->request || (old->row.fingerprint && !row->fingerprint) ||
		(without_files && !row->seen) || copy_pictures(row, &old->row) < 0)
		return -ENOMEM;
	return job_set_order(next, old->row.order);
}

int take_repeat(struct job *next, const struct job *old, bool without_files)
{
	int error = copy(next, old, without_files);

	if (error) {
		job_delete(next);
		return error;
	}
	job_show(next);
	job_set_state(next, JOB_QUEUED, NULL, NULL);
	return 0;
}

#include "fs/engine/repeat.h"

#include "fs/engine/pictures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int copy(struct job *next, const struct job *old, bool without_files)
{
	struct job_row *row = &next->row;

	row->request = journal_request(next->jobs->journal, old->row.id);
	job_set_text(&row->fingerprint, old->row.fingerprint);
	job_set_text(&row->rights, old->row.rights);
	job_set_text(&row->seen, without_files ? "" : old->row.seen);
	row->estimate = old->row.estimate;
	row->saved_ms = old->row.saved_ms;
	if (!row->request || (old->row.fingerprint && !row->fingerprint) ||
		(without_files && !row->seen) || pictures_copy(next, old) < 0)
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

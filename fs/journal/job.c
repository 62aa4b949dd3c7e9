#include "fs/journal/job.h"

#include "fs/base/cleanup.h"

#include <math.h>
#include <string.h>

#define BIT(state) (1u << (state))

/*
 * Every transition there is. The user's orders (retry, release) go through it
 * like everything else; a retry of a take that was submitted is a new take,
 * not a transition.
 */
static const struct {
	const char *name;
	bool open, end;
	unsigned int next;
} states[JOB_STATES] = {
	[JOB_WAITING] = {"waiting", true, false,
		BIT(JOB_HELD) | BIT(JOB_QUEUED) | BIT(JOB_REJECTED) | BIT(JOB_CANCELLED)},
	[JOB_HELD] = {"held", true, false,
		BIT(JOB_WAITING) | BIT(JOB_QUEUED) | BIT(JOB_REJECTED) | BIT(JOB_CANCELLED)},
	[JOB_QUEUED] = {"queued", true, false,
		BIT(JOB_WAITING) | BIT(JOB_HELD) | BIT(JOB_UPLOADING) | BIT(JOB_SUBMITTING) |
			BIT(JOB_REJECTED) | BIT(JOB_CANCELLED)},
	[JOB_UPLOADING] = {"uploading", true, false,
		BIT(JOB_WAITING) | BIT(JOB_HELD) | BIT(JOB_QUEUED) | BIT(JOB_FAILED) |
			BIT(JOB_REJECTED) | BIT(JOB_CANCELLED)},
	/* queued and held only when the request was surely not accepted (provider.h) */
	[JOB_SUBMITTING] = {"submitting", false, false,
		BIT(JOB_RUNNING) | BIT(JOB_QUEUED) | BIT(JOB_HELD) | BIT(JOB_FAILED) |
			BIT(JOB_UNKNOWN)},
	[JOB_RUNNING] = {"running", false, false, BIT(JOB_DOWNLOADING) | BIT(JOB_FAILED)},
	[JOB_DOWNLOADING] = {"downloading", false, false, BIT(JOB_DONE) | BIT(JOB_FAILED)},
	[JOB_DONE] = {"done", false, true, 0},
	[JOB_REJECTED] = {"rejected", true, true,
		BIT(JOB_WAITING) | BIT(JOB_HELD) | BIT(JOB_QUEUED) | BIT(JOB_CANCELLED)},
	[JOB_FAILED] = {"failed", false, true, 0},
	[JOB_UNKNOWN] = {"unknown", false, true, 0},
	[JOB_CANCELLED] = {"cancelled", false, true, 0},
};

struct job_row *job_row_new(const struct job_key *key)
{
	struct job_row *row = calloc(1, sizeof(*row));

	if (!row)
		return NULL;
	row->model_id = strdup(key->model);
	row->dir = strdup(key->dir);
	row->stem = strdup(key->stem);
	if (!row->model_id || !row->dir || !row->stem) {
		job_row_free(row);
		return NULL;
	}
	row->take = 1;
	row->estimate = row->spent = NAN;
	row->progress = -1;
	return row;
}

void outputs_free(struct output *output, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(output[i].url);
		free(output[i].file);
		free(output[i].type);
		free(output[i].validator);
		free(output[i].came);
		free(output[i].is);
		free(output[i].unmarked);
		free(output[i].other);
		free(output[i].problem);
		free(output[i].now.link);
	}
	free(output);
}

void job_row_clear(struct job_row *row)
{
	pictures_free(row->picture, row->npictures);
	outputs_free(row->output, row->noutputs);
	free(row->model_id);
	free(row->dir);
	free(row->stem);
	free(row->fingerprint);
	free(row->order);
	free(row->seen);
	free(row->request);
	free(row->task);
	free(row->provider_state);
	free(row->problem);
	free(row->advice);
	free(row->rights);
	*row = (struct job_row){0};
}

void job_row_free(struct job_row *row)
{
	if (!row)
		return;
	job_row_clear(row);
	free(row);
}

int job_key_compare(const struct job_key *a, const struct job_key *b)
{
	int order = strcmp(a->model, b->model);

	if (!order)
		order = strcmp(a->dir, b->dir);
	return order ? order : strcmp(a->stem, b->stem);
}

bool job_state_is_open(enum job_state state)
{
	return states[state].open;
}

bool job_state_is_end(enum job_state state)
{
	return states[state].end;
}

bool job_state_is_paid(enum job_state state)
{
	return !states[state].open && state != JOB_FAILED && state != JOB_CANCELLED;
}

bool job_is_stuck(const struct job_row *row)
{
	return row->state == JOB_RUNNING && row->progress == PROGRESS_STUCK;
}

const char *job_state_name(enum job_state state)
{
	return states[state].name;
}

int job_state_parse(const char *name)
{
	for (int state = 0; state < JOB_STATES; state++)
		if (!strcmp(states[state].name, name))
			return state;
	return -1;
}

bool job_may_become(enum job_state from, enum job_state to)
{
	return states[from].next & BIT(to);
}

char *job_name(const struct job_row *row)
{
	char *name;

	if (asprintf(&name, "%s%s%s", row->dir, *row->dir ? "/" : "", row->stem) < 0)
		return NULL;
	return name;
}

void job_set_text(char **member, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	free(*member);
	*member = copy;
}

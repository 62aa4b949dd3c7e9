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

struct job *job_new(const char *model_id, const char *dir, const char *stem)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->model_id = strdup(model_id);
	job->dir = strdup(dir);
	job->stem = strdup(stem);
	if (!job->model_id || !job->dir || !job->stem) {
		job_free(job);
		return NULL;
	}
	job->take = 1;
	job->estimate = job->spent = NAN;
	job->progress = -1;
	job->part_fd = -1;
	job->gate_slot = -1;
	return job;
}

void job_free(struct job *job)
{
	if (!job)
		return;
	cleanup_fd(&job->part_fd);
	cJSON_Delete(job->pictures);
	cJSON_Delete(job->outputs);
	free(job->model_id);
	free(job->dir);
	free(job->stem);
	free(job->fingerprint);
	free(job->came_from);
	free(job->request);
	free(job->task);
	free(job->provider_state);
	free(job->problem);
	free(job->advice);
	free(job);
}

bool job_state_is_open(enum job_state state)
{
	return states[state].open;
}

bool job_state_is_end(enum job_state state)
{
	return states[state].end;
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

char *job_name(const struct job *job)
{
	char *name;

	if (asprintf(&name, "%s%s%s", job->dir, *job->dir ? "/" : "", job->stem) < 0)
		return NULL;
	return name;
}

void job_set_text(char **member, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	free(*member);
	*member = copy;
}

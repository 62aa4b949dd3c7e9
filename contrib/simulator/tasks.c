/* tasks.c - the task table: a tree by id (tsearch), a list by time of creation. */
#include "contrib/simulator/tasks.h"

#include <math.h>
#include <search.h>
#include <stdio.h>
#include <string.h>

const char *const task_state_names[TASK_STATES] = {"waiting", "generating", "success", "fail"};

/* A task is seen waiting for this part of its time, then generating. */
#define WAITING_PART 0.3

static void *tree;
static struct task *first;
static struct task **last = &first;
static unsigned int count;
static double reserved; /* the prices of all tasks that have not ended */

static int compare(const void *a, const void *b)
{
	const struct task *left = a;
	const struct task *right = b;

	return strcmp(left->id, right->id);
}

/* fs/net/API.md 1.2 (32 hex digits) and 7.2 (a UUID, here of version 4). */
static void new_id(enum provider provider, char id[40])
{
	char hex[33];

	random_hex(hex, 32);
	if (provider == KIE) {
		memcpy(id, hex, sizeof(hex));
		return;
	}
	hex[12] = '4';
	hex[16] = "89ab"[hex[16] % 4];
	(void)snprintf(
		id, 40, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

struct task *task_create(const struct job *job, char *param)
{
	struct task *task = count < SIM_TASKS ? calloc(1, sizeof(*task)) : NULL;

	if (!task) {
		free(param);
		return NULL;
	}
	new_id(model_provider(job->model), task->id);
	task->model = job->model;
	task->created = now_seconds();
	task->due = task->created + sim.seconds;
	task->price = job->price;
	task->seconds = job->seconds;
	(void)snprintf(task->resolution, sizeof(task->resolution), "%s", job->resolution);
	task->param = param;
	sha256_hex(job->prompt, strlen(job->prompt), task->prompt_sha256);
	if (!tsearch(task, &tree, compare)) {
		free(param);
		free(task);
		return NULL;
	}
	*last = task;
	last = &task->next;
	count++;
	reserved += task->price;
	return task;
}

struct task *task_find(enum provider provider, const char *id)
{
	struct task key = {0};
	struct task **found;

	if (!id || strlen(id) >= sizeof(key.id))
		return NULL;
	memcpy(key.id, id, strlen(id));
	found = tfind(&key, &tree, compare);
	return found && model_provider((*found)->model) == provider ? *found : NULL;
}

const struct task *task_first(void)
{
	return first;
}

static bool has_ended(const struct task *task)
{
	return task->state == TASK_SUCCESS || task->state == TASK_FAIL;
}

static void task_end(struct task *task, enum task_state state)
{
	task->state = state;
	task->ended = fmax(task->due, task->ready); /* however much later somebody looks */
	reserved -= task->price;
	if (state == TASK_SUCCESS)
		sim.credits -= task->price;
}

void task_settle(struct task *task)
{
	double now = now_seconds();

	if (has_ended(task))
		return;
	if (now < task->due || (!task->reason && task->video == VIDEO_PENDING)) {
		if (now >= task->created + (task->due - task->created) * WAITING_PART)
			task->state = TASK_GENERATING;
		return;
	}
	if (!task->reason && task->video == VIDEO_FAILED)
		task_doom(task, "internal error, please try again later.", false);
	task_end(task, task->reason ? TASK_FAIL : TASK_SUCCESS);
}

void tasks_settle(void)
{
	for (struct task *task = first; task; task = task->next)
		task_settle(task);
}

void task_doom(struct task *task, const char *reason, bool at_once)
{
	if (has_ended(task))
		return;
	free(task->reason);
	task->reason = strdup(reason);
	if (at_once)
		task->due = now_seconds();
}

bool credits_suffice(double price)
{
	if (sim.credits - reserved >= price && sim.credits > 0)
		return true;
	tasks_settle(); /* a failed task gives back what it held */
	return sim.credits - reserved >= price && sim.credits > 0;
}

void tasks_count(unsigned int ret_counts[TASK_STATES])
{
	tasks_settle();
	memset(ret_counts, 0, TASK_STATES * sizeof(*ret_counts));
	for (const struct task *task = first; task; task = task->next)
		ret_counts[task->state]++;
}

static void task_free(void *pointer)
{
	struct task *task = pointer;

	free(task->param);
	free(task->reason);
	free(task);
}

void tasks_free(void)
{
	tdestroy(tree, task_free);
	tree = NULL;
	first = NULL;
	last = &first;
}

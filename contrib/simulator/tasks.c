/* tasks.c - the task table: a tree by id (tsearch), a list by time of creation. */
#include "contrib/simulator/api.h"
#include "contrib/simulator/state.h"

#include <math.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

void task_free(struct task *task)
{
	free(task->model);
	free(task->param);
	free(task->reason);
	free(task);
}

bool task_restore(struct task *task)
{
	struct task **found = count < SIM_TASKS ? tsearch(task, &tree, compare) : NULL;

	if (!found || *found != task) {
		task_free(task);
		return false;
	}
	*last = task;
	last = &task->next;
	count++;
	reserved += task->price;
	return true;
}

struct task *task_create(const struct job *job, char *param)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task) {
		free(param);
		return NULL;
	}
	task->provider = job->provider;
	new_id(task->provider, task->id);
	task->model = strdup(job->model);
	task->created = now_seconds();
	task->due = task->created + sim.seconds;
	task->price = job->price;
	task->seconds = job->seconds;
	memcpy(task->results, job->results, sizeof(task->results));
	task->result_count = job->result_count;
	(void)snprintf(task->resolution, sizeof(task->resolution), "%s", job->resolution);
	task->param = param;
	sha256_hex(job->prompt, strlen(job->prompt), task->prompt_sha256);
	if (task->model)
		return task_restore(task) ? task : NULL;
	task_free(task);
	return NULL;
}

struct task *task_find(enum provider provider, const char *id)
{
	struct task key = {0};
	struct task **found;

	if (!id || strlen(id) >= sizeof(key.id))
		return NULL;
	memcpy(key.id, id, strlen(id));
	found = tfind(&key, &tree, compare);
	return found && (*found)->provider == provider ? *found : NULL;
}

struct task *task_find_any(const char *id)
{
	struct task *task = task_find(KIE, id);

	return task ? task : task_find(PPINFRA, id);
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
	state_doomed(task);
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

static void remove_results(const struct task *task)
{
	for (size_t number = 0; number < task->result_count; number++) {
		AUTO_FREE char *path = result_path(task, number);

		if (path && !strncmp(path, sim.directory, strlen(sim.directory)))
			(void)unlink(path); /* not a clip; one that failed has none */
	}
}

void tasks_forget(double before)
{
	for (struct task **link = &first; *link;) {
		struct task *task = *link;

		if (!has_ended(task) || task->created >= before) {
			last = &task->next;
			link = &task->next;
			continue;
		}
		remove_results(task);
		(void)tdelete(task, &tree, compare);
		*link = task->next;
		count--;
		task_free(task);
	}
	if (!first)
		last = &first;
}

static void task_free_any(void *pointer)
{
	task_free(pointer);
}

void tasks_free(void)
{
	tdestroy(tree, task_free_any);
	tree = NULL;
	first = NULL;
	last = &first;
}

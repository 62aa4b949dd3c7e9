/* control.c - /sim/stats, /sim/tasks and /sim/faults: watch and script the simulator. */
#include "contrib/simulator/api.h"
#include "contrib/simulator/rate.h"

#include <string.h>

static unsigned int requests[FAULT_ONS + 1];
static unsigned int accepted;

void control_count(enum fault_on kind)
{
	requests[kind]++;
}

void control_accepted(void)
{
	accepted++;
}

static void add_requests(cJSON *stats)
{
	cJSON *object = cJSON_AddObjectToObject(stats, "requests");

	for (int kind = 0; kind < FAULT_ONS; kind++)
		cJSON_AddNumberToObject(object, fault_on_names[kind], requests[kind]);
	cJSON_AddNumberToObject(object, "other", requests[FAULT_ONS]);
}

static void add_creates(cJSON *stats)
{
	cJSON *object = cJSON_AddObjectToObject(stats, "creates");

	cJSON_AddNumberToObject(object, "accepted", accepted);
	cJSON_AddNumberToObject(object, "refused", requests[ON_CREATE] - accepted);
	cJSON_AddNumberToObject(object, "rate_limited", rate_refused());
	cJSON_AddNumberToObject(object, "max_in_10s", rate_most());
}

static void add_tasks(cJSON *stats)
{
	cJSON *object = cJSON_AddObjectToObject(stats, "tasks");
	unsigned int counts[TASK_STATES];
	unsigned int total = 0;

	tasks_count(counts);
	for (int state = 0; state < TASK_STATES; state++) {
		cJSON_AddNumberToObject(object, task_state_names[state], counts[state]);
		total += counts[state];
	}
	cJSON_AddNumberToObject(object, "total", total);
}

void control_stats(struct request *request)
{
	cJSON *stats = cJSON_CreateObject();

	add_requests(stats);
	add_creates(stats);
	add_tasks(stats);
	cJSON_AddNumberToObject(stats, "credits", sim.credits);
	cJSON_AddNumberToObject(stats, "faults_applied", faults_applied());
	reply_json(&request->reply, 200, -1, stats);
}

void control_tasks(struct request *request)
{
	cJSON *list = cJSON_CreateArray();

	tasks_settle();
	for (const struct task *task = task_first(); task; task = task->next) {
		cJSON *object = cJSON_CreateObject();

		cJSON_AddStringToObject(object, "id", task->id);
		cJSON_AddStringToObject(object, "model", task->model);
		cJSON_AddStringToObject(object, "state", task_state_names[task->state]);
		cJSON_AddStringToObject(object, "prompt_sha256", task->prompt_sha256);
		cJSON_AddNumberToObject(object, "created", task->created);
		cJSON_AddItemToArray(list, object);
	}
	reply_json(&request->reply, 200, -1, list);
}

void control_faults(struct request *request)
{
	AUTO_FREE char *problem =
		request->json ? faults_replace(request->json) : strdup("the body is not JSON");
	cJSON *body = cJSON_CreateObject();

	if (problem)
		cJSON_AddStringToObject(body, "error", problem);
	else
		cJSON_AddNumberToObject(body, "rules", cJSON_GetArraySize(request->json));
	reply_json(&request->reply, problem ? 400 : 200, -1, body);
}

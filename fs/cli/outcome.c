#include "fs/cli/outcome.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/cli/cli.h"

#include <errno.h>
#include <string.h>

enum outcome outcome_of(const cJSON *take)
{
	static const char *const bad[] = {"failed", "rejected", "unknown", "cancelled", "held"};
	const char *state = cli_text(take, "state");

	if (json_is_true(take, "settling"))
		return OUTCOME_PENDING;
	if (!strcmp(state, "done")) /* with an error: not all that was paid for is there */
		return json_get(take, "error") ? OUTCOME_BAD : OUTCOME_DONE;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!strcmp(state, bad[i]))
			return OUTCOME_BAD;
	/* running, and nobody can say that it will ever end */
	if (json_get(take, "error"))
		return OUTCOME_BAD;
	return OUTCOME_PENDING;
}

enum outcome outcome_of_all(const cJSON *takes)
{
	enum outcome all = OUTCOME_DONE;
	const cJSON *take;

	cJSON_ArrayForEach (take, takes) {
		const enum outcome outcome = outcome_of(take);

		if (outcome == OUTCOME_PENDING)
			return outcome;
		all = outcome == OUTCOME_BAD ? outcome : all;
	}
	return all;
}

int earlier_begin(struct earlier *earlier)
{
	*earlier = (struct earlier){cJSON_CreateObject(), cJSON_CreateObject()};
	return earlier->seen && earlier->quiet ? 0 : -ENOMEM;
}

void earlier_clear(struct earlier *earlier)
{
	cJSON_Delete(earlier->seen);
	cJSON_Delete(earlier->quiet);
	*earlier = (struct earlier){0};
}

/* The key of a take; the caller frees. */
static char *key_of(const cJSON *take)
{
	return format("%.0f", json_number(take, "id"));
}

/* The record of a job of which a list has its newest take. NULL: it has none any more. */
static cJSON *read_record(const char *mount, const cJSON *job)
{
	AUTO_FREE char *name = cli_job_bytes(job);
	AUTO_FREE char *path =
		name ? format("%s/jobs/%s.json", cli_text(job, "model"), name) : NULL;

	return path ? cli_read_json(mount, path) : NULL;
}

static bool is_to_be_added(struct earlier *earlier, const cJSON *take)
{
	AUTO_FREE char *key = key_of(take);

	if (!key || cJSON_HasObjectItem(earlier->seen, key))
		return key;
	return outcome_of(take) == OUTCOME_PENDING && cJSON_AddTrueToObject(earlier->seen, key);
}

/* A list has those that are under way itself, until they have ended. */
static bool has(const cJSON *jobs, const cJSON *take)
{
	const cJSON *job;

	cJSON_ArrayForEach (job, jobs) {
		if (json_number(job, "id") == json_number(take, "id"))
			return true;
	}
	return false;
}

/* The takes before this one that are to be added to jobs, detached from the record. */
static bool add_takes(struct earlier *earlier, cJSON *record, cJSON *jobs)
{
	cJSON *takes = json_get(record, "earlier_takes"), *take, *next;
	bool added = false;

	for (take = takes ? takes->child : NULL; take; take = next) {
		next = take->next;
		if (!is_to_be_added(earlier, take))
			continue;
		if (!has(jobs, take))
			cJSON_AddItemToArray(jobs, cJSON_DetachItemViaPointer(takes, take));
		added = true;
	}
	return added;
}

void earlier_add(struct earlier *earlier, const char *mount, cJSON *jobs)
{
	const int count = cJSON_GetArraySize(jobs);
	cJSON *job = jobs->child;

	for (int i = 0; i < count && job; i++, job = job->next) {
		AUTO_FREE char *key = key_of(job);
		AUTO_JSON cJSON *record = NULL;

		if (json_number(job, "take") < 2 || !key ||
			cJSON_HasObjectItem(earlier->quiet, key))
			continue;
		record = read_record(mount, job);
		if (record && !add_takes(earlier, record, jobs)) /* none begins by itself */
			cJSON_AddTrueToObject(earlier->quiet, key);
	}
}

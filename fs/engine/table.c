#include "fs/engine/table.h"

#include "fs/base/log.h"

#include <errno.h>
#include <search.h>
#include <string.h>

static int compare_names(const void *left, const void *right)
{
	const struct job *a = left, *b = right;
	const struct job_key one = job_key_of(&a->row), other = job_key_of(&b->row);

	return job_key_compare(&one, &other);
}

static int compare_ids(const void *left, const void *right)
{
	const struct job *a = left, *b = right;

	return (a->row.id > b->row.id) - (a->row.id < b->row.id);
}

static int compare_orders(const void *left, const void *right)
{
	const struct job *a = left, *b = right;

	return strcmp(a->row.order, b->row.order);
}

/* Into the chain of takes, newest first. */
static void chain_insert(struct job **head, struct job *job)
{
	while (*head && (*head)->row.take > job->row.take)
		head = &(*head)->set.older;
	job->set.older = *head;
	*head = job;
}

int table_add(struct jobs *jobs, struct job *job)
{
	struct job **node = tsearch(job, &jobs->by_name, compare_names);

	if (!node)
		return -ENOMEM;
	if (*node != job)
		chain_insert(node, job); /* the tree's node now points to the newest */
	table_add_id(jobs, job);
	table_add_order(jobs, job);
	return 0;
}

void table_add_id(struct jobs *jobs, struct job *job)
{
	if (!job->row.id || job->set.in_ids)
		return;
	job->set.in_ids = tsearch(job, &jobs->by_id, compare_ids);
	if (!job->set.in_ids)
		log_error("no memory to keep job %lld in mind", (long long)job->row.id);
}

void table_add_order(struct jobs *jobs, struct job *job)
{
	struct job **node;

	if (!job->row.order || job->set.in_orders)
		return;
	node = tsearch(job, &jobs->by_order, compare_orders);
	if (!node) {
		log_error(
			"no memory to keep the order of job %lld in mind", (long long)job->row.id);
		return;
	}
	job->set.in_orders = true;
	if (*node != job) {
		job->set.same_order = (*node)->set.same_order;
		(*node)->set.same_order = job;
	}
}

void table_remove_order(struct jobs *jobs, struct job *job)
{
	struct job **node, **link;

	if (!job->set.in_orders)
		return;
	node = tfind(job, &jobs->by_order, compare_orders);
	for (link = node; *link != job;)
		link = &(*link)->set.same_order;
	if (link == node && !job->set.same_order)
		(void)tdelete(job, &jobs->by_order, compare_orders); /* returns the parent */
	else
		*link = job->set.same_order;
	job->set.same_order = NULL;
	job->set.in_orders = false;
}

void table_remove(struct jobs *jobs, struct job *job)
{
	struct job **node = tfind(job, &jobs->by_name, compare_names);
	struct job **link = node;

	while (link && *link && *link != job)
		link = &(*link)->set.older;
	if (link && *link == job) {
		if (node == link && !job->set.older)
			(void)tdelete(job, &jobs->by_name, compare_names); /* returns the parent */
		else
			*link = job->set.older;
	}
	job->set.older = NULL;
	table_remove_order(jobs, job);
	if (job->set.in_ids)
		(void)tdelete(job, &jobs->by_id, compare_ids); /* returns the parent */
	job->set.in_ids = false;
}

/* A job to look for; a look-up never writes to it. */
static struct job key_job(const struct job_key *key)
{
	union {
		const char *in;
		char *out;
	} model = {key->model}, dir = {key->dir}, stem = {key->stem};

	return (struct job){.row = {.model_id = model.out, .dir = dir.out, .stem = stem.out}};
}

struct job *table_find(struct jobs *jobs, const struct job_key *key)
{
	struct job wanted = key_job(key);
	struct job **node = tfind(&wanted, &jobs->by_name, compare_names);

	return node ? *node : NULL;
}

struct job *table_find_order(struct jobs *jobs, const char *order)
{
	union {
		const char *in;
		char *out;
	} text = {order};
	struct job wanted = {.row = {.order = text.out}};
	struct job **node = tfind(&wanted, &jobs->by_order, compare_orders);

	return node ? *node : NULL;
}

struct job *jobs_find_id(struct jobs *jobs, int64_t id)
{
	struct job wanted = {.row = {.id = id}};
	struct job **node = tfind(&wanted, &jobs->by_id, compare_ids);

	return node ? *node : NULL;
}

#include "fs/engine/named.h"

#include "fs/base/log.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct named {
	LIST_HEAD(, naming) first; /* never empty */
	char path[];
};

static int compare(const void *left, const void *right)
{
	const struct named *a = left, *b = right;

	return strcmp(a->path, b->path);
}

/* A picture to look for. NULL: no memory. */
static struct named *named_new(const char *path)
{
	size_t bytes = strlen(path) + 1;
	struct named *named = malloc(sizeof(*named) + bytes);

	if (!named)
		return NULL;
	LIST_INIT(&named->first);
	memcpy(named->path, path, bytes);
	return named;
}

/* What is known of the picture; made when there is nothing yet. NULL: no memory. */
static struct named *get(struct jobs *jobs, const char *path)
{
	struct named *named = named_new(path);
	struct named **node = named ? tsearch(named, &jobs->by_picture, compare) : NULL;

	if (!node || *node != named)
		free(named);
	return node ? *node : NULL;
}

static void add(struct jobs *jobs, struct job *job, const char *path)
{
	struct naming *naming = job->set.naming ? &job->set.naming[job->set.nnaming++] : NULL;
	struct named *named = naming ? get(jobs, path) : NULL;

	if (!named) {
		log_error("no memory to wait for %s; save it again", path);
		return;
	}
	*naming = (struct naming){.job = job, .named = named};
	LIST_INSERT_HEAD(&named->first, naming, entry);
}

void named_add(struct jobs *jobs, struct job *job)
{
	const struct job_row *row = &job->row;
	size_t count = row->npictures;

	if (job->set.naming || !row->npictures)
		return;
	for (size_t i = 0; i < row->npictures; i++)
		count += row->picture[i].nway;
	job->set.naming = calloc(count, sizeof(*job->set.naming));
	job->set.nnaming = 0;
	for (size_t i = 0; i < row->npictures; i++) {
		add(jobs, job, row->picture[i].path);
		for (size_t j = 0; j < row->picture[i].nway; j++)
			add(jobs, job, row->picture[i].way[j]);
	}
}

void named_remove(struct jobs *jobs, struct job *job)
{
	for (size_t i = 0; job->set.naming && i < job->set.nnaming; i++) {
		struct naming *naming = &job->set.naming[i];

		if (!naming->named)
			continue;
		LIST_REMOVE(naming, entry);
		if (!LIST_EMPTY(&naming->named->first))
			continue;
		(void)tdelete(naming->named, &jobs->by_picture, compare); /* returns the parent */
		free(naming->named);
	}
	free(job->set.naming);
	job->set.naming = NULL;
}

struct naming *named_find(const struct jobs *jobs, const char *path)
{
	struct named *wanted = jobs->by_picture ? named_new(path) : NULL;
	struct named **node = wanted ? tfind(wanted, &jobs->by_picture, compare) : NULL;

	free(wanted);
	return node ? LIST_FIRST(&(*node)->first) : NULL;
}

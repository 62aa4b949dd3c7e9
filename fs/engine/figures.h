/*
 * figures.h - what the engine has done since it was started, counted for who
 * wants to see it (.kinofs/metrics). The engine's thread counts; any thread may
 * read.
 */
#ifndef KINOFS_ENGINE_FIGURES_H
#define KINOFS_ENGINE_FIGURES_H

#include "fs/journal/job.h"
#include "fs/net/provider.h"
#include "spec/model.h"

#include <stdatomic.h>
#include <stdio.h>

enum figure_queue { QUEUE_UPLOADS, QUEUE_POLLS, QUEUE_DOWNLOADS, QUEUES };
enum figure_download { DOWNLOAD_WHOLE, DOWNLOAD_REFUSED, DOWNLOAD_BROKEN, DOWNLOAD_ENDS };

struct figures {
	const struct model_set *models;
	/* by provider_index() and what came of it */
	atomic_ullong creates[PROVIDERS][CREATE_UNKNOWN + 1];
	atomic_ullong polls[PROVIDERS][POLL_ERROR + 1];
	atomic_ullong uploads[PROVIDERS][UPLOAD_REFUSED + 1];
	atomic_ullong downloads[DOWNLOAD_ENDS], bytes; /* of results */
	atomic_int queue[QUEUES];                      /* jobs that wait for their turn */
	atomic_ullong ended[][JOB_STATES];             /* takes, by the number of their model */
};

/* NULL: no memory. The caller frees. */
struct figures *figures_new(const struct model_set *models);
/* A take of this model has come to an end. NULL: its file is gone, and it is not counted. */
void figures_ended(struct figures *figures, const struct model *model, enum job_state state);
/* A transfer of a result has ended, with so many bytes. */
void figures_downloaded(struct figures *figures, enum figure_download end, int64_t bytes);
/* As metric.h has it. */
void figures_print(struct figures *figures, FILE *out);

#endif

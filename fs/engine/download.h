/* download.h - one transfer of a result into incoming/, and what it is. Engine thread. */
#ifndef KINOFS_ENGINE_DOWNLOAD_H
#define KINOFS_ENGINE_DOWNLOAD_H

#include "fs/engine/jobs.h"

/* The job has a place among the downloads: fetches job->at. */
void download(struct engine *engine, struct job *job);

#endif

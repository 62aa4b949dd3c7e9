/* meant.h - which jobs a path of a command means. */
#ifndef KINOFS_CLI_MEANT_H
#define KINOFS_CLI_MEANT_H

#include "spec/place.h"

#include <cjson/cJSON.h>

struct meant {
	enum { MEANT_JOB, MEANT_BATCH, MEANT_FOLDER } kind;
	struct place place; /* of the job, or the batch */
	int lines;    /* that the batch has; negative: it is gone, and all that it had count */
	char *folder; /* the jobs below it: MODEL/summer, also for MODEL/out/summer */
};

/* inside: relative to the mount. 0 or -ENOMEM; meant_clear() in any case. */
int meant_of(
	const struct model_set *models, const char *mount, const char *inside, struct meant *meant);
void meant_clear(struct meant *meant);

/* Whether the folder or the batch has the job of this record. */
bool meant_has(const struct meant *meant, const cJSON *record);

#endif

/* kie_results.h - where a finished task of kie.ai names its results (API.md 1.2, 11.2). Pure, for
 * kie.c. */
#ifndef KINOFS_NET_KIE_RESULTS_H
#define KINOFS_NET_KIE_RESULTS_H

#include "fs/net/answer.h"

/* From the data of a record whose state is success. wanted: the kinds that the model makes. */
void kie_read_success(const struct http_reply *reply, const cJSON *data, unsigned int wanted,
	struct poll_answer *answer);

#endif

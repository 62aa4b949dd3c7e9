/* metrics.h - .kinofs/metrics, for Prometheus: made when somebody looks. Threads that serve
 * requests. For the table of generated.c. */
#ifndef KINOFS_MOUNT_METRICS_H
#define KINOFS_MOUNT_METRICS_H

#include "fs/mount/generated.h"

int metrics_render(struct mount *mount, struct node *node, char **text, size_t *bytes);

#endif

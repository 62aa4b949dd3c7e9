/* spending.h - .kinofs/spending: a file for each month, of what was ordered in it and what it cost.
 * Threads that serve requests. For the table of generated.c. */
#ifndef KINOFS_MOUNT_SPENDING_H
#define KINOFS_MOUNT_SPENDING_H

#include "fs/mount/generated.h"

int months_find(struct mount *mount, struct node *folder, const char *name, pid_t caller,
	struct node_seed *seed);
int months_list(struct mount *mount, struct node *folder, off_t from, generated_each *each,
	void *context, fuse_req_t req);
/* "caps" of this moment, as the configuration names them, is added to the object. */
void caps_add(struct mount *mount, cJSON *object);
int month_render(struct mount *mount, struct node *node, char **text, size_t *bytes);

#endif

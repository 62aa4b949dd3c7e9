/*
 * replaced.h - files that lost their last name to a rename over it, until the
 * kernel forgets them: who looked one up just before may still open it, which
 * rename(2) promises. The caller locks.
 */
#ifndef KINOFS_MOUNT_REPLACED_H
#define KINOFS_MOUNT_REPLACED_H

#include <stdbool.h>
#include <sys/queue.h>

struct node;
struct replaced;
SLIST_HEAD(replaced_list, replaced);

/* Takes over *fd, an O_PATH descriptor of the node. False, and *fd is still the caller's: there was
 * none, or no memory. */
bool replaced_keep(struct replaced_list *list, const struct node *node, int *fd);
/* The node's descriptor, or -1. */
int replaced_fd(const struct replaced_list *list, const struct node *node);
void replaced_forget(struct replaced_list *list, const struct node *node);

#endif

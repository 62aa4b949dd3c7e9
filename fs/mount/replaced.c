#include "fs/mount/replaced.h"

#include <stdlib.h>
#include <unistd.h>

struct replaced {
	SLIST_ENTRY(replaced) next;
	const struct node *node;
	int fd; /* O_PATH */
};

bool replaced_keep(struct replaced_list *list, const struct node *node, int *fd)
{
	struct replaced *replaced = *fd < 0 ? NULL : malloc(sizeof(*replaced));

	if (!replaced)
		return false;
	replaced->node = node;
	replaced->fd = *fd;
	SLIST_INSERT_HEAD(list, replaced, next);
	*fd = -1;
	return true;
}

static struct replaced *find(const struct replaced_list *list, const struct node *node)
{
	struct replaced *replaced;

	SLIST_FOREACH(replaced, list, next)
	if (replaced->node == node)
		break;
	return replaced;
}

int replaced_fd(const struct replaced_list *list, const struct node *node)
{
	const struct replaced *replaced = find(list, node);

	return replaced ? replaced->fd : -1;
}

void replaced_forget(struct replaced_list *list, const struct node *node)
{
	struct replaced *replaced = find(list, node);

	if (!replaced)
		return;
	SLIST_REMOVE(list, replaced, replaced, next);
	(void)close(replaced->fd); /* O_PATH: nothing to lose */
	free(replaced);
}

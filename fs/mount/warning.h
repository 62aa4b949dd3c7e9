/*
 * warning.h - SPENDING.warning.txt in out/ of the root: that a cap is nearly used up
 * (mount_warn()). It is there only while there is a warning. No result and no note is called so
 * (overview_shows()). Any thread may call.
 */
#ifndef KINOFS_MOUNT_WARNING_H
#define KINOFS_MOUNT_WARNING_H

#include "fs/mount/generated.h"

#define WARNING_NAME "SPENDING.warning.txt"

/* Whether the name in out/ is that of a warning, and there is one. */
bool warning_is_here(struct mount *mount, const char *name);
/* When it last came or went, if that is later than *time. */
void warning_changed(struct mount *mount, struct timespec *time);

/* Columns of the table in generated.c. */
int warning_stat(struct mount *mount, struct node *node, struct stat *st);
int warning_render(struct mount *mount, struct node *node, char **text, size_t *bytes);
static inline ino_t warning_ino(void)
{
	return generated_ino(NODE_WARNING, 0);
}

#endif

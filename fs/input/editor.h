/*
 * editor.h - who has a file open, by the lock or swap file that the editor keeps
 * beside it for so long (name_role_locked()). Any thread may call.
 */
#ifndef KINOFS_INPUT_EDITOR_H
#define KINOFS_INPUT_EDITOR_H

#include "fs/input/tree.h"

/* "Vim, ada on desk", as far as the lock file at this path says it; fit to be shown. The caller
 * frees. NULL: no memory. */
char *editor_of(const struct tree *tree, const char *path);

#endif

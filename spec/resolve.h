/* resolve.h - what a path written in a spec means. Pure, any thread. */
#ifndef KINOFS_SPEC_RESOLVE_H
#define KINOFS_SPEC_RESOLVE_H

/*
 * The path, relative to the mount, that `path` means in a file of the folder dir. "." and ".." are
 * resolved as text, without looking at any file. 0 with *resolved (the caller frees), -EINVAL with
 * *why (static), -ENOMEM.
 */
int path_resolve(const char *dir, const char *path, char **resolved, const char **why);

#endif

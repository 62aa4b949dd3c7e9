/* mounts.h - the mounts a command is about when it is given one, or none. The main thread. */
#ifndef KINOFS_CLI_MOUNTS_H
#define KINOFS_CLI_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

struct mounts {
	char **item; /* mount points, absolute */
	size_t count, room;
};

/* The mount that path is in; path NULL: the one the current folder is in, else all of this user
 * that answer. mounts_free() either way. false: there is none; the reason was printed. */
bool mounts_find(const char *path, struct mounts *mounts);
void mounts_free(struct mounts *mounts);

/* The configurations that mounts of this user were started with, but for the usual one, each once:
 * mounts_free() either way. false: no memory. */
bool mounts_configs(struct mounts *files);

/* Takes one off the list. */
void mounts_drop(struct mounts *mounts, size_t at);

/* Whether the kinofs of a mount answers: 0, -ETIMEDOUT: it hangs, -ENOTCONN: it was killed,
 * -EACCES: it serves another user only, or another -errno. */
int mounts_ask(const char *path);

#endif

/*
 * registry.h - which journals a store has that lie elsewhere (-o journal=DIR):
 * a file for each in STORE/journals, named by its identity, with a line about
 * where it is. Its time is the heartbeat of that journal's runs, so that it is of
 * the same clock as the files it is compared with. For main, before the threads.
 */
#ifndef KINOFS_JOURNAL_REGISTRY_H
#define KINOFS_JOURNAL_REGISTRY_H

#include <stdbool.h>

#define REGISTRY "journals" /* in the store */

/* How many journals are registered; *where (NULL: not wanted; the caller frees): "HOST:DIR" of one
 * of them, of this machine if there is such a one; or NULL. -errno. */
int registry_count(int store_fd, char **where);
bool registry_has(int store_fd, const char *id);
/* Registers a journal, durably; directory: where it is. 0 or -errno. */
int registry_add(int store_fd, const char *id, const char *directory);

#endif

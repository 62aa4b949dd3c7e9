/*
 * store.h - the folder under the mount: tree/, incoming/, and the journal, unless
 * that lies apart (-o journal=DIR). SQLite's write-ahead log is shared memory,
 * which is not safe where other machines may have the file too; so the journal of
 * a store on the network must lie apart, on a local disk.
 */
#ifndef KINOFS_SERVE_STORE_H
#define KINOFS_SERVE_STORE_H

#include <stdbool.h>

struct store {
	int fd;            /* tree/, incoming/ */
	int journal_fd;    /* journal.db, and what else is of this machine; = fd unless apart */
	char *journal_dir; /* its absolute path */
};

/*
 * Opens (and makes) the store and locks its journal against a second kinofs, by a lock on the
 * journal's file; waits for one that is ending. path NULL: the usual place, $XDG_DATA_HOME/kinofs,
 * or kinofs-simulated; journal NULL: in the store. 0 or -errno, logged; store_close() either way.
 * The lock lives until the process ends. Before any thread.
 */
int store_open(const char *path, const char *journal, bool simulated, struct store *store);
/* The journal is for who runs kinofs. After last_run_look(), for it changes the file's ctime. 0 or
 * -errno, logged; that a filesystem has no modes is no error. */
int store_make_private(const struct store *store);
void store_close(struct store *store);
/* Says that this kinofs is about to let go of the store, which may take until the provider has
 * answered. */
void store_ending(const struct store *store);

#endif

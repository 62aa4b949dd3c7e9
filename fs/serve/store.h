/* store.h - the folder under the mount: tree/, incoming/, the journal. */
#ifndef KINOFS_SERVE_STORE_H
#define KINOFS_SERVE_STORE_H

#include <stdbool.h>

/* Opens (and makes) the store and locks it against a second kinofs, by a lock on the journal's
 * file; waits for one that is ending. path NULL: the usual place, $XDG_DATA_HOME/kinofs, or
 * kinofs-simulated. A descriptor with *absolute (the caller frees), or -errno, logged. The lock
 * lives until the process ends. Before any thread. */
int store_open(const char *path, bool simulated, char **absolute);
/* Says that this kinofs is about to let go of the store, which may take until the provider has
 * answered. */
void store_ending(int store);

#endif

/*
 * witness.h - what is remembered of a store outside of it, in
 * $XDG_STATE_HOME/kinofs/stores/ID: how far its journal had come, and which
 * file the journal is. A copy of a store, or one put back from a backup, agrees
 * with itself in everything; only from outside can it be told that it is not
 * the store that paid last. What does not fit its witness, or has none, is held
 * and gets an identity of its own (lastrun.h). For main, before and after the
 * threads.
 */
#ifndef KINOFS_JOURNAL_WITNESS_H
#define KINOFS_JOURNAL_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

struct testimony {
	int64_t generation; /* of the journal (journal_generation()) */
	uint64_t inode;     /* of its file … */
	int64_t born_ns;    /* … and when that was made; 0: the filesystem does not say */
};

enum witness { WITNESS_KNOWN, WITNESS_MISSING, WITNESS_UNUSABLE };

/* A new identity of a store: 32 hexadecimal digits. */
#define STORE_ID_BYTES 33
void store_id_new(char id[STORE_ID_BYTES]);

/* What the journal's file in the store is now; generation is left alone. 0 or -errno. */
int testimony_take(int store_fd, struct testimony *now);
/* What is remembered of the store with this id. UNUSABLE: nothing can be remembered on this
 * machine, so its absence says nothing; logged. */
enum witness witness_ask(const char *id, struct testimony *then);
/* Durable when it returns. 0 or -errno, logged. */
int witness_tell(const char *id, const struct testimony *now);

/* Whether now can be what followed then: the same file, and no step back. */
bool testimony_fits(const struct testimony *then, const struct testimony *now);

#endif

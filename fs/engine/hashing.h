/*
 * hashing.h - pictures are hashed by a thread of their own, once for as long as
 * they look the same. Who judges a job and needs a digest that is not there yet
 * leaves the job settling; a message tells when to look again.
 */
#ifndef KINOFS_ENGINE_HASHING_H
#define KINOFS_ENGINE_HASHING_H

#include "fs/input/tree.h"
#include "fs/journal/job.h"

struct hashing;
struct inbox;

/* Where the files are; what is given must outlive it. NULL: no memory. Until hashing_start() all is
 * hashed at once. */
struct hashing *hashing_new(struct inbox *inbox, const struct tree *tree);
void hashing_free(struct hashing *hashing);
/* Starts the thread. 0 or -errno. */
int hashing_start(struct hashing *hashing);
void hashing_stop(struct hashing *hashing);

/* The engine's thread: for whom files are looked at from now on. NULL: for nobody who could wait.
 */
void hashing_for(struct hashing *hashing, const struct job_key *key);
/* The engine's thread, as tree->digest: the digest of the file in fd, which is at path; or
 * -EINPROGRESS: it is hashed, and MESSAGE_HASHED with the key of hashing_for() will come. Another
 * -errno: that failed; who asks again after a pause has it tried again. */
int hashing_digest(void *hashing, const char *path, int fd, char hex[DIGEST_HEX_BYTES]);
/* What is known is not to be relied on any more, or not needed. */
void hashing_clear(struct hashing *hashing);

/* For a test that is the thread itself: everything is left to hashing_work(), which does one
 * file. false: there is none. */
void hashing_defer(struct hashing *hashing);
bool hashing_work(struct hashing *hashing);

#endif

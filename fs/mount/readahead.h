/*
 * readahead.h - a folder of the store being read, one step ahead of its reader.
 *
 * While the reader's kernel makes inodes of one page of a listing, the entries of the
 * next page are looked up: that hides their cost, most of a listing's, where there is a second
 * processor. Attributes looked up ahead must not be older than the request they answer, or the
 * kernel would take them for news; so they count only while nothing has been changed through
 * the mount since, which the caller tells by a generation: a number that differs after every
 * change.
 */
#ifndef KINOFS_MOUNT_READAHEAD_H
#define KINOFS_MOUNT_READAHEAD_H

#include <dirent.h>
#include <fuse_lowlevel.h>
#include <stddef.h>

struct readahead;

/* How an entry of the folder is looked up, and a lookup taken back that nobody was told of. */
struct readahead_lookup {
	int (*enter)(void *context, int folder, const char *name, struct fuse_entry_param *entry);
	void (*leave)(void *context, const struct fuse_entry_param *entry);
	void *context;
};

/* Takes fd over. NULL: no memory, and fd is still open. */
struct readahead *readahead_new(int fd, const struct readahead_lookup *lookup);
/* Takes back the lookups made ahead; called before readahead_free(), unless all nodes go. */
void readahead_forget(struct readahead *ahead);
void readahead_free(struct readahead *ahead);

/* Goes to where the next entry stands, as in d_off. */
void readahead_seek(struct readahead *ahead, off_t at);
/* The next entry, or NULL at the end; good until the next call. 0 or -errno. */
int readahead_peek(struct readahead *ahead, const struct dirent64 **entry);
/* Its lookup as of this generation. 0 or -errno. */
int readahead_enter(
	struct readahead *ahead, unsigned long generation, struct fuse_entry_param *entry);
void readahead_next(struct readahead *ahead); /* goes on to the one after */
/* Looks up to count entries to come. */
void readahead_prepare(struct readahead *ahead, size_t count, unsigned long generation);

#endif

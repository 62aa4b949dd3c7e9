/*
 * readahead.h - a folder being read, one step ahead of its reader.
 *
 * While the kernel makes inodes of one page of a listing, the entries of the next page
 * are looked up here. With a second processor that hides most of the cost of a listing.
 * Attributes must not be older than the request they answer, because the kernel takes them as
 * current. So those looked up ahead are only used if nothing was changed through the mount
 * since, which the caller tells by a generation: a number that differs after every change.
 */
#ifndef KINOFS_MOUNT_READAHEAD_H
#define KINOFS_MOUNT_READAHEAD_H

#include <dirent.h>
#include <fuse_lowlevel.h>
#include <stddef.h>

struct readahead;

/* How an entry of the folder is looked up, and how a lookup that was not used is taken back. */
struct readahead_lookup {
	/* Entries from *at on, as getdents64(2) gives them; moves *at on. NULL: those of fd. */
	ssize_t (*read)(void *context, off_t *at, void *bytes, size_t size);
	int (*enter)(void *context, int folder, const char *name, struct fuse_entry_param *entry);
	void (*leave)(void *context, const struct fuse_entry_param *entry);
	void *context;
};

/* Takes fd over, which is -1 where lookup reads. NULL: no memory, and fd is still open. */
struct readahead *readahead_new(int fd, const struct readahead_lookup *lookup);
/* Takes back the lookups made ahead. Needed before readahead_free(), unless all nodes are freed. */
void readahead_forget(struct readahead *ahead);
void readahead_free(struct readahead *ahead);

/* Continues at this position, a d_off of an earlier entry. */
void readahead_seek(struct readahead *ahead, off_t at);
/* The next entry, or NULL at the end; good until the next call. 0 or -errno. */
int readahead_peek(struct readahead *ahead, const struct dirent64 **entry);
/* The lookup of that entry, valid in this generation. 0 or -errno. */
int readahead_enter(
	struct readahead *ahead, unsigned long generation, struct fuse_entry_param *entry);
void readahead_next(struct readahead *ahead); /* goes on to the one after */
/* Looks up at most count of the next entries ahead. */
void readahead_prepare(struct readahead *ahead, size_t count, unsigned long generation);

#endif

/*
 * readahead.h - a folder being read, one step ahead of its reader.
 *
 * While the kernel makes inodes of one page of a listing, or a program goes through its names, the
 * next page is read here, and its entries are looked up if they are asked for. With a second
 * processor that hides most of the cost of a listing. Attributes must not be older than the request
 * they answer, because the kernel takes them as current. So those looked up ahead are only used if
 * nothing was changed through the mount since, which the caller tells by a generation: a number
 * that differs after every change.
 */
#ifndef KINOFS_MOUNT_READAHEAD_H
#define KINOFS_MOUNT_READAHEAD_H

#include <dirent.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
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
/* Whether there is more than what was read at once, half a buffer at least. After the first
 * readahead_peek(). */
bool readahead_is_long(const struct readahead *ahead);
/* Reads names ahead, without a look at them. */
void readahead_read(struct readahead *ahead);
/* Looks up at most count of the next entries ahead. */
void readahead_prepare(struct readahead *ahead, size_t count, unsigned long generation);

#endif

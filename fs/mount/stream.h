/*
 * stream.h - a folder of the store being read, one step ahead of its reader.
 *
 * While the reader's kernel makes inodes of one page of a listing, the entries of the
 * next page are looked up: that hides their cost, most of a listing's, where there is a second
 * processor. Attributes looked up ahead must not be older than the request they answer, or the
 * kernel would take them for news; so they count only while nothing has been changed through
 * the mount since, which the caller tells by a moment: a number that differs after every change.
 */
#ifndef KINOFS_MOUNT_STREAM_H
#define KINOFS_MOUNT_STREAM_H

#include <dirent.h>
#include <fuse_lowlevel.h>
#include <stddef.h>

struct stream;

/* How an entry of the folder is looked up, and a lookup taken back that nobody was told of. */
struct stream_lookup {
	int (*enter)(void *context, int folder, const char *name, struct fuse_entry_param *entry);
	void (*leave)(void *context, const struct fuse_entry_param *entry);
	void *context;
};

/* Takes fd over. NULL: no memory, and fd is still open. */
struct stream *stream_new(int fd, const struct stream_lookup *lookup);
/* Takes back the lookups made ahead; called before stream_free(), unless all nodes go. */
void stream_forget(struct stream *stream);
void stream_free(struct stream *stream);

/* Goes to where the next entry stands, as in d_off. */
void stream_seek(struct stream *stream, off_t at);
/* The next entry, or NULL at the end; good until the next call. 0 or -errno. */
int stream_peek(struct stream *stream, const struct dirent64 **entry);
/* Its lookup as of the moment now, which is the caller's then. 0 or -errno. */
int stream_enter(struct stream *stream, unsigned long now, struct fuse_entry_param *entry);
void stream_next(struct stream *stream); /* goes on to the one after */
/* Looks up to count entries to come. */
void stream_look_ahead(struct stream *stream, size_t count, unsigned long now);

#endif

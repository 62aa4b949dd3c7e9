/*
 * file.h - open files: what is kept for a handle, and what the engine is told
 * when one closes.
 */
#ifndef KINOFS_MOUNT_FILE_H
#define KINOFS_MOUNT_FILE_H

#include "fs/base/rights.h"
#include "fs/mount/node.h"

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

struct mount;

struct open_file {
	struct handle handle; /* first: fi->fh points to both */
	pid_t opener;         /* thread id */
	atomic_bool wrote;
	_Atomic int64_t flushed; /* the file's ctime at the last close(2) of a descriptor, ns */
	bool unseen;             /* passed through: its writes do not reach us */
	bool may_be_job;         /* open for writing, by another than the publisher, outside out/ */
	atomic_int writing;      /* the number of intake_writing() since its first write, or -1 */
	/* generated files */
	pthread_mutex_t lock; /* of text, bytes, read_at */
	char *text;           /* the content at open; for ctl the answer to the last order */
	size_t bytes, read_at;
	struct person who; /* who opened it, on a mount that others use too (sharing.h) */
	/* events.jsonl, under watch_lock */
	off_t begin; /* of the file it has: where in what the reader reads that begins */
	off_t seen;  /* how far this handle has read */
	struct fuse_pollhandle *poll;
	LIST_ENTRY(open_file) watched; /* while poll is set */
};

static inline struct open_file *file_of(const struct fuse_file_info *fi)
{
	return (struct open_file *)(uintptr_t)fi->fh;
}

/* A handle that is nobody's yet: file_attach() makes it the node's, file_free() frees it. */
struct open_file *file_new(fuse_req_t req);
void file_free(struct open_file *file);
void file_attach(
	struct mount *mount, struct node *node, struct open_file *file, struct fuse_file_info *fi);
/* Whether the caller may have this descriptor: 0, or -EMFILE for the last ones, without which drops
 * could not be looked at, nor results be published. */
int file_may_have(fuse_req_t req, int fd);
/* The handle of a file just opened or made; takes fd over. 0 or -ENOMEM. */
int file_opened(fuse_req_t req, struct node *node, int fd, struct fuse_file_info *fi);
void file_closed(struct mount *mount, const struct fuse_file_info *fi);

/* Its bytes are about to change. The change is reported at the RELEASE of a writable handle. */
void file_will_write(struct mount *mount, struct open_file *file);
/* FLUSH: whoever wrote has closed a descriptor. */
void file_flushed(struct mount *mount, struct open_file *file);
/* The bytes of a file have changed. Reported at once, or at the RELEASE of the
 * last writer. Call with names held. */
void file_changed(struct mount *mount, struct node *node);
/* What the handle is passed through to (shim.h), or 0. */
int file_backing(const struct fuse_file_info *fi);
/* Whether the store's filesystem reports no errors at close(2). */
bool file_is_local(const struct mount *mount, const struct node *node);

/* After an unmount: reports the files whose RELEASE was no longer read. */
void files_left(struct mount *mount);
/* Whether a RELEASE may still come: there is an open file that has not changed since a close(2). */
bool files_closing(struct mount *mount);

#endif

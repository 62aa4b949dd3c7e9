/*
 * fs.h - what the files of the mount room share: the mount itself, its locks,
 * and the operations.
 *
 * Locks, outermost first:
 *   folder.lock  of an open folder: one page of its listing is made at a time (ops_dir.c).
 *   names        held shared while a node's path is resolved and used in a system call; held
 *                exclusively by rename, unlink, rmdir and link, so that no path can change its
 *                meaning between the two. Never taken twice by one thread.
 *   overview.c's lock
 *                see overview.h.
 *   nodes.lock, reports.lock, watch_lock, money_lock, file.lock
 *                for memory, a few instructions each; none is taken under another.
 * reports.order is taken with no other lock held, and nothing of the mount is called under it.
 */
#ifndef KINOFS_MOUNT_FS_H
#define KINOFS_MOUNT_FS_H

#include "fs/base/descriptors.h"
#include "fs/mount/mount.h"
#include "fs/mount/node.h"
#include "fs/mount/report.h"
#include "fs/mount/shim.h"

#include <fuse_lowlevel.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/queue.h>

struct gallery;
struct open_file;
struct overview;
struct publisher;

struct mount {
	struct shim shim; /* first: the session's userdata points to both */
	struct fuse_session *session;
	struct mount_setup setup;
	struct node_table nodes;
	struct overview *overview;
	struct gallery *gallery;
	atomic_int announcing;       /* announce.h */
	struct publisher *publisher; /* under watch_lock; NULL: there is none */
	pthread_rwlock_t names;
	struct reports reports;
	struct timespec started; /* when static generated files were "made" */
	atomic_ulong changes;    /* made through the mount so far */
	atomic_ulong unseen;     /* open writers whose writes the kernel does not show us */
	bool is_root;            /* new objects are given to their creator */
	bool root_only;          /* nobody else gets in (caller.h) */
	bool knows_noreplace;    /* the store's filesystem knows RENAME_NOREPLACE */
	bool is_local;           /* the store's filesystem reports no errors at close(2) */
	struct descriptors to_give;
	pthread_mutex_t money_lock;     /* for the rest */
	cJSON *caps;                    /* as the configuration names them */
	char *warning;                  /* warning.h; NULL: there is none */
	struct timespec warned;         /* when it became this one */
	struct timespec warning_turned; /* when there last came to be one, or none */
	pthread_mutex_t watch_lock;
	LIST_HEAD(, open_file) watched; /* open files with a poll handle */
	bool serving;                   /* under watch_lock: the kernel may be notified */
	sem_t stop;                     /* posted by mount_stop() */
	atomic_bool stopped;            /* by a signal, with files open perhaps */
	atomic_bool served;             /* the loop has ended */
	pthread_t server;               /* the thread in mount_serve() */
};

/* mount_new() without mounting: what can answer requests (tests/fuzz/fuzz_fuse.c). */
struct mount *mount_make(const struct mount_setup *setup, int *error);

static inline struct mount *mount_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* Tells how long attributes fetched ahead stay valid (readahead.h). Every operation that changes
 * something calls mount_changed() before it answers, and before it releases an exclusive lock on
 * names. */
static inline void mount_changed(struct mount *mount)
{
	atomic_fetch_add(&mount->changes, 1);
}

static inline unsigned long mount_generation(struct mount *mount)
{
	if (atomic_load(&mount->unseen))
		mount_changed(mount);
	return atomic_load(&mount->changes);
}

/* names, for the rest of the block */
static inline void names_release(pthread_rwlock_t **lock)
{
	pthread_rwlock_unlock(*lock);
}
#define NAMES_HELD(mount, how)                                                                     \
	__attribute__((cleanup(names_release), unused)) pthread_rwlock_t *names_held_ =            \
		(pthread_rwlock_##how##lock(&(mount)->names), &(mount)->names)

/* The operations, by file; struct fuse_lowlevel_ops is filled in mount.c. */
#define OP(name, ...) void op_##name(fuse_req_t req, fuse_ino_t ino, __VA_ARGS__)
/* ops_name.c */
OP(lookup, const char *name);
OP(forget, uint64_t count);
void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
OP(mknod, const char *name, mode_t mode, dev_t rdev);
OP(mkdir, const char *name, mode_t mode);
void op_symlink(fuse_req_t req, const char *target, fuse_ino_t ino, const char *name);
OP(create, const char *name, mode_t mode, struct fuse_file_info *fi);
/* ops_change.c */
OP(link, fuse_ino_t parent, const char *name);
OP(unlink, const char *name);
OP(rmdir, const char *name);
OP(rename, const char *name, fuse_ino_t new_parent, const char *new_name, unsigned flags);
/* ops_attr.c */
OP(getattr, struct fuse_file_info *fi);
OP(setattr, struct stat *attr, int to_set, struct fuse_file_info *fi);
void op_access(fuse_req_t req, fuse_ino_t ino, int mask);
void op_readlink(fuse_req_t req, fuse_ino_t ino);
void op_statfs(fuse_req_t req, fuse_ino_t ino);
/* ops_xattr.c */
OP(getxattr, const char *name, size_t size);
OP(setxattr, const char *name, const char *value, size_t size, int flags);
OP(listxattr, size_t size);
OP(removexattr, const char *name);
/* ops_file.c */
OP(open, struct fuse_file_info *fi);
OP(read, size_t size, off_t off, struct fuse_file_info *fi);
OP(write, const char *bytes, size_t size, off_t off, struct fuse_file_info *fi);
OP(flush, struct fuse_file_info *fi);
OP(release, struct fuse_file_info *fi);
OP(fsync, int datasync, struct fuse_file_info *fi);
OP(poll, struct fuse_file_info *fi, struct fuse_pollhandle *poll);
/* ops_range.c */
OP(fallocate, int mode, off_t off, off_t length, struct fuse_file_info *fi);
OP(lseek, off_t off, int whence, struct fuse_file_info *fi);
void op_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_off,
	struct fuse_file_info *from_fi, fuse_ino_t to, off_t to_off, struct fuse_file_info *to_fi,
	size_t size, int flags);
/* ops_dir.c */
OP(opendir, struct fuse_file_info *fi);
OP(readdir, size_t size, off_t off, struct fuse_file_info *fi);
OP(readdirplus, size_t size, off_t off, struct fuse_file_info *fi);
OP(releasedir, struct fuse_file_info *fi);
OP(fsyncdir, int datasync, struct fuse_file_info *fi);
/* Frees a folder still open when the mount is gone. */
void folder_handle_free(struct handle *handle);
#undef OP

#endif

/*
 * fs.h - what the files of the mount room share: the mount itself, how a node
 * is reached in the store, and what the engine is told.
 *
 * Locks, outermost first:
 *   names        held shared while a node's path is resolved and used in a system call; held
 *                exclusively by rename, unlink, rmdir and link, so that no path can come to
 *                mean something else between the two. Never taken twice by one thread.
 *   overview.c's lock
 *                see overview.h.
 *   nodes.lock, reports.lock, watch_lock, folder.lock
 *                for memory, a few instructions each; none is taken under another.
 * reports.order is taken with no other lock held, and nothing of the mount is called under it.
 */
#ifndef KINOFS_MOUNT_FS_H
#define KINOFS_MOUNT_FS_H

#include "fs/mount/mount.h"
#include "fs/mount/node.h"
#include "fs/mount/overview.h"
#include "fs/mount/report.h"
#include "fs/mount/shim.h"

#include <fuse_lowlevel.h>
#include <semaphore.h>
#include <stdatomic.h>

/* Everything that changes a real entry comes through the mount, so the kernel may keep what it
 * knows; generated and published entries change underneath. Seconds. */
#define TIMEOUT_REAL     3600.0
#define TIMEOUT_UNCACHED 0.0
#define TIMEOUT_NEGATIVE 1.0

struct mount {
	struct fuse_session *session;
	struct mount_setup setup;
	struct shim shim;
	struct node_table nodes;
	struct overview *overview;
	pthread_rwlock_t names;
	struct reports reports;
	struct timespec started; /* when static generated files were "made" */
	atomic_ulong changes;    /* made through the mount so far */
	atomic_ulong unseen;     /* open writers whose writes do not come by us */
	bool is_root;            /* new objects are given to their creator */
	bool is_local;           /* the store's filesystem has nothing to say at close(2) */
	pthread_mutex_t watch_lock;
	struct open_file *watched; /* open files with a poll handle */
	bool serving;              /* under watch_lock: the kernel may be notified */
	sem_t stop;                /* posted by mount_stop() */
	atomic_bool stopped;       /* by a signal, with files open perhaps */
	atomic_bool served;        /* the loop has ended */
	pthread_t server;          /* the thread in mount_serve() */
};

struct open_file {
	struct handle handle; /* first: fi->fh points to both */
	pid_t opener;         /* thread id */
	atomic_bool wrote;
	_Atomic int64_t flushed; /* the file's ctime at the last close(2) of a descriptor, ns */
	bool unseen;             /* writes without us: passed through */
	bool may_be_job;         /* open for writing, by another than the publisher, outside out/ */
	atomic_int writing;      /* its number since it wrote (intake.h), or -1 */
	/* generated files */
	pthread_mutex_t lock; /* of text, bytes, read_at */
	char *text;           /* the content at open; of ctl the answer to the last line */
	size_t bytes, read_at;
	/* events.jsonl, under watch_lock */
	off_t seen; /* how far this handle has read */
	struct fuse_pollhandle *poll;
	struct open_file *next_watched;
};

static inline struct open_file *file_of(const struct fuse_file_info *fi)
{
	return (struct open_file *)(uintptr_t)fi->fh;
}

static inline struct mount *mount_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* The one place where a negative errno turns positive. */
static inline void reply_result(fuse_req_t req, int error)
{
	fuse_reply_err(req, error < 0 ? -error : 0);
}

/* What attributes fetched ahead are good for (readahead.h). Every operation that changes something
 * calls mount_changed() before it answers, and before it lets go of an exclusive hold on names. */
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

/*
 * Where an object of the store is, for the *at() calls: path below the
 * descriptor at, or the descriptor itself (path "", flags AT_EMPTY_PATH). No symlink
 * is followed. Good while names is held, a location by descriptor for ever.
 */
struct location {
	int at;
	char *path; /* a path longer than PATH_MAX is cut: at is a folder on its way */
	int flags;  /* AT_SYMLINK_NOFOLLOW or AT_EMPTY_PATH */
	char *memory;
	int own; /* a descriptor to close, or -1 */
};
#define AUTO_LOCATION __attribute__((cleanup(location_clear)))
#define LOCATION_NONE                                                                              \
	{                                                                                          \
		.own = -1                                                                          \
	}

/* Of leaf in a folder; leaf NULL: of the node, which may be nameless but open. 0, -ENOENT… */
int location_of(
	struct mount *mount, struct node *node, const char *leaf, struct location *location);
/* Of an open file, when the request names one; else as location_of(). */
int location_of_open(struct mount *mount, struct node *node, const struct fuse_file_info *fi,
	struct location *location);
int location_stat(const struct location *location, struct stat *st);
int location_open(const struct location *location, int flags); /* a descriptor or -errno */
void location_clear(struct location *location);

/* What an operation is about to do to a name or a generated object. 0, or the -errno that the
 * table in generated.c gives. */
enum action { DO_CREATE, DO_UNLINK, DO_RMDIR, DO_MOVE, DO_REPLACE, DO_WRITE, DO_COUNT };
int guard_name(struct mount *mount, struct node *parent, const char *name, enum action action);
int guard_node(const struct node *node, enum action action);

/* Fills the reply for parent/name, which has these attributes, and counts the lookup. */
int entry_enter(struct mount *mount, struct node *parent, const char *name, const struct stat *st,
	struct fuse_entry_param *entry);
/* The same for a generated entry; *handled says whether the name is one. */
int entry_generated(struct mount *mount, struct node *parent, const char *name, pid_t caller,
	struct fuse_entry_param *entry, bool *handled);
/* Replies, or takes the lookup back when nobody waits for it any more. */
void entry_reply(fuse_req_t req, int error, const struct fuse_entry_param *entry);

/* Attributes of any node, as shown. */
int node_stat(
	struct mount *mount, struct node *node, const struct fuse_file_info *fi, struct stat *st);
double node_timeout(const struct node *node);
/* Gives a new object to the caller; call after creating location in parent. */
int give_to_caller(struct mount *mount, fuse_req_t req, struct node *parent,
	const struct location *location, mode_t mode);
/* The handle of a file just opened or made; takes fd over. 0 or -ENOMEM. */
int file_opened(fuse_req_t req, struct node *node, int fd, struct fuse_file_info *fi);
void file_closed(struct mount *mount, const struct fuse_file_info *fi);
/* Its bytes are about to change; its writable handle is told of by RELEASE. */
void file_will_write(struct mount *mount, struct open_file *file);
/* What the handle is passed through to (shim.h), or 0. */
int file_backing(const struct fuse_file_info *fi);
/* After an unmount: tells of files whose RELEASE was not read any more. */
void files_left(struct mount *mount);
/* Whether a RELEASE may be on its way: of a file that has not changed since a close(2). */
bool files_closing(struct mount *mount);
/* Frees what is still open when the mount is gone: a file's handle, or a folder's. */
void handle_free(struct handle *handle);
void folder_handle_free(struct handle *handle);
/* The bytes of a file are others now: told at once, or by the last writer's RELEASE. Under names.
 */
void file_changed(struct mount *mount, struct node *node);
/* A generated file: its content as of now, or the descriptor of events.jsonl. */
int generated_open(
	struct mount *mount, struct node *node, struct fuse_file_info *fi, struct open_file *file);
/* live.c: ctl and events.jsonl */
int ctl_write(struct mount *mount, struct open_file *file, const char *bytes, size_t size);
void ctl_read(fuse_req_t req, struct open_file *file, size_t size);
void events_read(fuse_req_t req, struct open_file *file, size_t size, off_t off);
unsigned events_poll(struct mount *mount, struct open_file *file, struct fuse_pollhandle *poll);
void events_unwatch(struct mount *mount, struct open_file *file);

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
#undef OP

#endif

#include "fs/mount/mount.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/mount/caller.h"
#include "fs/mount/file.h"
#include "fs/mount/fs.h"
#include "fs/mount/gallery.h"
#include "fs/mount/node_use.h"
#include "fs/mount/noreplace.h"
#include "fs/mount/overview.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

_Static_assert(offsetof(struct mount, shim) == 0, "shim.c is given the mount");

#define MAX_THREADS      10
#define RELEASE_WAIT_MS  300
#define STEP_MS          5
#define CONSTANT_OPTIONS "nosuid,nodev,fsname=kinofs,subtype=kinofs"

/* HANDLE_KILLPRIV off: a daemon that is root would keep set-ID bits on write, so the kernel is to
 * take them away itself, by setattr. */
static void op_init(void *context, struct fuse_conn_info *connection)
{
	struct mount *mount = context;

	connection->want &= ~(unsigned)FUSE_CAP_HANDLE_KILLPRIV;
	connection->want |=
		connection->capable & (FUSE_CAP_EXPORT_SUPPORT | FUSE_CAP_CACHE_SYMLINKS);
	shim_init(&mount->shim, connection);
}

/* No xattr operations, but with -o xattr: the kernel remembers ENOSYS and asks no more, which makes
 * `ls -l` ten times faster than answering ENODATA. No locks: those of the kernel are right for a
 * local tree. No access but in a mount of root's: default_permissions. (FUSE.md B4) */
static const struct fuse_lowlevel_ops operations = {
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.access = op_access,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.create = op_create,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.flush = op_flush,
	.release = op_release,
	.fsync = op_fsync,
	.fallocate = op_fallocate,
	.lseek = op_lseek,
	.copy_file_range = op_copy_file_range,
	.poll = op_poll,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.releasedir = op_releasedir,
	.fsyncdir = op_fsyncdir,
	.statfs = op_statfs,
	.init = op_init,
};

/* 0 or -errno, logged. */
static int make_folder(const struct mount_setup *setup, const char *path, mode_t mode)
{
	int error = folders_make(setup->store_fd, path, mode, O_NOFOLLOW);

	if (error < 0)
		log_error("cannot make the folder %s in the store: %s", path, strerror(-error));
	return error;
}

static int make_tree(const struct mount_setup *setup)
{
	int error = make_folder(setup, "tree", 0755);

	if (error == 0)
		error = make_folder(setup, "incoming", 0700);
	/* half a note, of a publisher that was killed (publish.c) */
	(void)unlinkat(setup->store_fd, "incoming/note.tmp", 0);
	for (size_t i = 0; i < setup->models->count && error == 0; i++) {
		AUTO_FREE char *path = format("tree/%s/out", setup->models->item[i]->id);
		struct stat info;

		/* there are hundreds: where one is, there is nothing to make */
		if (path && fstatat(setup->store_fd, path, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISDIR(info.st_mode))
			continue;
		error = path ? make_folder(setup, path, 0755) : -ENOMEM;
	}
	return error;
}

struct words {
	int plain_io; /* for tests: as where the kernel can do no better */
	int xattr;
};

/* Our own words are taken out of args. */
static int take_words(struct fuse_args *args, struct words *words)
{
	static const struct fuse_opt known[] = {{"plain_io", offsetof(struct words, plain_io), 1},
		{"xattr", offsetof(struct words, xattr), 1}, FUSE_OPT_END};

	return fuse_opt_parse(args, words, known, NULL) < 0 ? -EINVAL : 0;
}

static struct fuse_session *make_session(
	struct mount *mount, struct fuse_args *args, const struct words *words)
{
	struct fuse_lowlevel_ops chosen = operations;

	mount->shim.plain = words->plain_io;
	if (words->xattr) {
		chosen.getxattr = op_getxattr;
		chosen.setxattr = op_setxattr;
		chosen.listxattr = op_listxattr;
		chosen.removexattr = op_removexattr;
	}
	return fuse_session_new(args, &chosen, sizeof(chosen), mount);
}

static int session_new(struct mount *mount)
{
	const char *more = mount->setup.fuse_options;
	AUTO_FREE char *options =
		format("%s%s%s%s", CONSTANT_OPTIONS, mount->root_only ? "" : ",default_permissions",
			more && *more ? "," : "", more ? more : "");
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct words words = {0};
	int error = -ENOMEM;

	if (!options)
		return -ENOMEM;
	if (fuse_opt_add_arg(&args, "kinofs") == 0 && fuse_opt_add_arg(&args, "-o") == 0 &&
		fuse_opt_add_arg(&args, options) == 0 &&
		(!mount->setup.debug || fuse_opt_add_arg(&args, "-d") == 0) &&
		take_words(&args, &words) == 0) {
		mount->session = make_session(mount, &args, &words);
		error = mount->session ? 0 : -EINVAL;
	}
	fuse_opt_free_args(&args);
	if (error == -EINVAL)
		log_error("libfuse refuses the mount options %s", options);
	return error;
}

/* One on the network, or a stack of others, may say at close(2) that a write failed. */
static bool is_local(int fd)
{
	static const long known[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
		F2FS_SUPER_MAGIC, TMPFS_MAGIC};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < COUNT(known); i++)
		if (fs.f_type == known[i])
			return true;
	return false;
}

static int mount_init(struct mount *mount)
{
	pthread_rwlockattr_t fair;
	struct stat root;

	pthread_rwlockattr_init(&fair);
	/* else a crowd of readers keeps a rename waiting for ever */
	pthread_rwlockattr_setkind_np(&fair, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&mount->names, &fair);
	pthread_rwlockattr_destroy(&fair);
	pthread_mutex_init(&mount->watch_lock, NULL);
	pthread_mutex_init(&mount->money_lock, NULL);
	(void)sem_init(&mount->stop, 0, 0); /* cannot fail */
	reports_init(&mount->reports);
	clock_gettime(CLOCK_REALTIME, &mount->started);
	mount->is_root = geteuid() == 0;
	mount->root_only = caller_is_root_only(mount->setup.fuse_options);
	mount->overview = overview_new(mount->setup.store_fd, mount->setup.models);
	mount->gallery = gallery_new();
	if (!mount->overview || !mount->gallery)
		return -ENOMEM;
	mount->is_local = is_local(mount->setup.store_fd);
	mount->knows_noreplace = noreplace_is_known(mount->setup.store_fd);
	mount->to_give = descriptors_to_give();
	if (fstatat(mount->setup.store_fd, "tree", &root, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return node_table_init(&mount->nodes, &root);
}

static int session_mount(struct mount *mount)
{
	const char *mountpoint = mount->setup.mountpoint;

	errno = 0;
	if (fuse_session_mount(mount->session, mountpoint) == 0) {
		shim_start(&mount->shim, mount->session);
		return 0;
	}
	if (!errno)
		errno = EIO; /* fusermount3 has said why on stderr */
	log_error("cannot mount on %s: %s", mountpoint, strerror(errno));
	return -errno;
}

struct mount *mount_make(const struct mount_setup *setup, int *error)
{
	struct mount *mount;

	*error = make_tree(setup);
	if (*error < 0)
		return NULL;
	mount = calloc(1, sizeof(*mount));
	if (!mount) {
		*error = -ENOMEM;
		return NULL;
	}
	mount->setup = *setup;
	umask(0);
	*error = mount_init(mount);
	if (*error == 0)
		*error = session_new(mount);
	if (*error == 0)
		return mount;
	mount_free(mount);
	return NULL;
}

struct mount *mount_new(const struct mount_setup *setup, int *error)
{
	struct mount *mount = mount_make(setup, error);

	if (!mount)
		return NULL;
	*error = session_mount(mount);
	mount->serving = *error == 0;
	if (*error == 0)
		return mount;
	mount_free(mount);
	return NULL;
}

/* The notifications of another thread must not go to a descriptor that is somebody else's by now.
 */
static void unmount(struct mount *mount)
{
	pthread_mutex_lock(&mount->watch_lock);
	mount->serving = false;
	pthread_mutex_unlock(&mount->watch_lock);
	if (mount->session)
		fuse_session_unmount(mount->session);
}

/* Waits for mount_stop(), and then for the RELEASEs of files just closed: libfuse drops what it
 * reads once the session has exited, and close(2) does not wait for them. */
static void *wait_to_stop(void *context)
{
	struct mount *mount = context;
	int waited = 0;

	while (sem_wait(&mount->stop) < 0)
		; /* interrupted */
	for (; !atomic_load(&mount->served) && waited < RELEASE_WAIT_MS; waited += STEP_MS) {
		if (!files_closing(mount))
			break;
		(void)usleep(STEP_MS * 1000);
	}
	fuse_session_exit(mount->session);
	while (!atomic_load(&mount->served)) {
		(void)pthread_kill(mount->server, SIGINT); /* ends the loop's wait */
		(void)usleep(STEP_MS * 1000);
	}
	return NULL;
}

static int serve(struct mount *mount)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int error;

	if (!config)
		return -ENOMEM;
	fuse_loop_cfg_set_max_threads(config, MAX_THREADS);
	error = fuse_session_loop_mt(mount->session, config);
	fuse_loop_cfg_destroy(config);
	/* the kernel has let go of the connection while a request was being read: unmounted, which
	 * libfuse knows as ENODEV only */
	if (error == -ECONNABORTED)
		error = 0;
	return error > 0 ? -error : error;
}

int mount_serve(struct mount *mount)
{
	sigset_t all, before;
	pthread_t stopper;
	int error;

	mount->server = pthread_self();
	sigfillset(&all); /* signals are for this thread */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = -pthread_create(&stopper, NULL, wait_to_stop, mount);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error < 0)
		return error;
	error = serve(mount);
	atomic_store(&mount->served, true);
	(void)sem_post(&mount->stop); /* far from its limit */
	(void)pthread_join(stopper, NULL);
	if (!atomic_load(&mount->stopped))
		files_left(mount);
	unmount(mount);
	return error;
}

void mount_stop(struct mount *mount)
{
	atomic_store(&mount->stopped, true);
	(void)sem_post(&mount->stop); /* far from its limit */
}

static void handle_free(struct handle *handle)
{
	if (handle->node->folder)
		folder_handle_free(handle);
	else
		file_free((struct open_file *)handle);
}

void mount_free(struct mount *mount)
{
	unmount(mount);
	if (mount->session)
		fuse_session_destroy(mount->session);
	mount_events_grew(mount); /* lets go of the poll handles */
	node_table_clear(&mount->nodes, handle_free);
	overview_free(mount->overview);
	gallery_free(mount->gallery);
	reports_clear(&mount->reports);
	pthread_rwlock_destroy(&mount->names);
	pthread_mutex_destroy(&mount->watch_lock);
	pthread_mutex_destroy(&mount->money_lock);
	(void)sem_destroy(&mount->stop);
	cJSON_Delete(mount->caps);
	free(mount->warning);
	free(mount);
}

int mount_shown(struct mount *mount, const char *name, char **path)
{
	overview_look(mount->overview);
	return overview_find(mount->overview, name, path, NULL);
}

void mount_set_caps(struct mount *mount, cJSON *caps)
{
	cJSON *before;

	pthread_mutex_lock(&mount->money_lock);
	before = mount->caps;
	mount->caps = caps;
	pthread_mutex_unlock(&mount->money_lock);
	cJSON_Delete(before);
}

bool mount_is_being_written(struct mount *mount, const char *path)
{
	return node_is_written(&mount->nodes, path);
}
